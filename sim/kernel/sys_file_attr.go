package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

func put32(p uintptr, v int32) abi.Errno {
	if p == 0 {
		return abi.EFAULT
	}
	*(*int32)(pointer(p)) = v
	return abi.OK
}

func sysStat(t *Task, a *Args) (uintptr, abi.Errno) { return t.stat(atFDCWD, a[0], a[1], 0) }
func sysLstat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.stat(atFDCWD, a[0], a[1], abi.AT_SYMLINK_NOFOLLOW)
}

func sysNewfstatat(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[3]&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_NO_AUTOMOUNT|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	return t.stat(a[0], a[1], a[2], a[3])
}

func sysFstat(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.stat(a[0], 0, a[1], abi.AT_EMPTY_PATH)
}

func (t *Task) stat(dirfd, path, buf, flags uintptr) (uintptr, abi.Errno) {
	var st abi.Stat
	if _, errno := t.statInto(&st, dirfd, path, flags); errno != abi.OK {
		return 0, errno
	}
	if buf == 0 {
		return 0, abi.EFAULT
	}
	*(*abi.Stat)(pointer(buf)) = st
	return 0, abi.OK
}

// statInto fills st and returns the time of birth, 0 when there is none.
func (t *Task) statInto(st *abi.Stat, dirfd, path, flags uintptr) (int64, abi.Errno) {
	n, f, errno := t.resolve(dirfd, path, flags)
	if errno != abi.OK {
		return 0, errno
	}
	if n == nil {
		return 0, f.Stat(t, st)
	}
	in := n.Info()
	fillStat(st, &in)
	return in.Btime, abi.OK
}

func sysStatx(t *Task, a *Args) (uintptr, abi.Errno) {
	const known = abi.AT_SYMLINK_NOFOLLOW | abi.AT_NO_AUTOMOUNT | abi.AT_EMPTY_PATH | abi.AT_STATX_SYNC_TYPE
	if a[2]&^known != 0 || a[2]&abi.AT_STATX_SYNC_TYPE == abi.AT_STATX_SYNC_TYPE || a[3]&abi.STATX_RESERVED != 0 {
		return 0, abi.EINVAL
	}
	var st abi.Stat
	btime, errno := t.statInto(&st, a[0], a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	if a[4] == 0 {
		return 0, abi.EFAULT
	}
	fillStatx((*abi.Statx)(pointer(a[4])), &st, btime)
	return 0, abi.OK
}

// change calls fn with the inode that the arguments name; files that are not
// on the disk (pipes, sockets) take every change without remembering it.
func (t *Task) change(dirfd, path, flags uintptr, fn func(*vfs.Inode) abi.Errno) (uintptr, abi.Errno) {
	n, f, errno := t.resolve(dirfd, path, flags)
	if errno != abi.OK {
		return 0, errno
	}
	if _, ok := f.(*pathFile); ok && path == 0 {
		return 0, abi.EBADF
	}
	if n == nil {
		return 0, abi.OK
	}
	return 0, fn(n)
}

func sysChmod(t *Task, a *Args) (uintptr, abi.Errno)    { return t.chmod(atFDCWD, a[0], a[1], 0) }
func sysFchmodat(t *Task, a *Args) (uintptr, abi.Errno) { return t.chmod(a[0], a[1], a[2], 0) }
func sysFchmod(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.chmod(a[0], 0, a[1], abi.AT_EMPTY_PATH)
}

func sysFchmodat2(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[3]&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	return t.chmod(a[0], a[1], a[2], a[3])
}

func (t *Task) chmod(dirfd, path, mode, flags uintptr) (uintptr, abi.Errno) {
	return t.change(dirfd, path, flags, func(n *vfs.Inode) abi.Errno {
		if n.IsSymlink() {
			return abi.EOPNOTSUPP // chmod(2): links have no permissions
		}
		errno := t.proc.who.fs.Chmod(n, uint32(mode))
		if errno == abi.OK {
			t.m.disk.notify(n, abi.IN_ATTRIB, nil, "")
		}
		return errno
	})
}

func sysChown(t *Task, a *Args) (uintptr, abi.Errno) { return t.chown(atFDCWD, a[0], a[1], a[2], 0) }
func sysLchown(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.chown(atFDCWD, a[0], a[1], a[2], abi.AT_SYMLINK_NOFOLLOW)
}
func sysFchown(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.chown(a[0], 0, a[1], a[2], abi.AT_EMPTY_PATH)
}

func sysFchownat(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[4]&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	return t.chown(a[0], a[1], a[2], a[3], a[4])
}

func (t *Task) chown(dirfd, path, uid, gid, flags uintptr) (uintptr, abi.Errno) {
	return t.change(dirfd, path, flags, func(n *vfs.Inode) abi.Errno {
		errno := t.proc.who.fs.Chown(n, uint32(uid), uint32(gid))
		if errno == abi.OK {
			t.m.disk.notify(n, abi.IN_ATTRIB, nil, "")
		}
		return errno
	})
}

// sysUtimensat sets times to the nanosecond. A null path means the
// descriptor, which is how futimens(3) is made.
func sysUtimensat(t *Task, a *Args) (uintptr, abi.Errno) {
	flags := a[3]
	if flags&^(abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	if a[1] == 0 {
		if flags != 0 {
			return 0, abi.EINVAL
		}
		if _, errno := t.file(a[0]); errno != abi.OK {
			return 0, errno
		}
		flags = abi.AT_EMPTY_PATH
	}
	now := int64(t.m.wallTime())
	times := [2]*int64{&now, &now}
	var given [2]int64
	if a[2] != 0 {
		for i, ts := range *(*[2]abi.Timespec)(pointer(a[2])) {
			switch {
			case ts.Nsec == abi.UTIME_NOW:
			case ts.Nsec == abi.UTIME_OMIT:
				times[i] = nil
			case ts.Nsec < 0 || ts.Nsec >= 1e9:
				return 0, abi.EINVAL
			default:
				given[i] = ts.Nanos()
				times[i] = &given[i]
			}
		}
	}
	if times[0] == nil && times[1] == nil {
		return 0, abi.OK // fs/utimes.c:do_utimes looks at nothing else
	}
	return t.change(a[0], a[1], flags, func(n *vfs.Inode) abi.Errno {
		if errno := t.maySetTimes(n, times[0] == &now && times[1] == &now); errno != abi.OK {
			return errno
		}
		n.SetTimes(times[0], times[1])
		t.m.disk.notify(n, timesEvent(times), nil, "")
		return abi.OK
	})
}

// maySetTimes: whoever may write a file may set its times to now, else only the
// owner (fs/attr.c:may_setattr, setattr_prepare).
func (t *Task) maySetTimes(n *vfs.Inode, now bool) abi.Errno {
	as := &t.proc.who.fs
	switch {
	case as.Owns(n):
		return abi.OK
	case now:
		return as.May(n, abi.W_OK)
	}
	return abi.EPERM
}

// timesEvent is what a change of times is to those who watch
// (include/linux/fsnotify.h:fsnotify_change).
func timesEvent(times [2]*int64) uint32 {
	switch {
	case times[1] == nil:
		return abi.IN_ACCESS
	case times[0] == nil:
		return abi.IN_MODIFY
	}
	return abi.IN_ATTRIB
}

// sysUtimes is utimes(2): microseconds, links followed.
func sysUtimes(t *Task, a *Args) (uintptr, abi.Errno) {
	now := int64(t.m.wallTime())
	given := [2]int64{now, now}
	if a[1] != 0 {
		for i, tv := range *(*[2]abi.Timeval)(pointer(a[1])) {
			if tv.Usec < 0 || tv.Usec >= 1e6 {
				return 0, abi.EINVAL
			}
			given[i] = tv.Sec*1e9 + tv.Usec*1e3
		}
	}
	return t.change(atFDCWD, a[0], 0, func(n *vfs.Inode) abi.Errno {
		if errno := t.maySetTimes(n, a[1] == 0); errno != abi.OK {
			return errno
		}
		n.SetTimes(&given[0], &given[1])
		t.m.disk.notify(n, abi.IN_ATTRIB, nil, "")
		return abi.OK
	})
}

func sysTruncate(t *Task, a *Args) (uintptr, abi.Errno) {
	if int64(a[1]) < 0 {
		return 0, abi.EINVAL
	}
	n, _, errno := t.resolve(atFDCWD, a[0], 0)
	switch {
	case errno != abi.OK:
		return 0, errno
	case n.IsDir():
		return 0, abi.EISDIR
	case !n.IsRegular():
		return 0, abi.EINVAL
	}
	if errno := t.proc.who.fs.May(n, abi.W_OK); errno != abi.OK {
		return 0, errno
	}
	t.proc.who.fs.Written(n)
	if errno = n.Truncate(int64(a[1])); errno == abi.OK {
		t.m.disk.notify(n, abi.IN_MODIFY, nil, "")
	}
	return 0, errno
}

func sysFtruncate(t *Task, a *Args) (uintptr, abi.Errno) {
	if int64(a[1]) < 0 {
		return 0, abi.EINVAL
	}
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	d, ok := f.(*diskFile)
	if !ok || !d.writable() {
		return 0, abi.EINVAL
	}
	t.proc.who.fs.Written(d.inode)
	if errno = d.inode.Truncate(int64(a[1])); errno == abi.OK {
		d.notifyFile(abi.IN_MODIFY)
	}
	return 0, errno
}

// sysFallocate is fallocate(2).
func sysFallocate(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	mode, off, length := a[1], int64(a[2]), int64(a[3])
	if off < 0 || length <= 0 {
		return 0, abi.EINVAL
	}
	switch mode {
	case 0, abi.FALLOC_FL_KEEP_SIZE, abi.FALLOC_FL_KEEP_SIZE | abi.FALLOC_FL_PUNCH_HOLE, abi.FALLOC_FL_ZERO_RANGE,
		abi.FALLOC_FL_ZERO_RANGE | abi.FALLOC_FL_KEEP_SIZE, abi.FALLOC_FL_COLLAPSE_RANGE, abi.FALLOC_FL_INSERT_RANGE:
	default:
		return 0, abi.EOPNOTSUPP
	}
	if f.Flags()&abi.O_ACCMODE == abi.O_RDONLY {
		return 0, abi.EBADF
	}
	if _, ok := f.(*pipeEnd); ok {
		return 0, abi.ESPIPE
	}
	d, ok := f.(*diskFile)
	if !ok {
		return 0, abi.ENODEV
	}
	if off+length < 0 || off+length > vfs.MaxFileSize {
		return 0, abi.EFBIG
	}
	t.proc.who.fs.Written(d.inode)
	errno = d.allocate(mode, off, length)
	if errno == abi.OK {
		d.notifyFile(abi.IN_MODIFY)
	}
	return 0, errno
}

// allocate is fallocate(2) with arguments that were checked.
func (d *diskFile) allocate(mode uintptr, off, length int64) abi.Errno {
	switch mode {
	case abi.FALLOC_FL_COLLAPSE_RANGE:
		return d.inode.Collapse(off, length)
	case abi.FALLOC_FL_INSERT_RANGE:
		return d.inode.Insert(off, length)
	}
	if mode&(abi.FALLOC_FL_PUNCH_HOLE|abi.FALLOC_FL_ZERO_RANGE) != 0 {
		if errno := d.inode.Zero(off, length); errno != abi.OK {
			return errno
		}
	}
	if mode&abi.FALLOC_FL_PUNCH_HOLE == 0 {
		if errno := d.inode.Reserve(off, length); errno != abi.OK {
			return errno
		}
	}
	if mode&abi.FALLOC_FL_KEEP_SIZE != 0 {
		return abi.OK
	}
	return d.inode.Extend(off + length)
}

// inodeForSync is the inode that fsync(2) is about; EINVAL for files that
// cannot be synced.
func (t *Task) inodeForSync(fdArg uintptr) (*vfs.Inode, abi.Errno) {
	f, errno := t.file(fdArg)
	if errno != abi.OK {
		return nil, errno
	}
	n := inodeOf(f)
	if n == nil || !n.IsDir() && !n.IsRegular() {
		return nil, abi.EINVAL
	}
	return n, abi.OK
}

func sysFsync(t *Task, a *Args) (uintptr, abi.Errno) {
	n, errno := t.inodeForSync(a[0])
	if errno == abi.OK {
		errno = t.m.disk.sync(n, false)
	}
	return 0, errno
}

func sysFdatasync(t *Task, a *Args) (uintptr, abi.Errno) {
	n, errno := t.inodeForSync(a[0])
	if errno == abi.OK {
		errno = t.m.disk.sync(n, true)
	}
	return 0, errno
}

func sysSync(t *Task, _ *Args) (uintptr, abi.Errno) {
	t.m.pullAll()
	t.m.disk.fs.SyncAll()
	return 0, abi.OK
}

func sysSyncfs(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno == abi.OK && inodeOf(f) != nil {
		t.m.pullAll()
		t.m.disk.fs.SyncAll()
	}
	return 0, errno
}

// sysSyncFileRange makes nothing durable: it writes no metadata and does not
// flush the disk's own cache (sync_file_range(2), "Some details", WARNING).
func sysSyncFileRange(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	off, n := int64(a[1]), int64(a[2])
	if a[3]&^7 != 0 || off < 0 || n < 0 || off+n < 0 {
		return 0, abi.EINVAL
	}
	if inodeOf(f) == nil {
		return 0, abi.ESPIPE
	}
	return 0, abi.OK
}

func sysAccess(t *Task, a *Args) (uintptr, abi.Errno)    { return t.access(atFDCWD, a[0], a[1], 0) }
func sysFaccessat(t *Task, a *Args) (uintptr, abi.Errno) { return t.access(a[0], a[1], a[2], 0) }
func sysFaccessat2(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[3]&^(abi.AT_EACCESS|abi.AT_SYMLINK_NOFOLLOW|abi.AT_EMPTY_PATH) != 0 {
		return 0, abi.EINVAL
	}
	return t.access(a[0], a[1], a[2], a[3])
}

// access asks for the real ids unless AT_EACCESS is given.
func (t *Task) access(dirfd, path, mode, flags uintptr) (uintptr, abi.Errno) {
	if mode&^7 != 0 {
		return 0, abi.EINVAL
	}
	may := func() (uintptr, abi.Errno) {
		n, _, errno := t.resolve(dirfd, path, flags)
		if errno == abi.OK && n != nil {
			errno = t.proc.who.fs.May(n, uint32(mode))
		}
		return 0, errno
	}
	if flags&abi.AT_EACCESS != 0 {
		return may()
	}
	return t.proc.who.asReal(may)
}

func sysStatfs(t *Task, a *Args) (uintptr, abi.Errno) {
	if _, _, errno := t.resolve(atFDCWD, a[0], 0); errno != abi.OK {
		return 0, errno
	}
	return t.putStatfs(a[1], abi.EXT4_SUPER_MAGIC)
}

func sysFstatfs(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.proc.fds.get(fdOf(a[0]))
	if errno != abi.OK {
		return 0, errno
	}
	if inodeOf(f) == nil {
		return t.putStatfs(a[1], abi.PIPEFS_MAGIC)
	}
	return t.putStatfs(a[1], abi.EXT4_SUPER_MAGIC)
}

// putStatfs tells of the machine's disk; one without a limit shows 1 TiB, half
// of it free, whatever is written.
func (t *Task) putStatfs(p uintptr, magic int64) (uintptr, abi.Errno) {
	if p == 0 {
		return 0, abi.EFAULT
	}
	blocks, used := t.m.disk.fs.Space()
	if blocks == 0 {
		blocks, used = 1<<28, 1<<27
	}
	free := uint64(max(0, blocks-used))
	*(*abi.Statfs)(pointer(p)) = abi.Statfs{
		Type: magic, Bsize: 4096, Blocks: uint64(blocks), Bfree: free, Bavail: free,
		Files: 1 << 26, Ffree: 1 << 25, Namelen: abi.NameMax, Frsize: 4096,
	}
	return 0, abi.OK
}

// sysNoXattr answers the calls on extended attributes, which this file system
// does not have.
func sysNoXattr(*Task, *Args) (uintptr, abi.Errno) { return 0, abi.EOPNOTSUPP }

// sysAdvice checks the descriptor of a call that only gives advice.
func sysAdvice(t *Task, a *Args) (uintptr, abi.Errno) {
	_, errno := t.file(a[0])
	return 0, errno
}

// sysNoSplice is the answer of tee(2) for files that cannot: callers copy
// by read and write instead.
func sysNoSplice(*Task, *Args) (uintptr, abi.Errno) { return 0, abi.EINVAL }
