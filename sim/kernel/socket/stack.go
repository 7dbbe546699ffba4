package socket

import "github.com/restep/restep/sim/kernel/abi"

// The range of ephemeral ports, net.ipv4.ip_local_port_range. Unlike Linux,
// which hashes, they are given out in order, so that they can be told apart
// at a glance.
const (
	FirstEphemeral = 10000
	LastEphemeral  = 65535
)

// pair identifies a connection on one machine.
type pair struct{ local, remote Addr }

// Binding is a use of a local port.
type Binding struct {
	Addr Addr
	// Reuse is SO_REUSEADDR, ReusePort SO_REUSEPORT. Set them before Listen.
	Reuse, ReusePort bool
	// V6Only is IPV6_V6ONLY.
	V6Only    bool
	listening bool
	waiting   bool // of a connection in TIME-WAIT
	index     int  // in port.users
}

// port is what is known of a port in use.
type port struct {
	users     []*Binding
	listeners []*Listener
}

// Stack is the TCP of one machine.
type Stack struct {
	env   Env
	ports map[uint16]*port
	conns map[pair]*Conn
	waits map[pair]*timeWait
	// waitOrder holds what is or was in waits, oldest first.
	waitOrder []*timeWait
	// first and last are the ends of the list of all connections in conns,
	// in the order of their creation.
	first, last *Conn
	nextPort    uint32
	out         Segment // scratch, so that sending does not allocate
}

// NewStack returns the stack of a machine without connections.
func NewStack(env Env) *Stack {
	s := &Stack{env: env, nextPort: FirstEphemeral}
	s.forget()
	return s
}

func (s *Stack) forget() {
	s.ports = map[uint16]*port{}
	s.conns = map[pair]*Conn{}
	s.waits = map[pair]*timeWait{}
	s.first, s.last, s.waitOrder = nil, nil, nil
}

// PowerOff makes every connection and listener vanish without a word; the
// count of ephemeral ports goes on.
func (s *Stack) PowerOff() {
	for c := s.first; c != nil; {
		next := c.next
		c.vanish()
		c = next
	}
	s.forget()
}

// Disturbed tells the stack that a path it uses may have stopped to carry
// segments, or that a peer may be gone: idle connections start to probe.
func (s *Stack) Disturbed() {
	for c := s.first; c != nil; c = c.next {
		c.Disturbed()
	}
}

// Find is the connection between two addresses, nil if there is none.
func (s *Stack) Find(local, remote Addr) *Conn { return s.conns[pair{local, remote}] }

// Each calls conn for every connection, in the order in which they were made, and
// wait for every one in TIME-WAIT, the oldest first.
func (s *Stack) Each(conn func(*Conn), wait func(local, remote Addr)) {
	for c := s.first; c != nil; c = c.next {
		conn(c)
	}
	s.purge()
	for _, w := range s.waitOrder {
		if s.waits[w.key] == w {
			wait(w.key.local, w.key.remote)
		}
	}
}

// Conns counts connections, listeners apart.
func (s *Stack) Conns() int { return len(s.conns) }

// set is which addresses b hears.
func (b *Binding) set() Set { return Set{b.Addr.IP, b.V6Only} }

// Bind makes b, whose fields are filled in, a use of its port; port 0 takes
// the next free ephemeral one. 0.0.0.0 and :: stand for every address of the
// machine. bind(2): EADDRINUSE, EADDRNOTAVAIL.
func (s *Stack) Bind(b *Binding) abi.Errno {
	if !b.Addr.IP.Unspecified() && !s.env.Local(b.Addr.IP) {
		return abi.EADDRNOTAVAIL
	}
	if b.Addr.Port == 0 {
		n := s.ephemeral(false)
		if n == 0 {
			return abi.EADDRINUSE
		}
		b.Addr.Port = n
	}
	if s.conflict(b) {
		return abi.EADDRINUSE
	}
	s.use(b)
	return abi.OK
}

// ephemeral is the next free ephemeral port, 0 when all are in use. If waiting
// is set, one that only connections in TIME-WAIT use will do when no free one
// is near (net.ipv4.tcp_tw_reuse).
func (s *Stack) ephemeral(waiting bool) uint16 {
	const near = 4
	s.purge()
	second := uint16(0)
	for i := range LastEphemeral - FirstEphemeral + 1 {
		n := uint16(s.nextPort)
		s.nextPort++
		if s.nextPort > LastEphemeral {
			s.nextPort = FirstEphemeral
		}
		p := s.ports[n]
		switch {
		case p == nil:
			return n
		case second == 0 && waiting && p.waits():
			second = n
		}
		if second != 0 && i >= near {
			break
		}
	}
	return second
}

// waits reports whether only connections in TIME-WAIT use the port.
func (p *port) waits() bool {
	for _, u := range p.users {
		if !u.waiting {
			return false
		}
	}
	return true
}

// conflict reports whether another use of b's port forbids b.
// net/ipv4/inet_connection_sock.c:inet_bind_conflict: two sockets share a
// port if their addresses differ, if both have SO_REUSEADDR and neither
// listens, or if both have SO_REUSEPORT.
func (s *Stack) conflict(b *Binding) bool {
	s.purge()
	p := s.ports[b.Addr.Port]
	if p == nil {
		return false
	}
	for _, u := range p.users {
		if u == b || u.Reuse && b.Reuse && !u.listening || u.ReusePort && b.ReusePort {
			continue
		}
		if u.set().Meets(b.set()) {
			return true
		}
	}
	return false
}

func (s *Stack) use(b *Binding) {
	p := s.ports[b.Addr.Port]
	if p == nil {
		p = &port{}
		s.ports[b.Addr.Port] = p
	}
	b.index = len(p.users)
	p.users = append(p.users, b)
}

// Unbind gives the port back.
func (s *Stack) Unbind(b *Binding) {
	p := s.ports[b.Addr.Port]
	if p == nil || b.index >= len(p.users) || p.users[b.index] != b {
		return // bound before the power went off
	}
	last := len(p.users) - 1
	p.users[b.index] = p.users[last]
	p.users[b.index].index = b.index
	p.users[last] = nil
	p.users = p.users[:last]
	if last == 0 {
		assert(len(p.listeners) == 0, "a listener on a port that nobody uses")
		delete(s.ports, b.Addr.Port)
	}
}

// insert adds c to the table and the list of connections.
func (s *Stack) insert(c *Conn) {
	key := pair{c.Local, c.Remote}
	assert(s.conns[key] == nil, "two connections between the same addresses")
	s.conns[key] = c
	c.prev = s.last
	if s.last != nil {
		s.last.next = c
	} else {
		s.first = c
	}
	s.last = c
}

func (s *Stack) remove(c *Conn) {
	key := pair{c.Local, c.Remote}
	assert(s.conns[key] == c, "a connection that is not in the table")
	delete(s.conns, key)
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.first = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		s.last = c.prev
	}
	c.prev, c.next = nil, nil
}

// Input takes a segment that arrived for this machine. It reports whether a
// connection or listener was there for it.
func (s *Stack) Input(seg *Segment) bool {
	if c := s.conns[pair{seg.Dst, seg.Src}]; c != nil {
		c.input(seg)
		return true
	}
	if s.inputWait(seg) {
		return true
	}
	if seg.Flags&(SYN|ACK|RST|FIN) == SYN {
		if l := s.listener(seg.Dst, seg.Src); l != nil {
			l.syn(seg)
			return true
		}
	}
	s.refuse(seg)
	return false
}

// listener finds who listens for src at dst: the narrowest address first, and
// among several with SO_REUSEPORT one that src's port decides.
func (s *Stack) listener(dst, src Addr) *Listener {
	p := s.ports[dst.Port]
	if p == nil {
		return nil
	}
	best, top, among := (*Listener)(nil), 0, 0
	for _, l := range p.listeners {
		score := l.bind.set().Score(dst.IP)
		switch {
		case score == 0 || score < top:
		case score > top:
			best, top, among = l, score, 1
		default:
			// The n-th of equals replaces the earlier ones for one port in n.
			if among++; int(src.Port)%among == 0 {
				best = l
			}
		}
	}
	return best
}

// refuse answers a segment that belongs to no connection, RFC 9293 3.10.7.1.
func (s *Stack) refuse(seg *Segment) {
	if seg.Flags&RST != 0 {
		return
	}
	out := Segment{Src: seg.Dst, Dst: seg.Src, Conn: seg.Conn}
	if seg.Flags&ACK != 0 {
		out.Seq, out.Flags = seg.Ack, RST
	} else {
		out.Ack, out.Flags = seg.Seq+seg.Length(), RST|ACK
	}
	s.out = out
	s.env.Output(&s.out)
}

// Refused answers a segment of length sequence numbers that this machine sent
// with the reset of a firewall on the way.
func (s *Stack) Refused(seg *Segment, length uint32) {
	if seg.Flags&RST != 0 {
		return
	}
	in := Segment{Src: seg.Dst, Dst: seg.Src, Conn: seg.Conn, Flags: RST}
	if seg.Flags&ACK != 0 {
		in.Seq = seg.Ack
	} else {
		in.Ack, in.Flags = seg.Seq+length, RST|ACK
	}
	s.Input(&in)
}

// Unreachable tells the connection between two addresses that a segment did
// not find its way (ICMP). net/ipv4/tcp_ipv4.c:tcp_v4_err: an attempt to
// connect fails of it; an open connection goes on trying, and gives it as the
// reason should it give up.
func (s *Stack) Unreachable(local, remote Addr, errno abi.Errno) {
	c := s.Find(local, remote)
	switch {
	case c == nil:
	case c.state == StateSynSent:
		c.fail(errno)
	default:
		c.soft = errno
	}
}
