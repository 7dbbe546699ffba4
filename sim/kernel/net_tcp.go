package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/kernel/waitq"
)

// netSocket is what the socket system calls ask of a socket, beyond File.
type netSocket interface {
	File
	base() *socketBase
	bind(addr socket.Addr) abi.Errno
	listen(backlog int) abi.Errno
	accept(t *Task) (*tcpSocket, abi.Errno)
	connect(addr socket.Addr) abi.Errno
	local() socket.Addr
	peer() (socket.Addr, abi.Errno)
	// send and receive carry MSG_ flags; to and the answered address are for
	// datagrams, ok says whether there is one. receive's total is the length
	// of the message before it was cut to fit p.
	send(p []byte, to socket.Addr, ok bool) (int, abi.Errno)
	receive(p []byte, flags int) (n, total int, from socket.Addr, ok bool, errno abi.Errno)
	shutdown(how int) abi.Errno
	takeError() abi.Errno
	// optionsChanged is called after an option of base() was set.
	optionsChanged()
}

// socketBase is what all kinds of sockets have.
type socketBase struct {
	fileBase
	stack *netStack
	poll  waitq.Queue
	kind  int // SOCK_STREAM or SOCK_DGRAM
	proto int
	ino   uint64
	opts  socket.Options
	opt   sockOptions
}

func (b *socketBase) base() *socketBase { return b }

// Stat tells that it is a socket; net/socket.c:sock_alloc.
func (b *socketBase) Stat(_ *Task, st *abi.Stat) abi.Errno {
	*st = abi.Stat{Dev: 8, Ino: b.ino, Nlink: 1, Mode: abi.S_IFSOCK | 0o777, Blksize: 4096}
	return abi.OK
}

// PollClose ends the registration of pd.
func (b *socketBase) PollClose(pd uintptr) { b.poll.Remove(pd) }

// Notify wakes whoever polls the socket: socket.Owner.
func (b *socketBase) Notify(r socket.Ready) {
	if b.poll.Empty() {
		return
	}
	if mode := pollMode(r&socket.Readable != 0, r&socket.Writable != 0); mode != 0 {
		b.poll.Wake(mode, b.stack.net.k.host.Wake)
	}
}

func pollMode(read, write bool) Mode {
	var mode Mode
	if read {
		mode += ModeRead
	}
	if write {
		mode += ModeWrite
	}
	return mode
}

// open registers pd and reports the present state.
func (b *socketBase) open(pd uintptr, read, write bool) abi.Errno {
	b.poll.Add(pd)
	if mode := pollMode(read, write); mode != 0 {
		b.stack.net.k.host.Wake(pd, mode)
	}
	return abi.OK
}

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
	bound *socket.Binding
	lis   *socket.Listener
	conn  *socket.Conn
}

func newTCP(s *netStack, proto int, flags uint32) *tcpSocket {
	f := &tcpSocket{}
	f.socketBase = socketBase{
		fileBase: fileBase{flags: abi.O_RDWR | flags}, stack: s, kind: abi.SOCK_STREAM,
		proto: proto, ino: s.net.nextIno(), opts: socket.DefaultOptions(),
	}
	return f
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

// nonblock is ioctl FIONBIO.
func (b *socketBase) nonblock(arg uintptr) (uintptr, abi.Errno) {
	p, errno := mem(arg, 4)
	if errno != abi.OK {
		return 0, errno
	}
	b.flags &^= abi.O_NONBLOCK
	if p[0]|p[1]|p[2]|p[3] != 0 {
		b.flags |= abi.O_NONBLOCK
	}
	return 0, abi.OK
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

// Release closes the socket. SO_LINGER with a time never waits: the data is
// sent in the background, as without it.
func (f *tcpSocket) Release(*Task) abi.Errno {
	f.poll.Clear()
	switch {
	case f.lis != nil:
		f.lis.Close()
	case f.conn != nil:
		f.conn.Close()
	}
	if f.bound != nil && (f.conn == nil || f.conn.State() == socket.StateClosed) {
		f.stack.tcp.Unbind(f.bound)
	}
	return abi.OK
}

func (f *tcpSocket) bind(addr socket.Addr) abi.Errno {
	if f.bound != nil || f.conn != nil {
		return abi.EINVAL
	}
	b, errno := f.stack.tcp.Bind(addr, f.opt.reuseAddr)
	if errno != abi.OK {
		return errno
	}
	f.bound = b
	return abi.OK
}

func (f *tcpSocket) listen(backlog int) abi.Errno {
	if f.lis != nil {
		f.lis.SetBacklog(backlog)
		return abi.OK
	}
	if f.phase != unconnected {
		return abi.EINVAL
	}
	if f.bound == nil {
		if errno := f.bind(socket.Addr{}); errno != abi.OK {
			return errno
		}
	}
	f.bound.Reuse = f.opt.reuseAddr
	l, errno := f.stack.tcp.Listen(f.bound, backlog, f.opts, f)
	if errno != abi.OK {
		return errno
	}
	f.lis = l
	return abi.OK
}

func (f *tcpSocket) accept(*Task) (*tcpSocket, abi.Errno) {
	if f.lis == nil {
		return nil, abi.EINVAL
	}
	if f.lis.Pending() == 0 {
		return nil, abi.EAGAIN
	}
	child := newTCP(f.stack, f.proto, 0)
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
func (f *tcpSocket) connect(addr socket.Addr) abi.Errno {
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
	conn, errno := f.stack.tcp.Connect(f.bound, addr, f.opts, f)
	if errno != abi.OK {
		return errno
	}
	f.conn, f.phase = conn, connecting
	return abi.EINPROGRESS
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

func (f *tcpSocket) local() socket.Addr {
	switch {
	case f.conn != nil:
		return f.conn.Local
	case f.bound != nil:
		return f.bound.Addr
	}
	return socket.Addr{}
}

func (f *tcpSocket) peer() (socket.Addr, abi.Errno) {
	if f.conn == nil {
		return socket.Addr{}, abi.ENOTCONN
	}
	switch f.conn.State() {
	case socket.StateClosed, socket.StateSynSent:
		return socket.Addr{}, abi.ENOTCONN
	}
	return f.conn.Remote, abi.OK
}

func (f *tcpSocket) send(p []byte, _ socket.Addr, _ bool) (int, abi.Errno) {
	return f.Write(nil, p)
}

func (f *tcpSocket) receive(p []byte, flags int) (n, total int, from socket.Addr, ok bool, errno abi.Errno) {
	switch {
	case f.conn == nil:
		return 0, 0, from, false, abi.ENOTCONN
	case flags&abi.MSG_OOB != 0:
		return 0, 0, from, false, abi.EINVAL // there is no urgent data
	case flags&abi.MSG_ERRQUEUE != 0:
		return 0, 0, from, false, abi.EAGAIN
	}
	n, errno = f.conn.Read(p, flags&abi.MSG_PEEK != 0)
	return n, n, from, false, errno
}

func (f *tcpSocket) shutdown(how int) abi.Errno {
	if f.lis != nil {
		if how != abi.SHUT_WR { // net/ipv4/af_inet.c:inet_shutdown
			f.lis.Close()
			f.lis, f.bound = nil, nil
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

func (f *tcpSocket) optionsChanged() {
	switch {
	case f.lis != nil:
		f.lis.Opts = f.opts
	case f.conn != nil:
		f.conn.SetOptions(f.opts)
	case f.bound != nil:
		f.bound.Reuse = f.opt.reuseAddr
	}
}

// nextIno numbers sockets for fstat(2).
func (n *network) nextIno() uint64 {
	n.inodes++
	return n.inodes
}
