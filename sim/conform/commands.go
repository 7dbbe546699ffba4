package conform

import (
	"fmt"
	"sort"
	"strings"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

type command func(e *Env, a args) string

// commands are the calls that a script may make, by name. The first word of
// those that open something is the name of the new descriptor.
var commands = map[string]command{
	"open": func(e *Env, a args) string { // open f PATH FLAGS [MODE]
		r, errno := e.call(abi.SYS_OPEN, e.path(a, 1), a.num(2), a.numOr(3, 0o644))
		return e.opened(a.str(0), r, errno)
	},
	"openat": func(e *Env, a args) string { // openat f DIR PATH FLAGS [MODE]
		r, errno := e.call(abi.SYS_OPENAT, e.fd(a, 1), e.path(a, 2), a.num(3), a.numOr(4, 0o644))
		return e.opened(a.str(0), r, errno)
	},
	"creat": func(e *Env, a args) string {
		r, errno := e.call(abi.SYS_CREAT, e.path(a, 1), a.numOr(2, 0o644))
		return e.opened(a.str(0), r, errno)
	},
	"close": func(e *Env, a args) string {
		fd := e.fd(a, 0)
		s := done(e.call(abi.SYS_CLOSE, fd))
		delete(e.fds, a.str(0))
		delete(e.open, int(fd))
		return s
	},
	"read":     func(e *Env, a args) string { return e.read(abi.SYS_READ, a) },
	"pread64":  func(e *Env, a args) string { return e.read(abi.SYS_PREAD64, a) },
	"write":    func(e *Env, a args) string { return e.write(abi.SYS_WRITE, a) },
	"pwrite64": func(e *Env, a args) string { return e.write(abi.SYS_PWRITE64, a) },
	"readv":    readv,
	"writev":   writev,
	"lseek":    func(e *Env, a args) string { return done(e.call(abi.SYS_LSEEK, e.fd(a, 0), a.num(1), a.num(2))) },
	"fstat":    func(e *Env, a args) string { return e.stat(abi.SYS_FSTAT, 1, e.fd(a, 0)) },
	"stat":     func(e *Env, a args) string { return e.stat(abi.SYS_STAT, 1, e.path(a, 0)) },
	"lstat":    func(e *Env, a args) string { return e.stat(abi.SYS_LSTAT, 1, e.path(a, 0)) },
	"newfstatat": func(e *Env, a args) string {
		return e.stat(abi.SYS_NEWFSTATAT, 2, e.fd(a, 0), e.path(a, 1), 0, a.num(2))
	},
	"statx":      statx,
	"times":      times,
	"utimensat":  utimensat,
	"getdents64": getdents,
	"getcwd":     getcwd,
	"chdir":      paths1(abi.SYS_CHDIR),
	"fchdir":     func(e *Env, a args) string { return done(e.call(abi.SYS_FCHDIR, e.fd(a, 0))) },
	"mkdir":      func(e *Env, a args) string { return done(e.call(abi.SYS_MKDIR, e.path(a, 0), a.numOr(1, 0o755))) },
	"mkdirat":    func(e *Env, a args) string { return done(e.call(abi.SYS_MKDIRAT, e.fd(a, 0), e.path(a, 1), 0o755)) },
	"mknod":      func(e *Env, a args) string { return done(e.call(abi.SYS_MKNOD, e.path(a, 0), a.num(1), a.num(2))) },
	"rmdir":      paths1(abi.SYS_RMDIR),
	"unlink":     paths1(abi.SYS_UNLINK),
	"unlinkat":   func(e *Env, a args) string { return done(e.call(abi.SYS_UNLINKAT, e.fd(a, 0), e.path(a, 1), a.num(2))) },
	"rename":     paths2(abi.SYS_RENAME),
	"renameat2":  renameat2,
	"link":       paths2(abi.SYS_LINK),
	"linkat":     linkat,
	"symlink":    paths2(abi.SYS_SYMLINK),
	"readlink":   readlink,
	"readlinkat": readlinkat,
	"chmod":      func(e *Env, a args) string { return done(e.call(abi.SYS_CHMOD, e.path(a, 0), a.num(1))) },
	"fchmod":     func(e *Env, a args) string { return done(e.call(abi.SYS_FCHMOD, e.fd(a, 0), a.num(1))) },
	"fchmodat2":  fchmodat2,
	"chown":      func(e *Env, a args) string { return done(e.call(abi.SYS_CHOWN, e.path(a, 0), a.num(1), a.num(2))) },
	"owner":      owner,
	"umask":      func(e *Env, a args) string { r, _ := e.call(abi.SYS_UMASK, a.num(0)); return fmt.Sprintf("%#o", r) },
	"truncate":   func(e *Env, a args) string { return done(e.call(abi.SYS_TRUNCATE, e.path(a, 0), a.num(1))) },
	"ftruncate":  func(e *Env, a args) string { return done(e.call(abi.SYS_FTRUNCATE, e.fd(a, 0), a.num(1))) },
	"fallocate": func(e *Env, a args) string {
		return done(e.call(abi.SYS_FALLOCATE, e.fd(a, 0), a.num(1), a.num(2), a.num(3)))
	},
	"fsync":     func(e *Env, a args) string { return done(e.call(abi.SYS_FSYNC, e.fd(a, 0))) },
	"fdatasync": func(e *Env, a args) string { return done(e.call(abi.SYS_FDATASYNC, e.fd(a, 0))) },
	"syncfs":    func(e *Env, a args) string { return done(e.call(abi.SYS_SYNCFS, e.fd(a, 0))) },
	"sync_range": func(e *Env, a args) string {
		return done(e.call(abi.SYS_SYNC_FILE_RANGE, e.fd(a, 0), a.num(1), a.num(2), a.num(3)))
	},
	"access": func(e *Env, a args) string { return done(e.call(abi.SYS_ACCESS, e.path(a, 0), a.num(1))) },
	"faccessat2": func(e *Env, a args) string {
		return done(e.call(abi.SYS_FACCESSAT2, e.fd(a, 0), e.path(a, 1), a.num(2), a.num(3)))
	},
	"fcntl": fcntl,
	"lock":  lock,
	"flock": func(e *Env, a args) string { return done(e.call(abi.SYS_FLOCK, e.fd(a, 0), a.num(1))) },
	"dup": func(e *Env, a args) string {
		r, errno := e.call(abi.SYS_DUP, e.fd(a, 1))
		return e.opened(a.str(0), r, errno)
	},
	"dup2":        dup2,
	"dup3":        dup3,
	"pipe2":       pipe2,
	"ioctl":       ioctl,
	"inotify":     inotify,
	"watch":       watch,
	"unwatch":     func(e *Env, a args) string { return done(e.call(abi.SYS_INOTIFY_RM_WATCH, e.fd(a, 0), a.num(1))) },
	"notices":     notices,
	"sendfile":    sendfile,
	"splice":      splice,
	"copy_range":  copyRange,
	"fd_is":       func(e *Env, a args) string { return fmt.Sprint(e.fd(a, 0) == e.fd(a, 1)) },
	"lowest_free": func(e *Env, a args) string { return fmt.Sprint(e.fds[a.str(0)] < e.fds[a.str(1)]) },
}

func paths1(nr uintptr) command {
	return func(e *Env, a args) string { return done(e.call(nr, e.path(a, 0))) }
}

func paths2(nr uintptr) command {
	return func(e *Env, a args) string { return done(e.call(nr, e.path(a, 0), e.path(a, 1))) }
}

// read FD COUNT [OFFSET]
func (e *Env) read(nr uintptr, a args) string {
	b := make([]byte, max(int(a.num(1)), 1))
	n, errno := e.call(nr, e.fd(a, 0), e.bytes(b), a.num(1), a.numOr(2, 0))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return show(b[:n])
}

// write FD TEXT [OFFSET]
func (e *Env) write(nr uintptr, a args) string {
	b := []byte(a.str(1))
	return done(e.call(nr, e.fd(a, 0), e.bytes(b), uintptr(len(b)), a.numOr(2, 0)))
}

// readv FD COUNT...
func readv(e *Env, a args) string {
	var iov []abi.Iovec
	var bufs [][]byte
	for i := 1; i < len(a.words); i++ {
		b := make([]byte, a.num(i))
		bufs = append(bufs, b)
		iov = append(iov, abi.Iovec{Base: e.bytes(b), Len: uintptr(len(b))})
	}
	n, errno := e.call(abi.SYS_READV, e.fd(a, 0), e.ptr(unsafe.Pointer(&iov[0])), uintptr(len(iov)))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprintf("%d %q", n, bufs)
}

// writev FD TEXT...
func writev(e *Env, a args) string {
	iov := make([]abi.Iovec, 1, 8)[:0]
	for _, s := range a.words[1:] {
		b := []byte(s)
		iov = append(iov, abi.Iovec{Base: e.bytes(b), Len: uintptr(len(b))})
	}
	return done(e.call(abi.SYS_WRITEV, e.fd(a, 0), e.ptr(unsafe.Pointer(unsafe.SliceData(iov))), uintptr(len(iov))))
}

// stat makes a call of the stat family; buffer number at of its arguments is
// filled in here.
func (e *Env) stat(nr uintptr, at int, a ...uintptr) string {
	st := new(abi.Stat)
	for len(a) <= at {
		a = append(a, 0)
	}
	a[at] = e.ptr(unsafe.Pointer(st))
	if _, errno := e.call(nr, a...); errno != abi.OK {
		return errnoName(errno)
	}
	return describeStat(st.Mode, st.Size, uint64(st.Nlink))
}

var typeNames = map[uint32]string{
	abi.S_IFREG: "file", abi.S_IFDIR: "dir", abi.S_IFLNK: "link", abi.S_IFIFO: "fifo", abi.S_IFCHR: "char", abi.S_IFSOCK: "socket",
}

// describeStat leaves out what differs between file systems.
func describeStat(mode uint32, size int64, nlink uint64) string {
	typ := mode & abi.S_IFMT
	s := fmt.Sprintf("%s %#o", typeNames[typ], mode&^abi.S_IFMT)
	if typ == abi.S_IFREG || typ == abi.S_IFLNK {
		s += fmt.Sprintf(" size %d", size)
	}
	if typ == abi.S_IFREG {
		s += fmt.Sprintf(" nlink %d", nlink)
	}
	return s
}

func statx(e *Env, a args) string { // statx DIR PATH FLAGS
	sx := new(abi.Statx)
	_, errno := e.call(abi.SYS_STATX, e.fd(a, 0), e.path(a, 1), a.num(2), abi.STATX_BASIC, e.ptr(unsafe.Pointer(sx)))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return describeStat(uint32(sx.Mode), int64(sx.Size), uint64(sx.Nlink)) + fmt.Sprintf(" blksize %d", sx.Blksize)
}

// times PATH tells times that were set, to the nanosecond.
func times(e *Env, a args) string {
	st := new(abi.Stat)
	if _, errno := e.call(abi.SYS_LSTAT, e.path(a, 0), e.ptr(unsafe.Pointer(st))); errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprintf("atime %d.%09d mtime %d.%09d", st.Atim.Sec, st.Atim.Nsec, st.Mtim.Sec, st.Mtim.Nsec)
}

// utimensat DIR PATH ASEC ANSEC MSEC MNSEC FLAGS; PATH "-" is the null pointer.
func utimensat(e *Env, a args) string {
	ts := &[2]abi.Timespec{{Sec: int64(a.num(2)), Nsec: int64(a.num(3))}, {Sec: int64(a.num(4)), Nsec: int64(a.num(5))}}
	path := uintptr(0)
	if a.str(1) != "-" {
		path = e.path(a, 1)
	}
	return done(e.call(abi.SYS_UTIMENSAT, e.fd(a, 0), path, e.ptr(unsafe.Pointer(ts)), a.num(6)))
}

func owner(e *Env, a args) string { // owner PATH
	st := new(abi.Stat)
	if _, errno := e.call(abi.SYS_LSTAT, e.path(a, 0), e.ptr(unsafe.Pointer(st))); errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprintf("uid %d gid %d", st.UID, st.GID)
}

// getdents64 FD [SIZE] reads a directory to its end, sorted by name.
func getdents(e *Env, a args) string {
	b := make([]byte, a.numOr(1, 4096))
	var names []string
	for {
		n, errno := e.call(abi.SYS_GETDENTS64, e.fd(a, 0), e.bytes(b), uintptr(len(b)))
		if errno != abi.OK {
			return errnoName(errno)
		}
		if n == 0 {
			break
		}
		for off := 0; off < int(n); {
			length := int(b[off+16]) | int(b[off+17])<<8
			name, _, _ := strings.Cut(string(b[off+19:off+length]), "\x00")
			names = append(names, fmt.Sprintf("%s:%s", name, typeNames[uint32(b[off+18])<<12]))
			off += length
		}
	}
	sort.Strings(names)
	return strings.Join(append(names, "end"), " ")
}

func getcwd(e *Env, a args) string { // getcwd [SIZE]
	b := make([]byte, a.numOr(0, 4096))
	n, errno := e.call(abi.SYS_GETCWD, e.bytes(b), uintptr(len(b)))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return strings.Replace(fmt.Sprintf("%q", b[:n]), e.root, "$ROOT", 1)
}

func renameat2(e *Env, a args) string { // renameat2 OLD NEW FLAGS
	return done(e.call(abi.SYS_RENAMEAT2, ^uintptr(99), e.path(a, 0), ^uintptr(99), e.path(a, 1), a.num(2)))
}

func linkat(e *Env, a args) string { // linkat DIR OLD DIR NEW FLAGS
	return done(e.call(abi.SYS_LINKAT, e.fd(a, 0), e.path(a, 1), e.fd(a, 2), e.path(a, 3), a.num(4)))
}

func readlink(e *Env, a args) string { // readlink PATH [SIZE]
	b := make([]byte, 256)
	n, errno := e.call(abi.SYS_READLINK, e.path(a, 0), e.bytes(b), a.numOr(1, 256))
	if errno != abi.OK {
		return errnoName(errno)
	}
	return show(b[:n])
}

func readlinkat(e *Env, a args) string { // readlinkat DIR PATH
	b := make([]byte, 256)
	n, errno := e.call(abi.SYS_READLINKAT, e.fd(a, 0), e.path(a, 1), e.bytes(b), 256)
	if errno != abi.OK {
		return errnoName(errno)
	}
	return show(b[:n])
}

func fchmodat2(e *Env, a args) string { // fchmodat2 DIR PATH MODE FLAGS
	return done(e.call(abi.SYS_FCHMODAT2, e.fd(a, 0), e.path(a, 1), a.num(2), a.num(3)))
}

// fcntl FD CMD [ARG]; flags are shown in octal, a new descriptor gets the
// name in the fourth word.
func fcntl(e *Env, a args) string {
	r, errno := e.call(abi.SYS_FCNTL, e.fd(a, 0), a.num(1), a.numOr(2, 0))
	switch {
	case errno != abi.OK:
		return errnoName(errno)
	case len(a.words) > 3:
		e.name(a.str(3), int(r))
		return fmt.Sprint("at least ", a.str(2), ": ", r >= a.num(2))
	case a.num(1) == abi.F_GETFL:
		return fmt.Sprintf("%#o", r)
	}
	return done(r, errno)
}

// lock FD CMD TYPE WHENCE START LEN
func lock(e *Env, a args) string {
	fl := &abi.Flock{Type: int16(a.num(2)), Whence: int16(a.num(3)), Start: int64(a.num(4)), Len: int64(a.num(5))}
	_, errno := e.call(abi.SYS_FCNTL, e.fd(a, 0), a.num(1), e.ptr(unsafe.Pointer(fl)))
	if cmd := a.num(1); errno != abi.OK || cmd != abi.F_GETLK && cmd != abi.F_OFD_GETLK {
		return done(0, errno)
	}
	if fl.Type == abi.F_UNLCK {
		return "free"
	}
	return fmt.Sprintf("type %d start %d len %d pid %v", fl.Type, fl.Start, fl.Len, fl.Pid)
}

func dup2(e *Env, a args) string { // dup2 NEW OLD: NEW names the descriptor to replace, or is a number
	r, errno := e.call(abi.SYS_DUP2, e.fd(a, 1), e.fd(a, 0))
	return e.opened(a.str(0), r, errno)
}

func dup3(e *Env, a args) string { // dup3 NEW OLD FLAGS
	r, errno := e.call(abi.SYS_DUP3, e.fd(a, 1), e.fd(a, 0), a.num(2))
	return e.opened(a.str(0), r, errno)
}

func pipe2(e *Env, a args) string { // pipe2 READER WRITER FLAGS
	fds := new([2]int32)
	if _, errno := e.call(abi.SYS_PIPE2, e.ptr(unsafe.Pointer(fds)), a.num(2)); errno != abi.OK {
		return errnoName(errno)
	}
	e.name(a.str(0), int(fds[0]))
	e.name(a.str(1), int(fds[1]))
	return "ok"
}

func ioctl(e *Env, a args) string { // ioctl FD REQUEST [VALUE]: tells the int behind the argument
	v := new(int32)
	*v = int32(a.numOr(2, 0))
	if _, errno := e.call(abi.SYS_IOCTL, e.fd(a, 0), a.num(1), e.ptr(unsafe.Pointer(v))); errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprint("value ", *v)
}

func sendfile(e *Env, a args) string { // sendfile OUT IN OFFSET|- COUNT
	if a.str(2) == "-" {
		return done(e.call(abi.SYS_SENDFILE, e.fd(a, 0), e.fd(a, 1), 0, a.num(3)))
	}
	off := new(int64)
	*off = int64(a.num(2))
	r, errno := e.call(abi.SYS_SENDFILE, e.fd(a, 0), e.fd(a, 1), e.ptr(unsafe.Pointer(off)), a.num(3))
	return fmt.Sprint(done(r, errno), ", offset ", *off)
}

func splice(e *Env, a args) string { // splice IN INOFF OUT OUTOFF COUNT FLAGS; "-" for no offset
	var off [2]*int64
	for i, word := range []int{1, 3} {
		if a.str(word) != "-" {
			off[i] = new(int64)
			*off[i] = int64(a.num(word))
		}
	}
	r, errno := e.call(abi.SYS_SPLICE, e.fd(a, 0), e.offset(off[0]), e.fd(a, 2), e.offset(off[1]), a.num(4), a.num(5))
	text := done(r, errno)
	for _, v := range off {
		if v != nil {
			text += fmt.Sprint(", offset ", *v)
		}
	}
	return text
}

// offset is the argument for an offset, 0 for none.
func (e *Env) offset(v *int64) uintptr {
	if v == nil {
		return 0
	}
	return e.ptr(unsafe.Pointer(v))
}

func copyRange(e *Env, a args) string { // copy_range IN INOFF OUT OUTOFF COUNT; "-" for the file's own offset
	var off [2]uintptr
	for i, word := range []int{1, 3} {
		if a.str(word) != "-" {
			v := new(int64)
			*v = int64(a.num(word))
			off[i] = e.ptr(unsafe.Pointer(v))
		}
	}
	return done(e.call(abi.SYS_COPY_FILE_RANGE, e.fd(a, 0), off[0], e.fd(a, 2), off[1], a.num(4), 0))
}
