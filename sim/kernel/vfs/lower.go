package vfs

import "github.com/restep/restep/sim/kernel/abi"

// Lower is a read-only tree that shows through beneath part of a file
// system. Paths are absolute and clean; errors are those of Linux. Answers
// must not change during a run.
type Lower interface {
	// Roots are the directories from which on down the tree is visible.
	Roots() []string
	// ReadDir lists a directory, without "." and "..", in any order. typ is
	// the file type in mode bits (abi.S_IFREG ...); entries that are neither
	// file, directory nor symbolic link are left out.
	ReadDir(path string) ([]LowerEntry, abi.Errno)
	// Stat does not follow a symbolic link at the end. size is in bytes, mode
	// has type and permission bits.
	Stat(path string) (mode uint32, size int64, errno abi.Errno)
	Readlink(path string) (string, abi.Errno)
	// Pread reads bytes of a file from offset off, fewer only at its end.
	Pread(path string, p []byte, off int64) (int, abi.Errno)
}

// LowerEntry is one name in a directory of a Lower tree.
type LowerEntry struct {
	Name string
	Type uint32
}

// Content is the bytes of a file that nobody has written yet.
type Content interface {
	// ReadAt fills p from offset off and returns how many bytes there were.
	ReadAt(p []byte, off int64) (int, abi.Errno)
}

// Text is contents fixed by the simulator.
type Text string

// ReadAt implements Content.
func (s Text) ReadAt(p []byte, off int64) (int, abi.Errno) {
	if off >= int64(len(s)) {
		return 0, abi.OK
	}
	return copy(p, s[off:]), abi.OK
}

// lowerFile is a file of the Lower tree.
type lowerFile struct {
	lower Lower
	path  string
}

func (f *lowerFile) ReadAt(p []byte, off int64) (int, abi.Errno) {
	return f.lower.Pread(f.path, p, off)
}

// Mount makes the roots of the lower tree visible. It belongs to the making
// of the initial tree and comes before directories below a root are made.
func (fs *FS) Mount() abi.Errno {
	if fs.lower == nil {
		return abi.OK
	}
	for _, root := range fs.lower.Roots() {
		dir, errno := fs.MkdirAll(root)
		if errno != abi.OK {
			return errno
		}
		if dir.dir.lower == "" && !dir.dir.loaded {
			dir.dir.lower = root
		}
	}
	return abi.OK
}

// load reads the listing of a directory of the lower tree when it is first
// needed; afterwards only the entries held here count, so that a removed
// name stays removed.
func (d *Inode) load() abi.Errno {
	if d.dir.lower == "" || d.dir.loaded {
		return abi.OK
	}
	list, errno := d.fs.lower.ReadDir(d.dir.lower)
	if errno != abi.OK {
		return errno
	}
	d.dir.loaded = true
	for _, e := range list {
		if i, ok := d.dir.find(e.Name); !ok {
			d.dir.insert(i, entry{name: e.Name, typ: e.Type & abi.S_IFMT})
			if e.Type&abi.S_IFMT == abi.S_IFDIR {
				d.dir.subdirs++
			}
		}
	}
	return abi.OK
}

// fill makes the inode of an entry that only the lower tree knows yet. Owner
// and times are fixed so that two checkouts look the same.
func (d *Inode) fill(e *entry) abi.Errno {
	path := d.dir.lower + "/" + e.name
	mode, size, errno := d.fs.lower.Stat(path)
	if errno != abi.OK {
		return errno
	}
	n := d.fs.newInode(mode)
	switch mode & abi.S_IFMT {
	case abi.S_IFREG:
		n.file.mem.lower, n.file.mem.lowLimit = &lowerFile{d.fs.lower, path}, size
		n.file.disk = n.file.mem
		n.meta.Size = size
		n.recount()
	case abi.S_IFDIR:
		n.dir.lower, n.dir.parent = path, d
	case abi.S_IFLNK:
		if n.target, errno = d.fs.lower.Readlink(path); errno != abi.OK {
			return errno
		}
		n.meta.Size = int64(len(n.target))
	default:
		return abi.ENOENT
	}
	n.meta.Atime, n.meta.Mtime, n.meta.Ctime = d.fs.start, d.fs.start, d.fs.start
	n.btime = d.fs.start
	n.disk = n.meta
	n.nlink = 1
	e.inode = n
	return abi.OK
}
