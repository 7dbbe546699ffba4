package conform

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// Sys is a kernel: it carries out system call nr and answers with its result
// and error number. Pointers in a are addresses of pinned memory.
type Sys interface {
	Syscall(nr uintptr, a [6]uintptr) (uintptr, abi.Errno)
}

// Env is a case under way: the kernel, the directory in which the case
// started, and the named descriptors.
type Env struct {
	sys  Sys
	root string
	fds  map[string]int
	open map[int]bool
	pin  runtime.Pinner
}

// NewEnv prepares to run one case in directory root, which is the working
// directory of the kernel's process.
func NewEnv(sys Sys, root string) *Env {
	return &Env{sys: sys, root: root, fds: map[string]int{}, open: map[int]bool{}}
}

// Close closes the descriptors that the case left open.
func (e *Env) Close() {
	for fd := range e.open {
		e.call(abi.SYS_CLOSE, uintptr(fd))
	}
}

// Run makes the call of one line and returns its answer. An error means that
// the line itself is wrong.
func (e *Env) Run(words []string) (answer string, err error) {
	defer e.pin.Unpin()
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(badLine)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("%s: %s", words[0], string(bad))
		}
	}()
	run, ok := commands[words[0]]
	if !ok {
		return "", fmt.Errorf("there is no call %q", words[0])
	}
	return run(e, args{words[1:]}), nil
}

// badLine is the panic of the helpers below when a line makes no sense.
type badLine string

// args are the words behind the name of the call.
type args struct{ words []string }

func (a args) str(i int) string {
	if i >= len(a.words) {
		panic(badLine(fmt.Sprintf("argument %d is missing", i+1)))
	}
	return a.words[i]
}

// num reads a number, or names of constants joined by "|".
func (a args) num(i int) uintptr {
	var v uintptr
	for _, name := range strings.Split(a.str(i), "|") {
		if c, ok := constants[name]; ok {
			v |= uintptr(c)
			continue
		}
		n, err := strconv.ParseInt(name, 0, 64)
		if err != nil {
			panic(badLine(fmt.Sprintf("%q is neither a number nor a known constant", name)))
		}
		v |= uintptr(n)
	}
	return v
}

func (a args) numOr(i int, v uintptr) uintptr {
	if i < len(a.words) {
		return a.num(i)
	}
	return v
}

// fd is a named descriptor, cwd for AT_FDCWD, or a number.
func (e *Env) fd(a args, i int) uintptr {
	name := a.str(i)
	if fd, ok := e.fds[name]; ok {
		return uintptr(fd)
	}
	if name == "cwd" {
		return ^uintptr(99)
	}
	n, err := strconv.Atoi(name)
	if err != nil {
		panic(badLine(fmt.Sprintf("%q is no open descriptor", name)))
	}
	return uintptr(n)
}

// path pins the text of argument i with a NUL behind it; $ROOT stands for the
// directory of the case.
func (e *Env) path(a args, i int) uintptr { return e.text(a.str(i)) }

func (e *Env) text(s string) uintptr {
	return e.bytes(append([]byte(strings.ReplaceAll(s, "$ROOT", e.root)), 0))
}

func (e *Env) bytes(b []byte) uintptr {
	if len(b) == 0 {
		return 0
	}
	return e.ptr(unsafe.Pointer(&b[0]))
}

func (e *Env) ptr(p unsafe.Pointer) uintptr {
	e.pin.Pin((*byte)(p))
	return uintptr(p)
}

func (e *Env) call(nr uintptr, a ...uintptr) (uintptr, abi.Errno) {
	var six [6]uintptr
	copy(six[:], a)
	return e.sys.Syscall(nr, six)
}

// done is the answer of a call that returns a number, or nothing.
func done(r uintptr, errno abi.Errno) string {
	switch {
	case errno != abi.OK:
		return errnoName(errno)
	case r == 0:
		return "ok"
	}
	return strconv.FormatUint(uint64(r), 10)
}

// opened names the descriptor that a call returned.
func (e *Env) opened(name string, r uintptr, errno abi.Errno) string {
	if errno != abi.OK {
		return errnoName(errno)
	}
	e.name(name, int(r))
	return "ok"
}

func (e *Env) name(name string, fd int) {
	e.fds[name] = fd
	e.open[fd] = true
}

// show quotes bytes and shortens long runs of one byte.
func show(b []byte) string {
	if len(b) > 16 && strings.Count(string(b), string(b[:1])) == len(b) {
		return fmt.Sprintf("%d %q*%d", len(b), b[:1], len(b))
	}
	return fmt.Sprintf("%d %q", len(b), b)
}

func errnoName(e abi.Errno) string {
	if s, ok := errnoNames[e]; ok {
		return s
	}
	return fmt.Sprintf("errno %d", e)
}

var errnoNames = map[abi.Errno]string{
	abi.EPERM: "EPERM", abi.ENOENT: "ENOENT", abi.EINTR: "EINTR", abi.EIO: "EIO", abi.ENXIO: "ENXIO",
	abi.EBADF: "EBADF", abi.EAGAIN: "EAGAIN", abi.ENOMEM: "ENOMEM", abi.EACCES: "EACCES",
	abi.EFAULT: "EFAULT", abi.EBUSY: "EBUSY", abi.EEXIST: "EEXIST", abi.EXDEV: "EXDEV",
	abi.ENODEV: "ENODEV", abi.ENOTDIR: "ENOTDIR", abi.EISDIR: "EISDIR", abi.EINVAL: "EINVAL",
	abi.EMFILE: "EMFILE", abi.ENOTTY: "ENOTTY", abi.ETXTBSY: "ETXTBSY", abi.EFBIG: "EFBIG",
	abi.ENOSPC: "ENOSPC", abi.ESPIPE: "ESPIPE", abi.EROFS: "EROFS", abi.EMLINK: "EMLINK",
	abi.EPIPE: "EPIPE", abi.ERANGE: "ERANGE", abi.ENAMETOOLONG: "ENAMETOOLONG", abi.ENOSYS: "ENOSYS",
	abi.ENOTEMPTY: "ENOTEMPTY", abi.ELOOP: "ELOOP", abi.ENODATA: "ENODATA", abi.EOVERFLOW: "EOVERFLOW",
	abi.EOPNOTSUPP: "EOPNOTSUPP",
}

var constants = map[string]int64{
	"O_RDONLY": abi.O_RDONLY, "O_WRONLY": abi.O_WRONLY, "O_RDWR": abi.O_RDWR, "O_CREAT": abi.O_CREAT,
	"O_EXCL": abi.O_EXCL, "O_TRUNC": abi.O_TRUNC, "O_APPEND": abi.O_APPEND, "O_NONBLOCK": abi.O_NONBLOCK,
	"O_DSYNC": abi.O_DSYNC, "O_SYNC": abi.O_SYNC, "O_CLOEXEC": abi.O_CLOEXEC, "O_DIRECTORY": abi.O_DIRECTORY,
	"O_NOFOLLOW": abi.O_NOFOLLOW, "O_PATH": abi.O_PATH, "O_NOATIME": abi.O_NOATIME,
	"AT_SYMLINK_NOFOLLOW": abi.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_FOLLOW": abi.AT_SYMLINK_FOLLOW,
	"AT_REMOVEDIR": abi.AT_REMOVEDIR, "AT_EMPTY_PATH": abi.AT_EMPTY_PATH, "AT_EACCESS": abi.AT_EACCESS,
	"F_OK": abi.F_OK, "R_OK": abi.R_OK, "W_OK": abi.W_OK, "X_OK": abi.X_OK,
	"SEEK_SET": abi.SEEK_SET, "SEEK_CUR": abi.SEEK_CUR, "SEEK_END": abi.SEEK_END,
	"SEEK_DATA": abi.SEEK_DATA, "SEEK_HOLE": abi.SEEK_HOLE,
	"RENAME_NOREPLACE": abi.RENAME_NOREPLACE, "RENAME_EXCHANGE": abi.RENAME_EXCHANGE,
	"F_DUPFD": abi.F_DUPFD, "F_DUPFD_CLOEXEC": abi.F_DUPFD_CLOEXEC, "F_GETFD": abi.F_GETFD,
	"F_SETFD": abi.F_SETFD, "F_GETFL": abi.F_GETFL, "F_SETFL": abi.F_SETFL, "FD_CLOEXEC": abi.FD_CLOEXEC,
	"F_GETPIPE_SZ": abi.F_GETPIPE_SZ, "F_SETPIPE_SZ": abi.F_SETPIPE_SZ,
	"F_SETLK": abi.F_SETLK, "F_GETLK": abi.F_GETLK, "F_OFD_SETLK": abi.F_OFD_SETLK, "F_OFD_GETLK": abi.F_OFD_GETLK,
	"F_RDLCK": abi.F_RDLCK, "F_WRLCK": abi.F_WRLCK, "F_UNLCK": abi.F_UNLCK,
	"LOCK_SH": abi.LOCK_SH, "LOCK_EX": abi.LOCK_EX, "LOCK_NB": abi.LOCK_NB, "LOCK_UN": abi.LOCK_UN,
	"KEEP_SIZE": abi.FALLOC_FL_KEEP_SIZE, "PUNCH_HOLE": abi.FALLOC_FL_PUNCH_HOLE, "ZERO_RANGE": abi.FALLOC_FL_ZERO_RANGE,
	"IN_ALL": abi.IN_ALL_EVENTS, "IN_ONLYDIR": abi.IN_ONLYDIR, "IN_DONT_FOLLOW": abi.IN_DONT_FOLLOW,
	"IN_EXCL_UNLINK": abi.IN_EXCL_UNLINK, "IN_MASK_CREATE": abi.IN_MASK_CREATE, "IN_MASK_ADD": abi.IN_MASK_ADD,
	"IN_ONESHOT": abi.IN_ONESHOT, "IN_MODIFY": abi.IN_MODIFY, "IN_OPEN": abi.IN_OPEN, "IN_CREATE": abi.IN_CREATE,
	"UTIME_NOW": abi.UTIME_NOW, "UTIME_OMIT": abi.UTIME_OMIT, "FIONREAD": abi.FIONREAD,
	"FIONBIO": abi.FIONBIO, "TCGETS": abi.TCGETS, "FIOCLEX": 0x5451,
}
