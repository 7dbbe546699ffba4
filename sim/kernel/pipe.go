package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/kernel/waitq"
)

// pipeSize is the capacity of a new pipe in bytes, pipeSizeMax the most that
// F_SETPIPE_SZ gives (pipe(7), "Pipe capacity"; fs/pipe.c:round_pipe_size).
const (
	pipeSize    = 64 << 10
	pipeSizeMax = 1 << 31
)

// pipe is what connects the two ends that pipe(2) makes, or all that have a
// named pipe open.
type pipe struct {
	k      *Kernel
	ino    uint64
	size   int    // capacity
	buf    []byte // ring; grows by doubling up to size
	start  int
	length int
	// readEnds and writeEnds count the open ends.
	readEnds, writeEnds int
	readers             waitq.Queue
	writers             waitq.Queue
	// calls are those that wait for a change.
	calls waitq.Queue
	// opening are the calls that wait in open(2) of a named pipe, readOpens
	// and writeOpens how often an end was opened.
	opening               []opening
	readOpens, writeOpens int
}

// pipeEnd is one end of a pipe; that of a named pipe may be both.
type pipeEnd struct {
	fileBase
	p     *pipe
	inode *vfs.Inode // of a named pipe
}

// newPipe returns the read end and the write end.
func newPipe(m *Machine, flags uint32) (r, w *pipeEnd) {
	p := &pipe{k: m.k, ino: m.disk.nextFile(), size: pipeSize, readEnds: 1, writeEnds: 1}
	r = &pipeEnd{fileBase: fileBase{abi.O_RDONLY | flags}, p: p}
	w = &pipeEnd{fileBase: fileBase{abi.O_WRONLY | flags}, p: p}
	return r, w
}

// changed lets every call that waits for this pipe try again.
func (p *pipe) changed() { p.calls.Release(p.k.host.Ready) }

// Await implements waiter.
func (e *pipeEnd) Await(caller uintptr) { e.p.calls.Add(caller) }

func (e *pipeEnd) Read(_ *Task, b []byte) (int, abi.Errno) {
	p := e.p
	switch {
	case !e.readable():
		return 0, abi.EBADF
	case len(b) == 0:
		return 0, abi.OK
	case p.length == 0 && p.writeEnds > 0:
		return 0, abi.EAGAIN
	}
	room := p.room()
	n := p.peek(b)
	if n > 0 {
		p.start = (p.start + n) % len(p.buf)
		p.length -= n
	}
	if room < abi.PipeBuf && p.room() >= abi.PipeBuf {
		p.writers.Wake(ModeWrite, p.k.host.Wake)
	}
	p.changed()
	return n, abi.OK
}

// peek copies what is read next and leaves it in the pipe.
func (p *pipe) peek(b []byte) int {
	n := copy(b, p.buf[p.start:min(p.start+p.length, len(p.buf))])
	return n + copy(b[n:], p.buf[:max(0, p.start+p.length-len(p.buf))])
}

func (p *pipe) room() int { return p.size - p.length }

// Write moves all or nothing up to PipeBuf bytes, and as much as fits above
// (pipe(7), PIPE_BUF, O_NONBLOCK enabled).
func (e *pipeEnd) Write(_ *Task, b []byte) (int, abi.Errno) {
	p := e.p
	switch {
	case !e.writable():
		return 0, abi.EBADF
	case len(b) == 0:
		return 0, abi.OK
	case p.readEnds == 0:
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
	p.changed()
	return n, abi.OK
}

// resize is F_SETPIPE_SZ: the next power of two pages; EBUSY when what is in
// the pipe would not fit (fs/pipe.c:pipe_set_size).
func (p *pipe) resize(want int) (int, abi.Errno) {
	if want > pipeSizeMax || want < 0 {
		return 0, abi.EINVAL
	}
	size := 4096
	for size < want {
		size *= 2
	}
	if size < p.length {
		return 0, abi.EBUSY
	}
	if size < len(p.buf) {
		buf := make([]byte, size)
		p.peek(buf)
		p.buf, p.start = buf, 0
	}
	p.size = size
	p.changed()
	return size, abi.OK
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
	p.peek(buf)
	p.buf, p.start = buf, 0
}

func (e *pipeEnd) Stat(_ *Task, st *abi.Stat) abi.Errno {
	if e.inode != nil {
		in := e.inode.Info()
		fillStat(st, &in)
		return abi.OK
	}
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
		if p.room() >= abi.PipeBuf || p.readEnds == 0 {
			p.k.host.Wake(pd, ModeWrite)
		}
	}
	if e.readable() {
		p.readers.Add(pd)
		if p.length > 0 || p.writeEnds == 0 && e.inode == nil {
			p.k.host.Wake(pd, ModeRead)
		}
	}
	return abi.OK
}

func (e *pipeEnd) PollClose(pd uintptr) {
	e.p.writers.Remove(pd)
	e.p.readers.Remove(pd)
}

// Release closes the end: with the last writer readers see the end of the
// data, with the last reader writers EPIPE.
func (e *pipeEnd) Release(t *Task) abi.Errno {
	p := e.p
	if e.writable() {
		if p.writeEnds--; p.writeEnds == 0 {
			p.readers.Wake(ModeReadWrite, p.k.host.Wake)
		}
	}
	if e.readable() {
		if p.readEnds--; p.readEnds == 0 {
			p.writers.Wake(ModeReadWrite, p.k.host.Wake)
		}
	}
	p.changed()
	if e.inode != nil {
		e.inode.Close()
		if p.readEnds == 0 && p.writeEnds == 0 {
			t.m.disk.dropFIFO(e.inode)
		}
	}
	return abi.OK
}
