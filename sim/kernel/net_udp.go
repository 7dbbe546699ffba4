package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/steplog"
)

// datagram is one UDP message under way or waiting to be read.
type datagram struct {
	from             *netStack
	src, dst         socket.Addr
	srcText, dstText string
	// data is shared between the receivers of a multicast: nobody writes to it.
	data []byte
	// proto is the IP protocol of a message of a raw socket, 0 for UDP. The ports
	// are 0 then.
	proto uint8
	// icmp makes it an answer to a message that dst had sent to src: what its
	// socket's next call fails with. There is no data then.
	icmp abi.Errno
	tos  uint8 // type of service or traffic class, the ECN bits included
}

// datagramMax is the most bytes in one message, udp(7).
const datagramMax = 65507

// udpSocket is a datagram socket. Source: net/ipv4/udp.c, net/ipv6/udp.c.
type udpSocket struct {
	datagramSocket
	addr   socket.Addr // bound to; port 0 when not bound
	remote socket.Addr // connected to; port 0 when not
	err    abi.Errno
	groups []membership
	// The addresses of the last message that was sent, and their texts.
	src, dst         socket.Addr
	srcText, dstText string
}

func newUDP(s *netStack, family, proto int, flags uint32) *udpSocket {
	f := &udpSocket{datagramSocket: newDatagramSocket(newBase(s, family, abi.SOCK_DGRAM, proto, flags))}
	f.addr.IP = f.wildcard()
	return f
}

// Read is read(2): one message.
func (f *udpSocket) Read(t *Task, p []byte) (int, abi.Errno) { return readMessage(t, f, p) }

// Write is write(2): EDESTADDRREQ when the socket is not connected.
func (f *udpSocket) Write(t *Task, p []byte) (int, abi.Errno) { return writeMessage(t, f, p) }

// Ioctl answers FIONREAD and FIONBIO, udp(7).
func (f *udpSocket) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	return f.ioctl(req, arg, func(g *datagram) int { return len(g.data) })
}

// PollOpen registers pd.
func (f *udpSocket) PollOpen(pd uintptr) abi.Errno {
	return f.open(pd, len(f.queue) > 0 || f.err != abi.OK || f.rd, true)
}

// Release closes the socket.
func (f *udpSocket) Release(*Task) abi.Errno {
	f.poll.Clear()
	f.unbind()
	for len(f.groups) > 0 {
		f.setMembership(false, f.groups[0])
	}
	f.queue = nil
	return abi.OK
}

func (f *udpSocket) unbind() {
	users := f.stack.udp[f.addr.Port]
	for i, u := range users {
		if u == f {
			f.stack.udp[f.addr.Port] = append(users[:i], users[i+1:]...)
		}
	}
	if len(f.stack.udp[f.addr.Port]) == 0 {
		delete(f.stack.udp, f.addr.Port)
	}
	f.addr = socket.Addr{IP: f.wildcard()}
}

// set is which addresses the socket hears.
func (f *udpSocket) set() socket.Set {
	return socket.Set{IP: f.addr.IP, V6Only: f.family == abi.AF_INET6 && f.opt.v6Only}
}

func (f *udpSocket) bind(_ *Task, n *sockName) abi.Errno {
	addr := n.addr
	if f.addr.Port != 0 || f.onlyV6(addr.IP) {
		return abi.EINVAL
	}
	ip := addr.IP
	if !ip.Unspecified() && !f.stack.Local(ip) && !ip.Multicast() && !f.stack.broadcast(ip) {
		return abi.EADDRNOTAVAIL
	}
	if addr.Port == 0 {
		if addr.Port = f.stack.udpPort(); addr.Port == 0 {
			return abi.EADDRINUSE
		}
	}
	wanted := f.set()
	wanted.IP = ip
	for _, u := range f.stack.udp[addr.Port] {
		if u.opt.reuseAddr && f.opt.reuseAddr || u.opt.reusePort && f.opt.reusePort {
			continue
		}
		if u.set().Meets(wanted) {
			return abi.EADDRINUSE
		}
	}
	f.addr = addr
	f.stack.udp[addr.Port] = append(f.stack.udp[addr.Port], f)
	return abi.OK
}

// autobind gives a socket without a port one.
func (f *udpSocket) autobind(t *Task) abi.Errno {
	if f.addr.Port != 0 {
		return abi.OK
	}
	return f.bind(t, &sockName{addr: socket.Addr{IP: f.wildcard()}})
}

// udpPort is the next free ephemeral port, 0 when there is none.
func (s *netStack) udpPort() uint16 {
	for range socket.LastEphemeral - socket.FirstEphemeral + 1 {
		n := uint16(s.nextUDP)
		s.nextUDP++
		if s.nextUDP > socket.LastEphemeral {
			s.nextUDP = socket.FirstEphemeral
		}
		if len(s.udp[n]) == 0 {
			return n
		}
	}
	return 0
}

// connect fixes the peer and so the local address, udp(7).
func (f *udpSocket) connect(t *Task, n *sockName) abi.Errno {
	addr := n.addr
	if addr.IP.Unspecified() {
		addr.IP = socket.LocalOf(addr.IP)
	}
	source, errno := f.route(addr.IP)
	if errno != abi.OK {
		return errno
	}
	if errno := f.autobind(t); errno != abi.OK {
		return errno
	}
	if f.addr.IP.Unspecified() {
		f.addr.IP = source
	}
	f.remote = addr
	return abi.OK
}

// disconnect forgets the peer; the address that connect chose stays, as the
// port would.
func (f *udpSocket) disconnect(*Task) abi.Errno {
	f.remote = socket.Addr{}
	return abi.OK
}

// route is the address to send from. A broadcast needs SO_BROADCAST.
func (f *udpSocket) route(to socket.IP) (socket.IP, abi.Errno) {
	switch {
	case f.family == abi.AF_INET && !to.Is4(), f.onlyV6(to):
		return socket.IP{}, abi.ENETUNREACH
	case !f.addr.IP.Unspecified() && f.addr.IP.Is4() != to.Is4() && !f.addr.IP.Multicast():
		return socket.IP{}, abi.ENETUNREACH
	case f.stack.broadcast(to) && !f.opt.broadcast:
		return socket.IP{}, abi.EACCES
	}
	source, errno := f.stack.Route(to)
	if errno == abi.OK && !f.addr.IP.Unspecified() && f.stack.Local(f.addr.IP) {
		source = f.addr.IP
	}
	return source, errno
}

func (f *udpSocket) local() sockName { return inetName(f.family, f.addr) }

func (f *udpSocket) peer() (sockName, abi.Errno) {
	if f.remote.Port == 0 {
		return sockName{}, abi.ENOTCONN
	}
	return inetName(f.family, f.remote), abi.OK
}

// destination is where a message goes to: what the call names, or the peer.
func (f *udpSocket) destination(m *outMessage) (socket.Addr, abi.Errno) {
	if m.to == nil {
		if f.remote.Port == 0 {
			return socket.Addr{}, abi.EDESTADDRREQ
		}
		return f.remote, abi.OK
	}
	family := f.family
	if of := nameFamily(m.to); family == abi.AF_INET6 && of == abi.AF_INET {
		family = of // net/ipv6/udp.c:udpv6_sendmsg
	}
	to, errno := parseName(family, m.to)
	if errno == abi.OK && to.addr.Port == 0 {
		errno = abi.EINVAL
	}
	if to.addr.IP.Unspecified() {
		to.addr.IP = socket.LocalOf(to.addr.IP)
	}
	return to.addr, errno
}

func (f *udpSocket) send(t *Task, m *outMessage) (int, abi.Errno) {
	// The port is taken even if the rest fails; net/ipv4/af_inet.c:inet_send_prepare.
	if errno := f.autobind(t); errno != abi.OK {
		return 0, errno
	}
	if len(m.data) > datagramMax {
		return 0, abi.EMSGSIZE
	}
	if m.flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	to, errno := f.destination(m)
	switch {
	case errno != abi.OK:
		return 0, errno
	case f.err != abi.OK:
		return 0, f.takeError()
	case f.wr:
		return 0, abi.EPIPE
	}
	source, errno := f.route(to.IP)
	if errno != abi.OK {
		return 0, errno
	}
	if m.anc.hasInfo && !m.anc.source.Unspecified() {
		if !f.stack.Local(m.anc.source) {
			return 0, abi.EINVAL // net/ipv4/fib_semantics.c; IPV6_PKTINFO the same
		}
		source = m.anc.source
	}
	g := datagram{from: f.stack, src: socket.Addr{IP: source, Port: f.addr.Port}, dst: to, tos: f.tos(m, to.IP)}
	f.name(&g)
	return f.segments(m, &g)
}

// name writes the addresses of a message as texts, which are mostly those of
// the message before it.
func (f *udpSocket) name(g *datagram) {
	if f.src != g.src || f.srcText == "" {
		f.src, f.srcText = g.src, g.src.String()
	}
	if f.dst != g.dst || f.dstText == "" {
		f.dst, f.dstText = g.dst, g.dst.String()
	}
	g.srcText, g.dstText = f.srcText, f.dstText
}

// tos is the type of service or traffic class of a message.
func (f *udpSocket) tos(m *outMessage, to socket.IP) uint8 {
	level, name := abi.IPPROTO_IP, abi.IP_TOS
	if !to.Is4() {
		level, name = abi.IPPROTO_IPV6, abi.IPV6_TCLASS
	}
	if m.anc.hasTOS {
		return m.anc.tos
	}
	p, _ := f.opt.find(level, name)
	return uint8(p.value)
}

// segments sends a message that is otherwise g, in pieces if UDP_SEGMENT says so;
// net/ipv4/udp.c:udp_send_skb.
func (f *udpSocket) segments(m *outMessage, g *datagram) (int, abi.Errno) {
	size := int(m.anc.segment)
	if size == 0 {
		p, _ := f.opt.find(abi.IPPROTO_UDP, abi.UDP_SEGMENT)
		size = p.value
	}
	if size == 0 || len(m.data) <= size {
		size = max(len(m.data), 1)
	}
	if len(m.data) > size*abi.UDP_MAX_SEGMENTS {
		return 0, abi.EINVAL
	}
	for rest := m.data; ; {
		piece := *g
		n := min(size, len(rest))
		piece.data = append(make([]byte, 0, n), rest[:n]...)
		f.stack.sendUDP(f, &piece)
		if rest = rest[n:]; len(rest) == 0 {
			return len(m.data), abi.OK
		}
	}
}

func (f *udpSocket) receive(_ *Task, m *inMessage) abi.Errno {
	switch {
	case m.flags&abi.MSG_ERRQUEUE != 0:
		return abi.EAGAIN
	case f.err != abi.OK:
		return f.takeError()
	}
	g, errno := f.first()
	if g == nil {
		return errno
	}
	m.n, m.total = copy(m.buf, g.data), len(g.data)
	m.from, m.named = inetName(f.family, g.src), true
	if m.wants {
		f.describe(g, &m.anc)
	}
	f.taken(m)
	return abi.OK
}

// describe notes what the socket wants to hear of a datagram's header. An IPv6
// socket may want both kinds of one that came over IPv4;
// net/ipv6/udp.c:udpv6_recvmsg.
func (f *udpSocket) describe(g *datagram, anc *ancillary) {
	anc.source, anc.tos, anc.v4 = g.dst.IP, g.tos, g.dst.IP.Is4()
	if anc.v4 {
		anc.hasInfo = f.opt.on(abi.IPPROTO_IP, abi.IP_PKTINFO)
		anc.hasTTL = f.opt.on(abi.IPPROTO_IP, abi.IP_RECVTTL)
		anc.hasTOS = f.opt.on(abi.IPPROTO_IP, abi.IP_RECVTOS)
		anc.hasMapped = f.family == abi.AF_INET6 && f.opt.on(abi.IPPROTO_IPV6, abi.IPV6_RECVPKTINFO)
		return
	}
	anc.hasInfo = f.opt.on(abi.IPPROTO_IPV6, abi.IPV6_RECVPKTINFO)
	anc.hasTTL = f.opt.on(abi.IPPROTO_IPV6, abi.IPV6_RECVHOPLIMIT)
	anc.hasTOS = f.opt.on(abi.IPPROTO_IPV6, abi.IPV6_RECVTCLASS)
}

func (f *udpSocket) shutdown(how int) abi.Errno {
	if f.remote.Port == 0 {
		return abi.ENOTCONN
	}
	return f.shut(how)
}

func (f *udpSocket) takeError() abi.Errno {
	e := f.err
	f.err = abi.OK
	return e
}

func (f *udpSocket) bound() bool { return f.addr.Port != 0 }

// take queues a message, or drops it when there is no room.
func (f *udpSocket) take(g *datagram) {
	if f.full(len(g.data)) {
		f.stack.net.message(steplog.KindDrop, f.stack, g.from, true, nil, g, "the socket's buffer is full")
		return
	}
	f.put(g)
}
