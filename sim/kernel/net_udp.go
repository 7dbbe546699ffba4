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
	data             []byte
	// refused is an answer "port unreachable" to a message src had sent.
	refused bool
}

// datagramMax is the most bytes in one message, udp(7).
const datagramMax = 65507

// udpSocket is a datagram socket. Source: net/ipv4/udp.c.
type udpSocket struct {
	socketBase
	addr   socket.Addr // bound to; port 0 when not bound
	remote socket.Addr // connected to; port 0 when not
	queue  []*datagram
	size   int // bytes in queue
	err    abi.Errno
	rd, wr bool // shut down
}

func newUDP(s *netStack, proto int, flags uint32) *udpSocket {
	f := &udpSocket{}
	f.socketBase = socketBase{
		fileBase: fileBase{flags: abi.O_RDWR | flags}, stack: s, kind: abi.SOCK_DGRAM,
		proto: proto, ino: s.net.nextIno(), opts: socket.DefaultOptions(),
	}
	return f
}

// Read is read(2): one message.
func (f *udpSocket) Read(_ *Task, p []byte) (int, abi.Errno) {
	n, _, _, _, errno := f.receive(p, 0)
	return n, errno
}

// Write is write(2): EDESTADDRREQ when the socket is not connected.
func (f *udpSocket) Write(_ *Task, p []byte) (int, abi.Errno) {
	return f.send(p, socket.Addr{}, false)
}

// Ioctl answers FIONREAD and FIONBIO, udp(7).
func (f *udpSocket) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	switch req {
	case abi.FIONREAD:
		n := 0
		if len(f.queue) > 0 {
			n = len(f.queue[0].data)
		}
		return 0, storeInt(arg, n)
	case abi.FIONBIO:
		return f.nonblock(arg)
	}
	return 0, abi.ENOTTY
}

// PollOpen registers pd.
func (f *udpSocket) PollOpen(pd uintptr) abi.Errno {
	return f.open(pd, len(f.queue) > 0 || f.err != abi.OK || f.rd, true)
}

// Release closes the socket.
func (f *udpSocket) Release(*Task) abi.Errno {
	f.poll.Clear()
	f.unbind()
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
	f.addr = socket.Addr{}
}

func (f *udpSocket) bind(addr socket.Addr) abi.Errno {
	if f.addr.Port != 0 {
		return abi.EINVAL
	}
	if addr.IP != (socket.IP{}) && !f.stack.Local(addr.IP) {
		return abi.EADDRNOTAVAIL
	}
	if addr.Port == 0 {
		if addr.Port = f.stack.udpPort(); addr.Port == 0 {
			return abi.EADDRINUSE
		}
	}
	for _, u := range f.stack.udp[addr.Port] {
		if u.opt.reuseAddr && f.opt.reuseAddr {
			continue
		}
		if u.addr.IP == addr.IP || u.addr.IP == (socket.IP{}) || addr.IP == (socket.IP{}) {
			return abi.EADDRINUSE
		}
	}
	f.addr = addr
	f.stack.udp[addr.Port] = append(f.stack.udp[addr.Port], f)
	return abi.OK
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

func (f *udpSocket) listen(int) abi.Errno                 { return abi.EOPNOTSUPP }
func (f *udpSocket) accept(*Task) (*tcpSocket, abi.Errno) { return nil, abi.EOPNOTSUPP }

// connect fixes the peer and so the local address, udp(7).
func (f *udpSocket) connect(addr socket.Addr) abi.Errno {
	if addr.IP == (socket.IP{}) {
		addr.IP = socket.IP{127, 0, 0, 1}
	}
	source, errno := f.route(addr.IP)
	if errno != abi.OK {
		return errno
	}
	if f.addr.Port == 0 {
		if errno := f.bind(socket.Addr{}); errno != abi.OK {
			return errno
		}
	}
	if f.addr.IP == (socket.IP{}) {
		f.addr.IP = source
	}
	f.remote = addr
	return abi.OK
}

// route is the address to send from. Broadcast is not simulated: without
// SO_BROADCAST it is EACCES as on Linux, with it there is no route.
func (f *udpSocket) route(to socket.IP) (socket.IP, abi.Errno) {
	if to == (socket.IP{255, 255, 255, 255}) && !f.opt.broadcast {
		return socket.IP{}, abi.EACCES
	}
	return f.stack.Route(to)
}

func (f *udpSocket) local() socket.Addr { return f.addr }

func (f *udpSocket) peer() (socket.Addr, abi.Errno) {
	if f.remote.Port == 0 {
		return socket.Addr{}, abi.ENOTCONN
	}
	return f.remote, abi.OK
}

func (f *udpSocket) send(p []byte, to socket.Addr, ok bool) (int, abi.Errno) {
	if f.addr.Port == 0 { // even if the rest fails; net/ipv4/af_inet.c:inet_send_prepare
		if errno := f.bind(socket.Addr{}); errno != abi.OK {
			return 0, errno
		}
	}
	switch {
	case f.err != abi.OK:
		return 0, f.takeError()
	case f.wr:
		return 0, abi.EPIPE
	case !ok && f.remote.Port == 0:
		return 0, abi.EDESTADDRREQ
	case len(p) > datagramMax:
		return 0, abi.EMSGSIZE
	case ok && to.Port == 0:
		return 0, abi.EINVAL
	case !ok:
		to = f.remote
	}
	if to.IP == (socket.IP{}) {
		to.IP = socket.IP{127, 0, 0, 1}
	}
	source, errno := f.route(to.IP)
	if errno != abi.OK {
		return 0, errno
	}
	if f.addr.IP != (socket.IP{}) {
		source = f.addr.IP
	}
	src := socket.Addr{IP: source, Port: f.addr.Port}
	g := &datagram{
		from: f.stack, src: src, dst: to, srcText: src.String(), dstText: to.String(),
		data: append(make([]byte, 0, len(p)), p...),
	}
	f.stack.net.send(f.stack, f.stack.machineAt(to.IP), nil, g)
	return len(p), abi.OK
}

func (f *udpSocket) receive(p []byte, flags int) (n, total int, from socket.Addr, ok bool, errno abi.Errno) {
	switch {
	case flags&abi.MSG_ERRQUEUE != 0:
		return 0, 0, from, false, abi.EAGAIN
	case f.err != abi.OK:
		return 0, 0, from, false, f.takeError()
	case len(f.queue) == 0 && f.rd:
		return 0, 0, from, false, abi.OK
	case len(f.queue) == 0:
		return 0, 0, from, false, abi.EAGAIN
	}
	g := f.queue[0]
	n = copy(p, g.data)
	if flags&abi.MSG_PEEK == 0 {
		k := copy(f.queue, f.queue[1:])
		f.queue[k] = nil
		f.queue = f.queue[:k]
		f.size -= len(g.data)
	}
	return n, len(g.data), g.src, true, abi.OK
}

func (f *udpSocket) shutdown(how int) abi.Errno {
	if f.remote.Port == 0 {
		return abi.ENOTCONN
	}
	f.rd = f.rd || how != abi.SHUT_WR
	f.wr = f.wr || how != abi.SHUT_RD
	f.Notify(socket.Readable | socket.Writable)
	return abi.OK
}

func (f *udpSocket) takeError() abi.Errno {
	e := f.err
	f.err = abi.OK
	return e
}

func (f *udpSocket) optionsChanged() {}

// inputUDP takes a message that arrived. A full buffer drops it, and a port
// nobody has answers "port unreachable" (net/ipv4/udp.c:__udp4_lib_rcv).
func (s *netStack) inputUDP(g *datagram) {
	f := s.udpAt(g.dst, g.src)
	switch {
	case g.refused:
		if f != nil && f.remote == g.src {
			f.err = abi.ECONNREFUSED
			f.Notify(socket.Readable | socket.Writable)
		}
	case f == nil:
		if to := s.machineAt(g.src.IP); to != nil {
			answer := &datagram{
				from: s, src: g.dst, dst: g.src, srcText: g.dstText, dstText: g.srcText, refused: true,
			}
			s.net.send(s, to, nil, answer)
		}
	case f.rd || f.size+len(g.data) > f.opts.ReceiveMax:
		s.net.message(steplog.KindDrop, s, g.from, nil, g, "the socket's buffer is full")
	default:
		f.queue = append(f.queue, g)
		f.size += len(g.data)
		f.Notify(socket.Readable)
	}
}

// udpAt finds the socket for a message: connected ones to src first, then
// those bound to the exact address, then the wildcard; the one bound last
// wins among equals. net/ipv4/udp.c:compute_score.
func (s *netStack) udpAt(dst, src socket.Addr) *udpSocket {
	var best *udpSocket
	top := 0
	for _, f := range s.udp[dst.Port] {
		score := 1
		if f.addr.IP == dst.IP {
			score += 2
		} else if f.addr.IP != (socket.IP{}) {
			continue
		}
		if f.remote == src {
			score += 4
		} else if f.remote.Port != 0 {
			continue
		}
		if score >= top {
			best, top = f, score
		}
	}
	return best
}
