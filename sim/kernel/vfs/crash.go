package vfs

import (
	"slices"
	"strconv"
)

// Crash is a disk at the moment of a power failure: what is on it for certain,
// and a list of what may or may not have got there. Each change of names is one
// item, each file's attributes with its size are one, and each page that was
// written is one. Nothing orders them but this: a change of names needs the
// earlier ones on the same names and those that made or moved the directories
// above it. A page of 4 KiB may be torn: its first sectors of 512 bytes are new
// and the others old.
//
// The model is weaker than any one Linux file system: ext4's journal, for one,
// orders all changes of names. What survives here survives everywhere.
// Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014.
type Crash struct {
	fs     *FS // never changes again
	items  []crashItem
	ops    int     // items[:ops] are changes of names, oldest first
	needs  [][]int // of these, which earlier ones each needs
	inodes []*Inode
}

// crashItem is one thing that may or may not have reached the disk.
type crashItem struct {
	op    *op
	inode *Inode // of attributes and pages
	page  int64  // -1 for attributes
}

// CrashState says of each item of a Crash how much of it is on the disk: 0
// nothing, Sectors everything, and for a page how many sectors.
type CrashState []uint8

// Sectors is how many sectors a page has.
const Sectors = 8

const sectorSize = pageSize / Sectors

// Freeze tells what a power failure now could leave.
func (fs *FS) Freeze() *Crash {
	c := &Crash{fs: fs.clone(false, nil)}
	for o := c.fs.first; o != nil; o = o.next {
		c.items = append(c.items, crashItem{op: o, page: -1})
	}
	c.ops = len(c.items)
	c.findNeeds()
	for n := c.fs.dirty; n != nil; n = n.nextDirty {
		c.inodes = append(c.inodes, n)
	}
	slices.Reverse(c.inodes)
	for _, n := range c.inodes {
		c.addInode(n)
	}
	return c
}

// Pending reports whether anything is not on the disk.
func (fs *FS) Pending() bool { return fs.first != nil || fs.dirty != nil }

// addInode lists what of an inode is not on the disk. Times alone count for
// nothing.
func (c *Crash) addInode(n *Inode) {
	m, d := n.meta, n.disk
	if m.Size != d.Size || m.Mode != d.Mode || m.UID != d.UID || m.GID != d.GID || n.file != nil && n.file.cut != noCut {
		c.items = append(c.items, crashItem{inode: n, page: -1})
	}
	if n.file == nil {
		return
	}
	pages := slices.Clone(n.file.pages)
	slices.Sort(pages)
	for _, i := range slices.Compact(pages) {
		if !samePage(n.file.mem.get(i), n.file.disk.get(i)) {
			c.items = append(c.items, crashItem{inode: n, page: i})
		}
	}
}

func samePage(a, b *page) bool { return a == b || a != nil && b != nil && *a == *b }

// findNeeds fills in what each change of names builds on: the last one before it
// of a name that it changes, the last one that made or moved a directory above,
// and all that emptied a directory that goes. Those need the ones before them.
func (c *Crash) findNeeds() {
	type name struct {
		dir  *Inode
		name string
	}
	c.needs = make([][]int, c.ops)
	changed := map[name]int{}    // which change was the last of a name
	placed := map[*Inode]int{}   // and which one put a directory where it is
	within := map[*Inode][]int{} // the changes in a directory
	for i := range c.ops {
		o := c.items[i].op
		need := func(k int, ok bool) {
			if ok {
				c.needs[i] = append(c.needs[i], k)
			}
		}
		for _, e := range o.real() {
			k, ok := changed[name{e.dir, e.name}]
			need(k, ok)
			for d := e.dir; d != c.fs.root; d = d.dir.parent {
				k, ok := placed[d]
				need(k, ok)
			}
			if e.old != nil && e.old.dir != nil {
				for _, k := range within[e.old] {
					need(k, true)
				}
				within[e.old] = nil // who builds on them builds on this one
			}
		}
		for _, e := range o.real() {
			changed[name{e.dir, e.name}] = i
			within[e.dir] = append(within[e.dir], i)
			if e.new != nil && e.new.dir != nil {
				placed[e.new] = i
			}
		}
		slices.Sort(c.needs[i])
		c.needs[i] = slices.Compact(c.needs[i])
	}
}

// real are the one or two edits of a change.
func (o *op) real() []edit {
	if o.edits[1].dir == nil {
		return o.edits[:1]
	}
	return o.edits[:]
}

// Items is how many things may or may not be on the disk.
func (c *Crash) Items() int { return len(c.items) }

// legal takes out the changes of names whose foundations are missing.
func (c *Crash) legal(s CrashState) CrashState {
	for i := range c.ops {
		for _, k := range c.needs[i] {
			if s[k] == 0 {
				s[i] = 0
			}
		}
		if s[i] != 0 {
			s[i] = Sectors
		}
	}
	for i := c.ops; i < len(s); i++ {
		if c.items[i].page < 0 && s[i] != 0 {
			s[i] = Sectors
		}
	}
	return s
}

// Nothing is the state in which nothing unsynced survived, All the one in
// which everything did.
func (c *Crash) Nothing() CrashState { return make(CrashState, len(c.items)) }

// All is Nothing's counterpart.
func (c *Crash) All() CrashState {
	s := c.Nothing()
	for i := range s {
		s[i] = Sectors
	}
	return s
}

// Random draws one of the states.
func (c *Crash) Random(rand func() uint64) CrashState {
	s := c.Nothing()
	bias := rand() % 7 // how likely it is that something survived
	for i := range s {
		switch v := rand(); {
		case v%8 > bias:
		case c.items[i].page >= 0 && v>>8%8 == 0:
			s[i] = uint8(1 + v>>16%(Sectors-1))
		default:
			s[i] = Sectors
		}
	}
	return c.legal(s)
}

// Disk is the disk that a state describes. Everything on it counts as synced.
func (c *Crash) Disk(s CrashState) *FS {
	return c.fs.clone(true, func(d *FS, seen []*Inode) {
		for _, n := range c.inodes {
			n.twin.meta = n.disk
			if n.file != nil {
				n.twin.file.pages, n.twin.file.cut = nil, noCut
			}
		}
		c.settle(s)
		at := c.ops - 1
		for o := d.last; o != nil; o = o.prev {
			for i := len(o.edits) - 1; i >= 0 && s[at] == 0; i-- {
				if e := &o.edits[i]; e.dir != nil {
					d.change(&edit{dir: e.dir, name: e.name, old: e.new, new: e.old}, nil)
				}
			}
			at--
		}
		d.first, d.last, d.dirty = nil, nil, nil
		for _, n := range seen {
			t := n.twin
			t.dirty, t.nextDirty, t.prevDirty = false, nil, nil
			t.linkOps, t.editOps = 0, 0
			t.disk = t.meta
			if t.dir != nil {
				for i := range t.dir.entries {
					t.dir.entries[i].last = nil
				}
			}
		}
		d.boot++
		d.recountAll()
	})
}

// settle gives the twins of changed inodes the attributes and bytes of s. Items
// of one inode stand together, attributes first.
func (c *Crash) settle(s CrashState) {
	for _, n := range c.inodes {
		if n.file == nil {
			continue
		}
		f := n.twin.file
		f.mem, f.reserved = n.file.disk.clone(), nil
	}
	for i := c.ops; i < len(c.items); i++ {
		it := &c.items[i]
		n := it.inode
		switch {
		case s[i] == 0:
		case it.page < 0:
			n.twin.meta = n.meta
			if n.file != nil && n.file.cut != noCut {
				n.twin.file.mem.drop(n.file.cut)
				n.twin.file.mem.lowLimit = min(n.twin.file.mem.lowLimit, n.file.mem.lowLimit)
			}
		default:
			n.twin.file.mem.set(it.page, tornPage(n.file.mem.get(it.page), n.file.disk.get(it.page), int(s[i])))
		}
	}
	for _, n := range c.inodes {
		if n.file != nil {
			n.twin.file.fit(n.twin.meta.Size)
		}
	}
}

// tornPage has the first sectors of one page and the others of another one.
func tornPage(now, before *page, sectors int) *page {
	if sectors == Sectors {
		return now
	}
	p := new(page)
	if before != nil {
		*p = *before
	}
	if now != nil {
		copy(p[:sectors*sectorSize], now[:])
	} else {
		clear(p[:sectors*sectorSize])
	}
	return p
}

// fit cuts what lies behind the end of a file of that size and makes both
// states of the file the same.
func (f *fileData) fit(size int64) {
	f.mem.drop((size + pageSize - 1) >> pageShift)
	f.mem.lowLimit = min(f.mem.lowLimit, size)
	if in := int(size & (pageSize - 1)); in != 0 {
		if p := f.mem.get(size >> pageShift); p != nil {
			cut := new(page)
			copy(cut[:in], p[:in])
			f.mem.set(size>>pageShift, cut)
		}
	}
	f.disk = f.mem.clone()
}

// Describe says in words what of s differs from losing everything.
func (c *Crash) Describe(s CrashState) string {
	b, names := []byte(nil), c.names()
	for i, v := range s {
		if v == 0 {
			continue
		}
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		it := &c.items[i]
		switch {
		case it.op != nil:
			b = it.op.describe(b)
		case it.page < 0:
			b = append(append(append(b, "size of "...), names[it.inode]...), ' ')
			b = append(strconv.AppendInt(b, it.inode.meta.Size, 10), " bytes"...)
		default:
			b = strconv.AppendInt(append(append(append(b, "page of "...), names[it.inode]...), " at "...), it.page*pageSize, 10)
			if v < Sectors {
				b = append(strconv.AppendInt(append(b, " torn after "...), int64(v)*sectorSize, 10), " bytes"...)
			}
		}
	}
	if len(b) == 0 {
		return "nothing unsynced survived"
	}
	return string(b)
}

// names finds what each changed inode is called, for Describe.
func (c *Crash) names() map[*Inode]string {
	names := make(map[*Inode]string, len(c.inodes))
	for _, n := range c.inodes {
		names[n] = "inode " + strconv.FormatUint(n.ino, 10)
	}
	named := map[*Inode]bool{}
	dirs := []*Inode{c.fs.root}
	for len(dirs) > 0 {
		d := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		for i := range d.dir.entries {
			e := &d.dir.entries[i]
			if e.inode == nil {
				continue
			}
			if _, ok := names[e.inode]; ok && !named[e.inode] {
				names[e.inode], named[e.inode] = e.name, true
			}
			if e.inode.dir != nil {
				dirs = append(dirs, e.inode)
			}
		}
	}
	return names
}

func (o *op) describe(b []byte) []byte {
	a, z := &o.edits[0], &o.edits[1]
	switch {
	case z.dir != nil && a.new != nil:
		return append(append(append(append(b, "exchange of "...), a.name...), " and "...), z.name...)
	case z.dir != nil:
		return append(append(append(append(b, "rename of "...), a.name...), " to "...), z.name...)
	case a.new == nil:
		return append(append(b, "removal of "...), a.name...)
	}
	return append(append(b, "name "...), a.name...)
}
