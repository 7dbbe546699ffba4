package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// notifyEntries are the calls of inotify(7).
var notifyEntries = []Entry{
	{Nr: abi.SYS_INOTIFY_INIT, Name: "inotify_init", Support: Full, fn: sysInotifyInit},
	{Nr: abi.SYS_INOTIFY_INIT1, Name: "inotify_init1", Support: Full, fn: sysInotifyInit1, sig: "o"},
	{
		Nr: abi.SYS_INOTIFY_ADD_WATCH, Name: "inotify_add_watch", Support: Full,
		Note: "files mapped into memory are not seen to change, as on Linux", fn: sysInotifyAddWatch, sig: "fpx",
	},
	{Nr: abi.SYS_INOTIFY_RM_WATCH, Name: "inotify_rm_watch", Support: Full, fn: sysInotifyRmWatch, sig: "fn"},
}

func sysInotifyInit(t *Task, _ *Args) (uintptr, abi.Errno)  { return t.inotifyInit(0) }
func sysInotifyInit1(t *Task, a *Args) (uintptr, abi.Errno) { return t.inotifyInit(uint32(a[0])) }

// inotifyInit is inotify_init1(2).
func (t *Task) inotifyInit(flags uint32) (uintptr, abi.Errno) {
	d := t.m.disk
	switch {
	case flags&^(abi.O_CLOEXEC|abi.O_NONBLOCK) != 0:
		return 0, abi.EINVAL
	case len(d.notifiers) >= maxNotifiers:
		return 0, abi.EMFILE
	}
	in := &notifier{fileBase: fileBase{abi.O_RDONLY | flags&abi.O_NONBLOCK}, d: d}
	fd, errno := t.proc.fds.install(in, 0, flags&abi.O_CLOEXEC != 0)
	if errno != abi.OK {
		return 0, errno
	}
	d.notifiers = append(d.notifiers, in)
	return uintptr(fd), abi.OK
}

// sysInotifyAddWatch is inotify_add_watch(2): one watch for each inode, whose
// mask a second call replaces or adds to.
func sysInotifyAddWatch(t *Task, a *Args) (uintptr, abi.Errno) {
	const valid = abi.IN_ALL_EVENTS | abi.IN_UNMOUNT | abi.IN_Q_OVERFLOW | abi.IN_IGNORED | abi.IN_ONLYDIR |
		abi.IN_DONT_FOLLOW | abi.IN_EXCL_UNLINK | abi.IN_MASK_ADD | abi.IN_MASK_CREATE | abi.IN_ISDIR | abi.IN_ONESHOT
	mask := uint32(a[2])
	if mask&valid == 0 {
		return 0, abi.EINVAL
	}
	in, errno := t.notifier(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	if mask&abi.IN_MASK_ADD != 0 && mask&abi.IN_MASK_CREATE != 0 {
		return 0, abi.EINVAL
	}
	path, errno := cstring(a[1])
	if errno != abi.OK {
		return 0, errno
	}
	how := vfs.Follow
	if mask&abi.IN_DONT_FOLLOW != 0 {
		how = 0
	}
	as := &t.proc.who.fs
	n, errno := t.m.disk.fs.ResolveAs(as, t.cwd(), path, how)
	if errno == abi.OK {
		errno = as.May(n, abi.R_OK)
	}
	switch {
	case errno != abi.OK:
		return 0, errno
	case mask&abi.IN_ONLYDIR != 0 && !n.IsDir():
		return 0, abi.ENOTDIR
	}
	kept := mask & (abi.IN_ALL_EVENTS | abi.IN_ONESHOT | abi.IN_EXCL_UNLINK)
	if i := in.find(n); i >= 0 {
		w := &in.watches[i]
		switch {
		case mask&abi.IN_MASK_CREATE != 0:
			return 0, abi.EEXIST
		case mask&abi.IN_MASK_ADD != 0:
			w.mask |= kept
		default:
			w.mask = kept
		}
		return uintptr(w.wd), abi.OK
	}
	if len(in.watches) >= maxWatches {
		return 0, abi.ENOSPC
	}
	in.lastWD++
	in.watches = append(in.watches, watch{in.lastWD, n, kept})
	return uintptr(in.lastWD), abi.OK
}

// sysInotifyRmWatch is inotify_rm_watch(2).
func sysInotifyRmWatch(t *Task, a *Args) (uintptr, abi.Errno) {
	in, errno := t.notifier(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	for i := range in.watches {
		if in.watches[i].wd == int32(a[1]) {
			in.drop(i)
			return 0, abi.OK
		}
	}
	return 0, abi.EINVAL
}

// notifier is the instance behind a descriptor; EINVAL for other files.
func (t *Task) notifier(fd uintptr) (*notifier, abi.Errno) {
	f, errno := t.file(fd)
	if errno != abi.OK {
		return nil, errno
	}
	in, ok := f.(*notifier)
	if !ok {
		return nil, abi.EINVAL
	}
	return in, abi.OK
}
