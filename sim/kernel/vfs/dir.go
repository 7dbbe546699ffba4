package vfs

import "github.com/restep/restep/sim/kernel/abi"

// entry is a name in a directory. inode is nil as long as only the lower
// tree knows the file.
type entry struct {
	name  string
	inode *Inode
	typ   uint32 // type bits of the mode
	// last is the last operation that changed this entry, which may be on
	// disk by now.
	last *op
}

// dirData is a directory.
type dirData struct {
	entries []entry // ascending by name
	subdirs int
	// parent is ".."; a removed directory keeps it, as on Linux.
	parent *Inode
	lower  string // path in the lower tree, "" for none
	loaded bool
	links  Links // virtual names, nil for none
}

// find returns where name is or belongs.
func (d *dirData) find(name string) (int, bool) {
	lo, hi := 0, len(d.entries)
	for lo < hi {
		mid := (lo + hi) / 2
		if d.entries[mid].name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(d.entries) && d.entries[lo].name == name
}

func (d *dirData) insert(i int, e entry) {
	d.entries = append(d.entries, entry{})
	copy(d.entries[i+1:], d.entries[i:])
	d.entries[i] = e
}

func (d *dirData) remove(i int) {
	copy(d.entries[i:], d.entries[i+1:])
	d.entries[len(d.entries)-1] = entry{}
	d.entries = d.entries[:len(d.entries)-1]
}

// lookup returns the inode behind a name of directory d, nil when there is
// none.
func (d *Inode) lookup(name string) (*Inode, abi.Errno) {
	if len(name) > abi.NameMax {
		return nil, abi.ENAMETOOLONG
	}
	if errno := d.load(); errno != abi.OK {
		return nil, errno
	}
	i, ok := d.dir.find(name)
	if !ok {
		return d.link(name), abi.OK
	}
	e := &d.dir.entries[i]
	if e.inode == nil {
		if errno := d.fill(e); errno != abi.OK {
			return nil, errno
		}
	}
	return e.inode, abi.OK
}

// Empty reports whether directory d has no entries.
func (d *Inode) Empty() bool { return d.load() == abi.OK && len(d.dir.entries) == 0 }

// Parent is ".." of directory d.
func (d *Inode) Parent() *Inode { return d.dir.parent }

// DirEntry is one name as getdents64(2) lists it.
type DirEntry struct {
	Name string
	Type uint32 // type bits of the mode
	Ino  uint64
}

// List returns the names of directory d in order, "." and ".." first; none
// of a directory that was removed.
func (d *Inode) List() ([]DirEntry, abi.Errno) {
	if d.nlink == 0 {
		return nil, abi.OK
	}
	if errno := d.load(); errno != abi.OK {
		return nil, errno
	}
	list := make([]DirEntry, 0, len(d.dir.entries)+2)
	list = append(list,
		DirEntry{".", abi.S_IFDIR, d.ino},
		DirEntry{"..", abi.S_IFDIR, d.dir.parent.ino})
	for i := range d.dir.entries {
		e := &d.dir.entries[i]
		if e.inode == nil && d.fill(e) != abi.OK || d.dir.links != nil && e.name[0] == '.' {
			continue
		}
		list = append(list, DirEntry{e.name, e.typ, e.inode.ino})
	}
	if d.dir.links != nil {
		for _, name := range d.dir.links.Names() {
			list = append(list, DirEntry{name, abi.S_IFLNK, d.ino})
		}
	}
	return list, abi.OK
}

// Has reports whether directory d still has name.
func (d *Inode) Has(name string) bool {
	_, ok := d.dir.find(name)
	if !ok && d.dir.links != nil {
		_, ok = d.dir.links.Target(name)
	}
	return ok
}

// Child returns the inode behind a name of directory d, nil for none.
func (d *Inode) Child(name string) *Inode {
	n, errno := d.lookup(name)
	if errno != abi.OK {
		return nil
	}
	return n
}

// NameOf returns the first name of n in directory d, "" for none.
func (d *Inode) NameOf(n *Inode) string {
	for i := range d.dir.entries {
		if d.dir.entries[i].inode == n {
			return d.dir.entries[i].name
		}
	}
	return ""
}

// Path is the absolute path of directory d; ENOENT when it was removed
// (getcwd(2)).
func (d *Inode) Path() (string, abi.Errno) {
	if d == d.fs.root {
		return "/", abi.OK
	}
	path := ""
	for ; d != d.fs.root; d = d.dir.parent {
		name, ok := d.name()
		if !ok {
			return "", abi.ENOENT
		}
		path = "/" + name + path
	}
	return path, abi.OK
}

// name is what directory d is called in its parent.
func (d *Inode) name() (string, bool) {
	if d.nlink == 0 {
		return "", false
	}
	entries := d.dir.parent.dir.entries
	for i := range entries {
		if entries[i].inode == d {
			return entries[i].name, true
		}
	}
	return "", false
}

// within reports whether d is dir or lies below it.
func (d *Inode) within(dir *Inode) bool {
	for ; ; d = d.dir.parent {
		if d == dir {
			return true
		}
		if d == d.fs.root {
			return false
		}
	}
}
