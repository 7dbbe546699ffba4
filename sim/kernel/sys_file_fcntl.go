package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// settable are the flags that F_SETFL changes (fcntl(2)).
const settable = abi.O_APPEND | abi.O_ASYNC | abi.O_DIRECT | abi.O_NOATIME | abi.O_NONBLOCK

func sysFcntl(t *Task, a *Args) (uintptr, abi.Errno) {
	n := fdOf(a[0])
	f, errno := t.proc.fds.get(n)
	if errno != abi.OK {
		return 0, errno
	}
	slot := &t.proc.fds.slots[n]
	switch cmd := int(int32(a[1])); cmd {
	case abi.F_DUPFD, abi.F_DUPFD_CLOEXEC:
		return fdResult(t.proc.fds.dup(n, fdOf(a[2]), cmd == abi.F_DUPFD_CLOEXEC))
	case abi.F_GETFD:
		if slot.cloexec {
			return abi.FD_CLOEXEC, abi.OK
		}
		return 0, abi.OK
	case abi.F_SETFD:
		slot.cloexec = a[2]&abi.FD_CLOEXEC != 0
		return 0, abi.OK
	case abi.F_GETFL:
		return uintptr(f.Flags()), abi.OK
	}
	if f, errno = t.file(a[0]); errno != abi.OK {
		return 0, errno
	}
	switch cmd := int(int32(a[1])); cmd {
	case abi.F_SETFL:
		f.SetFlags(f.Flags()&^settable | uint32(a[2])&settable)
		return 0, abi.OK
	case abi.F_GETLK, abi.F_OFD_GETLK, abi.F_SETLK, abi.F_SETLKW, abi.F_OFD_SETLK, abi.F_OFD_SETLKW:
		return 0, t.recordLock(f, cmd, a[2])
	case abi.F_GETPIPE_SZ, abi.F_SETPIPE_SZ:
		e, ok := f.(*pipeEnd)
		if !ok {
			return 0, abi.EBADF
		}
		if cmd == abi.F_SETPIPE_SZ {
			size, errno := e.p.resize(int(int32(a[2])))
			return uintptr(size), errno
		}
		return uintptr(e.p.size), abi.OK
	}
	return 0, abi.EINVAL
}

// recordLock is fcntl(2) for record locks.
func (t *Task) recordLock(f File, cmd int, arg uintptr) abi.Errno {
	if arg == 0 {
		return abi.EFAULT
	}
	fl := (*abi.Flock)(pointer(arg))
	d := onDisk(f)
	if d == nil {
		return abi.EINVAL
	}
	l := vfs.Lock{Owner: uint64(t.proc.pid), Pid: int32(t.proc.pid), Write: fl.Type == abi.F_WRLCK}
	if cmd == abi.F_OFD_GETLK || cmd == abi.F_OFD_SETLK || cmd == abi.F_OFD_SETLKW {
		if fl.Pid != 0 {
			return abi.EINVAL
		}
		l.Owner, l.Pid = d.id|ofdOwner, -1
	}
	if errno := d.lockRange(&l, fl); errno != abi.OK {
		return errno
	}
	if cmd == abi.F_GETLK || cmd == abi.F_OFD_GETLK {
		return getLock(d.inode, cmd, l, fl)
	}
	switch {
	case fl.Type == abi.F_UNLCK:
		d.inode.Unlock(l)
		return abi.OK
	case fl.Type == abi.F_RDLCK && !d.readable(), fl.Type == abi.F_WRLCK && !d.writable():
		return abi.EBADF
	case fl.Type != abi.F_RDLCK && fl.Type != abi.F_WRLCK:
		return abi.EINVAL
	}
	t.m.disk.fs.StopWaiting(t.caller)
	errno := d.inode.SetLock(l)
	if errno == abi.EAGAIN && (cmd == abi.F_SETLKW || cmd == abi.F_OFD_SETLKW) {
		return t.awaitLock(d.inode, l)
	}
	return errno
}

// awaitLock lets the call wait for a record lock.
func (t *Task) awaitLock(n *vfs.Inode, l vfs.Lock) abi.Errno {
	other, _ := n.Conflict(l)
	switch {
	case t.caller == 0:
		return abi.EINTR
	case l.Pid == -1, other.Pid == -1:
		n.AwaitLock(t.caller)
	default:
		if errno := n.AwaitRecordLock(t.caller, l.Owner, other.Owner); errno != abi.OK {
			return errno
		}
	}
	return abi.ERESTARTSYS
}

// lockRange turns whence, start and length into the first and last byte
// (fs/locks.c:flock64_to_posix_lock).
func (f *diskFile) lockRange(l *vfs.Lock, fl *abi.Flock) abi.Errno {
	start := fl.Start
	switch fl.Whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		start += f.pos
	case abi.SEEK_END:
		start += f.inode.Size()
	default:
		return abi.EINVAL
	}
	switch {
	case start < 0:
		return abi.EINVAL
	case fl.Len > 0:
		if start > vfs.LockEOF-(fl.Len-1) {
			return abi.EOVERFLOW
		}
		l.Start, l.End = start, start+fl.Len-1
	case fl.Len == 0:
		l.Start, l.End = start, vfs.LockEOF
	default:
		if start+fl.Len < 0 {
			return abi.EINVAL
		}
		l.Start, l.End = start+fl.Len, start-1
	}
	return abi.OK
}

// getLock tells of the lock that stands against l, or that there is none.
// F_OFD_GETLK with F_UNLCK asks for a lock of the description itself
// (fs/locks.c:posix_test_locks_conflict).
func getLock(n *vfs.Inode, cmd int, l vfs.Lock, fl *abi.Flock) abi.Errno {
	var o vfs.Lock
	var found bool
	switch {
	case fl.Type == abi.F_RDLCK, fl.Type == abi.F_WRLCK:
		o, found = n.Conflict(l)
	case fl.Type == abi.F_UNLCK && cmd == abi.F_OFD_GETLK:
		o, found = n.Held(l)
	default:
		return abi.EINVAL
	}
	if !found {
		fl.Type = abi.F_UNLCK
		return abi.OK
	}
	fl.Type, fl.Whence, fl.Start, fl.Len, fl.Pid = abi.F_RDLCK, abi.SEEK_SET, o.Start, 0, o.Pid
	if o.Write {
		fl.Type = abi.F_WRLCK
	}
	if o.End != vfs.LockEOF {
		fl.Len = o.End - o.Start + 1
	}
	return abi.OK
}

// sysFlock is flock(2).
func sysFlock(t *Task, a *Args) (uintptr, abi.Errno) {
	op := int32(a[1])
	if kind := op &^ abi.LOCK_NB; kind != abi.LOCK_SH && kind != abi.LOCK_EX && kind != abi.LOCK_UN {
		return 0, abi.EINVAL
	}
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	d := onDisk(f)
	if d == nil {
		return 0, abi.EINVAL // pipes and sockets have nobody to share a lock with
	}
	if op&abi.LOCK_UN != 0 {
		d.inode.Funlock(d.id)
		return 0, abi.OK
	}
	errno = d.inode.Flock(d.id, op&abi.LOCK_EX != 0)
	if errno == abi.EAGAIN && op&abi.LOCK_NB == 0 {
		if t.caller == 0 {
			return 0, abi.EINTR
		}
		d.inode.AwaitLock(t.caller)
		return 0, abi.ERESTARTSYS
	}
	return 0, errno
}

// sysIoctl answers what every file can (ioctl_list(2)) and asks the file for
// the rest.
func sysIoctl(t *Task, a *Args) (uintptr, abi.Errno) {
	const (
		fionclex = 0x5450
		fioclex  = 0x5451
	)
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	switch uint32(a[1]) {
	case fioclex, fionclex:
		t.proc.fds.slots[fdOf(a[0])].cloexec = uint32(a[1]) == fioclex
		return 0, abi.OK
	case abi.FIONBIO:
		p, errno := mem(a[2], 4)
		if errno != abi.OK {
			return 0, errno
		}
		flags := f.Flags() &^ abi.O_NONBLOCK
		if p[0]|p[1]|p[2]|p[3] != 0 {
			flags |= abi.O_NONBLOCK
		}
		f.SetFlags(flags)
		return 0, abi.OK
	}
	return f.Ioctl(t, uintptr(uint32(a[1])), a[2])
}
