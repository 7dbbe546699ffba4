package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/waitq"
)

// pipeSize is the capacity of a pipe in bytes (pipe(7), "Pipe capacity").
const pipeSize = 64 << 10

// pipe is what connects the two ends that pipe(2) makes.
type pipe struct {
	k         *Kernel
	ino       uint64
	buf       []byte // ring; grows by doubling up to pipeSize
	start     int
	length    int
	hasReader bool
	hasWriter bool
	readers   waitq.Queue
	writers   waitq.Queue
}

// pipeEnd is one end of a pipe.
type pipeEnd struct {
	fileBase
	p *pipe
}

// newPipe returns the read end and the write end.
func newPipe(m *Machine, flags uint32) (r, w *pipeEnd) {
	p := &pipe{k: m.k, ino: m.disk.nextFile(), hasReader: true, hasWriter: true}
	return &pipeEnd{fileBase{abi.O_RDONLY | flags}, p}, &pipeEnd{fileBase{abi.O_WRONLY | flags}, p}
}

func (e *pipeEnd) Read(_ *Task, b []byte) (int, abi.Errno) {
	p := e.p
	switch {
	case !e.readable():
		return 0, abi.EBADF
	case len(b) == 0:
		return 0, abi.OK
	case p.length == 0 && p.hasWriter:
		return 0, abi.EAGAIN
	}
	room := p.room()
	n := copy(b, p.buf[p.start:min(p.start+p.length, len(p.buf))])
	n += copy(b[n:], p.buf[:max(0, p.start+p.length-len(p.buf))])
	if n > 0 {
		p.start = (p.start + n) % len(p.buf)
		p.length -= n
	}
	if room < abi.PipeBuf && p.room() >= abi.PipeBuf {
		p.writers.Wake(ModeWrite, p.k.host.Wake)
	}
	return n, abi.OK
}

func (p *pipe) room() int { return pipeSize - p.length }

// Write moves all or nothing up to PipeBuf bytes, and as much as fits above
// (pipe(7), PIPE_BUF, O_NONBLOCK enabled).
func (e *pipeEnd) Write(_ *Task, b []byte) (int, abi.Errno) {
	p := e.p
	switch {
	case !e.writable():
		return 0, abi.EBADF
	case len(b) == 0:
		return 0, abi.OK
	case !p.hasReader:
		return 0, abi.EPIPE
	case p.room() == 0, len(b) <= abi.PipeBuf && len(b) > p.room():
		return 0, abi.EAGAIN
	}
	n := min(len(b), p.room())
	p.grow(p.length + n)
	end := (p.start + p.length) % len(p.buf)
	k := copy(p.buf[end:], b[:n])
	copy(p.buf, b[k:n])
	p.length += n
	// Every write is an edge for epoll, not only the first one
	// (fs/pipe.c:pipe_write, poll_usage).
	p.readers.Wake(ModeRead, p.k.host.Wake)
	return n, abi.OK
}

func (p *pipe) grow(need int) {
	if need <= len(p.buf) {
		return
	}
	size := max(512, len(p.buf))
	for size < need {
		size *= 2
	}
	buf := make([]byte, size)
	n := copy(buf, p.buf[p.start:min(p.start+p.length, len(p.buf))])
	copy(buf[n:], p.buf[:p.length-n])
	p.buf, p.start = buf, 0
}

func (e *pipeEnd) Stat(_ *Task, st *abi.Stat) abi.Errno {
	now := abi.TimespecOf(int64(e.p.k.now()))
	*st = abi.Stat{
		Dev: pipeDev, Ino: e.p.ino, Nlink: 1, Mode: abi.S_IFIFO | 0o600, Blksize: 4096,
		Atim: now, Mtim: now, Ctim: now,
	}
	return abi.OK
}

func (e *pipeEnd) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	if req != abi.FIONREAD {
		return 0, abi.ENOTTY
	}
	return 0, put32(arg, int32(e.p.length))
}

func (e *pipeEnd) PollOpen(pd uintptr) abi.Errno {
	p := e.p
	if e.writable() {
		p.writers.Add(pd)
		if p.room() >= abi.PipeBuf || !p.hasReader {
			p.k.host.Wake(pd, ModeWrite)
		}
		return abi.OK
	}
	p.readers.Add(pd)
	if p.length > 0 || !p.hasWriter {
		p.k.host.Wake(pd, ModeRead)
	}
	return abi.OK
}

func (e *pipeEnd) PollClose(pd uintptr) {
	if e.writable() {
		e.p.writers.Remove(pd)
	} else {
		e.p.readers.Remove(pd)
	}
}

// Release closes the end: readers see the end of the data, writers EPIPE.
func (e *pipeEnd) Release(*Task) abi.Errno {
	p := e.p
	if e.writable() {
		p.hasWriter = false
		p.readers.Wake(ModeReadWrite, p.k.host.Wake)
	} else {
		p.hasReader = false
		p.writers.Wake(ModeReadWrite, p.k.host.Wake)
	}
	return abi.OK
}
