package vfs

import "sort"

// States returns up to limit different states of the disk that a power failure
// may leave, the most telling ones first: nothing survived, everything did,
// then each thing alone, each thing missing, everything up to a point in time,
// torn pages, and at last random ones drawn by rand. When there are few enough,
// these are all states of whole pages. Two states that look alike to whoever
// reads the disk count once.
func (c *Crash) States(limit int, rand func() uint64) []CrashState {
	e := &enumeration{c: c, limit: limit}
	e.add(c.Nothing())
	e.add(c.All())
	n := len(c.items)
	if n < 16 && 1<<n <= 2*limit {
		for bits := range 1 << n {
			s := c.Nothing()
			for i := range s {
				if bits>>i&1 != 0 {
					s[i] = Sectors
				}
			}
			e.add(s)
		}
	}
	e.prefixes()
	for i := range n {
		e.alone(i)
		e.missing(i)
	}
	for _, sectors := range [...]uint8{1, Sectors / 2, Sectors - 1} {
		for i := c.ops; i < n; i++ {
			if c.items[i].page >= 0 {
				s := c.All()
				s[i] = sectors
				e.add(s)
			}
		}
	}
	for tries := 0; n > 0 && tries < 4*limit && len(e.states) < limit; tries++ {
		e.add(c.Random(rand))
	}
	return e.states
}

type enumeration struct {
	c      *Crash
	limit  int
	states []CrashState
	seen   []uint64 // fingerprints, ascending
}

// add takes a state that is legal, or becomes so by losing more, and that no
// other one looks like.
func (e *enumeration) add(s CrashState) {
	if len(e.states) >= e.limit {
		return
	}
	s = e.c.legal(s)
	print := e.c.fingerprint(e.c.Disk(s))
	i := sort.Search(len(e.seen), func(i int) bool { return e.seen[i] >= print })
	if i < len(e.seen) && e.seen[i] == print {
		return
	}
	e.seen = append(e.seen, 0)
	copy(e.seen[i+1:], e.seen[i:])
	e.seen[i] = print
	e.states = append(e.states, s)
}

// alone is a state in which one thing and its foundations survived.
func (e *enumeration) alone(i int) {
	s := e.c.Nothing()
	s[i] = Sectors
	for k := min(i, e.c.ops-1); k >= 0; k-- {
		if s[k] != 0 {
			for _, j := range e.c.needs[k] { // all of them earlier
				s[j] = Sectors
			}
		}
	}
	e.add(s)
}

// missing is a state in which everything survived but one thing and what
// builds on it.
func (e *enumeration) missing(i int) {
	s := e.c.All()
	s[i] = 0
	e.add(s)
}

// prefixes are the states of a file system that keeps changes of names in
// order: with all bytes of files, with none, and with sizes only.
func (e *enumeration) prefixes() {
	for k := 0; k <= e.c.ops; k++ {
		for _, kind := range [...]int{0, 1, 2} {
			s := e.c.Nothing()
			for i := range s {
				data := i >= e.c.ops
				switch {
				case !data && i < k, data && kind == 1, data && kind == 2 && e.c.items[i].page < 0:
					s[i] = Sectors
				}
			}
			e.add(s)
		}
	}
}

// fingerprint is a hash of what can be read on a disk: names, types,
// permissions, owners, sizes, and the bytes of the files that were being
// changed. Times do not count (FNV-1a).
func (c *Crash) fingerprint(d *FS) uint64 {
	h := hash(14695981039346656037)
	dirs := []*Inode{d.root}
	for len(dirs) > 0 {
		dir := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		h.number(int64(dir.ino))
		for i := range dir.dir.entries {
			entry := &dir.dir.entries[i]
			h.text(entry.name)
			n := entry.inode
			if n == nil {
				continue
			}
			for _, v := range [...]int64{int64(n.ino), int64(n.meta.Mode), n.meta.Size, int64(n.meta.UID), int64(n.meta.GID)} {
				h.number(v)
			}
			if n.dir != nil {
				dirs = append(dirs, n)
			}
			if n.file != nil && c.changes(n.ino) {
				h.file(n)
			}
		}
	}
	return uint64(h)
}

func (c *Crash) changes(ino uint64) bool {
	for _, n := range c.inodes {
		if n.ino == ino {
			return true
		}
	}
	return false
}

type hash uint64

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

func (h *hash) file(n *Inode) {
	for k := range n.file.mem.chunks {
		ch := &n.file.mem.chunks[k]
		for i, p := range ch.pages {
			if p == nil || *p == (page{}) {
				continue // a hole reads as zero, too
			}
			h.number(ch.base + int64(i))
			for at := 0; at < pageSize; at += 8 {
				w := uint64(p[at]) | uint64(p[at+1])<<8 | uint64(p[at+2])<<16 | uint64(p[at+3])<<24 |
					uint64(p[at+4])<<32 | uint64(p[at+5])<<40 | uint64(p[at+6])<<48 | uint64(p[at+7])<<56
				*h = (*h ^ hash(w)) * 1099511628211
				*h ^= *h >> 29
			}
		}
	}
}
