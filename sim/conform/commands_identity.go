package conform

import (
	"fmt"
	"maps"
	"strings"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// The calls about users and groups. On Linux they change the thread alone that
// the case runs on, for they go around the C library.

func init() {
	ids := func(nr uintptr, n int) command {
		return func(e *Env, a args) string {
			var v [3]uintptr
			for i := range n {
				v[i] = uintptr(uint32(a.num(i)))
			}
			return done(e.call(nr, v[0], v[1], v[2]))
		}
	}
	maps.Copy(commands, map[string]command{
		"setuid":    ids(abi.SYS_SETUID, 1),
		"setgid":    ids(abi.SYS_SETGID, 1),
		"setreuid":  ids(abi.SYS_SETREUID, 2),
		"setregid":  ids(abi.SYS_SETREGID, 2),
		"setresuid": ids(abi.SYS_SETRESUID, 3),
		"setresgid": ids(abi.SYS_SETRESGID, 3),
		"setfsuid":  ids(abi.SYS_SETFSUID, 1),
		"setfsgid":  ids(abi.SYS_SETFSGID, 1),
		"setgroups": setgroups,
		"getgroups": getgroups,
		"ids":       showIDs,
		"as":        as,
		"bind_port": bindPort,
		"prctl": func(e *Env, a args) string { // prctl OPTION [VALUE]
			return done(e.call(abi.SYS_PRCTL, a.num(0), a.numOr(1, 0)))
		},
	})
}

func setgroups(e *Env, a args) string { // setgroups GROUP...
	g := make([]uint32, len(a.words)+1)
	for i := range a.words {
		g[i] = uint32(a.num(i))
	}
	return done(e.call(abi.SYS_SETGROUPS, uintptr(len(a.words)), e.ptr(unsafe.Pointer(&g[0]))))
}

func getgroups(e *Env, a args) string { // getgroups [SIZE]
	g := make([]uint32, 16)
	n, errno := e.call(abi.SYS_GETGROUPS, a.numOr(0, 16), e.ptr(unsafe.Pointer(&g[0])))
	if errno != abi.OK {
		return errnoName(errno)
	}
	if a.numOr(0, 16) == 0 {
		return fmt.Sprint(n, " groups")
	}
	return fmt.Sprint(g[:n])
}

// showIDs tells real, effective and saved ids.
func showIDs(e *Env, _ args) string {
	var text []string
	for i, nr := range []uintptr{abi.SYS_GETRESUID, abi.SYS_GETRESGID} {
		v := new([3]uint32)
		p := e.ptr(unsafe.Pointer(v))
		if _, errno := e.call(nr, p, p+4, p+8); errno != abi.OK {
			return errnoName(errno)
		}
		one := []uintptr{abi.SYS_GETUID, abi.SYS_GETEUID, abi.SYS_GETGID, abi.SYS_GETEGID}[2*i:]
		real, _ := e.call(one[0])
		effective, _ := e.call(one[1])
		text = append(text, fmt.Sprintf("%d %d %d", v[0], v[1], v[2]))
		if uint32(real) != v[0] || uint32(effective) != v[1] {
			text = append(text, fmt.Sprintf("but %d %d", real, effective))
		}
	}
	return strings.Join(text, ", ")
}

// as USER GROUP... makes the effective ids these; the saved user must be 0.
func as(e *Env, a args) string {
	const keep = uintptr(^uint32(0))
	if _, errno := e.call(abi.SYS_SETRESUID, keep, 0, keep); errno != abi.OK {
		return errnoName(errno)
	}
	if s := setgroups(e, args{a.words[2:]}); s != "ok" {
		return s
	}
	if _, errno := e.call(abi.SYS_SETRESGID, keep, a.num(1), keep); errno != abi.OK {
		return errnoName(errno)
	}
	return done(e.call(abi.SYS_SETRESUID, keep, a.num(0), keep))
}

func bindPort(e *Env, a args) string { // bind_port s A.B.C.D PORT
	var ip [4]byte
	if _, err := fmt.Sscanf(a.str(1), "%d.%d.%d.%d", &ip[0], &ip[1], &ip[2], &ip[3]); err != nil {
		panic(badLine(a.str(1) + " is no IPv4 address"))
	}
	port := a.num(2)
	raw := append([]byte{abi.AF_INET, 0, byte(port >> 8), byte(port)}, append(ip[:], make([]byte, 8)...)...)
	return done(e.call(abi.SYS_BIND, e.fd(a, 0), e.bytes(raw), uintptr(len(raw))))
}
