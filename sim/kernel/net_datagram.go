package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// datagramSocket is what the sockets have in common that take and give whole
// datagrams of the network: udpSocket and rawSocket. Source: net/core/datagram.c.
type datagramSocket struct {
	socketBase
	queue  []*datagram
	size   int  // bytes in queue
	rd, wr bool // shut down
}

// datagramBuffer is net.core.{r,w}mem_default, socket(7), in bytes.
const datagramBuffer = 212992

func newDatagramSocket(base socketBase) datagramSocket {
	base.opts.SendBuffer, base.opts.ReceiveMax = datagramBuffer, datagramBuffer
	return datagramSocket{socketBase: base}
}

func (f *datagramSocket) listen(*Task, int) abi.Errno         { return abi.EOPNOTSUPP }
func (f *datagramSocket) accept(*Task) (netSocket, abi.Errno) { return nil, abi.EOPNOTSUPP }
func (f *datagramSocket) optionsChanged()                     {}

// ioctl answers FIONREAD and FIONBIO, udp(7). length is how many bytes a
// message has for the program.
func (f *datagramSocket) ioctl(req, arg uintptr, length func(*datagram) int) (uintptr, abi.Errno) {
	switch req {
	case abi.FIONREAD:
		n := 0
		if len(f.queue) > 0 {
			n = length(f.queue[0])
		}
		return 0, storeInt(arg, n)
	case abi.FIONBIO:
		return f.nonblock(arg)
	}
	return 0, abi.ENOTTY
}

// full reports whether there is no room for n more bytes, or nobody to read them.
func (f *datagramSocket) full(n int) bool { return f.rd || f.size+n > f.opts.ReceiveMax }

// put queues a message.
func (f *datagramSocket) put(g *datagram) {
	f.queue = append(f.queue, g)
	f.size += len(g.data)
	f.Notify(socket.Readable)
}

// first is the message that is next: nil with OK at the end of a socket that is
// shut down, which only a call that would wait sees.
func (f *datagramSocket) first() (*datagram, abi.Errno) {
	switch {
	case len(f.queue) > 0:
		return f.queue[0], abi.OK
	case f.rd && f.flags&abi.O_NONBLOCK == 0:
		return nil, abi.OK
	}
	return nil, abi.EAGAIN
}

// taken removes the first message once m has it, unless that only peeks.
func (f *datagramSocket) taken(m *inMessage) {
	if m.flags&abi.MSG_PEEK != 0 {
		return
	}
	f.size -= len(f.queue[0].data)
	k := copy(f.queue, f.queue[1:])
	f.queue[k] = nil
	f.queue = f.queue[:k]
}

// shut is shutdown(2) of a socket that has a peer.
func (f *datagramSocket) shut(how int) abi.Errno {
	f.rd = f.rd || how != abi.SHUT_WR
	f.wr = f.wr || how != abi.SHUT_RD
	f.Notify(socket.Readable | socket.Writable)
	return abi.OK
}

// readMessage is read(2) of a socket that receives messages: one of them.
func readMessage(t *Task, s netSocket, p []byte) (int, abi.Errno) {
	m := &t.k.net.in
	*m = inMessage{buf: p}
	errno := s.receive(t, m)
	m.buf = nil // it may be on a stack
	return m.n, errno
}

// writeMessage is write(2) of a socket that sends messages: to its peer.
func writeMessage(t *Task, s netSocket, p []byte) (int, abi.Errno) {
	m := &t.k.net.out
	*m = outMessage{data: p}
	n, errno := s.send(t, m)
	m.forget()
	return n, errno
}
