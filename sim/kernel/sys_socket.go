package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// socketEntries are the rows of the system call table about sockets.
var socketEntries = []Entry{
	{Nr: abi.SYS_SOCKET, Name: "socket", Support: Partial, fn: sysSocket, sig: "ATn",
		Note: "AF_INET with SOCK_STREAM (TCP) and SOCK_DGRAM (UDP); AF_INET6, AF_UNIX and AF_NETLINK answer EAFNOSUPPORT"},
	{Nr: abi.SYS_SOCKETPAIR, Name: "socketpair", Support: Missing},
	{Nr: abi.SYS_BIND, Name: "bind", Support: Full, fn: sysBind, sig: "fa"},
	{Nr: abi.SYS_LISTEN, Name: "listen", Support: Full, fn: sysListen, sig: "fn"},
	{Nr: abi.SYS_ACCEPT, Name: "accept", Support: Partial, fn: sysAccept, sig: "f", Note: "never blocks: EAGAIN"},
	{Nr: abi.SYS_ACCEPT4, Name: "accept4", Support: Partial, fn: sysAccept4, sig: "f", Note: "never blocks: EAGAIN"},
	{Nr: abi.SYS_CONNECT, Name: "connect", Support: Partial, fn: sysConnect, sig: "fa",
		Note: "never blocks: EINPROGRESS; AF_UNSPEC only for UDP"},
	{Nr: abi.SYS_GETSOCKNAME, Name: "getsockname", Support: Full, fn: sysGetsockname, quiet: true},
	{Nr: abi.SYS_GETPEERNAME, Name: "getpeername", Support: Full, fn: sysGetpeername, quiet: true},
	{Nr: abi.SYS_SENDTO, Name: "sendto", Support: Partial, fn: sysSendto, sig: "f-zxa",
		Note: "no MSG_OOB, no MSG_FASTOPEN"},
	{Nr: abi.SYS_RECVFROM, Name: "recvfrom", Support: Partial, fn: sysRecvfrom, sig: "f-zx",
		Note: "no MSG_OOB, no MSG_ERRQUEUE"},
	{Nr: abi.SYS_SENDMSG, Name: "sendmsg", Support: Partial, fn: sysSendmsg, sig: "f-x",
		Note: "ancillary data is ignored"},
	{Nr: abi.SYS_RECVMSG, Name: "recvmsg", Support: Partial, fn: sysRecvmsg, sig: "f-x", Note: "no ancillary data"},
	{Nr: abi.SYS_SENDMMSG, Name: "sendmmsg", Support: Missing},
	{Nr: abi.SYS_RECVMMSG, Name: "recvmmsg", Support: Missing},
	{Nr: abi.SYS_SHUTDOWN, Name: "shutdown", Support: Full, fn: sysShutdown, sig: "fh"},
	{Nr: abi.SYS_SETSOCKOPT, Name: "setsockopt", Support: Partial, fn: sysSetsockopt, quiet: true,
		Note: "SOL_SOCKET, IPPROTO_TCP and IPPROTO_IP options that net and its users set; others ENOPROTOOPT"},
	{Nr: abi.SYS_GETSOCKOPT, Name: "getsockopt", Support: Partial, fn: sysGetsockopt, quiet: true,
		Note: "no TCP_INFO"},
}

// sock is the socket behind descriptor fd: EBADF, ENOTSOCK.
func (t *Task) sock(fd uintptr) (netSocket, abi.Errno) {
	f, errno := t.proc.fds.get(int(int32(fd)))
	if errno != abi.OK {
		return nil, errno
	}
	s, ok := f.(netSocket)
	if !ok {
		return nil, abi.ENOTSOCK
	}
	return s, abi.OK
}

// sysSocket is socket(2). IPv6 does not exist on these machines, so that
// programs use IPv4 as on a host with ipv6.disable=1.
func sysSocket(t *Task, a *Args) (uintptr, abi.Errno) {
	family, kind, proto := int(int32(a[0])), int(int32(a[1])), int(int32(a[2]))
	flags := uint32(kind) &^ abi.SOCK_TYPE_MASK
	kind &= abi.SOCK_TYPE_MASK
	if flags&^uint32(abi.SOCK_CLOEXEC|abi.SOCK_NONBLOCK) != 0 {
		return 0, abi.EINVAL
	}
	if family != abi.AF_INET {
		return 0, abi.EAFNOSUPPORT
	}
	var f File
	switch {
	case kind == abi.SOCK_STREAM && (proto == abi.IPPROTO_IP || proto == abi.IPPROTO_TCP):
		f = newTCP(t.m.stack, abi.IPPROTO_TCP, flags&abi.SOCK_NONBLOCK)
	case kind == abi.SOCK_DGRAM && (proto == abi.IPPROTO_IP || proto == abi.IPPROTO_UDP):
		f = newUDP(t.m.stack, abi.IPPROTO_UDP, flags&abi.SOCK_NONBLOCK)
	case kind == abi.SOCK_STREAM || kind == abi.SOCK_DGRAM:
		return 0, abi.EPROTONOSUPPORT // IPPROTO_MPTCP: net then uses TCP
	case kind == 0 || kind > 10:
		return 0, abi.EINVAL
	default:
		return 0, abi.ESOCKTNOSUPPORT
	}
	return t.installSocket(f, flags)
}

// installSocket gives f the lowest free descriptor.
func (t *Task) installSocket(f File, flags uint32) (uintptr, abi.Errno) {
	fd, errno := t.proc.fds.install(f, 0, flags&abi.SOCK_CLOEXEC != 0)
	if errno != abi.OK {
		f.Release(t)
		return 0, errno
	}
	return uintptr(fd), abi.OK
}

// sockaddr reads a struct sockaddr_in: EINVAL when it is short, EAFNOSUPPORT
// when it is of another family.
func sockaddr(p, n uintptr) (socket.Addr, abi.Errno) {
	if int32(n) < 0 || n > 128 {
		return socket.Addr{}, abi.EINVAL
	}
	b, errno := mem(p, n)
	if errno != abi.OK {
		return socket.Addr{}, errno
	}
	if len(b) < abi.SizeofSockaddrIn {
		return socket.Addr{}, abi.EINVAL
	}
	if family := uint16(b[0]) | uint16(b[1])<<8; family != abi.AF_INET {
		return socket.Addr{}, abi.EAFNOSUPPORT
	}
	return socket.Addr{IP: socket.IP(b[4:8]), Port: uint16(b[2])<<8 | uint16(b[3])}, abi.OK
}

// putSockaddr stores addr at p, cut to the length at lenp, which then gets
// the full length; net/socket.c:move_addr_to_user.
func putSockaddr(p, lenp uintptr, addr socket.Addr) abi.Errno {
	n, errno := loadInt(lenp)
	if errno != abi.OK {
		return errno
	}
	if n < 0 {
		return abi.EINVAL
	}
	if errno := copySockaddr(p, n, addr); errno != abi.OK {
		return errno
	}
	return storeInt(lenp, abi.SizeofSockaddrIn)
}

func copySockaddr(p uintptr, n int, addr socket.Addr) abi.Errno {
	raw := [abi.SizeofSockaddrIn]byte{
		abi.AF_INET, 0, byte(addr.Port >> 8), byte(addr.Port),
		addr.IP[0], addr.IP[1], addr.IP[2], addr.IP[3],
	}
	b, errno := mem(p, uintptr(min(n, len(raw))))
	copy(b, raw[:])
	return errno
}

// loadInt and storeInt are an int of the program's memory.
func loadInt(p uintptr) (int, abi.Errno) {
	if p == 0 {
		return 0, abi.EFAULT
	}
	return int(*(*int32)(pointer(p))), abi.OK
}

func storeInt(p uintptr, n int) abi.Errno {
	if p == 0 {
		return abi.EFAULT
	}
	*(*int32)(pointer(p)) = int32(n)
	return abi.OK
}

// sysBind is bind(2).
func sysBind(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	addr, errno := sockaddr(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	return 0, s.bind(addr)
}

// sysListen is listen(2).
func sysListen(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	return 0, s.listen(int(int32(a[1])))
}

// sysConnect is connect(2). Sockets never block here, so that a TCP
// connection always begins with EINPROGRESS.
func sysConnect(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	if u, ok := s.(*udpSocket); ok && a[2] >= 2 {
		if b, errno := mem(a[1], 2); errno == abi.OK && b[0] == abi.AF_UNSPEC && b[1] == 0 {
			u.remote = socket.Addr{}
			return 0, abi.OK
		}
	}
	addr, errno := sockaddr(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	return 0, s.connect(addr)
}

// sysAccept is accept(2).
func sysAccept(t *Task, a *Args) (uintptr, abi.Errno) {
	return t.accept(a, 0)
}

// sysAccept4 is accept4(2).
func sysAccept4(t *Task, a *Args) (uintptr, abi.Errno) {
	flags := uint32(a[3])
	if flags&^uint32(abi.SOCK_CLOEXEC|abi.SOCK_NONBLOCK) != 0 {
		return 0, abi.EINVAL
	}
	return t.accept(a, flags)
}

func (t *Task) accept(a *Args, flags uint32) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	child, errno := s.accept(t)
	if errno != abi.OK {
		return 0, errno
	}
	child.flags |= flags & abi.SOCK_NONBLOCK
	if a[1] != 0 {
		if errno := putSockaddr(a[1], a[2], child.conn.Remote); errno != abi.OK {
			child.Release(t)
			return 0, errno
		}
	}
	return t.installSocket(child, flags)
}

// sysGetsockname is getsockname(2).
func sysGetsockname(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	return 0, putSockaddr(a[1], a[2], s.local())
}

// sysGetpeername is getpeername(2).
func sysGetpeername(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	addr, errno := s.peer()
	if errno != abi.OK {
		return 0, errno
	}
	return 0, putSockaddr(a[1], a[2], addr)
}

// sysShutdown is shutdown(2).
func sysShutdown(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	if a[1] > abi.SHUT_RDWR {
		return 0, abi.EINVAL
	}
	return 0, s.shutdown(int(a[1]))
}

// sysSendto is sendto(2). SIGPIPE is never sent: the Go runtime ignores it for
// sockets.
func sysSendto(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	p, errno := mem(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	if a[3]&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	var to socket.Addr
	if a[4] != 0 {
		if to, errno = sockaddr(a[4], a[5]); errno != abi.OK {
			return 0, errno
		}
	}
	n, errno := s.send(p, to, a[4] != 0)
	return uintptr(n), errno
}

// sysRecvfrom is recvfrom(2).
func sysRecvfrom(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	p, errno := mem(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	n, total, from, ok, errno := s.receive(p, int(a[3]))
	if errno != abi.OK {
		return 0, errno
	}
	if a[4] != 0 {
		if ok {
			errno = putSockaddr(a[4], a[5], from)
		} else {
			errno = storeInt(a[5], 0)
		}
		if errno != abi.OK {
			return 0, errno
		}
	}
	if a[3]&abi.MSG_TRUNC != 0 && ok {
		n = total
	}
	return uintptr(n), abi.OK
}

// iovMax is the most buffers in one call, readv(2) IOV_MAX.
const iovMax = 1024

// message is what sendmsg(2) and recvmsg(2) point to.
func message(p uintptr) (*abi.Msghdr, []abi.Iovec, abi.Errno) {
	if p == 0 {
		return nil, nil, abi.EFAULT
	}
	h := (*abi.Msghdr)(pointer(p))
	if h.Iovlen > iovMax {
		return nil, nil, abi.EMSGSIZE
	}
	if h.Iovlen == 0 {
		return h, nil, abi.OK
	}
	if h.Iov == 0 {
		return nil, nil, abi.EFAULT
	}
	return h, unsafe.Slice((*abi.Iovec)(pointer(h.Iov)), h.Iovlen), abi.OK
}

// gather is the size of all buffers together, and their bytes if want.
func gather(iov []abi.Iovec, want bool) (int, []byte, abi.Errno) {
	size := 0
	for i := range iov {
		if _, errno := mem(iov[i].Base, uintptr(iov[i].Len)); errno != abi.OK {
			return 0, nil, errno
		}
		size += int(iov[i].Len)
	}
	if size < 0 || size > 1<<31-4096 {
		return 0, nil, abi.EINVAL
	}
	if !want {
		return size, nil, abi.OK
	}
	all := make([]byte, 0, size)
	for i := range iov {
		b, _ := mem(iov[i].Base, uintptr(iov[i].Len))
		all = append(all, b...)
	}
	return size, all, abi.OK
}

// sysSendmsg is sendmsg(2).
func sysSendmsg(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	h, iov, errno := message(a[1])
	if errno != abi.OK {
		return 0, errno
	}
	_, p, errno := gather(iov, true)
	if errno != abi.OK {
		return 0, errno
	}
	if a[2]&abi.MSG_OOB != 0 {
		return 0, abi.EOPNOTSUPP
	}
	var to socket.Addr
	named := h.Name != 0 && h.Namelen != 0
	if named {
		if to, errno = sockaddr(h.Name, uintptr(h.Namelen)); errno != abi.OK {
			return 0, errno
		}
	}
	n, errno := s.send(p, to, named)
	return uintptr(n), errno
}

// sysRecvmsg is recvmsg(2).
func sysRecvmsg(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	h, iov, errno := message(a[1])
	if errno != abi.OK {
		return 0, errno
	}
	size, _, errno := gather(iov, false)
	if errno != abi.OK {
		return 0, errno
	}
	all := make([]byte, size)
	n, total, from, ok, errno := s.receive(all, int(a[2]))
	if errno != abi.OK {
		return 0, errno
	}
	rest := all[:n]
	for i := range iov {
		b, _ := mem(iov[i].Base, uintptr(iov[i].Len))
		rest = rest[copy(b, rest):]
	}
	h.Flags = 0
	if total > n && ok {
		h.Flags |= abi.MSG_TRUNC
		if a[2]&abi.MSG_TRUNC != 0 {
			n = total
		}
	}
	h.Controllen = 0
	if h.Name != 0 {
		room := int(h.Namelen)
		h.Namelen = 0
		if ok {
			if errno := copySockaddr(h.Name, room, from); errno != abi.OK {
				return 0, errno
			}
			h.Namelen = abi.SizeofSockaddrIn
		}
	}
	return uintptr(n), abi.OK
}
