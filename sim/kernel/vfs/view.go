package vfs

import "github.com/restep/restep/sim/kernel/abi"

// View is a file's mappings into the memory of processes (mmap(2)).
type View interface {
	// Pull takes over what processes have stored in the file through shared
	// mappings, by Store. It is called before the file's bytes are looked at.
	Pull()
	// Changed shows what is in the file's bytes from off to end now, or that
	// the file became shorter or longer there.
	Changed(off, end int64)
}

// SetView says where a file is mapped; nil for nowhere any more.
func (n *Inode) SetView(v View) { n.view = v }

// View is what SetView was told last.
func (n *Inode) View() View { return n.view }

// pull is done before an operation on the bytes of a file.
func (n *Inode) pull() {
	if n.view != nil {
		n.view.Pull()
	}
}

// show is done after the bytes from off to end, or the size, have changed.
func (n *Inode) show(off, end int64) {
	if n.view != nil && off < end {
		n.view.Changed(off, end)
	}
}

// Peek is ReadAt for a View: it pulls nothing. What lies behind the end of the
// file reads as zero.
func (n *Inode) Peek(p []byte, off int64) abi.Errno {
	got := 0
	if off < n.meta.Size {
		var errno abi.Errno
		if got, errno = n.read(p, off); errno != abi.OK {
			return errno
		}
	}
	clear(p[got:])
	return abi.OK
}

// NextData is the first offset from page offset off on whose page may hold other
// bytes than zero, for a View; -1 for none. It pulls nothing.
func (n *Inode) NextData(off int64) int64 {
	c := &n.file.mem
	i := off >> pageShift
	if off < c.lowLimit {
		return off
	}
	for at, _ := c.find(i); at < len(c.chunks); at++ {
		ch := &c.chunks[at]
		for k := max(0, i-ch.base); k < int64(len(ch.pages)); k++ {
			if ch.pages[k] != nil {
				return (ch.base + k) << pageShift
			}
		}
	}
	return -1
}

// Store takes over the bytes of one page, from offset off on, that a process
// stored through a mapping. It never makes the file longer. It reports whether
// that changed anything.
func (n *Inode) Store(p *[pageSize]byte, off int64) bool {
	m := int(min(pageSize, n.meta.Size-off))
	if m <= 0 || n.holds(p, off, m) {
		return false
	}
	pg, errno := n.own(off>>pageShift, false)
	if errno != abi.OK {
		return false // as on Linux, such a write is lost
	}
	copy(pg[:m], p[:m])
	n.written()
	return true
}

// holds reports whether the first m bytes of a page are what p says.
func (n *Inode) holds(p *[pageSize]byte, off int64, m int) bool {
	if pg := n.file.mem.get(off >> pageShift); pg != nil {
		return string(pg[:m]) == string(p[:m])
	}
	if n.fs.scratch == nil {
		n.fs.scratch = new(page)
	}
	was := n.fs.scratch[:m]
	return n.file.mem.readPage(was, off>>pageShift, 0) == abi.OK && string(was) == string(p[:m])
}
