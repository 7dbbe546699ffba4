package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// cwd is the working directory of the calling process.
func (t *Task) cwd() *vfs.Inode {
	if t.proc.cwdDir == nil {
		dir, errno := t.m.disk.fs.Resolve(t.m.disk.fs.Root(), t.proc.cwd, vfs.Follow)
		if errno != abi.OK || !dir.IsDir() {
			dir = t.m.disk.fs.Root()
		}
		t.proc.cwdDir = dir
	}
	return t.proc.cwdDir
}

// fdOf is a descriptor as system calls pass it: an int.
func fdOf(a uintptr) int { return int(int32(a)) }

// base is the directory from which path starts, given the descriptor that
// openat(2) and the like take.
func (t *Task) base(dirfd uintptr, path string) (*vfs.Inode, abi.Errno) {
	if fdOf(dirfd) == abi.AT_FDCWD || path != "" && path[0] == '/' {
		return t.cwd(), abi.OK
	}
	f, errno := t.proc.fds.get(fdOf(dirfd))
	if errno != abi.OK {
		return nil, errno
	}
	n := inodeOf(f)
	if n == nil || !n.IsDir() && path != "" {
		return nil, abi.ENOTDIR
	}
	return n, abi.OK
}

// walk finds the place that a path argument names.
func (t *Task) walk(dirfd, pathArg uintptr, how vfs.How) (vfs.Place, abi.Errno) {
	path, errno := cstring(pathArg)
	if errno != abi.OK {
		return vfs.Place{}, errno
	}
	if path == "" {
		return vfs.Place{}, abi.ENOENT
	}
	dir, errno := t.base(dirfd, path)
	if errno != abi.OK {
		return vfs.Place{}, errno
	}
	return t.m.disk.fs.WalkAs(&t.proc.who.fs, dir, path, how)
}

// resolve finds what a path argument names; with AT_EMPTY_PATH in flags and
// an empty path that is the descriptor itself, which need not be on the disk
// (inode is nil then).
func (t *Task) resolve(dirfd, pathArg, flags uintptr) (*vfs.Inode, File, abi.Errno) {
	path := ""
	if pathArg != 0 || flags&abi.AT_EMPTY_PATH == 0 {
		var errno abi.Errno
		if path, errno = cstring(pathArg); errno != abi.OK {
			return nil, nil, errno
		}
	}
	if path == "" {
		if flags&abi.AT_EMPTY_PATH == 0 {
			return nil, nil, abi.ENOENT
		}
		if fdOf(dirfd) == abi.AT_FDCWD {
			return t.cwd(), nil, abi.OK
		}
		f, errno := t.proc.fds.get(fdOf(dirfd))
		if errno != abi.OK {
			return nil, nil, errno
		}
		return inodeOf(f), f, abi.OK
	}
	dir, errno := t.base(dirfd, path)
	if errno != abi.OK {
		return nil, nil, errno
	}
	how := vfs.Follow
	if flags&abi.AT_SYMLINK_NOFOLLOW != 0 {
		how = 0
	}
	n, errno := t.m.disk.fs.ResolveAs(&t.proc.who.fs, dir, path, how)
	return n, nil, errno
}

// onDisk is what every file of the disk is built on, nil for other files.
func onDisk(f File) *diskFile {
	switch f := f.(type) {
	case *diskFile:
		return f
	case *dirFile:
		return &f.diskFile
	case *deviceFile:
		return &f.diskFile
	case *pathFile:
		return &f.diskFile
	case *textFile:
		return &f.diskFile
	}
	return nil
}

// inodeOf is the inode behind a file of the disk, nil for other files.
func inodeOf(f File) *vfs.Inode {
	if p, ok := f.(*pipeEnd); ok {
		return p.inode // of a named pipe
	}
	if d := onDisk(f); d != nil {
		return d.inode
	}
	return nil
}

// file is the open file behind a descriptor; EBADF also for one opened with
// O_PATH, which allows next to nothing.
func (t *Task) file(fdArg uintptr) (File, abi.Errno) {
	f, errno := t.proc.fds.get(fdOf(fdArg))
	if errno != abi.OK {
		return nil, errno
	}
	if _, ok := f.(*pathFile); ok {
		return nil, abi.EBADF
	}
	return f, abi.OK
}

func sysOpen(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.open(atFDCWD, a[0], uint32(a[1]), uint32(a[2]))
}

func sysCreat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.open(atFDCWD, a[0], abi.O_CREAT|abi.O_WRONLY|abi.O_TRUNC, uint32(a[1]))
}

func sysOpenat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.open(a[0], a[1], uint32(a[2]), uint32(a[3]))
}

// open is openat(2).
func (t *Task) open(dirfd, path uintptr, flags, mode uint32) (uintptr, abi.Errno) {
	if flags&abi.O_PATH != 0 {
		flags &= abi.O_PATH | abi.O_DIRECTORY | abi.O_NOFOLLOW | abi.O_CLOEXEC
	} else {
		flags |= abi.O_LARGEFILE // fs/open.c:force_o_largefile
	}
	if errno := openFlags(flags); errno != abi.OK {
		return 0, errno
	}
	p, errno := t.walk(dirfd, path, openHow(flags))
	if errno != abi.OK {
		return 0, errno
	}
	var n *vfs.Inode
	if flags&abi.O_TMPFILE_BIT != 0 {
		n, errno = t.tmpfile(&p, flags, mode)
	} else {
		n, errno = t.openPlace(&p, flags, mode)
	}
	if errno != abi.OK {
		return 0, errno
	}
	kept := flags &^ (abi.O_CREAT | abi.O_EXCL | abi.O_NOCTTY | abi.O_TRUNC | abi.O_CLOEXEC)
	f, errno := t.newFile(n, kept)
	if errno != abi.OK {
		return 0, errno
	}
	if df := onDisk(f); df != nil {
		df.dir, df.name = p.Dir, p.Name
		if n.IsDir() {
			df.dir, df.name = n, ""
		}
	}
	got, errno := t.proc.fds.install(f, 0, flags&abi.O_CLOEXEC != 0)
	if errno != abi.OK {
		f.Release(t)
		return 0, errno
	}
	t.notifyOpen(f, &p, flags)
	return uintptr(got), abi.OK
}

// notifyOpen tells of a file that was opened at p: made, opened, cut
// (fs/namei.c:open_last_lookups, fs/open.c:do_dentry_open).
func (t *Task) notifyOpen(f File, p *vfs.Place, flags uint32) {
	df := onDisk(f)
	if df == nil || len(df.d.notifiers) == 0 {
		return
	}
	made := p.Inode == nil
	if made {
		df.d.notifyName(p.Dir, df.inode, abi.IN_CREATE, 0, p.Name)
	}
	df.notifyFile(abi.IN_OPEN)
	if flags&abi.O_TRUNC != 0 && !made && df.inode.IsRegular() {
		df.notifyFile(abi.IN_MODIFY)
	}
}

// tmpfile is openat(2) with O_TMPFILE; p becomes what the file is shown as
// (fs/namei.c:do_tmpfile).
func (t *Task) tmpfile(p *vfs.Place, flags, mode uint32) (*vfs.Inode, abi.Errno) {
	switch {
	case p.Inode == nil:
		return nil, abi.ENOENT
	case !p.Inode.IsDir():
		return nil, abi.ENOTDIR
	}
	n, errno := t.m.disk.fs.Tmpfile(&t.proc.who.fs, p.Inode, mode&^t.proc.umask, flags&abi.O_EXCL == 0)
	if errno == abi.OK {
		p.Dir, p.Name = p.Inode, "#"+strconv.FormatUint(n.Ino(), 10)
	}
	return n, errno
}

// openHow says how open(2) treats a link at the end of the path: one may not
// be there with O_NOFOLLOW, nor with O_CREAT|O_EXCL.
func openHow(flags uint32) vfs.How {
	var how vfs.How
	if flags&abi.O_CREAT != 0 {
		how = vfs.Creating
	}
	if flags&abi.O_NOFOLLOW == 0 && flags&(abi.O_CREAT|abi.O_EXCL) != abi.O_CREAT|abi.O_EXCL {
		how |= vfs.Follow
	}
	return how
}

// openFlags refuses combinations that mean nothing (fs/open.c:build_open_flags).
func openFlags(flags uint32) abi.Errno {
	switch {
	case flags&abi.O_TMPFILE_BIT != 0 && (flags&abi.O_DIRECTORY == 0 || flags&abi.O_ACCMODE == abi.O_RDONLY):
		return abi.EINVAL
	case flags&abi.O_CREAT != 0 && flags&abi.O_DIRECTORY != 0:
		return abi.EINVAL
	}
	return abi.OK
}

// openPlace makes or checks what open(2) is about to open
// (fs/namei.c:open_last_lookups, do_open, may_open).
func (t *Task) openPlace(p *vfs.Place, flags, mode uint32) (*vfs.Inode, abi.Errno) {
	creat := flags&abi.O_CREAT != 0
	n := p.Inode
	switch {
	case creat && p.Kind == vfs.LastName && p.Slash:
		return nil, abi.EISDIR
	case n == nil && !creat:
		return nil, abi.ENOENT
	case n == nil:
		return t.m.disk.fs.Create(*p, mode&^t.proc.umask)
	case creat && flags&abi.O_EXCL != 0:
		return nil, abi.EEXIST
	case creat && n.IsDir():
		return nil, abi.EISDIR
	case creat && p.Dir != nil && t.proc.who.fs.MayCreateOver(p.Dir, n) != abi.OK:
		return nil, abi.EACCES
	case !n.IsDir() && (p.Slash || flags&abi.O_DIRECTORY != 0):
		return nil, abi.ENOTDIR
	case flags&abi.O_PATH != 0:
		return n, abi.OK
	case n.IsSymlink():
		return nil, abi.ELOOP
	case n.IsDir() && flags&(abi.O_ACCMODE|abi.O_TRUNC) != 0:
		return nil, abi.EISDIR
	}
	if errno := t.mayOpen(n, flags); errno != abi.OK {
		return nil, errno
	}
	if flags&abi.O_TRUNC != 0 && n.IsRegular() {
		t.proc.who.fs.Written(n)
		return n, n.Truncate(0)
	}
	return n, abi.OK
}

// mayOpen is what fs/namei.c:may_open asks of the permissions.
func (t *Task) mayOpen(n *vfs.Inode, flags uint32) abi.Errno {
	as := &t.proc.who.fs
	if errno := as.May(n, openMask(flags)); errno != abi.OK {
		return errno
	}
	if flags&abi.O_NOATIME != 0 && !as.Owns(n) {
		return abi.EPERM
	}
	return abi.OK
}

// openMask is which kinds of access flags ask for (fs/open.c:ACC_MODE).
func openMask(flags uint32) uint32 {
	mask := [...]uint32{abi.R_OK, abi.W_OK, abi.R_OK | abi.W_OK, abi.R_OK | abi.W_OK}[flags&abi.O_ACCMODE]
	if flags&abi.O_TRUNC != 0 {
		mask |= abi.W_OK
	}
	return mask
}

// sysClose also gives up the record locks of the process on the file, even
// if other descriptors for it stay open (fcntl(2), "Advisory record locking").
func sysClose(t *Task, a *Args) (uintptr, abi.Errno) {
	return 0, t.closeLingering(fdOf(a[0]))
}

func (t *Task) close(n int) abi.Errno {
	f, errno := t.proc.fds.get(n)
	if errno != abi.OK {
		return errno
	}
	if inode := inodeOf(f); inode != nil {
		inode.UnlockAll(uint64(t.proc.pid))
	}
	return t.proc.fds.close(t, n)
}

func sysPipe(t *Task, a *Args) (uintptr, abi.Errno)  { return 0, t.pipe(a[0], 0) }
func sysPipe2(t *Task, a *Args) (uintptr, abi.Errno) { return 0, t.pipe(a[0], uint32(a[1])) }

// pipe is pipe2(2); packet mode (O_DIRECT) is not simulated.
func (t *Task) pipe(fds uintptr, flags uint32) abi.Errno {
	if flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK) != 0 {
		return abi.EINVAL
	}
	if fds == 0 {
		return abi.EFAULT
	}
	r, w := newPipe(t.m, flags&abi.O_NONBLOCK)
	cloexec := flags&abi.O_CLOEXEC != 0
	rfd, errno := t.proc.fds.install(r, 0, cloexec)
	if errno != abi.OK {
		return errno
	}
	wfd, errno := t.proc.fds.install(w, 0, cloexec)
	if errno != abi.OK {
		t.proc.fds.close(t, rfd)
		return errno
	}
	*(*[2]int32)(pointer(fds)) = [2]int32{int32(rfd), int32(wfd)}
	return abi.OK
}

func sysDup(t *Task, a *Args) (uintptr, abi.Errno) {
	return fdResult(t.proc.fds.dup(fdOf(a[0]), 0, false))
}

func fdResult(n int, errno abi.Errno) (uintptr, abi.Errno) {
	if errno != abi.OK {
		return 0, errno
	}
	return uintptr(n), abi.OK
}

func sysDup2(t *Task, a *Args) (uintptr, abi.Errno) {
	if fdOf(a[0]) == fdOf(a[1]) {
		_, errno := t.proc.fds.get(fdOf(a[0]))
		return a[1], errno
	}
	return t.dup3(fdOf(a[0]), fdOf(a[1]), false)
}

func sysDup3(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[2]&^abi.O_CLOEXEC != 0 || fdOf(a[0]) == fdOf(a[1]) {
		return 0, abi.EINVAL
	}
	return t.dup3(fdOf(a[0]), fdOf(a[1]), a[2] != 0)
}

// dup3 makes descriptor to refer to the file of from, closing what it
// referred to before.
func (t *Task) dup3(from, to int, cloexec bool) (uintptr, abi.Errno) {
	fds := &t.proc.fds
	if _, errno := fds.get(from); errno != abi.OK {
		return 0, errno
	}
	if to < 0 || to >= fds.limit {
		return 0, abi.EBADF
	}
	if _, errno := fds.get(to); errno == abi.OK {
		t.close(to)
	}
	got, errno := fds.dup(from, to, cloexec)
	assert(errno != abi.OK || got == to, "dup2 used another descriptor")
	return fdResult(got, errno)
}
