package kernel

import "github.com/restep/restep/sim/kernel/abi"

// socketEntries are the rows of the system call table about sockets.
var socketEntries = []Entry{
	{Nr: abi.SYS_SOCKET, Name: "socket", Support: Partial, fn: sysSocket, sig: "ATn",
		Note: "AF_INET and AF_INET6 with TCP, UDP and raw sockets for other protocols; AF_UNIX; AF_NETLINK to list links and addresses"},
	{Nr: abi.SYS_SOCKETPAIR, Name: "socketpair", Support: Full, fn: sysSocketpair, sig: "AT"},
	{Nr: abi.SYS_BIND, Name: "bind", Support: Full, fn: sysBind, sig: "fa"},
	{Nr: abi.SYS_LISTEN, Name: "listen", Support: Full, fn: sysListen, sig: "fn"},
	{Nr: abi.SYS_ACCEPT, Name: "accept", Support: Full, fn: sysAccept, sig: "f"},
	{Nr: abi.SYS_ACCEPT4, Name: "accept4", Support: Full, fn: sysAccept4, sig: "f"},
	{Nr: abi.SYS_CONNECT, Name: "connect", Support: Partial, fn: sysConnect, sig: "fa",
		Note: "AF_UNIX: EAGAIN while the queue of the listener is full"},
	{Nr: abi.SYS_GETSOCKNAME, Name: "getsockname", Support: Full, fn: sysGetsockname, quiet: true},
	{Nr: abi.SYS_GETPEERNAME, Name: "getpeername", Support: Full, fn: sysGetpeername, quiet: true},
	{Nr: abi.SYS_SENDTO, Name: "sendto", Support: Partial, fn: sysSendto, sig: "f-zxa",
		Note: "no MSG_OOB, no MSG_FASTOPEN"},
	{Nr: abi.SYS_RECVFROM, Name: "recvfrom", Support: Partial, fn: sysRecvfrom, sig: "f-zx",
		Note: "no MSG_OOB, no MSG_ERRQUEUE"},
	{Nr: abi.SYS_SENDMSG, Name: "sendmsg", Support: Partial, fn: sysSendmsg, sig: "f-x",
		Note: "SCM_RIGHTS, SCM_CREDENTIALS, IP_PKTINFO, IP_TOS, UDP_SEGMENT and their kin of IPv6; other ancillary data is ignored"},
	{Nr: abi.SYS_RECVMSG, Name: "recvmsg", Support: Partial, fn: sysRecvmsg, sig: "f-x",
		Note: "SCM_RIGHTS, SCM_CREDENTIALS, IP_PKTINFO, IP_TTL, IP_TOS and their kin of IPv6"},
	{Nr: abi.SYS_SENDMMSG, Name: "sendmmsg", Support: Full, fn: sysSendmmsg, sig: "f-n"},
	{Nr: abi.SYS_RECVMMSG, Name: "recvmmsg", Support: Partial, fn: sysRecvmmsg, sig: "f-n", Note: "waits for the first message only"},
	{Nr: abi.SYS_SHUTDOWN, Name: "shutdown", Support: Full, fn: sysShutdown, sig: "fh"},
	{Nr: abi.SYS_SETSOCKOPT, Name: "setsockopt", Support: Partial, fn: sysSetsockopt, quiet: true,
		Note: "SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP and IPPROTO_IPV6 options that net and its users set; others ENOPROTOOPT"},
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

// socketArgs are family, type and flags of socket(2) and socketpair(2).
func socketArgs(a *Args) (family, kind int, flags uint32, errno abi.Errno) {
	family, kind = int(int32(a[0])), int(int32(a[1]))
	flags = uint32(kind) &^ abi.SOCK_TYPE_MASK
	kind &= abi.SOCK_TYPE_MASK
	switch {
	case flags&^uint32(abi.SOCK_CLOEXEC|abi.SOCK_NONBLOCK) != 0:
		errno = abi.EINVAL
	case family < 0 || family >= abi.AF_MAX:
		errno = abi.EAFNOSUPPORT
	case kind == 0 || kind > 10:
		errno = abi.EINVAL
	}
	return family, kind, flags, errno
}

// sysSocket is socket(2).
func sysSocket(t *Task, a *Args) (uintptr, abi.Errno) {
	family, kind, flags, errno := socketArgs(a)
	if errno != abi.OK {
		return 0, errno
	}
	proto, keep := int(int32(a[2])), flags&abi.SOCK_NONBLOCK
	var f File
	switch family {
	case abi.AF_INET, abi.AF_INET6:
		switch {
		case kind == abi.SOCK_STREAM && (proto == abi.IPPROTO_IP || proto == abi.IPPROTO_TCP):
			f = newTCP(t.m.stack, family, abi.IPPROTO_TCP, keep)
		case kind == abi.SOCK_DGRAM && (proto == abi.IPPROTO_IP || proto == abi.IPPROTO_UDP):
			f = newUDP(t.m.stack, family, abi.IPPROTO_UDP, keep)
		case kind == abi.SOCK_STREAM || kind == abi.SOCK_DGRAM:
			return 0, abi.EPROTONOSUPPORT // IPPROTO_MPTCP: net then uses TCP
		case kind == abi.SOCK_RAW:
			raw, errno := newRaw(t, family, proto, keep)
			if errno != abi.OK {
				return 0, errno
			}
			f = raw
		default:
			return 0, abi.ESOCKTNOSUPPORT
		}
	case abi.AF_UNIX:
		switch {
		case proto != 0 && proto != abi.AF_UNIX:
			return 0, abi.EPROTONOSUPPORT
		case kind == abi.SOCK_RAW:
			kind = abi.SOCK_DGRAM // net/unix/af_unix.c:unix_create
		case kind != abi.SOCK_STREAM && kind != abi.SOCK_DGRAM && kind != abi.SOCK_SEQPACKET:
			return 0, abi.ESOCKTNOSUPPORT
		}
		f = newUnix(t, kind, keep)
	case abi.AF_NETLINK:
		switch {
		case kind != abi.SOCK_RAW && kind != abi.SOCK_DGRAM:
			return 0, abi.ESOCKTNOSUPPORT
		case proto != abi.NETLINK_ROUTE:
			return 0, abi.EPROTONOSUPPORT
		}
		f = newNetlink(t, kind, keep)
	default:
		return 0, abi.EAFNOSUPPORT
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
	raw, errno := readName(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	family := s.base().family
	of := nameFamily(raw)
	switch {
	case family == abi.AF_UNIX && of == abi.AF_UNIX && len(raw) == 2:
		if f, ok := s.(*unixSocket); ok {
			return 0, f.autobind()
		}
	case family == abi.AF_INET && of == abi.AF_UNSPEC && len(raw) >= abi.SizeofSockaddrIn && int32At(raw[4:]) == 0:
		// 0.0.0.0 may come without a family; net/ipv4/af_inet.c:__inet_bind
		raw = append([]byte{abi.AF_INET, 0}, raw[2:]...)
	}
	n, errno := parseName(family, raw)
	if errno != abi.OK {
		return 0, errno
	}
	if errno := t.mayBind(s.base(), &n); errno != abi.OK {
		return 0, errno
	}
	return 0, s.bind(t, &n)
}

// mayBind keeps ports below 1024 for root (ip(7); net/ipv4/af_inet.c:__inet_bind,
// which looks at the address first).
func (t *Task) mayBind(b *socketBase, n *sockName) abi.Errno {
	port, ip := n.addr.Port, n.addr.IP
	switch {
	case b.family != abi.AF_INET && b.family != abi.AF_INET6, b.kind == abi.SOCK_RAW, port == 0, port >= 1024, t.proc.who.privileged():
		return abi.OK
	case !ip.Unspecified() && !ip.Multicast() && !b.stack.Local(ip) && !b.stack.broadcast(ip):
		return abi.EADDRNOTAVAIL
	}
	return abi.EACCES
}

// sysListen is listen(2).
func sysListen(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	return 0, s.listen(t, int(int32(a[1])))
}

// sysConnect is connect(2).
func sysConnect(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	raw, errno := readName(a[1], a[2])
	if errno != abi.OK {
		return 0, errno
	}
	if nameFamily(raw) == abi.AF_UNSPEC {
		return 0, s.disconnect(t)
	}
	n, errno := parseName(s.base().family, raw)
	if errno != abi.OK {
		return 0, errno
	}
	errno = s.connect(t, &n)
	if errno != abi.EINPROGRESS && errno != abi.EALREADY {
		t.k.unblock(t.caller)
		return 0, errno
	}
	if again := t.waitSocket(s, abi.EAGAIN, 0, true); again != abi.EAGAIN {
		return 0, again
	}
	if errno == abi.EALREADY && s.Flags()&abi.O_NONBLOCK == 0 {
		errno = abi.EINPROGRESS // SO_SNDTIMEO is over
	}
	return 0, errno
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
	if errno = t.waitSocket(s, errno, 0, false); errno != abi.OK {
		return 0, errno
	}
	child.SetFlags(child.Flags() | flags&abi.SOCK_NONBLOCK)
	if a[1] != 0 {
		peer, errno := child.peer()
		if errno == abi.OK {
			errno = peer.put(a[1], a[2])
		}
		if errno == abi.ENOTCONN {
			errno = abi.ECONNABORTED // it is gone already; net/socket.c:do_accept
		}
		if errno != abi.OK {
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
	n := s.local()
	return 0, n.put(a[1], a[2])
}

// sysGetpeername is getpeername(2).
func sysGetpeername(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	n, errno := s.peer()
	if errno != abi.OK {
		return 0, errno
	}
	return 0, n.put(a[1], a[2])
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
