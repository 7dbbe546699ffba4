package kernel

import "github.com/restep/restep/sim/kernel/abi"

// sysSplice is splice(2): a pipe takes from a file of the disk or a socket,
// or gives to one, or to another pipe. SPLICE_F_NONBLOCK is for the
// pipe; a socket waits unless it is O_NONBLOCK (fs/splice.c:do_splice).
func sysSplice(t *Task, a *Args) (uintptr, abi.Errno) {
	const flags = abi.SPLICE_F_MOVE | abi.SPLICE_F_NONBLOCK | abi.SPLICE_F_MORE | abi.SPLICE_F_GIFT
	if a[4] == 0 {
		return 0, abi.OK
	}
	if a[5]&^flags != 0 {
		return 0, abi.EINVAL
	}
	in, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	out, errno := t.file(a[2])
	if errno != abi.OK {
		return 0, errno
	}
	from, fromPipe := in.(*pipeEnd)
	to, toPipe := out.(*pipeEnd)
	switch {
	case in.Flags()&abi.O_ACCMODE == abi.O_WRONLY, out.Flags()&abi.O_ACCMODE == abi.O_RDONLY:
		return 0, abi.EBADF
	case fromPipe && a[1] != 0, toPipe && a[3] != 0:
		return 0, abi.ESPIPE
	case fromPipe && toPipe && from.p == to.p, !fromPipe && !toPipe:
		return 0, abi.EINVAL
	}
	for i, f := range []File{in, out} {
		if _, disk := f.(*diskFile); !disk && a[2*i+1] != 0 {
			return 0, abi.EINVAL
		}
	}
	count := int(min(a[4], abi.MaxRW))
	nowait := a[5]&abi.SPLICE_F_NONBLOCK != 0
	if toPipe {
		return t.spliceIn(in, pointer64(a[1]), to, count, nowait)
	}
	return t.spliceOut(from, out, pointer64(a[3]), count, nowait)
}

// pointer64 is the offset behind an argument, nil for none.
func pointer64(p uintptr) *int64 {
	if p == 0 {
		return nil
	}
	return (*int64)(pointer(p))
}

// spliceIn moves bytes into a pipe.
func (t *Task) spliceIn(in File, off *int64, to *pipeEnd, count int, nowait bool) (uintptr, abi.Errno) {
	switch {
	case to.p.readEnds == 0:
		return 0, abi.EPIPE
	case to.p.room() == 0 && nowait:
		return 0, abi.EAGAIN
	case to.p.room() == 0:
		return rwResult(0, t.wait(to, 0, abi.EAGAIN, true))
	}
	buf := make([]byte, min(count, to.p.room(), copyChunk))
	n, errno := 0, abi.EINVAL
	switch src := in.(type) {
	case *diskFile:
		if off == nil {
			n, errno = src.Read(t, buf)
		} else if *off >= 0 {
			n, errno = src.Pread(t, buf, *off)
			*off += int64(n)
		}
	case *pipeEnd:
		if n, errno = src.Read(t, buf); errno == abi.EAGAIN && nowait {
			return 0, errno
		}
	case netSocket:
		n, errno = src.Read(t, buf)
	}
	if n > 0 {
		m, writeErrno := to.Write(t, buf[:n])
		assert(m == n && writeErrno == abi.OK, "a pipe took less than it has room for")
	}
	return rwResult(n, t.wait(in, n, errno, false))
}

// spliceOut moves bytes out of a pipe.
func (t *Task) spliceOut(from *pipeEnd, out File, off *int64, count int, nowait bool) (uintptr, abi.Errno) {
	switch {
	case out.Flags()&abi.O_APPEND != 0:
		return 0, abi.EINVAL
	case from.p.length == 0 && from.p.writeEnds == 0:
		return 0, abi.OK
	case from.p.length == 0 && nowait:
		return 0, abi.EAGAIN
	case from.p.length == 0:
		return rwResult(0, t.wait(from, 0, abi.EAGAIN, false))
	}
	buf := make([]byte, min(count, copyChunk, from.p.length))
	from.p.peek(buf)
	n, errno := 0, abi.EINVAL
	switch dst := out.(type) {
	case *diskFile:
		if off == nil {
			n, errno = dst.Write(t, buf)
		} else if *off >= 0 {
			n, errno = dst.Pwrite(t, buf, *off)
			*off += int64(n)
		}
	default:
		n, errno = out.Write(t, buf)
	}
	if n > 0 {
		m, readErrno := from.Read(t, buf[:n])
		assert(m == n && readErrno == abi.OK, "a pipe gave less than it has")
	}
	return rwResult(n, t.wait(out, n, errno, true))
}
