package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// opening is an open(2) of a named pipe that waits for the other side. Its own
// end counts as open already, so that the other side finds it.
type opening struct {
	caller uintptr
	e      *pipeEnd
	// seen is how often the other side had been opened when the wait began.
	seen int
}

// fifo is the pipe behind a named pipe's inode. It lives as long as an end is
// open.
func (d *disk) fifo(n *vfs.Inode) *pipe {
	for i := range d.fifos {
		if d.fifos[i].inode == n {
			return d.fifos[i].p
		}
	}
	p := &pipe{k: d.m.k, ino: n.Ino(), size: pipeSize}
	d.fifos = append(d.fifos, namedPipe{n, p})
	return p
}

type namedPipe struct {
	inode *vfs.Inode
	p     *pipe
}

// dropFIFO forgets a named pipe that nobody has open.
func (d *disk) dropFIFO(n *vfs.Inode) {
	for i := range d.fifos {
		if d.fifos[i].inode == n {
			d.fifos = append(d.fifos[:i], d.fifos[i+1:]...)
			return
		}
	}
}

// openFIFO opens a named pipe. An open for reading waits for a writer and the
// other way round; with O_NONBLOCK the reader goes on and the writer gets
// ENXIO (fifo(7), fs/pipe.c:fifo_open).
func (t *Task) openFIFO(n *vfs.Inode, flags uint32) (File, abi.Errno) {
	p := t.m.disk.fifo(n)
	for i := range p.opening {
		if o := p.opening[i]; o.caller == t.caller && o.e.inode == n && t.caller != 0 {
			if !o.met() {
				p.calls.Add(t.caller)
				return nil, abi.ERESTARTSYS
			}
			p.opening = append(p.opening[:i], p.opening[i+1:]...)
			return o.e, abi.OK
		}
	}
	e := &pipeEnd{fileBase: fileBase{flags}, p: p, inode: n}
	block := flags&abi.O_NONBLOCK == 0
	if !block && !e.readable() && p.readEnds == 0 {
		return nil, abi.ENXIO
	}
	o := opening{caller: t.caller, e: e, seen: p.writeOpens}
	if !e.readable() {
		o.seen = p.readOpens
	}
	if block && t.caller == 0 && !o.met() {
		return nil, abi.EINTR
	}
	n.Open()
	if e.readable() {
		p.readEnds++
		p.readOpens++
	}
	if e.writable() {
		p.writeEnds++
		p.writeOpens++
	}
	p.changed()
	if block && !o.met() {
		p.opening = append(p.opening, o)
		p.calls.Add(t.caller)
		return nil, abi.ERESTARTSYS
	}
	return e, abi.OK
}

// met reports whether the other side is open, or was in the meantime.
func (o *opening) met() bool {
	p := o.e.p
	switch {
	case o.e.readable() && o.e.writable():
		return true
	case o.e.readable():
		return p.writeEnds > 0 || p.writeOpens > o.seen
	}
	return p.readEnds > 0 || p.readOpens > o.seen
}

// forgetOpening closes the end of a call that died while it waited.
func (d *disk) forgetOpening(t *Task, caller uintptr) {
	for _, f := range d.fifos {
		for i := range f.p.opening {
			if f.p.opening[i].caller == caller {
				e := f.p.opening[i].e
				f.p.opening = append(f.p.opening[:i], f.p.opening[i+1:]...)
				e.Release(t)
				return
			}
		}
	}
}
