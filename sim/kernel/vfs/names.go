package vfs

import "github.com/restep/restep/sim/kernel/abi"

// free checks that a new name may be made at p. isDir allows a slash at the
// end (fs/namei.c:filename_create).
func (p *Place) free(isDir bool) abi.Errno {
	switch {
	case p.Kind != LastName, p.Inode != nil:
		return abi.EEXIST
	case p.Slash && !isDir, p.Dir.nlink == 0:
		return abi.ENOENT
	}
	return abi.OK
}

// Create makes an empty regular file at p, which Walk returned.
func (fs *FS) Create(p Place, perm uint32) (*Inode, abi.Errno) {
	return fs.make(p, abi.S_IFREG|perm&0o7777)
}

// Tmpfile makes a regular file without a name in directory dir; linkable says
// that Link may give it one (open(2), O_TMPFILE).
func (fs *FS) Tmpfile(as *Cred, dir *Inode, perm uint32, linkable bool) (*Inode, abi.Errno) {
	if dir.nlink == 0 {
		return nil, abi.ENOENT
	}
	if errno := as.mayCreate(dir); errno != abi.OK {
		return nil, errno
	}
	n := fs.newInode(abi.S_IFREG | perm&0o7777)
	as.own(n, dir)
	n.linkable = linkable
	return n, abi.OK
}

// Mkdir makes a directory.
func (fs *FS) Mkdir(p Place, perm uint32) (*Inode, abi.Errno) {
	return fs.make(p, abi.S_IFDIR|perm&0o7777)
}

// Mknod makes a device with that number, or a socket's name (type in mode).
func (fs *FS) Mknod(p Place, mode uint32, rdev uint64) (*Inode, abi.Errno) {
	if errno := p.free(false); errno != abi.OK {
		return nil, errno
	}
	if errno := p.As.mayCreate(p.Dir); errno != abi.OK {
		return nil, errno
	}
	typ := mode & abi.S_IFMT
	if (typ == abi.S_IFCHR && rdev != 0 || typ == abi.S_IFBLK) && !p.As.Root() { // 0:0 is a whiteout
		return nil, abi.EPERM
	}
	n, errno := fs.make(p, mode)
	if errno == abi.OK {
		n.rdev = rdev
	}
	return n, errno
}

func (fs *FS) make(p Place, mode uint32) (*Inode, abi.Errno) {
	if errno := p.free(mode&abi.S_IFMT == abi.S_IFDIR); errno != abi.OK {
		return nil, errno
	}
	if errno := p.As.mayCreate(p.Dir); errno != abi.OK {
		return nil, errno
	}
	n := fs.newInode(mode)
	p.As.own(n, p.Dir)
	if n.dir != nil {
		n.dir.parent = p.Dir
	}
	fs.commitOrPend(edit{dir: p.Dir, name: p.Name, new: n}, edit{})
	return n, abi.OK
}

// Symlink makes a symbolic link; ENOENT for an empty target.
func (fs *FS) Symlink(p Place, target string) (*Inode, abi.Errno) {
	if target == "" {
		return nil, abi.ENOENT
	}
	if errno := p.free(false); errno != abi.OK {
		return nil, errno
	}
	if errno := p.As.mayCreate(p.Dir); errno != abi.OK {
		return nil, errno
	}
	n := fs.newInode(abi.S_IFLNK | 0o777)
	p.As.own(n, p.Dir)
	n.target = target
	n.meta.Size = int64(len(target))
	n.disk = n.meta
	fs.commitOrPend(edit{dir: p.Dir, name: p.Name, new: n}, edit{})
	return n, abi.OK
}

// Link gives n a further name. EPERM for a directory, ENOENT for a file that
// has lost its last name (link(2)).
func (fs *FS) Link(n *Inode, p Place) abi.Errno {
	if errno := p.free(false); errno != abi.OK {
		return errno
	}
	if errno := p.As.mayLink(n); errno != abi.OK {
		return errno
	}
	if errno := p.As.mayCreate(p.Dir); errno != abi.OK {
		return errno
	}
	switch {
	case n.IsDir():
		return abi.EPERM
	case n.nlink == 0 && !n.linkable:
		return abi.ENOENT
	}
	n.linkable = false
	fs.commitOrPend(edit{dir: p.Dir, name: p.Name, new: n}, edit{})
	n.changed()
	return abi.OK
}

// Unlink removes the name of a file (fs/namei.c:do_unlinkat).
func (fs *FS) Unlink(p Place) abi.Errno {
	switch {
	case p.Kind != LastName:
		return abi.EISDIR
	case p.Inode == nil:
		return abi.ENOENT
	case p.Slash && !p.Inode.IsDir():
		return abi.ENOTDIR
	case p.Slash:
		return abi.EISDIR
	}
	if errno := p.As.mayDelete(p.Dir, p.Inode); errno != abi.OK {
		return errno
	}
	if p.Inode.IsDir() {
		return abi.EISDIR
	}
	fs.commitOrPend(edit{dir: p.Dir, name: p.Name, old: p.Inode}, edit{})
	p.Inode.changed()
	p.Inode.forget()
	return abi.OK
}

// Rmdir removes an empty directory (fs/namei.c:do_rmdir).
func (fs *FS) Rmdir(p Place) abi.Errno {
	switch {
	case p.Kind == LastDotDot:
		return abi.ENOTEMPTY
	case p.Kind == LastDot:
		return abi.EINVAL
	case p.Kind == LastRoot:
		return abi.EBUSY
	case p.Inode == nil:
		return abi.ENOENT
	}
	if errno := p.As.mayDelete(p.Dir, p.Inode); errno != abi.OK {
		return errno
	}
	switch {
	case !p.Inode.IsDir():
		return abi.ENOTDIR
	case !p.Inode.Empty():
		return abi.ENOTEMPTY
	}
	fs.commitOrPend(edit{dir: p.Dir, name: p.Name, old: p.Inode}, edit{})
	p.Inode.changed()
	p.Inode.forget()
	return abi.OK
}

// Rename moves what is at from to the place to, replacing what is there
// (rename(2), fs/namei.c:do_renameat2). flags are those of renameat2(2).
func (fs *FS) Rename(from, to Place, flags uint32) abi.Errno {
	if errno := renameAllowed(&from, &to, flags); errno != abi.OK {
		return errno
	}
	x, y := from.Inode, to.Inode
	if x == y {
		return abi.OK
	}
	if flags&abi.RENAME_EXCHANGE != 0 {
		fs.commitOrPend(
			edit{dir: from.Dir, name: from.Name, old: x, new: y},
			edit{dir: to.Dir, name: to.Name, old: y, new: x})
		y.changed()
	} else {
		fs.commitOrPend(
			edit{dir: from.Dir, name: from.Name, old: x},
			edit{dir: to.Dir, name: to.Name, old: y, new: x})
		if y != nil {
			y.changed()
			y.forget()
		}
	}
	x.changed()
	return abi.OK
}

// renameAllowed makes the checks of rename in the order of Linux.
func renameAllowed(from, to *Place, flags uint32) abi.Errno {
	const both = abi.RENAME_NOREPLACE | abi.RENAME_EXCHANGE
	exchange := flags&abi.RENAME_EXCHANGE != 0
	if flags&^both != 0 || flags&both == both {
		return abi.EINVAL
	}
	x, y := from.Inode, to.Inode
	switch {
	case from.Kind != LastName:
		return abi.EBUSY
	case to.Kind != LastName && flags&abi.RENAME_NOREPLACE != 0:
		return abi.EEXIST
	case to.Kind != LastName:
		return abi.EBUSY
	case x == nil:
		return abi.ENOENT
	case y != nil && flags&abi.RENAME_NOREPLACE != 0:
		return abi.EEXIST
	case exchange && y == nil:
		return abi.ENOENT
	case exchange && !y.IsDir() && to.Slash:
		return abi.ENOTDIR
	case !x.IsDir() && (from.Slash || !exchange && to.Slash):
		return abi.ENOTDIR
	case x.IsDir() && to.Dir.within(x):
		return abi.EINVAL
	case y != nil && y.IsDir() && from.Dir.within(y):
		if exchange {
			return abi.EINVAL
		}
		return abi.ENOTEMPTY
	case x == y:
		return abi.OK
	}
	return renamePermitted(from, to, exchange)
}

// renamePermitted makes the checks of fs/namei.c:vfs_rename.
func renamePermitted(from, to *Place, exchange bool) abi.Errno {
	x, y, as := from.Inode, to.Inode, from.As
	if errno := as.mayDelete(from.Dir, x); errno != abi.OK {
		return errno
	}
	errno := abi.OK
	switch {
	case to.Dir.nlink == 0:
		return abi.ENOENT
	case y == nil:
		errno = as.mayCreate(to.Dir)
	default:
		errno = as.mayDelete(to.Dir, y)
	}
	moves := func(n *Inode) bool { return n != nil && n.IsDir() && from.Dir != to.Dir }
	switch {
	case errno != abi.OK:
		return errno
	case !exchange && y != nil && x.IsDir() && !y.IsDir():
		return abi.ENOTDIR
	case !exchange && y != nil && !x.IsDir() && y.IsDir():
		return abi.EISDIR
	case moves(x) && as.May(x, mayWrite) != abi.OK, exchange && moves(y) && as.May(y, mayWrite) != abi.OK:
		return abi.EACCES // its ".." changes
	case !exchange && y != nil && y.IsDir() && !y.Empty():
		return abi.ENOTEMPTY
	}
	return abi.OK
}

// MkdirAll makes a directory and those above it as part of the initial,
// synced tree.
func (fs *FS) MkdirAll(path string) (*Inode, abi.Errno) {
	dir := fs.root
	for path != "" {
		p, rest, errno := fs.step(nil, dir, path)
		if errno != abi.OK {
			return nil, errno
		}
		if p.Inode == nil {
			if p.Inode, errno = fs.Mkdir(p, 0o755); errno != abi.OK {
				return nil, errno
			}
		}
		if !p.Inode.IsDir() {
			return nil, abi.ENOTDIR
		}
		dir, path = p.Inode, rest
	}
	return dir, abi.OK
}

// Install puts a synced file with fixed contents at an absolute path, or
// gives the file there these contents.
func (fs *FS) Install(path string, perm uint32, text Text) (*Inode, abi.Errno) {
	p, errno := fs.Walk(fs.root, path, Follow)
	if errno != abi.OK {
		return nil, errno
	}
	n := p.Inode
	if n == nil {
		if n, errno = fs.Create(p, perm); errno != abi.OK {
			return nil, errno
		}
	}
	return n, fs.Replace(n, text)
}

// Replace gives a file fixed contents, as if written and synced.
func (fs *FS) Replace(n *Inode, text Text) abi.Errno {
	if n.file == nil {
		return abi.EINVAL
	}
	n.file.mem = content{lower: text, lowLimit: int64(len(text))}
	n.file.disk = n.file.mem
	n.file.pages, n.file.cut, n.file.reserved = nil, noCut, nil
	n.recount()
	was := n.meta.Size
	n.meta.Size = int64(len(text))
	n.written()
	fs.Sync(n, false)
	n.show(0, max(was, n.meta.Size))
	return abi.OK
}
