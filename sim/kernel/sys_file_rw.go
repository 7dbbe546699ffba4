package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// gatherMax is the size in bytes up to which a vectored call is carried out
// as one read or write, as pipes, sockets and the console need it.
const gatherMax = 64 << 10

func sysRead(t *Task, a *Args) (uintptr, abi.Errno) {
	f, p, errno := t.buffer(a)
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := f.Read(t, p)
	return rwResult(n, t.wait(f, n, errno, false))
}

func sysWrite(t *Task, a *Args) (uintptr, abi.Errno) {
	f, p, errno := t.buffer(a)
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := f.Write(t, p)
	return rwResult(n, t.wait(f, n, errno, true))
}

// waiter is a file that a call can wait for.
type waiter interface {
	// Await lets caller try again when something about the file changes.
	Await(caller uintptr)
}

// wait makes a call wait that could do nothing and may wait: its file is not
// O_NONBLOCK. It returns the error of the call.
func (t *Task) wait(f File, n int, errno abi.Errno, write bool) abi.Errno {
	if s, ok := f.(netSocket); ok {
		if n > 0 {
			t.k.unblock(t.caller)
			return errno
		}
		return t.waitSocket(s, errno, 0, write)
	}
	if errno != abi.EAGAIN || n > 0 || t.caller == 0 || f.Flags()&abi.O_NONBLOCK != 0 {
		return errno
	}
	w, ok := f.(waiter)
	if !ok {
		return errno
	}
	w.Await(t.caller)
	return abi.ERESTARTSYS
}

func sysPread64(t *Task, a *Args) (uintptr, abi.Errno) {
	if int64(a[3]) < 0 {
		return 0, abi.EINVAL
	}
	f, p, errno := t.buffer(a)
	if errno != abi.OK {
		return 0, errno
	}
	return rwResult(f.Pread(t, p, int64(a[3])))
}

func sysPwrite64(t *Task, a *Args) (uintptr, abi.Errno) {
	if int64(a[3]) < 0 {
		return 0, abi.EINVAL
	}
	f, p, errno := t.buffer(a)
	if errno != abi.OK {
		return 0, errno
	}
	return rwResult(f.Pwrite(t, p, int64(a[3])))
}

// buffer decodes (fd, buf, count).
func (t *Task) buffer(a *Args) (File, []byte, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return nil, nil, errno
	}
	if int64(a[2]) < 0 {
		return nil, nil, abi.EINVAL
	}
	p, errno := mem(a[1], min(a[2], abi.MaxRW))
	return f, p, errno
}

// rwResult is the result of a read or write: what was moved before an error
// counts.
func rwResult(n int, errno abi.Errno) (uintptr, abi.Errno) {
	if n > 0 {
		return uintptr(n), abi.OK
	}
	return 0, errno
}

func sysReadv(t *Task, a *Args) (uintptr, abi.Errno)  { return t.vector(a, false, -1) }
func sysWritev(t *Task, a *Args) (uintptr, abi.Errno) { return t.vector(a, true, -1) }

func sysPreadv(t *Task, a *Args) (uintptr, abi.Errno)  { return t.vectorAt(a, false) }
func sysPwritev(t *Task, a *Args) (uintptr, abi.Errno) { return t.vectorAt(a, true) }

func (t *Task) vectorAt(a *Args, write bool) (uintptr, abi.Errno) {
	if int64(a[3]) < 0 {
		return 0, abi.EINVAL
	}
	return t.vector(a, write, int64(a[3]))
}

// sysPreadv2 and sysPwritev2 know no flags but RWF_HIPRI, which means nothing
// here, and for writes RWF_DSYNC and RWF_SYNC.
func sysPreadv2(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[5]&^abi.RWF_HIPRI != 0 {
		return 0, abi.EOPNOTSUPP
	}
	return t.vector2(a, false)
}

func sysPwritev2(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[5]&^(abi.RWF_HIPRI|abi.RWF_DSYNC|abi.RWF_SYNC) != 0 {
		return 0, abi.EOPNOTSUPP
	}
	n, errno := t.vector2(a, true)
	if f, _ := t.file(a[0]); n > 0 && a[5]&(abi.RWF_DSYNC|abi.RWF_SYNC) != 0 {
		if inode := inodeOf(f); inode != nil {
			t.m.disk.fs.Sync(inode, a[5]&abi.RWF_SYNC == 0)
		}
	}
	return n, errno
}

func (t *Task) vector2(a *Args, write bool) (uintptr, abi.Errno) {
	if int64(a[3]) == -1 {
		return t.vector(a, write, -1)
	}
	return t.vectorAt(a, write)
}

// vector is readv(2) or writev(2) at the file's offset, or at off when that
// is not negative.
func (t *Task) vector(a *Args, write bool, off int64) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	iov, total, errno := iovecs(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	if len(iov) > 1 && total <= gatherMax {
		return t.gather(f, iov, int(total), write, off)
	}
	done := 0
	for i := range iov {
		p, errno := mem(iov[i].Base, min(iov[i].Len, abi.MaxRW))
		if errno != abi.OK {
			return rwResult(done, errno)
		}
		n, errno := t.move(f, p, write, off)
		done += n
		if off >= 0 {
			off += int64(n)
		}
		if errno != abi.OK || n < len(p) {
			return rwResult(done, t.wait(f, done, errno, write))
		}
	}
	return uintptr(done), abi.OK
}

// gather carries out a vectored call as one transfer.
func (t *Task) gather(f File, iov []abi.Iovec, total int, write bool, off int64) (uintptr, abi.Errno) {
	buf := make([]byte, total)
	if write {
		at := 0
		for i := range iov {
			p, errno := mem(iov[i].Base, iov[i].Len)
			if errno != abi.OK {
				return 0, errno
			}
			at += copy(buf[at:], p)
		}
		n, errno := t.move(f, buf, true, off)
		return rwResult(n, t.wait(f, n, errno, write))
	}
	n, errno := t.move(f, buf, false, off)
	rest := buf[:n]
	for i := range iov {
		p, errno := mem(iov[i].Base, iov[i].Len)
		if errno != abi.OK {
			return 0, errno
		}
		rest = rest[copy(p, rest):]
	}
	return rwResult(n, t.wait(f, n, errno, write))
}

func (t *Task) move(f File, p []byte, write bool, off int64) (int, abi.Errno) {
	switch {
	case write && off >= 0:
		return f.Pwrite(t, p, off)
	case write:
		return f.Write(t, p)
	case off >= 0:
		return f.Pread(t, p, off)
	}
	return f.Read(t, p)
}

// iovecs reads the array of buffers of a vectored call; total is their length
// in bytes. EINVAL for too many or too long ones (readv(2)).
func iovecs(p, n uintptr) (iov []abi.Iovec, total uintptr, errno abi.Errno) {
	if n > abi.IovMax {
		return nil, 0, abi.EINVAL
	}
	if n == 0 {
		return nil, 0, abi.OK
	}
	if p == 0 {
		return nil, 0, abi.EFAULT
	}
	iov = unsafe.Slice((*abi.Iovec)(pointer(p)), n)
	for i := range iov {
		if int64(iov[i].Len) < 0 || int64(total+iov[i].Len) < 0 {
			return nil, 0, abi.EINVAL
		}
		total += iov[i].Len
	}
	return iov, total, abi.OK
}

func sysLseek(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	pos, errno := f.Seek(t, int64(a[1]), int(int32(a[2])))
	return uintptr(pos), errno
}

func sysGetdents64(t *Task, a *Args) (uintptr, abi.Errno) {
	f, p, errno := t.buffer(a)
	if errno != abi.OK {
		return 0, errno
	}
	d, ok := f.(*dirFile)
	if !ok {
		return 0, abi.ENOTDIR
	}
	n, errno := d.getdents(p)
	return uintptr(n), errno
}

// copyChunk is how many bytes the calls that copy between files move at once.
const copyChunk = 64 << 10

// sysSendfile is sendfile(2). The source is a file of the disk.
func sysSendfile(t *Task, a *Args) (uintptr, abi.Errno) {
	out, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	in, errno := t.file(a[1])
	if errno != abi.OK {
		return 0, errno
	}
	src, ok := in.(*diskFile)
	switch {
	case out.Flags()&abi.O_ACCMODE == abi.O_RDONLY:
		return 0, abi.EBADF
	case !ok, out.Flags()&abi.O_APPEND != 0, int64(a[3]) < 0:
		return 0, abi.EINVAL
	}
	pos := &src.pos
	if a[2] != 0 {
		pos = (*int64)(pointer(a[2]))
	}
	left := int(min(a[3], abi.MaxRW))
	buf := make([]byte, min(left, copyChunk))
	done := 0
	for left > 0 {
		n, errno := src.Pread(t, buf[:min(left, len(buf))], *pos)
		if errno != abi.OK || n == 0 {
			return rwResult(done, errno)
		}
		m, errno := out.Write(t, buf[:n])
		done, left = done+m, left-m
		*pos += int64(m)
		if errno != abi.OK || m < n {
			return rwResult(done, errno)
		}
	}
	return uintptr(done), abi.OK
}

// sysCopyFileRange is copy_file_range(2), between files of the disk.
func sysCopyFileRange(t *Task, a *Args) (uintptr, abi.Errno) {
	in, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	out, errno := t.file(a[2])
	if errno != abi.OK {
		return 0, errno
	}
	src, ok1 := in.(*diskFile)
	dst, ok2 := out.(*diskFile)
	if errno := copyAllowed(in, out, ok1 && ok2); errno != abi.OK || a[5] != 0 {
		if errno == abi.OK {
			errno = abi.EINVAL
		}
		return 0, errno
	}
	from, to := &src.pos, &dst.pos
	if a[1] != 0 {
		from = (*int64)(pointer(a[1]))
	}
	if a[3] != 0 {
		to = (*int64)(pointer(a[3]))
	}
	left := int64(min(a[4], abi.MaxRW))
	if *from < 0 || *to < 0 {
		return 0, abi.EINVAL
	}
	left = min(left, max(0, src.inode.Size()-*from))
	if src.inode == dst.inode && *from < *to+left && *to < *from+left {
		return 0, abi.EINVAL
	}
	return t.copyRange(src, dst, from, to, left)
}

// copyAllowed makes the checks of fs/read_write.c:generic_copy_file_checks.
func copyAllowed(in, out File, regular bool) abi.Errno {
	for _, f := range [2]File{in, out} {
		if n := inodeOf(f); n != nil && n.IsDir() {
			return abi.EISDIR
		}
	}
	switch {
	case !regular:
		return abi.EINVAL
	case in.Flags()&abi.O_ACCMODE == abi.O_WRONLY, out.Flags()&abi.O_ACCMODE == abi.O_RDONLY,
		out.Flags()&abi.O_APPEND != 0:
		return abi.EBADF
	}
	return abi.OK
}

func (t *Task) copyRange(src, dst *diskFile, from, to *int64, left int64) (uintptr, abi.Errno) {
	buf := make([]byte, min(left, copyChunk))
	done := 0
	for left > 0 {
		n, errno := src.Pread(t, buf[:min(left, int64(len(buf)))], *from)
		if errno != abi.OK || n == 0 {
			return rwResult(done, errno)
		}
		m, errno := dst.Pwrite(t, buf[:n], *to)
		done, left = done+m, left-int64(m)
		*from += int64(m)
		*to += int64(m)
		if errno != abi.OK || m < n {
			return rwResult(done, errno)
		}
	}
	return uintptr(done), abi.OK
}
