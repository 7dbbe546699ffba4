package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// sockName is the name of a socket, a struct sockaddr of any family.
type sockName struct {
	family uint16
	addr   socket.Addr // AF_INET, AF_INET6
	scope  uint32      // AF_INET6: sin6_scope_id
	// path is AF_UNIX: a path, or a NUL and an abstract name, or "" for a
	// socket without a name.
	path string
	pid  uint32 // AF_NETLINK: the port id
}

// readName is the bytes of a struct sockaddr in the program's memory;
// net/socket.c:move_addr_to_kernel.
func readName(p, n uintptr) ([]byte, abi.Errno) {
	if int32(n) < 0 || n > abi.SizeofSockaddrMax {
		return nil, abi.EINVAL
	}
	return mem(p, n)
}

// parseName reads a name for a socket of that family: EINVAL when it is
// short, EAFNOSUPPORT when it is of another family.
func parseName(family int, raw []byte) (sockName, abi.Errno) {
	n := sockName{family: uint16(family)}
	if len(raw) < 2 {
		return n, abi.EINVAL
	}
	of := int(raw[0]) | int(raw[1])<<8
	switch family {
	case abi.AF_UNIX:
		// net/unix/af_unix.c:unix_validate_addr
		if of != family || len(raw) <= 2 || len(raw) > abi.SizeofSockaddrUn {
			return n, abi.EINVAL
		}
		n.path = unixPath(raw[2:])
		return n, abi.OK
	case abi.AF_NETLINK:
		if of != family || len(raw) < abi.SizeofSockaddrNl {
			return n, abi.EINVAL
		}
		n.pid = uint32(int32At(raw[4:]))
		return n, abi.OK
	case abi.AF_INET:
		if len(raw) < abi.SizeofSockaddrIn {
			return n, abi.EINVAL
		}
	default:
		if len(raw) < abi.MinSockaddrIn6 {
			return n, abi.EINVAL
		}
	}
	if of != family {
		return n, abi.EAFNOSUPPORT
	}
	n.addr.Port = uint16(raw[2])<<8 | uint16(raw[3])
	if family == abi.AF_INET {
		n.addr.IP = socket.V4(raw[4], raw[5], raw[6], raw[7])
		return n, abi.OK
	}
	n.addr.IP = socket.IP(raw[8:24])
	if len(raw) >= abi.SizeofSockaddrIn6 {
		n.scope = uint32(int32At(raw[24:]))
	}
	return n, abi.OK
}

// unixPath is the name in sun_path: a path ends at its first NUL, an abstract
// name, which begins with one, does not.
func unixPath(b []byte) string {
	if b[0] == 0 {
		return string(b)
	}
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// encode writes the name as a struct sockaddr and tells its length.
func (n *sockName) encode(raw *[abi.SizeofSockaddrMax]byte) int {
	*raw = [abi.SizeofSockaddrMax]byte{byte(n.family), byte(n.family >> 8)}
	switch n.family {
	case abi.AF_UNIX:
		size := 2 + copy(raw[2:], n.path)
		if n.path != "" && n.path[0] != 0 {
			size++ // the NUL
		}
		return size
	case abi.AF_NETLINK:
		putInt32(raw[4:], int32(n.pid))
		return abi.SizeofSockaddrNl
	}
	raw[2], raw[3] = byte(n.addr.Port>>8), byte(n.addr.Port)
	if n.family == abi.AF_INET {
		v4 := n.addr.IP.As4()
		copy(raw[4:], v4[:])
		return abi.SizeofSockaddrIn
	}
	copy(raw[8:], n.addr.IP[:])
	putInt32(raw[24:], int32(n.scope))
	return abi.SizeofSockaddrIn6
}

// copyTo stores the name at p, cut to room bytes, and tells its full length.
func (n *sockName) copyTo(p uintptr, room int) (int, abi.Errno) {
	var raw [abi.SizeofSockaddrMax]byte
	size := n.encode(&raw)
	b, errno := mem(p, uintptr(min(room, size)))
	copy(b, raw[:size])
	return size, errno
}

// put stores the name at p, cut to the length at lenp, which then gets the
// full length; net/socket.c:move_addr_to_user.
func (n *sockName) put(p, lenp uintptr) abi.Errno {
	room, errno := loadInt(lenp)
	if errno != abi.OK {
		return errno
	}
	if room < 0 {
		return abi.EINVAL
	}
	size, errno := n.copyTo(p, room)
	if errno != abi.OK {
		return errno
	}
	return storeInt(lenp, size)
}

// String is the name as people write it; "@" stands for the NUL of an
// abstract name (unix(7)).
func (n *sockName) String() string {
	switch n.family {
	case abi.AF_UNIX:
		switch {
		case n.path == "":
			return "unix:"
		case n.path[0] == 0:
			return "unix:@" + n.path[1:]
		}
		return "unix:" + n.path
	case abi.AF_NETLINK:
		return "netlink:" + strconv.Itoa(int(n.pid))
	}
	return n.addr.String()
}

// inetName is the name of an address as a socket of that family tells it: an
// IPv6 socket shows IPv4 addresses mapped, and 0.0.0.0 without a port, which
// is no address at all, as ::.
func inetName(family int, a socket.Addr) sockName {
	if family == abi.AF_INET6 && a == (socket.Addr{IP: socket.V4(0, 0, 0, 0)}) {
		a.IP = socket.IP{}
	}
	return sockName{family: uint16(family), addr: a}
}
