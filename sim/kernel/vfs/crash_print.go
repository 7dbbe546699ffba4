package vfs

// prints tells apart the states of a Crash that differ in what can be read, by
// a hash each, without making the disk of a state. What no item changes counts
// for nothing; the rest is a sum, so that a state costs as much as it has
// items, however many files there are.
//
// A name is in a directory that is gone only if it is itself gone: the change
// that removed the directory needs those that emptied it, and the one that made
// it is needed by all in it.
type prints struct {
	c      *Crash
	names  []uint64  // what each change of names adds when it survives
	links  [][4]link // names of changed inodes that it makes or takes
	inodes []inodePrint
	pages  []pagePrint // of items[c.ops:]
	count  []int32     // scratch: names of each inode
}

// link is a change by names of inodes[inode]; by is 0 behind the last one.
type link struct{ inode, by int32 }

// inodePrint is what is known of one of c.inodes.
type inodePrint struct {
	links      int32     // names before all changes
	from, to   int       // its items, attributes first
	attributes bool      // whether these are among them
	known      [2]bool   // by whether its new attributes survived:
	fixed      [2]uint64 // attributes and the pages that are no items
}

// pagePrint is the hash of a page, by whether its inode's new attributes
// survived and how many sectors of it did.
type pagePrint struct {
	known [2]uint16 // a bit each
	hash  [2][Sectors + 1]uint64
}

func (c *Crash) newPrints() *prints {
	p := &prints{
		c: c, names: make([]uint64, c.ops), links: make([][4]link, c.ops), inodes: make([]inodePrint, len(c.inodes)),
		pages: make([]pagePrint, len(c.items)-c.ops), count: make([]int32, len(c.inodes)),
	}
	index := make(map[*Inode]int32, len(c.inodes))
	for i, n := range c.inodes {
		index[n] = int32(i)
		p.inodes[i].links = int32(n.nlink)
	}
	for at := c.ops; at < len(c.items); at++ {
		n := &p.inodes[index[c.items[at].inode]]
		if n.to == 0 {
			n.from, n.attributes = at, c.items[at].page < 0
		}
		n.to = at + 1
	}
	for i := range c.ops {
		p.change(i, index)
	}
	return p
}

// change notes what the change of names i does.
func (p *prints) change(i int, index map[*Inode]int32) {
	used := 0
	note := func(n *Inode, by int32) {
		if at, ok := index[n]; ok && n != nil {
			p.links[i][used] = link{at, by}
			p.inodes[at].links -= by
			used++
		}
	}
	for k := range p.c.items[i].op.edits {
		e := &p.c.items[i].op.edits[k]
		if e.dir == nil {
			continue
		}
		p.names[i] += nameHash(e, e.new) - nameHash(e, e.old)
		note(e.new, 1)
		note(e.old, -1)
	}
}

func nameHash(e *edit, n *Inode) uint64 {
	if n == nil {
		return 0
	}
	h := newHash()
	h.number(int64(e.dir.ino))
	h.text(e.name)
	h.number(int64(n.ino))
	return h.sum()
}

// of is the hash of what can be read in state s, which is legal.
func (p *prints) of(s CrashState) (sum uint64) {
	for i := range p.inodes {
		p.count[i] = p.inodes[i].links
	}
	for i := range p.c.ops {
		if s[i] == 0 {
			continue
		}
		sum += p.names[i]
		for _, l := range p.links[i] {
			if l.by == 0 {
				break
			}
			p.count[l.inode] += l.by
		}
	}
	for i, n := range p.c.inodes {
		if p.count[i] > 0 || n == p.c.fs.root {
			sum += p.inode(i, s)
		}
	}
	return sum
}

// inode is what an inode that has a name adds.
func (p *prints) inode(i int, s CrashState) uint64 {
	n := &p.inodes[i]
	if n.to == 0 {
		return 0
	}
	v, pages := 0, n.from
	if n.attributes {
		if pages++; s[n.from] != 0 {
			v = 1
		}
	}
	if !n.known[v] {
		n.known[v], n.fixed[v] = true, p.fixed(p.c.inodes[i], v, pages, n.to)
	}
	sum := n.fixed[v]
	for at := pages; at < n.to; at++ {
		sum += p.page(at, v, int(s[at]))
	}
	return sum
}

// shape is what the attributes of an inode say about its bytes: the size, and
// from where on pages of the disk are cut off, below where they are lower's.
func (n *Inode) shape(v int) (size, cut, low int64) {
	size, cut = n.disk.Size, noCut
	if v != 0 {
		size = n.meta.Size
	}
	if n.file == nil {
		return size, cut, 0
	}
	if n.file.disk.lower != nil {
		low = n.file.disk.lowLimit
	}
	if v != 0 && n.file.cut != noCut {
		cut, low = n.file.cut, min(low, n.file.mem.lowLimit)
	}
	return size, cut, min(low, size)
}

// fixed is the hash of an inode's attributes, with those of its pages on the
// disk that are no items; these have numbers from on.
func (p *prints) fixed(n *Inode, v, from, to int) uint64 {
	size, cut, low := n.shape(v)
	m := &n.disk
	if v != 0 {
		m = &n.meta
	}
	h := newHash()
	for _, x := range [...]int64{int64(n.ino), int64(m.Mode), size, int64(m.UID), int64(m.GID), low} {
		h.number(x)
	}
	sum := h.sum()
	if n.file == nil {
		return sum
	}
	for k := range n.file.disk.chunks {
		ch := &n.file.disk.chunks[k]
		for at, pg := range ch.pages {
			i := ch.base + int64(at)
			for from < to && p.c.items[from].page < i {
				from++
			}
			if i < cut && (from == to || p.c.items[from].page != i) {
				sum += pageHash(n, i, pg, size, low)
			}
		}
	}
	return sum
}

// page is the hash of a page that is an item.
func (p *prints) page(at, v, sectors int) uint64 {
	known := &p.pages[at-p.c.ops]
	if known.known[v]>>sectors&1 == 0 {
		it := &p.c.items[at]
		n, i := it.inode, it.page
		size, cut, low := n.shape(v)
		pg := n.file.disk.get(i)
		if sectors > 0 {
			pg = tornPage(n.file.mem.get(i), pg, sectors)
		} else if i >= cut {
			pg = nil
		}
		known.known[v] |= 1 << sectors
		known.hash[v][sectors] = pageHash(n, i, pg, size, low)
	}
	return known.hash[v][sectors]
}

// pageHash is the hash of page i of a file of a size, 0 if it reads as if it
// were not there.
func pageHash(n *Inode, i int64, p *page, size, low int64) uint64 {
	off := i << pageShift
	if p == nil || off >= size {
		return 0
	}
	end := pageSize
	for end = int(min(size-off, pageSize)); end > 0 && p[end-1] == 0; {
		end--
	}
	if end == 0 && off >= low {
		return 0
	}
	h := newHash()
	h.number(int64(n.ino))
	h.number(i)
	for at := 0; at < end; at += 8 {
		w := uint64(p[at]) | uint64(p[at+1])<<8 | uint64(p[at+2])<<16 | uint64(p[at+3])<<24 |
			uint64(p[at+4])<<32 | uint64(p[at+5])<<40 | uint64(p[at+6])<<48 | uint64(p[at+7])<<56
		if rest := end - at; rest < 8 {
			w &= 1<<(8*rest) - 1
		}
		h = (h ^ hash(w)) * 1099511628211
		h ^= h >> 29
	}
	return h.sum()
}

// hash is FNV-1a.
type hash uint64

func newHash() hash { return 14695981039346656037 }

func (h *hash) number(v int64) {
	for range 8 {
		*h = (*h ^ hash(v&255)) * 1099511628211
		v >>= 8
	}
}

func (h *hash) text(s string) {
	for i := range len(s) {
		*h = (*h ^ hash(s[i])) * 1099511628211
	}
	h.number(int64(len(s)))
}

// sum spreads the hash over all bits, so that hashes can be added up: the
// finalizer of MurmurHash3.
func (h hash) sum() uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return uint64(h ^ h>>33)
}
