package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// The part of proc_net(5) that programs list connections and devices with.
// Sources: net/ipv4/tcp_ipv4.c:tcp4_seq_show, net/ipv4/udp.c:udp4_format_sock,
// net/ipv6/tcp_ipv6.c, net/core/net-procfs.c, net/ipv6/addrconf.c:if6_seq_show.

var procNetTexts = [...]procText{
	{procSelf + "/net/dev", procNetDev},
	{procSelf + "/net/if_inet6", procNetInet6},
	{procSelf + "/net/tcp", func(k *Kernel, p *Process) string { return procNetTCP(p.m, false) }},
	{procSelf + "/net/tcp6", func(k *Kernel, p *Process) string { return procNetTCP(p.m, true) }},
	{procSelf + "/net/udp", func(k *Kernel, p *Process) string { return procNetUDP(p.m, false) }},
	{procSelf + "/net/udp6", func(k *Kernel, p *Process) string { return procNetUDP(p.m, true) }},
}

// traffic counts what went through a device, in bytes with headers, and packets.
type traffic struct{ inBytes, in, outBytes, out uint64 }

// device counts of the way between s and to, which may be s itself.
func (s *netStack) traffic(to *netStack) *traffic {
	if s == to {
		return &s.counts[deviceLo]
	}
	return &s.counts[deviceEth]
}

func procNetDev(_ *Kernel, p *Process) string {
	b := []byte("Inter-|   Receive                                                |  Transmit\n" +
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n")
	for device := deviceLo; device <= deviceEth; device++ {
		c := &p.m.stack.counts[device]
		b = append(padded(b, deviceNames[device], 6), ": "...)
		for i, n := range [...]uint64{c.inBytes, c.in, 0, 0, 0, 0, 0, 0, c.outBytes, c.out, 0, 0, 0, 0, 0, 0} {
			if i > 0 {
				b = append(b, ' ')
			}
			width := [...]int{7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10}[i]
			b = padded(b, strconv.FormatUint(n, 10), width)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// padded appends s at the right of a field.
func padded(b []byte, s string, width int) []byte {
	for range width - len(s) {
		b = append(b, ' ')
	}
	return append(b, s...)
}

func procNetInet6(_ *Kernel, p *Process) string {
	var b []byte
	for _, ip := range append([]socket.IP{socket.Loopback6()}, p.m.stack.ips...) {
		if ip.Is4() {
			continue
		}
		device, scope := p.m.stack.device(ip), 0
		if device == deviceLo {
			scope = 0x10 // IPV6_ADDR_LOOPBACK
		}
		for _, x := range ip {
			b = appendHex(b, uint64(x), 2)
		}
		for _, n := range [...]int{device, prefixBits(ip), scope, 0x80} { // IFA_F_PERMANENT
			b = appendHex(append(b, ' '), uint64(n), 2)
		}
		b = append(padded(append(b, ' '), deviceNames[device], 8), '\n')
	}
	return string(b)
}

// appendHex writes n with that many hexadecimal digits.
func appendHex(b []byte, n uint64, digits int) []byte {
	for digits--; digits >= 0; digits-- {
		b = append(b, "0123456789ABCDEF"[n>>(4*digits)&15])
	}
	return b
}

// sockets are those that a machine's processes have open, each once, in order of
// processes and descriptors.
func (m *Machine) sockets(show func(p *Process, s netSocket)) {
	seen := map[netSocket]bool{}
	processes := append([]*Process{m.proc}, m.k.children...)
	for _, p := range processes {
		if p == nil || p.m != m {
			continue
		}
		for fd := range p.fds.slots {
			f, errno := p.fds.get(fd)
			if s, ok := f.(netSocket); ok && errno == abi.OK && !seen[s] {
				seen[s] = true
				show(p, s)
			}
		}
	}
}

// tcpStates are the numbers of include/net/tcp_states.h.
var tcpStates = [...]uint64{
	socket.StateClosed: 7, socket.StateSynSent: 2, socket.StateSynReceived: 3, socket.StateEstablished: 1,
	socket.StateFinWait1: 4, socket.StateFinWait2: 5, socket.StateCloseWait: 8, socket.StateClosing: 11,
	socket.StateLastAck: 9,
}

const (
	tcpTimeWait = 6
	tcpListen   = 10
	udpUnbound  = 7 // TCP_CLOSE: a UDP socket without a peer
)

// netLine is one line about a socket.
type netLine struct {
	local, remote socket.Addr
	state         uint64
	sends, holds  int // bytes to send, bytes to read
	uid           uint32
	inode         uint64
}

// netTable makes the lines of a file, of width characters.
type netTable struct {
	b       []byte
	v6      bool
	number  int
	numbers int // digits of the line's number
	width   int
	rest    string // behind the inode
}

func newNetTable(v6, udp bool) *netTable {
	w := &netTable{v6: v6, numbers: 4, width: 149, rest: " 1 0000000000000000 100 0 0 10 0"}
	head := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	if v6 {
		head = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	}
	if udp {
		w.numbers, w.width, w.rest = 5, 127, " 2 0000000000000000 0"
		head += " ref pointer drops"
		if !v6 {
			head = " " + head
		}
	}
	w.b = append(w.b, head...)
	w.end(0)
	return w
}

// end fills the line that began at start and ends it.
func (w *netTable) end(start int) {
	for !w.v6 && len(w.b)-start < w.width {
		w.b = append(w.b, ' ')
	}
	w.b = append(w.b, '\n')
}

// addr writes an address as words in the order of the host's bytes.
func (w *netTable) addr(a socket.Addr) {
	ip := a.IP[:]
	if !w.v6 {
		ip = ip[12:]
		if a.IP == (socket.IP{}) {
			ip = make([]byte, 4)
		}
	}
	for i := 0; i < len(ip); i += 4 {
		for k := 3; k >= 0; k-- {
			w.b = appendHex(w.b, uint64(ip[i+k]), 2)
		}
	}
	w.b = appendHex(append(w.b, ':'), uint64(a.Port), 4)
}

func (w *netTable) add(l *netLine) {
	start := len(w.b)
	w.b = append(padded(w.b, strconv.Itoa(w.number), w.numbers), ": "...)
	w.addr(l.local)
	w.b = append(w.b, ' ')
	w.addr(l.remote)
	w.b = appendHex(append(w.b, ' '), l.state, 2)
	w.b = appendHex(append(w.b, ' '), uint64(l.sends), 8)
	w.b = appendHex(append(w.b, ':'), uint64(l.holds), 8)
	w.b = append(w.b, " 00:00000000 00000000 "...)
	w.b = padded(w.b, strconv.FormatUint(uint64(l.uid), 10), 5)
	w.b = append(w.b, "        0 "...)
	w.b = append(strconv.AppendUint(w.b, l.inode, 10), w.rest...)
	w.end(start)
	w.number++
}

// procNetTCP lists listeners, then connections in the order in which they were
// made, then what is left of those that ended.
func procNetTCP(m *Machine, v6 bool) string {
	w := newNetTable(v6, false)
	owners := map[*socket.Conn]*netLine{}
	m.sockets(func(p *Process, s netSocket) {
		f, ok := s.(*tcpSocket)
		if !ok || (f.family == abi.AF_INET6) != v6 {
			return
		}
		l := &netLine{uid: p.who.fs.UID, inode: f.ino}
		switch {
		case f.lis != nil:
			l.local, l.state, l.holds = f.port.Addr, tcpListen, f.lis.Pending()
			w.add(l)
		case f.conn != nil:
			owners[f.conn] = l
		}
	})
	m.stack.tcp.Each(func(c *socket.Conn) {
		l := owners[c]
		if l == nil {
			if c.Owned() || c.Local.IP.Is4() == v6 {
				return
			}
			l = &netLine{} // not accepted yet, or closed by the program
		}
		l.local, l.remote, l.state, l.sends, l.holds = c.Local, c.Remote, tcpStates[c.State()], c.Unsent(), c.Buffered()
		w.add(l)
	}, func(local, remote socket.Addr) {
		if local.IP.Is4() != v6 {
			w.add(&netLine{local: local, remote: remote, state: tcpTimeWait})
		}
	})
	return string(w.b)
}

func procNetUDP(m *Machine, v6 bool) string {
	w := newNetTable(v6, true)
	m.sockets(func(p *Process, s netSocket) {
		f, ok := s.(*udpSocket)
		if !ok || f.addr.Port == 0 || (f.family == abi.AF_INET6) != v6 {
			return
		}
		l := &netLine{local: f.addr, remote: f.remote, state: udpUnbound, holds: f.size, uid: p.who.fs.UID, inode: f.ino}
		if f.remote.Port != 0 {
			l.state = tcpStates[socket.StateEstablished]
		}
		w.add(l)
	})
	return string(w.b)
}
