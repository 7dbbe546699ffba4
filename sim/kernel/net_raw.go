package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/steplog"
)

// rawSocket is a socket of type SOCK_RAW, raw(7): it sends and receives
// messages of one IP protocol, which is not TCP or UDP: copies of theirs do not
// get here. Source: net/ipv4/raw.c, net/ipv6/raw.c.
type rawSocket struct {
	datagramSocket
	addr   socket.IP // bound to
	remote socket.IP // connected to, the zero IP when not
	joined bool      // it has a peer
}

const (
	ipv4Header = 20
	rawMax     = 65535 - ipv4Header
	protoRaw   = 255 // IPPROTO_RAW: sends only, whole headers
	protoMax   = 263 // IPPROTO_MAX
)

// newRaw is socket(2) for SOCK_RAW.
func newRaw(t *Task, family, proto int, flags uint32) (*rawSocket, abi.Errno) {
	switch {
	case proto < 0, proto >= protoMax:
		return nil, abi.EINVAL
	case proto == 0:
		return nil, abi.EPROTONOSUPPORT
	case !t.proc.who.privileged():
		return nil, abi.EPERM
	case proto == abi.IPPROTO_TCP, proto == abi.IPPROTO_UDP, proto >= protoRaw:
		t.k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: t.m.id, Text: []byte("raw socket for TCP, UDP or whole IP headers"),
			FD: -1, Nr: abi.SYS_SOCKET, Errno: abi.EPROTONOSUPPORT,
		})
		return nil, abi.EPROTONOSUPPORT
	}
	f := &rawSocket{datagramSocket: newDatagramSocket(newBase(t.m.stack, family, abi.SOCK_RAW, proto, flags))}
	f.addr = f.wildcard()
	f.stack.raw = append(f.stack.raw, f)
	return f, abi.OK
}

func (f *rawSocket) Read(t *Task, p []byte) (int, abi.Errno)  { return readMessage(t, f, p) }
func (f *rawSocket) Write(t *Task, p []byte) (int, abi.Errno) { return writeMessage(t, f, p) }

func (f *rawSocket) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	return f.ioctl(req, arg, f.length)
}

func (f *rawSocket) PollOpen(pd uintptr) abi.Errno {
	return f.open(pd, len(f.queue) > 0 || f.rd, true)
}

func (f *rawSocket) Release(*Task) abi.Errno {
	f.poll.Clear()
	for i, r := range f.stack.raw {
		if r == f {
			f.stack.raw = append(f.stack.raw[:i:i], f.stack.raw[i+1:]...)
			break
		}
	}
	f.queue = nil
	return abi.OK
}

func (f *rawSocket) bind(_ *Task, n *sockName) abi.Errno {
	ip := n.addr.IP
	switch {
	case f.joined, f.family == abi.AF_INET6 && ip.Is4():
		return abi.EINVAL
	case !ip.Unspecified() && !f.stack.Local(ip) && !ip.Multicast() && !f.stack.broadcast(ip):
		return abi.EADDRNOTAVAIL
	}
	f.addr = ip
	return abi.OK
}

func (f *rawSocket) connect(_ *Task, n *sockName) abi.Errno {
	to := n.addr.IP
	if to.Unspecified() {
		to = socket.LocalOf(to)
	}
	source, errno := f.route(to)
	if errno != abi.OK {
		return errno
	}
	if f.addr.Unspecified() {
		f.addr = source
	}
	f.remote, f.joined = to, true
	return abi.OK
}

func (f *rawSocket) disconnect(*Task) abi.Errno {
	f.remote, f.joined = socket.IP{}, false
	return abi.OK
}

// route is the address to send from.
func (f *rawSocket) route(to socket.IP) (socket.IP, abi.Errno) {
	switch {
	case to.Is4() != (f.family == abi.AF_INET):
		return socket.IP{}, abi.ENETUNREACH
	case f.stack.broadcast(to) && !f.opt.broadcast:
		return socket.IP{}, abi.EACCES
	}
	source, errno := f.stack.Route(to)
	if errno == abi.OK && f.stack.Local(f.addr) {
		source = f.addr
	}
	return source, errno
}

// local has the protocol as its port; net/ipv4/af_inet.c:inet_create.
func (f *rawSocket) local() sockName {
	return inetName(f.family, socket.Addr{IP: f.addr, Port: uint16(f.proto)})
}

// peer is nobody even when connected, as there is no port.
func (f *rawSocket) peer() (sockName, abi.Errno) { return sockName{}, abi.ENOTCONN }

func (f *rawSocket) send(_ *Task, m *outMessage) (int, abi.Errno) {
	to := f.remote
	switch {
	case len(m.data) > rawMax:
		return 0, abi.EMSGSIZE
	case m.flags&abi.MSG_OOB != 0:
		return 0, abi.EOPNOTSUPP
	case m.to != nil:
		n, errno := parseName(f.family, m.to)
		if errno != abi.OK {
			return 0, errno
		}
		if to = n.addr.IP; to.Unspecified() {
			to = socket.LocalOf(to)
		}
	case !f.joined:
		return 0, abi.EDESTADDRREQ
	}
	if f.wr {
		return 0, abi.EPIPE
	}
	source, errno := f.route(to)
	if errno != abi.OK {
		return 0, errno
	}
	data := append(make([]byte, 0, len(m.data)), m.data...)
	if f.proto == abi.IPPROTO_ICMPV6 {
		if len(data) < 4 {
			return 0, abi.EINVAL
		}
		data[2], data[3] = 0, 0
		sum := checksum(data, icmp6Pseudo(source, to, len(data)))
		data[2], data[3] = byte(sum>>8), byte(sum)
	}
	f.stack.sendRaw(f.proto, source, to, data)
	return len(m.data), abi.OK
}

// length is how many bytes a message has for the program: with its header in
// IPv4 (raw(7)).
func (f *rawSocket) length(g *datagram) int {
	if f.family == abi.AF_INET {
		return ipv4Header + len(g.data)
	}
	return len(g.data)
}

func (f *rawSocket) receive(_ *Task, m *inMessage) abi.Errno {
	g, errno := f.first()
	if g == nil {
		return errno
	}
	m.n, m.total = 0, f.length(g)
	if f.family == abi.AF_INET {
		head := g.header()
		m.n = copy(m.buf, head[:])
	}
	m.n += copy(m.buf[m.n:], g.data)
	m.from, m.named = inetName(f.family, socket.Addr{IP: g.src.IP}), true
	f.taken(m)
	return abi.OK
}

func (f *rawSocket) shutdown(how int) abi.Errno {
	if !f.joined {
		return abi.ENOTCONN
	}
	return f.shut(how)
}

func (f *rawSocket) takeError() abi.Errno { return abi.OK }
func (f *rawSocket) bound() bool          { return true }

// header is the IPv4 header of a message of a raw socket (RFC 791, 3.1).
func (g *datagram) header() (h [ipv4Header]byte) {
	n := ipv4Header + len(g.data)
	h = [ipv4Header]byte{0: 0x45, 2: byte(n >> 8), 3: byte(n), 6: 0x40, 8: 64, 9: g.proto}
	copy(h[12:16], g.src.IP[12:])
	copy(h[16:20], g.dst.IP[12:])
	sum := checksum(h[:], 0)
	h[10], h[11] = byte(sum>>8), byte(sum)
	return h
}

// checksum is that of RFC 1071, begun with sum.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// icmp6Pseudo is the sum of the pseudo-header (RFC 4443, 2.3).
func icmp6Pseudo(src, dst socket.IP, n int) uint32 {
	sum := uint32(n) + abi.IPPROTO_ICMPV6
	for _, ip := range [...]*socket.IP{&src, &dst} {
		for i := 0; i < len(ip); i += 2 {
			sum += uint32(ip[i])<<8 | uint32(ip[i+1])
		}
	}
	return sum
}

// sendRaw puts a message of a protocol on its way.
func (s *netStack) sendRaw(proto int, src, dst socket.IP, data []byte) {
	s.net.send(s, s.machineAt(dst), nil, &datagram{
		from: s, proto: uint8(proto), src: socket.Addr{IP: src}, dst: socket.Addr{IP: dst},
		srcText: src.String(), dstText: dst.String(), data: data,
	})
}

// inputRaw takes a message of another protocol than TCP and UDP: each raw
// socket that hears it gets it, and an echo request its answer.
func (s *netStack) inputRaw(g *datagram) {
	for _, f := range s.raw {
		if f.proto != int(g.proto) || g.dst.IP.Is4() != (f.family == abi.AF_INET) || f.joined && f.remote != g.src.IP ||
			!f.addr.Unspecified() && f.addr != g.dst.IP || f.full(len(g.data)) {
			continue
		}
		f.put(g)
	}
	if len(g.data) < 8 || g.data[1] != 0 || !s.Local(g.dst.IP) {
		return
	}
	// RFC 792 and RFC 4443, 4.1: what an echo request brought is sent back.
	const request, reply, request6, reply6 = 8, 0, 128, 129
	data := append(make([]byte, 0, len(g.data)), g.data...)
	sum := uint32(0)
	switch {
	case g.proto == abi.IPPROTO_ICMP && data[0] == request:
		data[0] = reply
	case g.proto == abi.IPPROTO_ICMPV6 && data[0] == request6:
		data[0] = reply6
		sum = icmp6Pseudo(g.dst.IP, g.src.IP, len(data))
	default:
		return
	}
	if checksum(g.data, sum) != 0 {
		return // damaged
	}
	data[2], data[3] = 0, 0
	c := checksum(data, sum)
	data[2], data[3] = byte(c>>8), byte(c)
	s.sendRaw(int(g.proto), g.dst.IP, g.src.IP, data)
}
