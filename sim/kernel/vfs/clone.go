package vfs

// clone is a copy of a whole file system, both states and what is pending. The
// copy shares pages that neither side changes in place: those that are on the
// disk, and of pages that are not it has copies of its own. frozen says that
// fs never changes again, so that all pages can be shared. then is called while
// inodes still know their twins.
func (fs *FS) clone(frozen bool, then func(c *FS, seen []*Inode)) *FS {
	c := *fs
	fs.syncs++ // marks which inodes have a twin
	c.syncs = fs.syncs
	c.dirty, c.first, c.last, c.waits = nil, nil, nil, nil
	c.scratch = nil
	w := &cloner{from: fs, to: &c, frozen: frozen}
	c.root = w.inode(fs.root)
	for o := fs.first; o != nil; o = o.next {
		w.op(o)
	}
	for len(w.dirs) > 0 {
		d := w.dirs[len(w.dirs)-1]
		w.dirs = w.dirs[:len(w.dirs)-1]
		w.dir(d)
	}
	w.lastOps()
	w.dirtyList()
	if then != nil {
		then(&c, w.seen)
	}
	for _, n := range w.seen {
		n.twin = nil
	}
	return &c
}

// cloner is a clone under way.
type cloner struct {
	from, to *FS
	frozen   bool
	dirs     []*Inode // whose entries are still to be copied
	seen     []*Inode
	ops      []*op  // twins of the pending operations, oldest first
	last     *Inode // end of the copy's list of dirty inodes
}

// inode is the twin of n.
func (w *cloner) inode(n *Inode) *Inode {
	if n == nil {
		return nil
	}
	if n.mark == w.from.syncs && n.twin != nil {
		return n.twin
	}
	t := *n
	t.fs, t.vol, t.view = w.to, volatile{}, nil
	t.nextDirty, t.prevDirty, t.twin, t.mark = nil, nil, nil, 0
	n.mark, n.twin = w.from.syncs, &t
	w.seen = append(w.seen, n)
	if n.file != nil {
		t.file = n.file.clone(w.from.zeroPage, w.frozen)
	}
	if n.dir != nil {
		d := *n.dir
		t.dir = &d
		t.dir.entries = append([]entry(nil), n.dir.entries...)
		w.dirs = append(w.dirs, n)
	}
	return &t
}

func (w *cloner) dir(n *Inode) {
	d := n.twin.dir
	d.parent = w.inode(d.parent)
	for i := range d.entries {
		d.entries[i].inode = w.inode(d.entries[i].inode)
		d.entries[i].last = nil
	}
}

func (w *cloner) op(o *op) {
	t := &op{prev: w.to.last}
	for i := range o.edits {
		e := &o.edits[i]
		t.edits[i] = edit{dir: w.inode(e.dir), name: e.name, old: w.inode(e.old), new: w.inode(e.new)}
	}
	if t.prev != nil {
		t.prev.next = t
	} else {
		w.to.first = t
	}
	w.to.last = t
	w.ops = append(w.ops, t)
}

// lastOps notes at each name which pending operation changed it last.
func (w *cloner) lastOps() {
	for _, o := range w.ops {
		for i := range o.edits {
			e := &o.edits[i]
			if e.dir == nil {
				continue
			}
			if k, ok := e.dir.dir.find(e.name); ok {
				e.dir.dir.entries[k].last = o
			}
		}
	}
}

// dirtyList lists the twins of the dirty inodes in the same order. Behind them
// come those that FS.dirty has left out because they had lost their last name,
// which a power failure may give back.
func (w *cloner) dirtyList() {
	for n := w.from.dirty; n != nil; n = n.nextDirty {
		if n.mark == w.from.syncs && n.twin != nil { // else out of reach
			w.addDirty(n.twin)
		}
	}
	for _, n := range w.seen {
		if n.dirty && n.prevDirty == nil && w.from.dirty != n {
			w.addDirty(n.twin)
		}
	}
}

func (w *cloner) addDirty(t *Inode) {
	t.prevDirty = w.last
	if w.last != nil {
		w.last.nextDirty = t
	} else {
		w.to.dirty = t
	}
	w.last = t
}

// clone copies the tables of pages, and those pages that are not on the disk.
func (f *fileData) clone(zero *page, share bool) *fileData {
	c := &fileData{
		mem: f.mem.clone(), disk: f.disk.clone(), pages: append([]int64(nil), f.pages...), cut: f.cut,
		alloc: f.alloc, reserved: append([]span(nil), f.reserved...),
	}
	if share {
		return c
	}
	for _, i := range f.pages {
		if p := f.mem.get(i); p != nil && p != f.disk.get(i) && p != zero && p == c.mem.get(i) {
			fresh := *p
			c.mem.set(i, &fresh)
		}
	}
	return c
}

func (c *content) clone() content {
	t := content{lower: c.lower, lowLimit: c.lowLimit, chunks: append([]chunk(nil), c.chunks...)}
	for i := range t.chunks {
		t.chunks[i].pages = append([]*page(nil), t.chunks[i].pages...)
	}
	return t
}
