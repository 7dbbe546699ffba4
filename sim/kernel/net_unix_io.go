package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/steplog"
)

// unixPieceMax is the most bytes of a stream that one piece takes.
const unixPieceMax = 32 << 10

// Read is read(2).
func (f *unixSocket) Read(t *Task, p []byte) (int, abi.Errno) { return readMessage(t, f, p) }

// Write is write(2).
func (f *unixSocket) Write(t *Task, p []byte) (int, abi.Errno) { return writeMessage(t, f, p) }

func (f *unixSocket) send(t *Task, m *outMessage) (int, abi.Errno) {
	if m.flags&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	if f.kind == abi.SOCK_STREAM {
		return f.sendStream(t, m)
	}
	return f.sendPacket(t, m)
}

// sendStream is unix_stream_sendmsg.
func (f *unixSocket) sendStream(t *Task, m *outMessage) (int, abi.Errno) {
	switch {
	case m.to != nil && f.linked:
		return 0, abi.EISCONN
	case m.to != nil:
		return 0, abi.EOPNOTSUPP
	case f.mate == nil:
		return 0, abi.ENOTCONN
	case f.wr, f.mate.closed, f.mate.rd:
		return 0, abi.EPIPE
	}
	f.stamp(t, &m.anc)
	sent := 0
	for sent < len(m.data) {
		room := f.opts.SendBuffer - f.inFlight
		if room <= 0 {
			if sent == 0 {
				return 0, abi.EAGAIN
			}
			break
		}
		n := min(len(m.data)-sent, room, unixPieceMax)
		f.deliver(f.mate, m.data[sent:sent+n], m)
		sent += n
	}
	return sent, abi.OK
}

// sendPacket is unix_dgram_sendmsg and unix_seqpacket_sendmsg.
func (f *unixSocket) sendPacket(t *Task, m *outMessage) (int, abi.Errno) {
	if f.kind == abi.SOCK_SEQPACKET {
		m.to = nil
		if f.err != abi.OK {
			return 0, f.takeError()
		}
		if !f.linked {
			return 0, abi.ENOTCONN
		}
	}
	name := sockName{}
	if m.to != nil {
		var errno abi.Errno
		if name, errno = parseName(abi.AF_UNIX, m.to); errno != abi.OK {
			return 0, errno
		}
	}
	if f.opt.passCred {
		f.autobind()
	}
	switch {
	case len(m.data) > f.opts.SendBuffer-32:
		return 0, abi.EMSGSIZE
	case f.err != abi.OK:
		return 0, f.takeError()
	case f.wr:
		return 0, abi.EPIPE
	case f.inFlight > 0 && f.inFlight+len(m.data) > f.opts.SendBuffer:
		return 0, abi.EAGAIN
	}
	to := f.mate
	if m.to != nil {
		var errno abi.Errno
		if to, errno = f.find(t, name.path); errno != abi.OK {
			return 0, errno
		}
	}
	if errno := f.reaches(t, to); errno != abi.OK {
		return 0, errno
	}
	f.stamp(t, &m.anc)
	f.deliver(to, m.data, m)
	return len(m.data), abi.OK
}

// reaches checks whether to takes a packet now.
func (f *unixSocket) reaches(t *Task, to *unixSocket) abi.Errno {
	switch {
	case to == nil:
		return abi.ENOTCONN
	case to.closed && f.kind == abi.SOCK_SEQPACKET:
		return abi.EPIPE
	case to.closed: // the first to notice is told, then there is no peer
		f.leave(t, nil)
		return abi.ECONNREFUSED
	case f.kind == abi.SOCK_DGRAM && !to.hears(f):
		return abi.EPERM
	case to.rd:
		return abi.EPIPE
	case to.mate != f && len(to.queue) > unixDatagrams:
		to.waiters = append(to.waiters, f)
		return abi.EAGAIN
	}
	return abi.OK
}

// stamp puts the sender's credentials on a message that has none.
func (f *unixSocket) stamp(t *Task, a *ancillary) {
	if !a.hasCred {
		a.cred = t.cred()
	}
}

// deliver queues bytes at to; ancillary data goes with the first of them.
func (f *unixSocket) deliver(to *unixSocket, p []byte, m *outMessage) {
	x := &unixMessage{from: f, data: append(make([]byte, 0, len(p)), p...), full: len(p), anc: m.anc}
	m.anc.rights = nil
	to.queue = append(to.queue, x)
	to.size += len(p)
	f.inFlight += len(p)
	f.message(steplog.KindSend, f.local(), to.local(), len(p))
	f.message(steplog.KindDeliver, to.local(), f.local(), len(p))
	to.Notify(socket.Readable)
}

func (f *unixSocket) message(kind steplog.Kind, local, peer sockName, size int) {
	f.stack.net.k.record(&Event{
		Kind: kind, Machine: f.stack.m.id, Link: f.stack.m.id, FD: -1, Nr: -1,
		Local: local.String(), Peer: peer.String(), Conn: f.conn, Bytes: size,
	})
}

func (f *unixSocket) receive(t *Task, m *inMessage) abi.Errno {
	switch {
	case m.flags&abi.MSG_OOB != 0 && f.kind == abi.SOCK_STREAM:
		return abi.EINVAL // there is no urgent data
	case m.flags&abi.MSG_OOB != 0:
		return abi.EOPNOTSUPP
	case m.flags&abi.MSG_ERRQUEUE != 0 && f.kind == abi.SOCK_STREAM:
		return abi.EAGAIN
	case f.kind == abi.SOCK_STREAM:
		return f.receiveStream(t, m)
	case f.kind == abi.SOCK_SEQPACKET && !f.linked:
		return abi.ENOTCONN
	case f.err != abi.OK:
		return f.takeError()
	case len(f.queue) == 0 && f.rd && (f.kind == abi.SOCK_SEQPACKET || f.flags&abi.O_NONBLOCK == 0):
		return abi.OK
	case len(f.queue) == 0:
		return abi.EAGAIN
	}
	x := f.queue[0]
	m.n, m.total = copy(m.buf, x.data), x.full
	m.from, m.named = x.from.local(), x.from.name != ""
	f.handOver(t, x, m)
	if m.flags&abi.MSG_PEEK == 0 {
		f.drop(x)
	}
	return abi.OK
}

// receiveStream is unix_stream_read_generic. Pieces are read together but for
// those with descriptors, which end a read, and with SO_PASSCRED those of
// another sender.
func (f *unixSocket) receiveStream(t *Task, m *inMessage) abi.Errno {
	switch {
	case !f.linked:
		return abi.EINVAL
	case len(f.queue) == 0 && f.err != abi.OK:
		return f.takeError()
	case len(f.queue) == 0 && f.rd:
		return abi.OK
	case len(f.queue) == 0:
		return abi.EAGAIN
	}
	peek := m.flags&abi.MSG_PEEK != 0
	for i := 0; i < len(f.queue) && m.n < len(m.buf); {
		x := f.queue[i]
		if m.n > 0 && f.opt.passCred && x.anc.cred != m.anc.cred {
			break
		}
		last := x.anc.rights != nil
		f.handOver(t, x, m)
		n := copy(m.buf[m.n:], x.data)
		m.n += n
		m.total = m.n
		m.from, m.named = x.from.local(), x.from.name != ""
		switch {
		case peek:
			i++
		case n < len(x.data):
			x.data = x.data[n:]
			f.taken(x.from, n)
			return abi.OK
		default:
			f.drop(x)
		}
		if last {
			break
		}
	}
	return abi.OK
}

// handOver gives a message's ancillary data to the call, or drops what the
// call cannot take. A look with MSG_PEEK gets descriptors of its own.
func (f *unixSocket) handOver(t *Task, x *unixMessage, m *inMessage) {
	m.anc.cred, m.anc.hasCred = x.anc.cred, f.opt.passCred
	if x.anc.rights == nil {
		return
	}
	if !m.wants {
		m.out |= abi.MSG_CTRUNC
	}
	if m.flags&abi.MSG_PEEK != 0 {
		if m.wants {
			m.anc.rights = append([]*openFile(nil), x.anc.rights...)
			for _, of := range m.anc.rights {
				of.refs++
			}
		}
		return
	}
	if m.wants {
		m.anc.rights = x.anc.rights
	} else {
		x.anc.drop(t)
	}
	x.anc.rights = nil
}

// drop takes the first message out of the queue.
func (f *unixSocket) drop(x *unixMessage) {
	assert(f.queue[0] == x, "a message that is not the first")
	n := copy(f.queue, f.queue[1:])
	f.queue[n] = nil
	f.queue = f.queue[:n]
	f.taken(x.from, len(x.data))
	f.wakeWaiters()
}

// taken accounts for n bytes of a sender that were read.
func (f *unixSocket) taken(from *unixSocket, n int) {
	f.size -= n
	from.inFlight -= n
	if from.roomy() && !from.closed {
		from.Notify(socket.Writable)
	}
}

// wakeWaiters tells who found the queue full that it may have room.
func (f *unixSocket) wakeWaiters() {
	if len(f.waiters) == 0 || len(f.queue) > unixDatagrams {
		return
	}
	waiters := f.waiters
	f.waiters = nil
	for _, w := range waiters {
		if !w.closed {
			w.Notify(socket.Writable)
		}
	}
}

// drop lets go of descriptors that nobody will receive.
func (a *ancillary) drop(t *Task) {
	for _, of := range a.rights {
		of.drop(t)
	}
	a.rights = nil
}
