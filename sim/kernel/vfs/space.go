package vfs

import "github.com/restep/restep/sim/kernel/abi"

// Space on the disk is counted in pages of what the memory state holds, names
// and inodes take none. Pages that only the disk state still has are free
// already, as after a truncation whose blocks the journal gives back later.

// span is a run of pages, from first up to but without end.
type span struct{ first, end int64 }

// SetLimit says how many bytes the disk holds, 0 for a disk that never fills.
func (fs *FS) SetLimit(bytes int64) { fs.limit = (bytes + pageSize - 1) >> pageShift }

// Space tells the size of the disk and what is used of it, in pages of 4 KiB.
// limit is 0 for a disk that never fills.
func (fs *FS) Space() (limit, used int64) { return fs.limit, fs.used }

// charge takes a page of the disk for page i of a file if it has none yet.
func (n *Inode) charge(i int64) abi.Errno {
	f, fs := n.file, n.fs
	if f.mem.data(i) || f.isReserved(i) {
		return abi.OK
	}
	if fs.limit > 0 && fs.used >= fs.limit {
		return abi.ENOSPC
	}
	fs.used++
	f.alloc++
	return abi.OK
}

func (f *fileData) isReserved(i int64) bool {
	for _, s := range f.reserved {
		if i >= s.first && i < s.end {
			return true
		}
	}
	return false
}

// recount is done after pages were given up.
func (n *Inode) recount() {
	f := n.file
	pages := f.mem.blocks() / (pageSize / 512)
	for _, s := range f.reserved {
		pages += f.holes(s)
	}
	n.fs.used += pages - f.alloc
	f.alloc = pages
}

// holes counts the pages of s that hold no data.
func (f *fileData) holes(s span) int64 {
	low := (f.mem.lowLimit + pageSize - 1) >> pageShift
	count := s.end - s.first - max(0, min(s.end, low)-s.first)
	for n := range f.mem.chunks {
		c := &f.mem.chunks[n]
		for k, p := range c.pages {
			if i := c.base + int64(k); p != nil && i >= max(s.first, low) && i < s.end {
				count--
			}
		}
	}
	return count
}

// Reserve takes space for the bytes from off on, as fallocate(2) does: later
// writes there do not meet a full disk. ENOSPC leaves everything as it was.
func (n *Inode) Reserve(off, length int64) abi.Errno {
	f, fs := n.file, n.fs
	s := span{off >> pageShift, (off + length + pageSize - 1) >> pageShift}
	before := append([]span(nil), f.reserved...)
	f.unreserve(s.first, s.end)
	was := f.alloc
	f.reserved = append(f.reserved, s)
	n.recount()
	if fs.limit > 0 && f.alloc > was && fs.used > fs.limit {
		f.reserved = before
		n.recount()
		return abi.ENOSPC
	}
	return abi.OK
}

// unreserve takes the pages from first to end out of what is reserved.
func (f *fileData) unreserve(first, end int64) {
	if len(f.reserved) == 0 {
		return
	}
	var kept []span
	for _, s := range f.reserved {
		if left := (span{s.first, min(s.end, first)}); left.first < left.end {
			kept = append(kept, left)
		}
		if right := (span{max(s.first, end), s.end}); right.first < right.end {
			kept = append(kept, right)
		}
	}
	f.reserved = kept
}

// recountAll counts the whole tree again, after the power was off.
func (fs *FS) recountAll() {
	fs.used = 0
	var dirs []*Inode
	fs.syncs++
	visit := func(n *Inode) {
		if n.mark == fs.syncs {
			return
		}
		n.mark = fs.syncs
		if n.file != nil {
			n.file.alloc = 0
			n.recount()
		}
		if n.dir != nil {
			dirs = append(dirs, n)
		}
	}
	visit(fs.root)
	for len(dirs) > 0 {
		d := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		for i := range d.dir.entries {
			if e := &d.dir.entries[i]; e.inode != nil {
				visit(e.inode)
			}
		}
	}
}

// Collapse removes the bytes from off on and moves what follows to their
// place; Insert makes room there (fallocate(2), FALLOC_FL_COLLAPSE_RANGE,
// FALLOC_FL_INSERT_RANGE). Both want whole pages.
func (n *Inode) Collapse(off, length int64) abi.Errno {
	switch {
	case off%pageSize != 0 || length%pageSize != 0, off+length >= n.meta.Size:
		return abi.EINVAL
	}
	n.pull()
	if errno := n.shift(off+length, off, n.meta.Size-off-length); errno != abi.OK {
		return errno
	}
	return n.Truncate(n.meta.Size - length)
}

// Insert is Collapse's counterpart.
func (n *Inode) Insert(off, length int64) abi.Errno {
	switch {
	case off%pageSize != 0 || length%pageSize != 0, off >= n.meta.Size:
		return abi.EINVAL
	case n.meta.Size+length > MaxFileSize:
		return abi.EFBIG
	}
	n.pull()
	tail := n.meta.Size - off
	if errno := n.Truncate(n.meta.Size + length); errno != abi.OK {
		return errno
	}
	if errno := n.shift(off, off+length, tail); errno != abi.OK {
		return errno
	}
	return n.Zero(off, length)
}

// shift copies length bytes from one place of the file to another, page by
// page and in the order that suits places that overlap. Holes stay holes.
func (n *Inode) shift(from, to, length int64) abi.Errno {
	pages := (length + pageSize - 1) >> pageShift
	for k := range pages {
		i := k
		if to > from {
			i = pages - 1 - k
		}
		src, dst := from>>pageShift+i, to>>pageShift+i
		if !n.file.mem.data(src) {
			if n.file.mem.data(dst) {
				n.dropPage(dst)
			}
			continue
		}
		pg, errno := n.own(dst, false)
		if errno == abi.OK {
			errno = n.file.mem.readPage(pg[:], src, 0)
		}
		if errno != abi.OK {
			return errno
		}
	}
	n.recount()
	n.written()
	n.show(min(from, to), n.meta.Size)
	return abi.OK
}
