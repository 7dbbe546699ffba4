package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
)

// describe writes the text of a step about a system call to b, which is empty,
// and returns it, and fills in what the step stores in fields of its own. e.sig
// has a letter for each argument:
//
//	f  the descriptor that the step is about
//	d  a directory descriptor; left out when it is AT_FDCWD
//	p  a path or other text, quoted
//	o  flags of open(2)
//	m  a mode, octal
//	c  a mode that counts only when the call creates a file
//	n  a number    x  flags, hexadecimal, left out when 0
//	z  a size in bytes
//	v  a vector of buffers: two arguments, shown as their total size
//	w  whence of lseek(2)    l  operation of flock(2)
//	k  a descriptor, t a command of fcntl(2)
//	a  a socket address: two arguments, pointer and length
//	A  an address family    T  a socket type    h  the way of shutdown(2)
//	-  not shown
func describe(b []byte, ev *Event, e *Entry, a *Args) []byte {
	b = append(b, e.Name...)
	arg := 0
	for i := range len(e.sig) {
		b = describeArg(b, ev, e.sig[i], a, arg)
		arg++
		if e.sig[i] == 'v' || e.sig[i] == 'a' {
			arg++
		}
	}
	if ev.Errno == abi.OK && ev.Bytes >= 0 && hasSize(e.sig) {
		ev.Bytes = int(ev.Result)
	}
	ev.Text = b
	return b
}

// hasSize reports whether the result of a call is a number of bytes.
func hasSize(sig string) bool {
	for i := range len(sig) {
		if sig[i] == 'z' || sig[i] == 'v' {
			return true
		}
	}
	return false
}

func describeArg(b []byte, ev *Event, kind byte, a *Args, i int) []byte {
	v := a[i]
	switch kind {
	case 'f', 'k':
		ev.FD = int32(v)
		return b
	case 'd':
		if fdOf(v) == abi.AT_FDCWD {
			return b
		}
		if ev.FD < 0 {
			ev.FD = int32(v)
		}
		return strconv.AppendInt(append(b, " at "...), int64(int32(v)), 10)
	case 'p':
		s, errno := cstring(v)
		if errno != abi.OK {
			return append(b, " ?"...)
		}
		return appendQuoted(append(b, ' '), s)
	case 'o':
		return appendOpenFlags(append(b, ' '), uint32(v))
	case 'c':
		if uint32(a[i-1])&abi.O_CREAT == 0 {
			return b
		}
		return appendOctal(b, v)
	case 'm':
		return appendOctal(b, v)
	case 'n', 'z':
		return strconv.AppendInt(append(b, ' '), int64(v), 10)
	case 'x':
		if v == 0 {
			return b
		}
		return strconv.AppendUint(append(b, " 0x"...), uint64(v), 16)
	case 'v':
		_, total, _ := iovecs(v, a[i+1])
		return strconv.AppendInt(append(b, ' '), int64(total), 10)
	case 'w':
		return appendName(b, whences[:], v)
	case 'l':
		return appendFlock(append(b, ' '), v)
	case 't':
		return appendFcntl(b, v)
	case 'a', 'A', 'T', 'h':
		return describeSocket(b, ev, kind, a, i)
	}
	return b
}

func appendOctal(b []byte, v uintptr) []byte {
	return strconv.AppendUint(append(b, " 0"...), uint64(uint32(v)), 8)
}

// appendQuoted quotes s as Go would and cuts it after 200 bytes.
func appendQuoted(b []byte, s string) []byte {
	const limit = 200
	if len(s) > limit {
		return append(strconv.AppendQuote(b, s[:limit]), "..."...)
	}
	return strconv.AppendQuote(b, s)
}

var whences = [...]string{"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"}

func appendName(b []byte, names []string, v uintptr) []byte {
	b = append(b, ' ')
	if v < uintptr(len(names)) {
		return append(b, names[v]...)
	}
	return strconv.AppendInt(b, int64(v), 10)
}

// flagName is the name of one bit, or of several that belong together.
type flagName struct {
	bits uint32
	name string
}

// openFlagNames has combinations before the bits that they contain.
var openFlagNames = [...]flagName{
	{abi.O_CREAT, "O_CREAT"}, {abi.O_EXCL, "O_EXCL"}, {abi.O_TRUNC, "O_TRUNC"},
	{abi.O_APPEND, "O_APPEND"}, {abi.O_NONBLOCK, "O_NONBLOCK"}, {abi.O_SYNC, "O_SYNC"},
	{abi.O_DSYNC, "O_DSYNC"}, {abi.O_DIRECT, "O_DIRECT"}, {abi.O_DIRECTORY, "O_DIRECTORY"},
	{abi.O_NOFOLLOW, "O_NOFOLLOW"}, {abi.O_NOATIME, "O_NOATIME"}, {abi.O_PATH, "O_PATH"},
	{abi.O_TMPFILE_BIT, "O_TMPFILE"}, {abi.O_NOCTTY, "O_NOCTTY"},
}

// appendOpenFlags leaves out O_CLOEXEC and O_LARGEFILE, which nearly every
// call has.
func appendOpenFlags(b []byte, flags uint32) []byte {
	access := [...]string{"O_RDONLY", "O_WRONLY", "O_RDWR", "3"}
	b = append(b, access[flags&abi.O_ACCMODE]...)
	flags &^= abi.O_ACCMODE | abi.O_CLOEXEC | abi.O_LARGEFILE
	for _, f := range openFlagNames {
		if flags&f.bits == f.bits {
			b = append(append(b, '|'), f.name...)
			flags &^= f.bits
		}
	}
	if flags != 0 {
		b = strconv.AppendUint(append(b, "|0x"...), uint64(flags), 16)
	}
	return b
}

func appendFlock(b []byte, op uintptr) []byte {
	switch op &^ abi.LOCK_NB {
	case abi.LOCK_SH:
		b = append(b, "LOCK_SH"...)
	case abi.LOCK_EX:
		b = append(b, "LOCK_EX"...)
	case abi.LOCK_UN:
		b = append(b, "LOCK_UN"...)
	default:
		return strconv.AppendInt(b, int64(op), 10)
	}
	if op&abi.LOCK_NB != 0 {
		b = append(b, "|LOCK_NB"...)
	}
	return b
}

var fcntlNames = [...]struct {
	cmd  uintptr
	name string
}{
	{abi.F_DUPFD, "F_DUPFD"}, {abi.F_GETFD, "F_GETFD"}, {abi.F_SETFD, "F_SETFD"},
	{abi.F_GETFL, "F_GETFL"}, {abi.F_SETFL, "F_SETFL"}, {abi.F_GETLK, "F_GETLK"},
	{abi.F_SETLK, "F_SETLK"}, {abi.F_SETLKW, "F_SETLKW"}, {abi.F_OFD_GETLK, "F_OFD_GETLK"},
	{abi.F_OFD_SETLK, "F_OFD_SETLK"}, {abi.F_OFD_SETLKW, "F_OFD_SETLKW"},
	{abi.F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"}, {abi.F_GETPIPE_SZ, "F_GETPIPE_SZ"},
}

func appendFcntl(b []byte, cmd uintptr) []byte {
	b = append(b, ' ')
	for i := range fcntlNames {
		if fcntlNames[i].cmd == cmd {
			return append(b, fcntlNames[i].name...)
		}
	}
	return strconv.AppendInt(b, int64(cmd), 10)
}
