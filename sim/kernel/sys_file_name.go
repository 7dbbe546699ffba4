package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

func sysMkdir(t *Task, a *Args) (uintptr, abi.Errno)   { return t.mkdir(atFDCWD, a[0], a[1]) }
func sysMkdirat(t *Task, a *Args) (uintptr, abi.Errno) { return t.mkdir(a[0], a[1], a[2]) }

func (t *Task) mkdir(dirfd, path, mode uintptr) (uintptr, abi.Errno) {
	p, errno := t.walkParent(dirfd, path)
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := t.m.disk.fs.Mkdir(p, uint32(mode)&0o1777&^t.proc.umask)
	return 0, t.made(&p, n, errno)
}

// made tells that n has got a name, if it has.
func (t *Task) made(p *vfs.Place, n *vfs.Inode, errno abi.Errno) abi.Errno {
	if errno == abi.OK {
		t.m.disk.notifyName(p.Dir, n, abi.IN_CREATE, 0, p.Name)
	}
	return errno
}

func sysMknod(t *Task, a *Args) (uintptr, abi.Errno)   { return t.mknod(atFDCWD, a[0], a[1], a[2]) }
func sysMknodat(t *Task, a *Args) (uintptr, abi.Errno) { return t.mknod(a[0], a[1], a[2], a[3]) }

// mknod makes files, devices, named pipes and sockets' names.
func (t *Task) mknod(dirfd, path, modeArg, dev uintptr) (uintptr, abi.Errno) {
	mode := uint32(modeArg)
	if mode&abi.S_IFMT == 0 {
		mode |= abi.S_IFREG
	}
	switch mode & abi.S_IFMT {
	case abi.S_IFREG, abi.S_IFCHR, abi.S_IFBLK, abi.S_IFIFO, abi.S_IFSOCK:
	case abi.S_IFDIR:
		return 0, abi.EPERM
	default:
		return 0, abi.EINVAL
	}
	p, errno := t.walkParent(dirfd, path)
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := t.m.disk.fs.Mknod(p, mode&^t.proc.umask, uint64(dev))
	return 0, t.made(&p, n, errno)
}

func sysRmdir(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.unlink(atFDCWD, a[0], abi.AT_REMOVEDIR)
}
func sysUnlink(t *Task, a *Args) (uintptr, abi.Errno) { return t.unlink(atFDCWD, a[0], 0) }
func sysUnlinkat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.unlink(a[0], a[1], a[2])
}

func (t *Task) unlink(dirfd, path, flags uintptr) (uintptr, abi.Errno) {
	if flags&^abi.AT_REMOVEDIR != 0 {
		return 0, abi.EINVAL
	}
	p, errno := t.walkParent(dirfd, path)
	if errno != abi.OK {
		return 0, errno
	}
	d := t.m.disk
	if flags != 0 {
		errno = d.fs.Rmdir(p)
	} else {
		errno = d.fs.Unlink(p)
	}
	if errno == abi.OK {
		if flags == 0 {
			d.notifySelf(p.Inode, abi.IN_ATTRIB)
		}
		d.notifyGone(p.Inode)
		d.notifyName(p.Dir, p.Inode, abi.IN_DELETE, 0, p.Name)
	}
	return 0, errno
}

// walkParent is walk for calls that work on the last name itself: a symbolic
// link there is never followed, not even with a slash behind it.
func (t *Task) walkParent(dirfd, pathArg uintptr) (vfs.Place, abi.Errno) {
	path, errno := cstring(pathArg)
	if errno != abi.OK {
		return vfs.Place{}, errno
	}
	n := len(path)
	for n > 1 && path[n-1] == '/' {
		n--
	}
	if path == "" {
		return vfs.Place{}, abi.ENOENT
	}
	dir, errno := t.base(dirfd, path)
	if errno != abi.OK {
		return vfs.Place{}, errno
	}
	p, errno := t.m.disk.fs.WalkAs(&t.proc.who.fs, dir, path[:n], 0)
	p.Slash = n < len(path)
	return p, errno
}

func sysRename(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.rename(atFDCWD, a[0], atFDCWD, a[1], 0)
}
func sysRenameat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.rename(a[0], a[1], a[2], a[3], 0)
}
func sysRenameat2(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.rename(a[0], a[1], a[2], a[3], uint32(a[4]))
}

func (t *Task) rename(oldfd, oldPath, newfd, newPath uintptr, flags uint32) (uintptr, abi.Errno) {
	const both = abi.RENAME_NOREPLACE | abi.RENAME_EXCHANGE
	if flags&^both != 0 || flags&both == both {
		return 0, abi.EINVAL // RENAME_WHITEOUT is not simulated
	}
	from, errno := t.walkParent(oldfd, oldPath)
	if errno != abi.OK {
		return 0, errno
	}
	to, errno := t.walkParent(newfd, newPath)
	if errno != abi.OK {
		return 0, errno
	}
	errno = t.m.disk.fs.Rename(from, to, flags)
	if errno == abi.OK && from.Inode != to.Inode {
		t.moved(&from, &to, flags&abi.RENAME_EXCHANGE != 0)
	}
	return 0, errno
}

// moved tells what a rename did.
func (t *Task) moved(from, to *vfs.Place, exchange bool) {
	d := t.m.disk
	if exchange {
		d.notifyMove(from.Inode, from, to, nil)
		d.notifyMove(to.Inode, to, from, nil)
		return
	}
	d.notifyMove(from.Inode, from, to, to.Inode)
	if to.Inode != nil {
		d.notifyGone(to.Inode)
	}
}

func sysLink(t *Task, a *Args) (uintptr, abi.Errno) { return t.link(atFDCWD, a[0], atFDCWD, a[1], 0) }
func sysLinkat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.link(a[0], a[1], a[2], a[3], a[4])
}

func (t *Task) link(oldfd, oldPath, newfd, newPath, flags uintptr) (uintptr, abi.Errno) {
	if flags&^(abi.AT_SYMLINK_FOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	how := flags & abi.AT_EMPTY_PATH
	if flags&abi.AT_SYMLINK_FOLLOW == 0 {
		how |= abi.AT_SYMLINK_NOFOLLOW
	}
	n := t.magicLink(oldPath, flags)
	if n == nil {
		var errno abi.Errno
		if n, _, errno = t.resolve(oldfd, oldPath, how); errno != abi.OK {
			return 0, errno
		}
	}
	p, errno := t.walkParent(newfd, newPath)
	if errno != abi.OK {
		return 0, errno
	}
	if n == nil {
		return 0, abi.EXDEV
	}
	if errno = t.m.disk.fs.Link(n, p); errno == abi.OK {
		t.m.disk.notifySelf(n, abi.IN_ATTRIB)
	}
	return 0, t.made(&p, n, errno)
}

// magicLink is the file that /proc/self/fd leads to when it is followed, even
// if it has no name (open(2), O_TMPFILE); nil for other paths.
func (t *Task) magicLink(pathArg, flags uintptr) *vfs.Inode {
	const dir = "/proc/self/fd/"
	path, errno := cstring(pathArg)
	if errno != abi.OK || flags&abi.AT_SYMLINK_FOLLOW == 0 || len(path) <= len(dir) || path[:len(dir)] != dir {
		return nil
	}
	fd, err := strconv.Atoi(path[len(dir):])
	if err != nil {
		return nil
	}
	f, errno := t.proc.fds.get(fd)
	if errno != abi.OK {
		return nil
	}
	return inodeOf(f)
}

func sysSymlink(t *Task, a *Args) (uintptr, abi.Errno)   { return t.symlink(a[0], atFDCWD, a[1]) }
func sysSymlinkat(t *Task, a *Args) (uintptr, abi.Errno) { return t.symlink(a[0], a[1], a[2]) }

func (t *Task) symlink(target, dirfd, path uintptr) (uintptr, abi.Errno) {
	to, errno := cstring(target)
	if errno != abi.OK {
		return 0, errno
	}
	if to == "" {
		return 0, abi.ENOENT
	}
	p, errno := t.walkParent(dirfd, path)
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := t.m.disk.fs.Symlink(p, to)
	return 0, t.made(&p, n, errno)
}

func sysReadlink(t *Task, a *Args) (uintptr, abi.Errno) { return t.readlink(atFDCWD, a[0], a[1], a[2]) }
func sysReadlinkat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.readlink(a[0], a[1], a[2], a[3])
}

// readlink cuts the target short where the buffer ends (readlink(2)). An
// empty path is the descriptor, opened with O_PATH|O_NOFOLLOW.
func (t *Task) readlink(dirfd, path, buf, size uintptr) (uintptr, abi.Errno) {
	if int32(size) <= 0 {
		return 0, abi.EINVAL
	}
	n, _, errno := t.resolve(dirfd, path, abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH)
	if errno != abi.OK {
		return 0, errno
	}
	if n == nil || !n.IsSymlink() {
		if s, _ := cstring(path); s == "" {
			return 0, abi.ENOENT
		}
		return 0, abi.EINVAL
	}
	p, errno := mem(buf, min(size, uintptr(len(n.Target()))))
	if errno != abi.OK {
		return 0, errno
	}
	return uintptr(copy(p, n.Target())), abi.OK
}

func sysGetcwd(t *Task, a *Args) (uintptr, abi.Errno) {
	path, errno := t.cwd().Path()
	if errno != abi.OK {
		return 0, errno
	}
	if a[1] < uintptr(len(path)+1) {
		return 0, abi.ERANGE
	}
	p, errno := mem(a[0], uintptr(len(path)+1))
	if errno != abi.OK {
		return 0, errno
	}
	p[copy(p, path)] = 0
	return uintptr(len(p)), abi.OK
}

func sysChdir(t *Task, a *Args) (uintptr, abi.Errno) {
	n, _, errno := t.resolve(atFDCWD, a[0], 0)
	if errno != abi.OK {
		return 0, errno
	}
	return 0, t.chdir(n)
}

func sysFchdir(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.proc.fds.get(fdOf(a[0]))
	if errno != abi.OK {
		return 0, errno
	}
	return 0, t.chdir(inodeOf(f))
}

func (t *Task) chdir(n *vfs.Inode) abi.Errno {
	if n == nil || !n.IsDir() {
		return abi.ENOTDIR
	}
	if errno := t.proc.who.fs.May(n, abi.X_OK); errno != abi.OK {
		return errno
	}
	t.proc.cwdDir = n
	if path, errno := n.Path(); errno == abi.OK {
		t.proc.cwd = path
	}
	return abi.OK
}

func sysUmask(t *Task, a *Args) (uintptr, abi.Errno) {
	old := t.proc.umask
	t.proc.umask = uint32(a[0]) & 0o777
	return uintptr(old), abi.OK
}
