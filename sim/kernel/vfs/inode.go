package vfs

import "github.com/restep/restep/sim/kernel/abi"

// Meta are the attributes of an inode that a power failure may lose. Times
// are in nanoseconds since the epoch, Size in bytes.
type Meta struct {
	Mode                uint32 // type and permission bits
	UID, GID            uint32
	Size                int64
	Atime, Mtime, Ctime int64
}

// Inode is a file, directory, symbolic link or device.
type Inode struct {
	fs    *FS
	ino   uint64
	meta  Meta // as system calls see it
	disk  Meta // as a power failure leaves it
	btime int64
	nlink uint32 // names of a file; 1 or 0 for a directory
	rdev  uint64
	// target is where a symbolic link points.
	target string
	// text makes the bytes of a virtual file, or the target of a virtual link.
	text func() string
	file *fileData // regular files
	dir  *dirData  // directories
	vol  volatile
	// view is where the file shows in the memory of processes, nil nowhere.
	view View
	// dirty inodes differ from the disk in meta or contents and are in the
	// list FS.dirty.
	dirty                bool
	nextDirty, prevDirty *Inode
	// linkOps and editOps count the pending operations that give or take a
	// name of this inode, and those that change a name in this directory.
	linkOps, editOps int
	// mark is the number of the last sync that needs this directory, or of the
	// last walk that came by.
	mark uint64
	// linkable says that Tmpfile made it and it may get its first name.
	linkable bool
	// twin is the copy of this inode while the file system is cloned.
	twin *Inode
}

// volatile is what is lost with the power: who has the inode open or locked.
type volatile struct {
	boot  uint64
	opens int
	locks []Lock
	flock []Lock
	// waiters are the calls that wait for a lock, first come first.
	waiters []uintptr
}

// FS is the file system of one machine.
type FS struct {
	root    *Inode
	now     func() int64
	wake    func(token uintptr)
	start   int64
	lower   Lower
	lastIno uint64
	boot    uint64
	syncs   uint64
	dirty   *Inode // list of dirty inodes, newest first
	// limit is how many pages the disk holds, 0 for no limit; used is how many
	// hold something in the memory state.
	limit, used int64
	// first and last are the ends of the list of pending operations.
	first, last *op
	zeroPage    *page
	scratch     *page
	// waits are the record locks that processes wait for.
	waits  []wait
	sealed bool // the initial tree is complete
}

// Config describes a new file system.
type Config struct {
	// Now is the simulated time in nanoseconds since the epoch.
	Now func() int64
	// Lower is what lies beneath parts of the tree, nil for nothing.
	Lower Lower
	// Wake lets a call go on that AwaitLock noted; nil when none ever waits.
	Wake func(token uintptr)
}

// New returns a file system with an empty root directory. Seal ends its
// making.
func New(cfg Config) *FS {
	fs := &FS{now: cfg.Now, wake: cfg.Wake, start: cfg.Now(), lower: cfg.Lower, boot: 1, lastIno: 1}
	fs.root = fs.newInode(abi.S_IFDIR | 0o755)
	fs.root.dir.parent = fs.root
	fs.root.nlink = 1
	return fs
}

// Serve changes what the file system asks of the world; Config.Lower stays.
func (fs *FS) Serve(cfg Config) { fs.now, fs.wake = cfg.Now, cfg.Wake }

// Seal ends the making of the initial tree: everything counts as synced.
func (fs *FS) Seal() {
	fs.SyncAll()
	fs.sealed = true
}

// Root is the directory "/".
func (fs *FS) Root() *Inode { return fs.root }

func (fs *FS) newInode(mode uint32) *Inode {
	now := fs.now()
	fs.lastIno++
	n := &Inode{fs: fs, ino: fs.lastIno, btime: now}
	n.meta = Meta{Mode: mode, Atime: now, Mtime: now, Ctime: now}
	n.disk = n.meta
	switch mode & abi.S_IFMT {
	case abi.S_IFREG:
		n.file = &fileData{cut: noCut}
	case abi.S_IFDIR:
		n.dir = &dirData{}
	}
	return n
}

// Ino is the inode number.
func (n *Inode) Ino() uint64 { return n.ino }

// Mode is the type and the permission bits.
func (n *Inode) Mode() uint32 { return n.meta.Mode }

// Size is the length of a file in bytes.
func (n *Inode) Size() int64 { return n.meta.Size }

// Rdev is the number of a device.
func (n *Inode) Rdev() uint64 { return n.rdev }

// Target is where a symbolic link points.
func (n *Inode) Target() string {
	if n.text != nil {
		return n.text()
	}
	return n.target
}

// IsDir, IsRegular and IsSymlink tell the type.
func (n *Inode) IsDir() bool     { return n.dir != nil }
func (n *Inode) IsRegular() bool { return n.file != nil }
func (n *Inode) IsSymlink() bool { return n.meta.Mode&abi.S_IFMT == abi.S_IFLNK }

// Linked reports whether the inode still has a name.
func (n *Inode) Linked() bool { return n.nlink > 0 }

// Info is everything that stat(2) tells about an inode.
type Info struct {
	Meta
	Ino, Rdev uint64
	Nlink     uint32
	Blocks    int64 // of 512 bytes
	Btime     int64
}

// Info returns the attributes.
func (n *Inode) Info() Info {
	in := Info{Meta: n.meta, Ino: n.ino, Rdev: n.rdev, Nlink: n.nlink, Btime: n.btime}
	switch {
	case n.dir != nil:
		in.Size, in.Blocks = pageSize, pageSize/512
		if n.nlink > 0 {
			in.Nlink = 2 + uint32(n.dir.subdirs)
		}
	case n.file != nil:
		in.Blocks = n.file.alloc * (pageSize / 512)
	}
	return in
}

// Chmod sets the permission bits, type left alone (chmod(2)).
func (n *Inode) Chmod(perm uint32) {
	n.meta.Mode = n.meta.Mode&abi.S_IFMT | perm&0o7777
	n.changed()
}

// Chown sets owner and group; ^uint32(0) leaves one alone. Set-id bits of a
// file that may be executed are cleared, also for root (chown(2)).
func (n *Inode) Chown(uid, gid uint32) {
	if uid != ^uint32(0) {
		n.meta.UID = uid
	}
	if gid != ^uint32(0) {
		n.meta.GID = gid
	}
	if n.dir == nil {
		n.meta.Mode &^= abi.S_ISUID
		if n.meta.Mode&0o010 != 0 {
			n.meta.Mode &^= abi.S_ISGID
		}
	}
	n.changed()
}

// SetTimes sets access and modification time, nil leaves one alone
// (utimensat(2)).
func (n *Inode) SetTimes(atime, mtime *int64) {
	if atime != nil {
		n.meta.Atime = *atime
	}
	if mtime != nil {
		n.meta.Mtime = *mtime
	}
	n.changed()
}

// changed notes that attributes changed now.
func (n *Inode) changed() {
	n.meta.Ctime = n.fs.now()
	n.setDirty()
}

// written notes that contents changed now.
func (n *Inode) written() {
	now := n.fs.now()
	n.meta.Mtime, n.meta.Ctime = now, now
	n.setDirty()
}

func (n *Inode) setDirty() {
	if n.dirty {
		return
	}
	n.dirty = true
	n.nextDirty = n.fs.dirty
	if n.nextDirty != nil {
		n.nextDirty.prevDirty = n
	}
	n.fs.dirty = n
}

// unlistDirty takes n out of the list of dirty inodes.
func (n *Inode) unlistDirty() {
	if n.prevDirty != nil {
		n.prevDirty.nextDirty = n.nextDirty
	} else if n.fs.dirty == n {
		n.fs.dirty = n.nextDirty
	}
	if n.nextDirty != nil {
		n.nextDirty.prevDirty = n.prevDirty
	}
	n.nextDirty, n.prevDirty = nil, nil
}

// live is the volatile state, emptied if the power was off in between.
func (n *Inode) live() *volatile {
	if n.vol.boot != n.fs.boot {
		n.vol = volatile{boot: n.fs.boot}
	}
	return &n.vol
}

// Open counts one more open file description.
func (n *Inode) Open() { n.live().opens++ }

// Close counts one less. A file without a name and without users is out of
// reach: it need not be written to disk any more.
func (n *Inode) Close() {
	v := n.live()
	v.opens--
	assert(v.opens >= 0, "more closes than opens of an inode")
	n.forget()
}

// InUse reports whether an open file description refers to the inode.
func (n *Inode) InUse() bool { return n.live().opens > 0 }

func (n *Inode) forget() {
	if n.nlink > 0 || n.live().opens > 0 {
		return
	}
	if n.dirty {
		n.unlistDirty()
	}
	if n.file != nil {
		n.fs.used -= n.file.alloc
		n.file.alloc = 0
	}
}

func assert(ok bool, what string) {
	if !ok {
		panic("restep vfs: " + what)
	}
}
