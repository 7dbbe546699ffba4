package processes

import (
	"net"
	"strconv"
	"time"
)

// listening reports whether somebody accepts connections on a port of this
// host. There is no event for that: one has to try.
func listening(port Port) bool {
	for _, host := range []string{"127.0.0.1", "::1"} {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(host, strconv.Itoa(int(port))), time.Second)
		if err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// portInterval is the time between two tries.
const portInterval = 20 * time.Millisecond

// watchPort tells the loop when somebody listens on a process's port.
func (s *Session) watchPort(p *proc, port Port) {
	tick := time.NewTicker(portInterval)
	defer tick.Stop()
	for !listening(port) {
		select {
		case <-tick.C:
		case <-p.host.done:
			return
		}
	}
	s.post(func() {
		p.port = true
		s.checkReady(p)
	})
}
