package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/steplog"
)

// unixNames are the names of one machine's bound sockets, unix(7). They vanish
// with the power; what stays on the disk then is a name that nobody answers.
type unixNames struct {
	abstract map[abstractName]*unixSocket
	bound    map[*vfs.Inode]*unixSocket
	auto     uint32 // the next name of autobind
}

// abstractName is an abstract name; each type of socket has its own ones
// (unix_abstract_hash).
type abstractName struct {
	kind int
	name string
}

func newUnixNames() unixNames {
	return unixNames{abstract: map[abstractName]*unixSocket{}, bound: map[*vfs.Inode]*unixSocket{}}
}

// unixSocket is a socket of AF_UNIX: SOCK_STREAM, SOCK_DGRAM or
// SOCK_SEQPACKET. Source: net/unix/af_unix.c.
type unixSocket struct {
	socketBase
	name  string // as sockName.path; "" for none
	inode *vfs.Inode
	cred  abi.Ucred
	// mate is the other end; of datagram sockets the one that connect named,
	// which need not know of it. A stream keeps it after its end was closed.
	mate     *unixSocket
	mateCred abi.Ucred
	linked   bool // connected, or once was
	closed   bool
	conn     uint64

	listening bool
	backlog   int
	pending   []*unixSocket // connections that were not accepted

	queue []*unixMessage
	size  int // bytes in queue
	// inFlight is how many bytes this socket has in others' queues.
	inFlight int
	rd, wr   bool // shut down
	err      abi.Errno
	// waiters are datagram sockets that found this one's queue full.
	waiters []*unixSocket
}

// unixMessage is a message, or a piece of a stream, waiting to be read.
type unixMessage struct {
	from *unixSocket
	data []byte
	full int // length as sent
	anc  ancillary
}

// unixDatagrams is net.unix.max_dgram_qlen: how many datagrams wait at most,
// and one more.
const unixDatagrams = 10

func newUnix(t *Task, kind int, flags uint32) *unixSocket {
	f := &unixSocket{socketBase: newBase(t.m.stack, abi.AF_UNIX, kind, 0, flags), cred: t.cred()}
	f.opts.SendBuffer, f.opts.ReceiveMax = datagramBuffer, datagramBuffer
	return f
}

// cred is who the calling process is: always root.
func (t *Task) cred() abi.Ucred {
	return abi.Ucred{Pid: int32(t.proc.pid), UID: t.proc.who.uid.effective, GID: t.proc.who.gid.effective}
}

// streams reports whether the socket has connections.
func (f *unixSocket) streams() bool { return f.kind != abi.SOCK_DGRAM }

func (f *unixSocket) bind(t *Task, n *sockName) abi.Errno {
	if n.path[0] == 0 {
		if f.name != "" {
			return abi.EINVAL
		}
		names := &f.stack.unix
		key := abstractName{f.kind, n.path}
		if names.abstract[key] != nil {
			return abi.EADDRINUSE
		}
		names.abstract[key] = f
		f.name = n.path
		return abi.OK
	}
	fs := t.m.disk.fs
	p, errno := fs.WalkAs(&t.proc.who.fs, t.cwd(), n.path, vfs.Creating)
	if errno != abi.OK {
		return errno
	}
	if f.name != "" && p.Inode == nil {
		return abi.EINVAL // unix_bind_bsd looks at the path first
	}
	inode, errno := fs.Mknod(p, abi.S_IFSOCK|0o777&^t.proc.umask, 0)
	if errno == abi.EEXIST {
		return abi.EADDRINUSE
	}
	if errno != abi.OK {
		return errno
	}
	f.stack.unix.bound[inode] = f
	f.name, f.inode = n.path, inode
	return abi.OK
}

// autobind gives the socket an abstract name of five hexadecimal digits.
func (f *unixSocket) autobind() abi.Errno {
	if f.name != "" {
		return abi.OK
	}
	names := &f.stack.unix
	for {
		b := [6]byte{}
		for i, v := 5, names.auto; i > 0; i, v = i-1, v>>4 {
			b[i] = "0123456789abcdef"[v&15]
		}
		names.auto = (names.auto + 1) & 0xfffff
		if key := (abstractName{f.kind, string(b[:])}); names.abstract[key] == nil {
			f.name = key.name
			names.abstract[key] = f
			return abi.OK
		}
	}
}

// find is the socket that a name stands for: ECONNREFUSED when nobody has it,
// EPROTOTYPE when it is of another type (unix_find_other).
func (f *unixSocket) find(t *Task, path string) (*unixSocket, abi.Errno) {
	var to *unixSocket
	if path[0] == 0 {
		to = f.stack.unix.abstract[abstractName{f.kind, path}]
	} else {
		inode, errno := t.m.disk.fs.ResolveAs(&t.proc.who.fs, t.cwd(), path, vfs.Follow)
		if errno == abi.OK {
			errno = t.proc.who.fs.May(inode, abi.W_OK)
		}
		if errno != abi.OK {
			return nil, errno
		}
		to = f.stack.unix.bound[inode]
	}
	switch {
	case to == nil:
		return nil, abi.ECONNREFUSED
	case to.kind != f.kind:
		return nil, abi.EPROTOTYPE
	}
	return to, abi.OK
}

func (f *unixSocket) listen(t *Task, backlog int) abi.Errno {
	switch {
	case !f.streams():
		return abi.EOPNOTSUPP
	case f.name == "", f.linked:
		return abi.EINVAL
	}
	if backlog < 0 || backlog > abi.SOMAXCONN {
		backlog = abi.SOMAXCONN
	}
	f.listening, f.backlog = true, backlog
	f.cred = t.cred()
	return abi.OK
}

// connect opens a connection at once, even before it is accepted, or fixes
// where datagrams go. A full backlog is EAGAIN, as for any socket that does
// not block.
func (f *unixSocket) connect(t *Task, n *sockName) abi.Errno {
	if f.opt.passCred {
		f.autobind()
	}
	to, errno := f.find(t, n.path)
	if !f.streams() {
		if errno == abi.OK && !to.hears(f) {
			errno = abi.EPERM
		}
		if errno == abi.OK {
			f.leave(t, to)
			f.mate, f.linked = to, true
		}
		return errno
	}
	switch {
	case errno != abi.OK:
		return errno
	case !to.listening, to.rd:
		return abi.ECONNREFUSED
	case len(to.pending) > to.backlog:
		return abi.EAGAIN
	case f.linked:
		return abi.EISCONN
	case f.listening:
		return abi.EINVAL
	}
	f.cred = t.cred()
	server := &unixSocket{socketBase: newBase(f.stack, abi.AF_UNIX, f.kind, 0, 0), cred: to.cred}
	server.opts, server.opt = to.opts, to.opt
	server.name = to.name
	f.join(server)
	to.pending = append(to.pending, server)
	to.Notify(socket.Readable)
	f.happened(steplog.KindConnect, "")
	f.Notify(socket.Readable | socket.Writable)
	return abi.OK
}

// join makes two sockets the ends of one connection.
func (f *unixSocket) join(o *unixSocket) {
	f.mate, o.mate = o, f
	f.linked, o.linked = true, true
	f.mateCred, o.mateCred = o.cred, f.cred
	f.conn = f.stack.NextConn()
	o.conn = f.conn
}

// hears reports whether f takes datagrams from o: one that is connected to
// somebody else does not (unix_may_send).
func (f *unixSocket) hears(o *unixSocket) bool { return f.mate == nil || f.mate == o }

func (f *unixSocket) disconnect(t *Task) abi.Errno {
	if f.streams() {
		return abi.EINVAL
	}
	f.leave(t, nil)
	return abi.OK
}

// leave ends the tie of a datagram socket to its peer, unless the new one is
// the same. What it has not read is lost, and a peer that was tied to it, too,
// hears of that (unix_dgram_disconnected).
func (f *unixSocket) leave(t *Task, to *unixSocket) {
	old := f.mate
	f.mate, f.linked = nil, false
	if old == nil || old == to || len(f.queue) == 0 {
		return
	}
	f.purge(t)
	if !old.closed && old.mate == f {
		old.err = abi.ECONNRESET
		old.Notify(socket.Readable | socket.Writable)
	}
}

// purge drops what was not read.
func (f *unixSocket) purge(t *Task) {
	for _, m := range f.queue {
		m.from.inFlight -= len(m.data)
		m.anc.drop(t)
	}
	f.queue, f.size = nil, 0
	f.wakeWaiters()
}

func (f *unixSocket) accept(*Task) (netSocket, abi.Errno) {
	switch {
	case !f.streams():
		return nil, abi.EOPNOTSUPP
	case !f.listening:
		return nil, abi.EINVAL
	case len(f.pending) == 0:
		return nil, abi.EAGAIN
	}
	c := f.pending[0]
	n := copy(f.pending, f.pending[1:])
	f.pending[n] = nil
	f.pending = f.pending[:n]
	c.happened(steplog.KindAccept, "")
	return c, abi.OK
}

func (f *unixSocket) local() sockName { return sockName{family: abi.AF_UNIX, path: f.name} }

func (f *unixSocket) peer() (sockName, abi.Errno) {
	if f.mate == nil {
		return sockName{}, abi.ENOTCONN
	}
	return f.mate.local(), abi.OK
}

// happened makes a step about the connection.
func (f *unixSocket) happened(kind steplog.Kind, text string) {
	local, peer := f.local(), f.mate.local()
	f.stack.net.k.record(&Event{
		Kind: kind, Machine: f.stack.m.id, Link: f.stack.m.id, FD: -1, Nr: -1, Text: textBytes(text),
		Local: local.String(), Peer: peer.String(), Conn: f.conn,
	})
}

// shutdown closes directions; the other end of a connection sees it.
func (f *unixSocket) shutdown(how int) abi.Errno {
	rd, wr := how != abi.SHUT_WR, how != abi.SHUT_RD
	first := wr && !f.wr
	f.rd, f.wr = f.rd || rd, f.wr || wr
	if o := f.mate; o != nil && f.streams() {
		o.rd, o.wr = o.rd || wr, o.wr || rd
		o.Notify(socket.Readable | socket.Writable)
		if first && !o.closed {
			f.happened(steplog.KindClose, "sent")
		}
	}
	f.Notify(socket.Readable | socket.Writable)
	return abi.OK
}

func (f *unixSocket) takeError() abi.Errno {
	e := f.err
	f.err = abi.OK
	return e
}

func (f *unixSocket) optionsChanged() {}

// Release closes the socket. Unread bytes of a stream, and a connection that
// nobody accepted, are a reset for the other end (unix_release_sock).
func (f *unixSocket) Release(t *Task) abi.Errno {
	f.poll.Clear()
	f.closed = true
	if f.inode != nil && f.stack.unix.bound[f.inode] == f {
		delete(f.stack.unix.bound, f.inode)
	} else if key := (abstractName{f.kind, f.name}); f.stack.unix.abstract[key] == f {
		delete(f.stack.unix.abstract, key)
	}
	if o := f.mate; o != nil && f.streams() && !o.closed {
		if len(f.queue) > 0 {
			o.err = abi.ECONNRESET
		}
		if !o.rd || !f.wr {
			f.happened(steplog.KindClose, "sent")
		}
		o.rd, o.wr = true, true
		o.Notify(socket.Readable | socket.Writable)
	}
	for _, c := range f.pending {
		c.mate.err = abi.ECONNRESET
		c.Release(t)
	}
	f.pending = nil
	f.purge(t)
	return abi.OK
}

// PollOpen registers pd.
func (f *unixSocket) PollOpen(pd uintptr) abi.Errno {
	read := len(f.queue) > 0 || f.rd || f.err != abi.OK || len(f.pending) > 0 || f.streams() && !f.linked && !f.listening
	return f.open(pd, read, !f.listening && f.roomy())
}

// roomy is unix_writable: a quarter of the buffer is in use at most.
func (f *unixSocket) roomy() bool { return f.inFlight*4 <= f.opts.SendBuffer }

// Ioctl answers FIONREAD and FIONBIO.
func (f *unixSocket) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	switch req {
	case abi.FIONREAD:
		if f.listening {
			return 0, abi.EINVAL
		}
		n := f.size
		if !f.streams() {
			n = 0
			if len(f.queue) > 0 {
				n = len(f.queue[0].data)
			}
		}
		return 0, storeInt(arg, n)
	case abi.FIONBIO:
		return f.nonblock(arg)
	}
	return 0, abi.ENOTTY
}

// sysSocketpair is socketpair(2); only AF_UNIX has it.
func sysSocketpair(t *Task, a *Args) (uintptr, abi.Errno) {
	family, kind, flags, errno := socketArgs(a)
	switch {
	case errno != abi.OK:
		return 0, errno
	case a[3] == 0:
		return 0, abi.EFAULT
	case family == abi.AF_INET || family == abi.AF_INET6:
		return 0, abi.EOPNOTSUPP
	case family != abi.AF_UNIX:
		return 0, abi.EAFNOSUPPORT
	case int32(a[2]) != 0 && int32(a[2]) != abi.AF_UNIX:
		return 0, abi.EPROTONOSUPPORT
	case kind == abi.SOCK_RAW:
		kind = abi.SOCK_DGRAM
	case kind != abi.SOCK_STREAM && kind != abi.SOCK_DGRAM && kind != abi.SOCK_SEQPACKET:
		return 0, abi.ESOCKTNOSUPPORT
	}
	x, y := newUnix(t, kind, flags&abi.SOCK_NONBLOCK), newUnix(t, kind, flags&abi.SOCK_NONBLOCK)
	x.join(y)
	fx, errno := t.installSocket(x, flags)
	if errno != abi.OK {
		y.Release(t)
		return 0, errno
	}
	fy, errno := t.installSocket(y, flags)
	if errno != abi.OK {
		t.proc.fds.close(t, int(fx))
		return 0, errno
	}
	*(*[2]int32)(pointer(a[3])) = [2]int32{int32(fx), int32(fy)}
	return 0, abi.OK
}
