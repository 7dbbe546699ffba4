package conform

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// The calls on sockets of AF_UNIX. Sockets never block: a call that would wait
// answers EAGAIN. An address is a path, "@NAME" for an abstract one, which is
// made unique to the case, or "-" for the family alone.

func init() {
	maps.Copy(commands, map[string]command{
		"socket": func(e *Env, a args) string { // socket s FAMILY TYPE [PROTOCOL]
			r, errno := e.call(abi.SYS_SOCKET, a.num(1), a.num(2)|abi.SOCK_NONBLOCK, a.numOr(3, 0))
			return e.opened(a.str(0), r, errno)
		},
		"socketpair": socketpair,
		"bind":       func(e *Env, a args) string { return e.named(abi.SYS_BIND, a) },
		"connect":    func(e *Env, a args) string { return e.named(abi.SYS_CONNECT, a) },
		"listen":     func(e *Env, a args) string { return done(e.call(abi.SYS_LISTEN, e.fd(a, 0), a.num(1))) },
		"accept": func(e *Env, a args) string { // accept c LISTENER
			r, errno := e.call(abi.SYS_ACCEPT4, e.fd(a, 1), 0, 0, abi.SOCK_NONBLOCK)
			return e.opened(a.str(0), r, errno)
		},
		"getsockname": func(e *Env, a args) string { return e.askName(abi.SYS_GETSOCKNAME, a) },
		"getpeername": func(e *Env, a args) string { return e.askName(abi.SYS_GETPEERNAME, a) },
		"shutdown":    func(e *Env, a args) string { return done(e.call(abi.SYS_SHUTDOWN, e.fd(a, 0), a.num(1))) },
		"sendto":      sendto,
		"sendmsg":     sendmsg,
		"recvmsg":     recvmsg,
		"setsockopt":  setsockopt,
		"getsockopt":  getsockopt,
		"peercred":    peercred,
	})
	maps.Copy(constants, map[string]int64{
		"AF_UNIX": abi.AF_UNIX, "AF_INET": abi.AF_INET, "SOCK_STREAM": abi.SOCK_STREAM, "SOCK_DGRAM": abi.SOCK_DGRAM,
		"SOCK_SEQPACKET": abi.SOCK_SEQPACKET, "SOCK_RAW": abi.SOCK_RAW, "SHUT_RD": abi.SHUT_RD, "SHUT_WR": abi.SHUT_WR,
		"SHUT_RDWR": abi.SHUT_RDWR, "MSG_PEEK": abi.MSG_PEEK, "MSG_TRUNC": abi.MSG_TRUNC, "MSG_OOB": abi.MSG_OOB,
		"MSG_CMSG_CLOEXEC": abi.MSG_CMSG_CLOEXEC, "MSG_DONTWAIT": abi.MSG_DONTWAIT, "MSG_NOSIGNAL": abi.MSG_NOSIGNAL,
		"SOL_SOCKET": abi.SOL_SOCKET, "SO_PASSCRED": abi.SO_PASSCRED, "SO_ERROR": abi.SO_ERROR, "SO_TYPE": abi.SO_TYPE,
		"SO_ACCEPTCONN": abi.SO_ACCEPTCONN, "SO_DOMAIN": abi.SO_DOMAIN, "SO_PROTOCOL": abi.SO_PROTOCOL,
		"SO_REUSEADDR": abi.SO_REUSEADDR, "SO_SNDBUF": abi.SO_SNDBUF, "SO_RCVBUF": abi.SO_RCVBUF,
		"IPPROTO_TCP": abi.IPPROTO_TCP, "IPPROTO_IP": abi.IPPROTO_IP, "TCP_NODELAY": abi.TCP_NODELAY,
	})
	maps.Copy(errnoNames, map[abi.Errno]string{
		abi.ENOTSOCK: "ENOTSOCK", abi.EDESTADDRREQ: "EDESTADDRREQ", abi.EMSGSIZE: "EMSGSIZE", abi.EPROTOTYPE: "EPROTOTYPE",
		abi.ENOPROTOOPT: "ENOPROTOOPT", abi.EPROTONOSUPPORT: "EPROTONOSUPPORT", abi.ESOCKTNOSUPPORT: "ESOCKTNOSUPPORT",
		abi.EAFNOSUPPORT: "EAFNOSUPPORT", abi.EADDRINUSE: "EADDRINUSE", abi.EADDRNOTAVAIL: "EADDRNOTAVAIL",
		abi.ECONNRESET: "ECONNRESET", abi.ECONNREFUSED: "ECONNREFUSED", abi.EISCONN: "EISCONN", abi.ENOTCONN: "ENOTCONN",
		abi.EINPROGRESS: "EINPROGRESS", abi.EALREADY: "EALREADY", abi.ESRCH: "ESRCH",
	})
}

// unique is what abstract names of this process begin with on Linux, where all
// processes share them.
func (e *Env) unique() string { return fmt.Sprintf("restep%d-%p-", os.Getpid(), e) }

// sockaddr is the address in a word, and its length.
func (e *Env) sockaddr(word string) (uintptr, uintptr) {
	raw := []byte{abi.AF_UNIX, 0}
	switch {
	case word == "-":
	case word == "unspec":
		raw = make([]byte, 16)
	case word[0] == '@':
		raw = append(append(raw, 0), e.unique()+word[1:]...)
	default:
		raw = append(append(raw, word...), 0)
	}
	return e.bytes(raw), uintptr(len(raw))
}

func (e *Env) showName(raw []byte) string {
	if len(raw) <= 2 {
		return fmt.Sprintf("unnamed %d", len(raw))
	}
	if raw[2] != 0 {
		return fmt.Sprintf("%q", raw[2:])
	}
	name, own := strings.CutPrefix(string(raw[3:]), e.unique())
	if !own {
		return fmt.Sprintf("auto %d", len(raw))
	}
	return "@" + name
}

// named makes a call with an address: bind s ADDRESS, connect s ADDRESS.
func (e *Env) named(nr uintptr, a args) string {
	p, n := e.sockaddr(a.str(1))
	return done(e.call(nr, e.fd(a, 0), p, n))
}

func (e *Env) askName(nr uintptr, a args) string {
	raw, n := make([]byte, 128), new(int32)
	*n = 128
	if _, errno := e.call(nr, e.fd(a, 0), e.bytes(raw), e.ptr(unsafe.Pointer(n))); errno != abi.OK {
		return errnoName(errno)
	}
	return e.showName(raw[:*n])
}

func socketpair(e *Env, a args) string { // socketpair s1 s2 TYPE [FAMILY]
	fds := new([2]int32)
	_, errno := e.call(abi.SYS_SOCKETPAIR, a.numOr(3, abi.AF_UNIX), a.num(2)|abi.SOCK_NONBLOCK, 0, e.ptr(unsafe.Pointer(fds)))
	if errno != abi.OK {
		return errnoName(errno)
	}
	e.name(a.str(0), int(fds[0]))
	e.name(a.str(1), int(fds[1]))
	return "ok"
}

func sendto(e *Env, a args) string { // sendto s TEXT [ADDRESS|none [FLAGS]]
	b := []byte(a.str(1))
	p, n := uintptr(0), uintptr(0)
	if len(a.words) > 2 && a.str(2) != "none" {
		p, n = e.sockaddr(a.str(2))
	}
	return done(e.call(abi.SYS_SENDTO, e.fd(a, 0), e.bytes(b), uintptr(len(b)), a.numOr(3, 0)|abi.MSG_NOSIGNAL, p, n))
}

// sendmsg s TEXT WHAT...; what is a descriptor to pass, "cred" for the
// process's own credentials, or "bad" for a header that does not fit.
func sendmsg(e *Env, a args) string {
	text := []byte(a.str(1))
	iov := &abi.Iovec{Base: e.bytes(text), Len: uintptr(len(text))}
	var control, fds []byte
	piece := func(size, kind int, data []byte) {
		control = append(control, byte(size), byte(size>>8), 0, 0, 0, 0, 0, 0, abi.SOL_SOCKET, 0, 0, 0, byte(kind), 0, 0, 0)
		control = append(control, data...)
		for len(control)%8 != 0 {
			control = append(control, 0)
		}
	}
	for i := 2; i < len(a.words); i++ {
		switch a.str(i) {
		case "cred":
			pid, _ := e.call(abi.SYS_GETPID)
			piece(16+12, abi.SCM_CREDENTIALS, append([]byte{byte(pid), byte(pid >> 8), byte(pid >> 16), byte(pid >> 24)}, make([]byte, 8)...))
		case "bad":
			piece(999, abi.SCM_RIGHTS, nil)
		case "short":
			piece(15, abi.SCM_RIGHTS, nil)
		case "unknown":
			piece(16, 99, nil)
		default:
			fd := e.fd(a, i)
			fds = append(fds, byte(fd), byte(fd>>8), byte(fd>>16), byte(fd>>24))
		}
	}
	if fds != nil {
		piece(16+len(fds), abi.SCM_RIGHTS, fds)
	}
	h := &abi.Msghdr{Iov: e.ptr(unsafe.Pointer(iov)), Iovlen: 1, Control: e.bytes(control), Controllen: uint64(len(control))}
	return done(e.call(abi.SYS_SENDMSG, e.fd(a, 0), e.ptr(unsafe.Pointer(h)), abi.MSG_NOSIGNAL))
}

// recvmsg s COUNT [CONTROLSIZE [FLAGS [NAME...]]]; the names are for the
// descriptors received.
func recvmsg(e *Env, a args) string {
	b, from, control := make([]byte, max(a.num(1), 1)), make([]byte, 128), make([]byte, a.numOr(2, 0))
	iov := &abi.Iovec{Base: e.bytes(b), Len: a.num(1)}
	h := &abi.Msghdr{
		Name: e.bytes(from), Namelen: 128, Iov: e.ptr(unsafe.Pointer(iov)), Iovlen: 1,
		Control: e.bytes(control), Controllen: uint64(len(control)),
	}
	n, errno := e.call(abi.SYS_RECVMSG, e.fd(a, 0), e.ptr(unsafe.Pointer(h)), a.numOr(3, 0))
	if errno != abi.OK {
		return errnoName(errno)
	}
	s := show(b[:min(int(n), len(b), int(a.num(1)))])
	if int(n) > int(a.num(1)) {
		s += fmt.Sprint(" of ", n)
	}
	if h.Namelen != 0 {
		s += " from " + e.showName(from[:h.Namelen])
	}
	if h.Flags != 0 {
		s += fmt.Sprintf(" flags %#x", h.Flags)
	}
	return s + e.showControl(a, control[:h.Controllen])
}

func (e *Env) showControl(a args, b []byte) string {
	s := fmt.Sprintf(" control %d", len(b))
	next := 4
	for len(b) >= 16 {
		size, kind := int(b[0])|int(b[1])<<8, int(b[12])
		data := b[16:min(max(size, 16), len(b))]
		switch kind {
		case abi.SCM_RIGHTS:
			s += fmt.Sprintf(" rights %d", len(data)/4)
			for ; len(data) >= 4; data = data[4:] {
				name := fmt.Sprint("received", len(e.open))
				if next < len(a.words) {
					name = a.words[next]
					next++
				}
				e.name(name, int(data[0])|int(data[1])<<8)
			}
		case abi.SCM_CREDENTIALS:
			pid, _ := e.call(abi.SYS_GETPID)
			if len(data) < 12 {
				s += " cut cred"
				break
			}
			own := int(pid) == int(data[0])|int(data[1])<<8|int(data[2])<<16|int(data[3])<<24
			s += fmt.Sprintf(" cred own %v ", own) + e.ids(int32(data[4])|int32(data[5])<<8, int32(data[8])|int32(data[9])<<8)
		}
		b = b[min((max(size, 16)+7)&^7, len(b)):]
	}
	return s
}

func setsockopt(e *Env, a args) string { // setsockopt s LEVEL NAME VALUE
	v := new(int32)
	*v = int32(a.num(3))
	return done(e.call(abi.SYS_SETSOCKOPT, e.fd(a, 0), a.num(1), a.num(2), e.ptr(unsafe.Pointer(v)), 4))
}

func getsockopt(e *Env, a args) string { // getsockopt s LEVEL NAME
	v, n := new(int32), new(int32)
	*n = 4
	if _, errno := e.call(abi.SYS_GETSOCKOPT, e.fd(a, 0), a.num(1), a.num(2), e.ptr(unsafe.Pointer(v)), e.ptr(unsafe.Pointer(n))); errno != abi.OK {
		return errnoName(errno)
	}
	return fmt.Sprintf("value %d length %d", *v, *n)
}

func peercred(e *Env, a args) string { // peercred s
	c, n := new(abi.Ucred), new(int32)
	*n = abi.SizeofUcred
	const peerCred = abi.SO_PEERCRED
	if _, errno := e.call(abi.SYS_GETSOCKOPT, e.fd(a, 0), abi.SOL_SOCKET, peerCred, e.ptr(unsafe.Pointer(c)), e.ptr(unsafe.Pointer(n))); errno != abi.OK {
		return errnoName(errno)
	}
	pid, _ := e.call(abi.SYS_GETPID)
	return fmt.Sprintf("own %v none %v ", c.Pid == int32(pid), c.Pid == 0) + e.ids(int32(c.UID), int32(c.GID))
}

// ids names a user and a group; the process's own differ between hosts.
func (e *Env) ids(uid, gid int32) string {
	name := func(nr uintptr, id int32) string {
		if own, _ := e.call(nr); int32(own) == id {
			return "own"
		}
		return strconv.Itoa(int(id))
	}
	return "uid " + name(abi.SYS_GETUID, uid) + " gid " + name(abi.SYS_GETGID, gid)
}
