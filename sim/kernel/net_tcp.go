package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// phase is Linux's socket_state, include/uapi/linux/net.h.
type phase uint8

const (
	unconnected phase = iota
	connecting
	connected
)

// tcpSocket is a stream socket: fresh, bound, listening or connected.
// Sources: net/ipv4/af_inet.c, net/ipv4/tcp.c.
type tcpSocket struct {
	socketBase
	phase phase
	port  *socket.Binding
	lis   *socket.Listener
	conn  *socket.Conn
}

func newTCP(s *netStack, family, proto int, flags uint32) *tcpSocket {
	return &tcpSocket{socketBase: newBase(s, family, abi.SOCK_STREAM, proto, flags)}
}

// Read is read(2): ENOTCONN when there never was a connection.
func (f *tcpSocket) Read(_ *Task, p []byte) (int, abi.Errno) {
	if f.conn == nil {
		return 0, abi.ENOTCONN
	}
	return f.conn.Read(p, false)
}

// Write is write(2): EPIPE when there is no connection.
func (f *tcpSocket) Write(_ *Task, p []byte) (int, abi.Errno) {
	if f.conn == nil {
		return 0, abi.EPIPE
	}
	return f.conn.Write(p)
}

// Ioctl answers FIONREAD and FIONBIO, tcp(7).
func (f *tcpSocket) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	switch req {
	case abi.FIONREAD:
		if f.lis != nil {
			return 0, abi.EINVAL
		}
		n := 0
		if f.conn != nil {
			n = f.conn.Buffered()
		}
		return 0, storeInt(arg, n)
	case abi.FIONBIO:
		return f.nonblock(arg)
	}
	return 0, abi.ENOTTY
}

// PollOpen registers pd. A fresh socket is ready at once, as it has hung up
// (EPOLLHUP); net/ipv4/tcp.c:tcp_poll.
func (f *tcpSocket) PollOpen(pd uintptr) abi.Errno {
	switch {
	case f.lis != nil:
		return f.open(pd, f.lis.Pending() > 0, false)
	case f.conn != nil:
		return f.open(pd, f.conn.Readable(), f.conn.Writable())
	}
	return f.open(pd, true, true)
}

// Release closes the socket. The data is sent in the background; with SO_LINGER
// close(2) waits for that (closeLingering).
func (f *tcpSocket) Release(*Task) abi.Errno {
	f.poll.Clear()
	switch {
	case f.lis != nil:
		f.lis.Close()
	case f.conn != nil:
		f.conn.Close()
	}
	if f.port != nil && (f.conn == nil || f.conn.State() == socket.StateClosed) {
		f.stack.tcp.Unbind(f.port)
	}
	return abi.OK
}

func (f *tcpSocket) bind(_ *Task, n *sockName) abi.Errno {
	if f.port != nil || f.conn != nil || f.onlyV6(n.addr.IP) {
		return abi.EINVAL
	}
	b := &socket.Binding{
		Addr: n.addr, Reuse: f.opt.reuseAddr, ReusePort: f.opt.reusePort,
		V6Only: f.family == abi.AF_INET6 && f.opt.v6Only,
	}
	if errno := f.stack.tcp.Bind(b); errno != abi.OK {
		return errno
	}
	f.port = b
	return abi.OK
}

func (f *tcpSocket) listen(t *Task, backlog int) abi.Errno {
	if f.lis != nil {
		f.lis.SetBacklog(backlog)
		return abi.OK
	}
	if f.phase != unconnected {
		return abi.EINVAL
	}
	if f.port == nil {
		if errno := f.bind(t, &sockName{addr: socket.Addr{IP: f.wildcard()}}); errno != abi.OK {
			return errno
		}
	}
	f.port.Reuse, f.port.ReusePort = f.opt.reuseAddr, f.opt.reusePort
	l, errno := f.stack.tcp.Listen(f.port, backlog, f.opts, f)
	if errno != abi.OK {
		return errno
	}
	f.lis = l
	return abi.OK
}

func (f *tcpSocket) accept(*Task) (netSocket, abi.Errno) {
	if f.lis == nil {
		return nil, abi.EINVAL
	}
	if f.lis.Pending() == 0 {
		return nil, abi.EAGAIN
	}
	child := newTCP(f.stack, f.family, f.proto, 0)
	conn, errno := f.lis.Accept(child)
	if errno != abi.OK {
		return nil, errno
	}
	child.conn, child.phase = conn, connected
	child.opts, child.opt = conn.Options(), f.opt
	return child, abi.OK
}

// connect is net/ipv4/af_inet.c:__inet_stream_connect for a socket that never
// blocks.
func (f *tcpSocket) connect(_ *Task, n *sockName) abi.Errno {
	if f.lis != nil {
		return abi.EISCONN
	}
	switch f.phase {
	case connected:
		return abi.EISCONN
	case connecting:
		switch f.conn.State() {
		case socket.StateSynSent, socket.StateSynReceived:
			return abi.EALREADY
		case socket.StateClosed:
			return f.connectFailed()
		}
		f.phase = connected
		return abi.OK
	}
	ip := n.addr.IP
	if ip.Multicast() || f.stack.broadcast(ip) || f.onlyV6(ip) || f.port != nil && !f.port.Addr.IP.Unspecified() && f.port.Addr.IP.Is4() != ip.Is4() {
		return abi.ENETUNREACH
	}
	conn, errno := f.stack.tcp.Connect(f.port, n.addr, f.opts, f)
	if errno != abi.OK {
		return errno
	}
	f.conn, f.phase = conn, connecting
	return abi.EINPROGRESS
}

// disconnect resets the connection, or stops listening, and makes the socket
// fresh; net/ipv4/tcp.c:tcp_disconnect.
func (f *tcpSocket) disconnect(*Task) abi.Errno {
	switch {
	case f.lis != nil:
		f.lis.Close()
		f.lis, f.port = nil, nil
	case f.conn != nil:
		f.conn.Abort()
		f.conn, f.phase = nil, unconnected
	}
	f.Notify(socket.Readable | socket.Writable)
	return abi.OK
}

// connectFailed tells why and makes the socket fit for another attempt.
func (f *tcpSocket) connectFailed() abi.Errno {
	errno := f.conn.TakeError()
	if errno == abi.OK {
		errno = abi.ECONNABORTED
	}
	f.conn, f.phase = nil, unconnected
	return errno
}

func (f *tcpSocket) local() sockName {
	switch {
	case f.conn != nil:
		return inetName(f.family, f.conn.Local)
	case f.port != nil:
		return inetName(f.family, f.port.Addr)
	}
	return inetName(f.family, socket.Addr{})
}

func (f *tcpSocket) peer() (sockName, abi.Errno) {
	if f.conn == nil {
		return sockName{}, abi.ENOTCONN
	}
	switch f.conn.State() {
	case socket.StateClosed, socket.StateSynSent:
		return sockName{}, abi.ENOTCONN
	}
	return inetName(f.family, f.conn.Remote), abi.OK
}

// send ignores an address, as there is just one peer.
func (f *tcpSocket) send(t *Task, m *outMessage) (int, abi.Errno) {
	if m.flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	return f.Write(t, m.data)
}

func (f *tcpSocket) receive(_ *Task, m *inMessage) (errno abi.Errno) {
	switch {
	case f.conn == nil:
		return abi.ENOTCONN
	case m.flags&abi.MSG_OOB != 0:
		return abi.EINVAL // there is no urgent data
	case m.flags&abi.MSG_ERRQUEUE != 0:
		return abi.EAGAIN
	}
	m.n, errno = f.conn.Read(m.buf, m.flags&abi.MSG_PEEK != 0)
	m.total = m.n
	return errno
}

func (f *tcpSocket) shutdown(how int) abi.Errno {
	if f.lis != nil {
		if how != abi.SHUT_WR { // net/ipv4/af_inet.c:inet_shutdown
			f.lis.Close()
			f.lis, f.port = nil, nil
			f.Notify(socket.Readable | socket.Writable)
		}
		return abi.OK
	}
	if f.conn == nil {
		return abi.ENOTCONN
	}
	return f.conn.Shutdown(how != abi.SHUT_WR, how != abi.SHUT_RD)
}

func (f *tcpSocket) takeError() abi.Errno {
	if f.conn == nil {
		return abi.OK
	}
	return f.conn.TakeError()
}

func (f *tcpSocket) bound() bool { return f.port != nil || f.conn != nil }

func (f *tcpSocket) optionsChanged() {
	switch {
	case f.lis != nil:
		f.lis.Opts = f.opts
	case f.conn != nil:
		f.conn.SetOptions(f.opts)
	case f.port != nil:
		f.port.Reuse, f.port.ReusePort = f.opt.reuseAddr, f.opt.reusePort
	}
}
