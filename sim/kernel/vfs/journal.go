package vfs

import "github.com/restep/restep/sim/kernel/abi"

// edit is the change of one name in one directory from one inode to another;
// nil means that there is no such name.
type edit struct {
	dir      *Inode
	name     string
	old, new *Inode
}

// op is an atomic change of up to two names that is not on disk yet.
type op struct {
	edits      [2]edit // the second one may have no dir
	prev, next *op
	marked     bool
	done       bool // on disk or undone
}

// commitOrPend carries out a change of names in memory and notes that it is
// not on disk. Making and removing a name of which the disk never heard
// cancel each other out.
func (fs *FS) commitOrPend(a, b edit) {
	if !fs.sealed {
		fs.change(&a, nil) // the initial tree is made of single changes
		return
	}
	o := &op{edits: [2]edit{a, b}}
	if b.dir == nil && a.new == nil {
		if i, ok := a.dir.dir.find(a.name); ok {
			last := a.dir.dir.entries[i].last
			if last != nil && !last.done && last.edits[1].dir == nil && last.edits[0].old == nil {
				fs.change(&o.edits[0], nil)
				fs.drop(last)
				a.dir.written()
				return
			}
		}
	}
	for i := range o.edits {
		e := &o.edits[i]
		if e.dir == nil {
			continue
		}
		fs.change(e, o)
		e.dir.written()
		count(e, 1)
	}
	o.prev = fs.last
	if fs.last != nil {
		fs.last.next = o
	} else {
		fs.first = o
	}
	fs.last = o
}

// count adds to the counters of pending operations.
func count(e *edit, by int) {
	e.dir.editOps += by
	if e.old != nil {
		e.old.linkOps += by
	}
	if e.new != nil {
		e.new.linkOps += by
	}
}

// drop takes an operation out of the list: it is on disk or undone.
func (fs *FS) drop(o *op) {
	for i := range o.edits {
		if o.edits[i].dir != nil {
			count(&o.edits[i], -1)
		}
	}
	if o.prev != nil {
		o.prev.next = o.next
	} else {
		fs.first = o.next
	}
	if o.next != nil {
		o.next.prev = o.prev
	} else {
		fs.last = o.prev
	}
	o.prev, o.next, o.done = nil, nil, true
	o.edits = [2]edit{}
}

// change carries out one edit in memory: the name and the counts of links.
func (fs *FS) change(e *edit, o *op) {
	d := e.dir.dir
	i, ok := d.find(e.name)
	assert(ok == (e.old != nil), "a name is not what the change expects")
	if e.old != nil {
		assert(d.entries[i].inode == e.old, "a name leads to another inode than the change expects")
		e.old.nlink--
		if e.old.dir != nil {
			d.subdirs--
		}
	}
	if e.new == nil {
		d.remove(i)
		return
	}
	if !ok {
		d.insert(i, entry{name: e.name})
	}
	d.entries[i] = entry{name: e.name, inode: e.new, typ: e.new.meta.Mode & abi.S_IFMT, last: o}
	e.new.nlink++
	if e.new.dir != nil {
		d.subdirs++
		e.new.dir.parent = e.dir
	}
}

// Sync makes an inode durable as fsync(2) does: attributes, contents, and the
// names that the package comment lists. dataOnly is fdatasync(2), which
// leaves attributes other than the size alone.
func (fs *FS) Sync(n *Inode, dataOnly bool) {
	n.pull()
	fs.commitNames(n)
	if !n.dirty {
		return
	}
	if n.file != nil {
		n.file.flush()
	}
	if dataOnly {
		n.disk.Size = n.meta.Size
		return
	}
	n.clean()
}

func (n *Inode) clean() {
	n.disk = n.meta
	n.dirty = false
	n.unlistDirty()
}

// SyncAll makes everything durable (sync(2)).
func (fs *FS) SyncAll() {
	for fs.first != nil {
		fs.drop(fs.first)
	}
	for fs.dirty != nil {
		n := fs.dirty
		if n.file != nil {
			n.file.flush()
		}
		n.clean()
	}
}

// commitNames puts on disk the pending operations that concern n and those
// they need: links of n, changes inside n when it is a directory, the links
// of the directories above, and what came earlier on the same names.
func (fs *FS) commitNames(n *Inode) {
	if fs.first == nil || !n.hasPending() {
		return
	}
	fs.syncs++
	n.need()
	var marked []*op
	for again := true; again; {
		again = false
		for o := fs.last; o != nil; o = o.prev {
			if o.marked || !fs.wanted(o, n, marked) {
				continue
			}
			o.marked = true
			marked = append(marked, o)
			for i := range o.edits {
				again = o.edits[i].needs() || again
			}
		}
	}
	for _, o := range marked {
		fs.drop(o)
	}
}

// hasPending reports whether any pending operation may concern n.
func (n *Inode) hasPending() bool {
	if n.linkOps > 0 || n.editOps > 0 {
		return true
	}
	if n.dir == nil {
		return false // its directory was durable when its name was
	}
	for d := n; d != n.fs.root; d = d.dir.parent {
		if d.linkOps > 0 {
			return true
		}
	}
	return false
}

// need marks n and, for a directory, all above it as wanted by the sync
// under way. It reports whether that is news.
func (n *Inode) need() bool {
	if n.mark == n.fs.syncs {
		return false
	}
	n.mark = n.fs.syncs
	if n.dir == nil {
		return true
	}
	for d := n.dir.parent; d.mark != n.fs.syncs; d = d.dir.parent {
		d.mark = n.fs.syncs
	}
	return true
}

// needs marks what the change of a name depends on: its directory and, when
// a directory goes, everything that left it before. It reports news.
func (e *edit) needs() bool {
	if e.dir == nil {
		return false
	}
	news := e.dir.need()
	if e.old != nil && e.old.dir != nil && e.old.nlink == 0 {
		news = e.old.need() || news
	}
	return news
}

// wanted reports whether the sync of n has to commit o. marked are the
// operations that are committed already; all of them are later than o or were
// found in an earlier pass.
func (fs *FS) wanted(o *op, n *Inode, marked []*op) bool {
	for i := range o.edits {
		e := &o.edits[i]
		switch {
		case e.dir == nil:
			continue
		case e.old == n, e.new == n, e.dir == n:
			return true
		case e.new != nil && e.new.dir != nil && e.new.mark == fs.syncs:
			return true
		case e.dir.mark != fs.syncs:
			continue // no marked operation is in that directory
		case e.dir.nlink == 0:
			return true
		}
		for _, m := range marked {
			for k := range m.edits {
				if m.edits[k].dir == e.dir && m.edits[k].name == e.name {
					return true
				}
			}
		}
	}
	return false
}

// PowerOff returns to the disk state: everything that was not synced is gone,
// and so is all that only lives while the power is on (locks, open counts).
func (fs *FS) PowerOff() {
	for fs.last != nil {
		o := fs.last
		for i := len(o.edits) - 1; i >= 0; i-- {
			e := &o.edits[i]
			if e.dir == nil {
				continue
			}
			back := edit{dir: e.dir, name: e.name, old: e.new, new: e.old}
			fs.change(&back, nil)
			if e.old != nil {
				e.old.revert()
			}
		}
		fs.drop(o)
	}
	for fs.dirty != nil {
		assert(fs.dirty.dirty, "a clean inode is in the list of dirty ones")
		fs.dirty.revert()
	}
	fs.boot++
	fs.recountAll()
	fs.waits = nil
}

// revert takes an inode back to its disk state.
func (n *Inode) revert() {
	if !n.dirty {
		return
	}
	n.unlistDirty()
	n.dirty = false
	n.meta = n.disk
	if n.file != nil {
		n.file.revert()
	}
}
