package vfs

import "github.com/restep/restep/sim/kernel/abi"

const (
	pageSize  = 4096
	pageShift = 12
	// chunkPages is how many pages one entry of the table of a file covers,
	// so that a file of a terabyte with one page in it costs little.
	chunkPages = 512
	noCut      = int64(1) << 62
)

// MaxFileSize is the largest size of a file in bytes, as on ext4 with 4 KiB
// blocks.
const MaxFileSize = 16<<40 - pageSize

type page [pageSize]byte

// chunk holds the pages from number base on; missing ones are nil.
type chunk struct {
	base  int64
	pages []*page
}

// content is the pages of a file in one of its two states. Where there is no
// page the bytes are those of lower, up to lowLimit, and zero behind it.
type content struct {
	chunks   []chunk // ascending by base
	lower    Content
	lowLimit int64
}

// fileData is a regular file: contents in memory and on disk. pages lists
// the numbers of the pages that differ, cut is the lowest page number from
// which the file was truncated since the last sync.
type fileData struct {
	mem, disk content
	pages     []int64
	cut       int64
	// alloc is how many pages the file takes on the disk, reserved the holes
	// for which fallocate(2) has taken some.
	alloc    int64
	reserved []span
}

// find returns the place of the chunk for page i, and whether it is there.
func (c *content) find(i int64) (int, bool) {
	base := i &^ (chunkPages - 1)
	if n := int(base / chunkPages); n < len(c.chunks) && c.chunks[n].base == base {
		return n, true // no holes before it
	}
	lo, hi := 0, len(c.chunks)
	for lo < hi {
		mid := (lo + hi) / 2
		if c.chunks[mid].base < base {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(c.chunks) && c.chunks[lo].base == base
}

func (c *content) get(i int64) *page {
	n, ok := c.find(i)
	if !ok {
		return nil
	}
	if k := int(i - c.chunks[n].base); k < len(c.chunks[n].pages) {
		return c.chunks[n].pages[k]
	}
	return nil
}

func (c *content) set(i int64, p *page) {
	n, ok := c.find(i)
	if !ok {
		if p == nil {
			return
		}
		c.chunks = append(c.chunks, chunk{})
		copy(c.chunks[n+1:], c.chunks[n:])
		c.chunks[n] = chunk{base: i &^ (chunkPages - 1)}
	}
	ch := &c.chunks[n]
	k := int(i - ch.base)
	if k >= len(ch.pages) && p == nil {
		return
	}
	for len(ch.pages) <= k {
		ch.pages = append(ch.pages, nil)
	}
	ch.pages[k] = p
}

// drop removes the pages from number i on.
func (c *content) drop(i int64) {
	n, ok := c.find(i)
	if ok {
		ch := &c.chunks[n]
		k := int(i - ch.base)
		if k == 0 {
			ok = false
		} else if k < len(ch.pages) {
			clear(ch.pages[k:])
			ch.pages = ch.pages[:k]
		}
	}
	if ok {
		n++
	}
	clear(c.chunks[n:])
	c.chunks = c.chunks[:n]
}

// blocks counts what is allocated, in units of 512 bytes.
func (c *content) blocks() int64 {
	low := (c.lowLimit + pageSize - 1) >> pageShift
	pages := low
	for n := range c.chunks {
		for k, p := range c.chunks[n].pages {
			if p != nil && c.chunks[n].base+int64(k) >= low {
				pages++
			}
		}
	}
	return pages * (pageSize / 512)
}

// data reports whether page i holds data rather than a hole.
func (c *content) data(i int64) bool { return i<<pageShift < c.lowLimit || c.get(i) != nil }

// readPage copies bytes of page i from offset off on into p.
func (c *content) readPage(p []byte, i int64, off int) abi.Errno {
	if pg := c.get(i); pg != nil {
		copy(p, pg[off:])
		return abi.OK
	}
	n := 0
	if pos := i<<pageShift + int64(off); pos < c.lowLimit {
		n = int(min(int64(len(p)), c.lowLimit-pos))
		got, errno := c.lower.ReadAt(p[:n], pos)
		if errno != abi.OK {
			return errno
		}
		n = got
	}
	clear(p[n:])
	return abi.OK
}

// ReadAt reads from offset off, fewer bytes than asked for at the end.
func (n *Inode) ReadAt(p []byte, off int64) (int, abi.Errno) {
	if off >= n.meta.Size {
		return 0, abi.OK
	}
	n.pull()
	return n.read(p, off)
}

func (n *Inode) read(p []byte, off int64) (int, abi.Errno) {
	p = p[:min(int64(len(p)), n.meta.Size-off)]
	done := 0
	for done < len(p) {
		pos := off + int64(done)
		in := int(pos & (pageSize - 1))
		m := min(pageSize-in, len(p)-done)
		if errno := n.file.mem.readPage(p[done:done+m], pos>>pageShift, in); errno != abi.OK {
			return done, errno
		}
		done += m
	}
	return done, abi.OK
}

// own returns page i of the memory state, ready to be written to. whole says
// that the caller overwrites all of it.
func (n *Inode) own(i int64, whole bool) (*page, abi.Errno) {
	f := n.file
	old := f.mem.get(i)
	if old != nil && old != n.fs.zeroPage && old != f.disk.get(i) {
		return old, abi.OK
	}
	if errno := n.charge(i); errno != abi.OK {
		return nil, errno
	}
	var fresh *page
	if old != nil && !whole {
		fresh = (*page)(append([]byte(nil), old[:]...)) // new would clear it first
	} else {
		fresh = new(page)
		if !whole {
			if errno := f.mem.readPage(fresh[:], i, 0); errno != abi.OK {
				return nil, errno
			}
		}
	}
	f.mem.set(i, fresh)
	f.pages = append(f.pages, i)
	return fresh, abi.OK
}

// WriteAt writes at offset off and makes the file longer where needed. EFBIG
// beyond MaxFileSize.
func (n *Inode) WriteAt(p []byte, off int64) (int, abi.Errno) {
	if len(p) == 0 {
		return 0, abi.OK
	}
	if off >= MaxFileSize {
		return 0, abi.EFBIG
	}
	n.pull()
	p = p[:min(int64(len(p)), MaxFileSize-off)]
	first := min(off, n.meta.Size)
	done := 0
	for done < len(p) {
		pos := off + int64(done)
		in := int(pos & (pageSize - 1))
		m := min(pageSize-in, len(p)-done)
		pg, errno := n.own(pos>>pageShift, m == pageSize)
		if errno != abi.OK {
			n.show(first, off+int64(done))
			return done, errno
		}
		copy(pg[in:], p[done:done+m])
		done += m
		n.meta.Size = max(n.meta.Size, pos+int64(m))
	}
	// write(2): a write by root does not clear set-id bits.
	n.written()
	n.show(first, off+int64(done))
	return done, abi.OK
}

// Truncate sets the size in bytes (truncate(2)).
func (n *Inode) Truncate(size int64) abi.Errno {
	if size > MaxFileSize {
		return abi.EFBIG
	}
	n.pull()
	first := min(size, n.meta.Size)
	last := max(size, n.meta.Size)
	if size < n.meta.Size {
		if errno := n.zeroTail(size); errno != abi.OK {
			return errno
		}
		first := (size + pageSize - 1) >> pageShift
		n.file.mem.drop(first)
		n.file.mem.lowLimit = min(n.file.mem.lowLimit, size)
		n.file.cut = min(n.file.cut, first)
		n.file.pages = below(n.file.pages, first)
		n.file.unreserve(first, noCut)
		n.recount()
	}
	n.meta.Size = size
	n.written()
	n.show(first, last)
	return abi.OK
}

// below keeps the numbers less than first.
func below(pages []int64, first int64) []int64 {
	kept := pages[:0]
	for _, i := range pages {
		if i < first {
			kept = append(kept, i)
		}
	}
	return kept
}

// zeroTail clears the rest of the page that holds the new end.
func (n *Inode) zeroTail(size int64) abi.Errno {
	in := int(size & (pageSize - 1))
	i := size >> pageShift
	if in == 0 || n.file.mem.get(i) == nil {
		return abi.OK // a page of lower ends at lowLimit
	}
	pg, errno := n.own(i, false)
	if errno == abi.OK {
		clear(pg[in:])
	}
	return errno
}

// Zero makes the bytes from off on read as zero without changing the size,
// giving up the pages that lie wholly inside (fallocate(2),
// FALLOC_FL_PUNCH_HOLE).
func (n *Inode) Zero(off, length int64) abi.Errno {
	n.pull()
	start, end := off, min(off+length, n.meta.Size)
	f := n.file
	for off < end {
		i, in := off>>pageShift, int(off&(pageSize-1))
		m := min(int64(pageSize-in), end-off)
		switch {
		case !f.mem.data(i):
		case in == 0 && (m == pageSize || off+m == n.meta.Size):
			n.dropPage(i)
		default:
			pg, errno := n.own(i, false)
			if errno != abi.OK {
				return errno
			}
			clear(pg[in : in+int(m)])
		}
		off += m
	}
	f.unreserve((start+pageSize-1)>>pageShift, end>>pageShift)
	n.recount()
	n.written()
	n.show(start, end)
	return abi.OK
}

// dropPage turns page i into a hole; where lower would show through, a page
// of zeros covers it.
func (n *Inode) dropPage(i int64) {
	f := n.file
	var hole *page
	if i<<pageShift < f.mem.lowLimit {
		if n.fs.zeroPage == nil {
			n.fs.zeroPage = new(page)
		}
		hole = n.fs.zeroPage
	}
	f.mem.set(i, hole)
	f.pages = append(f.pages, i)
}

// Extend makes the file at least size bytes long, as fallocate(2) does.
func (n *Inode) Extend(size int64) abi.Errno {
	if size > MaxFileSize {
		return abi.EFBIG
	}
	n.pull()
	was := n.meta.Size
	n.meta.Size = max(was, size)
	n.written()
	n.show(was, size)
	return abi.OK
}

// SeekData finds the first byte of data at or after off, SeekHole the first
// of a hole; the end of the file counts as a hole. ENXIO when off is not
// inside the file (lseek(2)).
func (n *Inode) SeekData(off int64) (int64, abi.Errno) { return n.seek(off, true) }

// SeekHole is SeekData's counterpart.
func (n *Inode) SeekHole(off int64) (int64, abi.Errno) { return n.seek(off, false) }

func (n *Inode) seek(off int64, want bool) (int64, abi.Errno) {
	if off < 0 || off >= n.meta.Size {
		return 0, abi.ENXIO
	}
	n.pull()
	c := &n.file.mem
	for i := off >> pageShift; i<<pageShift < n.meta.Size; {
		if c.data(i) == want {
			return max(off, i<<pageShift), abi.OK
		}
		if !want || i<<pageShift < c.lowLimit {
			i++
			continue
		}
		// Skip the chunks that are not there.
		k, ok := c.find(i)
		switch {
		case ok:
			i++
		case k < len(c.chunks):
			i = c.chunks[k].base
		default:
			return 0, abi.ENXIO
		}
	}
	if want {
		return 0, abi.ENXIO
	}
	return n.meta.Size, abi.OK
}

// flush makes the contents durable. It is the only place that changes the
// disk state of a file's bytes, PowerOff the only one that goes back to it.
func (f *fileData) flush() {
	f.disk.lower, f.disk.lowLimit = f.mem.lower, f.mem.lowLimit
	if f.cut != noCut {
		f.disk.drop(f.cut)
		f.cut = noCut
	}
	for _, i := range f.pages {
		f.disk.set(i, f.mem.get(i))
	}
	f.pages = f.pages[:0]
}

// revert throws away what is not on disk.
func (f *fileData) revert() {
	f.mem.lower, f.mem.lowLimit = f.disk.lower, f.disk.lowLimit
	if f.cut != noCut {
		f.mem.drop(f.cut)
		n, ok := f.disk.find(f.cut)
		if ok {
			ch := &f.disk.chunks[n]
			for k := int(f.cut - ch.base); k < len(ch.pages); k++ {
				f.mem.set(ch.base+int64(k), ch.pages[k])
			}
			n++
		}
		for ; n < len(f.disk.chunks); n++ {
			ch := &f.disk.chunks[n]
			for k, p := range ch.pages {
				f.mem.set(ch.base+int64(k), p)
			}
		}
		f.cut = noCut
	}
	for _, i := range f.pages {
		f.mem.set(i, f.disk.get(i))
	}
	f.pages = f.pages[:0]
}
