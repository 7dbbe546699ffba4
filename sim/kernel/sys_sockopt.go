package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// sockOptions are options that only concern the socket layer, or that are
// remembered and change nothing here.
type sockOptions struct {
	reuseAddr bool
	reusePort bool
	broadcast bool
	passCred  bool
	v6Only    bool
	linger    [2]int32 // struct linger: on, seconds
	plain     []plainOption
	timeout   [2]Nanos // SO_RCVTIMEO, SO_SNDTIMEO: 0 for ever, -1 not at all
}

// plainOption is an option that is stored and has no effect in a simulation.
type plainOption struct {
	level, name, value int
}

// plainOptions are those that can be stored, with the value a fresh socket has.
var plainOptions = [...]plainOption{
	{abi.SOL_SOCKET, abi.SO_DEBUG, 0},
	{abi.SOL_SOCKET, abi.SO_DONTROUTE, 0},
	{abi.SOL_SOCKET, abi.SO_OOBINLINE, 0},
	{abi.SOL_SOCKET, abi.SO_PRIORITY, 0},
	{abi.SOL_SOCKET, abi.SO_MARK, 0},
	{abi.SOL_SOCKET, abi.SO_INCOMING_CPU, 0},
	{abi.SOL_SOCKET, abi.SO_TIMESTAMP, 0},
	{abi.SOL_SOCKET, abi.SO_RXQ_OVFL, 0},
	{abi.IPPROTO_IP, abi.IP_TOS, 0},
	{abi.IPPROTO_IP, abi.IP_TTL, 64},
	{abi.IPPROTO_IP, abi.IP_PKTINFO, 0},
	{abi.IPPROTO_IP, abi.IP_RECVTTL, 0},
	{abi.IPPROTO_IP, abi.IP_RECVTOS, 0},
	{abi.IPPROTO_IP, abi.IP_RECVERR, 0},
	{abi.IPPROTO_IP, abi.IP_MTU_DISCOVER, 1},
	{abi.IPPROTO_IP, abi.IP_FREEBIND, 0},
	{abi.IPPROTO_IP, abi.IP_MULTICAST_TTL, 1},
	{abi.IPPROTO_IP, abi.IP_MULTICAST_LOOP, 1},
	{abi.IPPROTO_IP, abi.IP_MULTICAST_ALL, 1},
	{abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS, 64},
	{abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_IF, 0},
	{abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_HOPS, 1},
	{abi.IPPROTO_IPV6, abi.IPV6_MULTICAST_LOOP, 1},
	{abi.IPPROTO_IPV6, abi.IPV6_MTU_DISCOVER, 1},
	{abi.IPPROTO_IPV6, abi.IPV6_RECVERR, 0},
	{abi.IPPROTO_IPV6, abi.IPV6_RECVPKTINFO, 0},
	{abi.IPPROTO_IPV6, abi.IPV6_RECVHOPLIMIT, 0},
	{abi.IPPROTO_IPV6, abi.IPV6_RECVTCLASS, 0},
	{abi.IPPROTO_IPV6, abi.IPV6_TCLASS, 0},
	{abi.IPPROTO_UDP, abi.UDP_SEGMENT, 0},
	{abi.IPPROTO_TCP, abi.TCP_CORK, 0},
	{abi.IPPROTO_TCP, abi.TCP_QUICKACK, 1},
	{abi.IPPROTO_TCP, abi.TCP_DEFER_ACCEPT, 0},
	{abi.IPPROTO_TCP, abi.TCP_LINGER2, 60},
	{abi.IPPROTO_TCP, abi.TCP_MAXSEG, socket.SegmentMax},
	{abi.IPPROTO_TCP, abi.TCP_FASTOPEN_CONNECT, 0},
}

// find is the stored option, or a fresh one if it exists at all.
func (o *sockOptions) find(level, name int) (plainOption, bool) {
	for _, p := range o.plain {
		if p.level == level && p.name == name {
			return p, true
		}
	}
	for _, p := range plainOptions {
		if p.level == level && p.name == name {
			return p, true
		}
	}
	return plainOption{}, false
}

// on reports whether a stored option is not 0.
func (o *sockOptions) on(level, name int) bool {
	p, _ := o.find(level, name)
	return p.value != 0
}

// find2 is the value of an option that has a name for each kind of address.
func (o *sockOptions) find2(family, v4, v6 int) int {
	level, name := abi.IPPROTO_IP, v4
	if family == abi.AF_INET6 {
		level, name = abi.IPPROTO_IPV6, v6
	}
	p, _ := o.find(level, name)
	return p.value
}

// store keeps p; the slice is copied as accepted sockets inherit it.
func (o *sockOptions) store(p plainOption) {
	plain := make([]plainOption, 0, len(o.plain)+1)
	for _, q := range o.plain {
		if q.level != p.level || q.name != p.name {
			plain = append(plain, q)
		}
	}
	o.plain = append(plain, p)
}

// The limits of net.core.{r,w}mem_max and the smallest buffers, in bytes as
// the program gives them; the kernel doubles them (socket(7), SO_RCVBUF).
const (
	bufferMax     = 4 << 20
	forceMax      = (1<<31 - 1) / 2 // of SO_RCVBUFFORCE and SO_SNDBUFFORCE, for root
	sendBufferMin = 4608
	recvBufferMin = 2304
)

// sysSetsockopt is setsockopt(2).
func sysSetsockopt(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	level, name, n := int(int32(a[1])), int(int32(a[2])), int32(a[4])
	if n < 0 {
		return 0, abi.EINVAL
	}
	p, errno := mem(a[3], uintptr(n))
	if errno != abi.OK {
		return 0, errno
	}
	b := s.base()
	if level == abi.SOL_SOCKET && (name == abi.SO_RCVTIMEO || name == abi.SO_SNDTIMEO) {
		return 0, b.setTimeout(name-abi.SO_RCVTIMEO, p)
	}
	if level == abi.IPPROTO_IP || level == abi.IPPROTO_IPV6 {
		return 0, setIP(s, level, name, p)
	}
	if b.family == abi.AF_UNIX && level != abi.SOL_SOCKET {
		return 0, abi.EOPNOTSUPP
	}
	if len(p) < 4 {
		return 0, abi.EINVAL
	}
	if level == abi.SOL_SOCKET && name == abi.SO_LINGER {
		if len(p) < 8 {
			return 0, abi.EINVAL
		}
		on, seconds := int32At(p), int32At(p[4:])
		b.opt.linger = [2]int32{min(1, max(on, -on)), seconds}
		b.opts.LingerReset = on != 0 && seconds == 0
		s.optionsChanged()
		return 0, abi.OK
	}
	v := int(int32At(p))
	switch level {
	case abi.SOL_SOCKET:
		if errno = t.maySet(name, v); errno == abi.OK {
			errno = b.setSocket(name, v)
		}
	case abi.IPPROTO_TCP:
		errno = b.setTCP(name, v)
	case abi.IPPROTO_UDP:
		errno = b.setUDP(name, v)
	default:
		errno = abi.ENOPROTOOPT
	}
	if errno == abi.OK {
		s.optionsChanged()
	}
	return 0, errno
}

func int32At(p []byte) int32 {
	return int32(uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24)
}

// maySet keeps some options for root (CAP_NET_ADMIN).
func (t *Task) maySet(name, v int) abi.Errno {
	if t.proc.who.privileged() {
		return abi.OK
	}
	switch name {
	case abi.SO_DEBUG:
		if v != 0 {
			return abi.EACCES
		}
	case abi.SO_PRIORITY:
		if v < 0 || v > 6 {
			return abi.EPERM
		}
	case abi.SO_SNDBUFFORCE, abi.SO_RCVBUFFORCE, abi.SO_MARK:
		return abi.EPERM
	}
	return abi.OK
}

// setSocket is net/core/sock.c:sk_setsockopt.
func (b *socketBase) setSocket(name, v int) abi.Errno {
	switch name {
	case abi.SO_REUSEADDR:
		b.opt.reuseAddr = v != 0
	case abi.SO_REUSEPORT:
		b.opt.reusePort = v != 0
	case abi.SO_PASSCRED:
		if b.family != abi.AF_UNIX && b.family != abi.AF_NETLINK {
			return abi.EOPNOTSUPP
		}
		b.opt.passCred = v != 0
	case abi.SO_BROADCAST:
		b.opt.broadcast = v != 0
	case abi.SO_KEEPALIVE:
		b.opts.KeepAlive = v != 0
	case abi.SO_SNDBUF:
		b.opts.SendBuffer = max(2*max(0, min(v, bufferMax)), sendBufferMin)
	case abi.SO_RCVBUF:
		b.opts.ReceiveMax = max(2*max(0, min(v, bufferMax)), recvBufferMin)
	case abi.SO_SNDBUFFORCE:
		b.opts.SendBuffer = max(2*max(0, min(v, forceMax)), sendBufferMin)
	case abi.SO_RCVBUFFORCE:
		b.opts.ReceiveMax = max(2*max(0, min(v, forceMax)), recvBufferMin)
	case abi.SO_TYPE, abi.SO_ERROR, abi.SO_PROTOCOL, abi.SO_DOMAIN, abi.SO_ACCEPTCONN, abi.SO_PEERCRED:
		return abi.ENOPROTOOPT
	default:
		return b.setPlain(abi.SOL_SOCKET, name, v)
	}
	return abi.OK
}

// setTCP is net/ipv4/tcp.c:do_tcp_setsockopt.
func (b *socketBase) setTCP(name, v int) abi.Errno {
	if b.kind != abi.SOCK_STREAM {
		return abi.ENOPROTOOPT
	}
	switch name {
	case abi.TCP_NODELAY:
		b.opts.NoDelay = v != 0
	case abi.TCP_KEEPIDLE, abi.TCP_KEEPINTVL:
		if v < 1 || v > 32767 {
			return abi.EINVAL
		}
		if name == abi.TCP_KEEPIDLE {
			b.opts.KeepIdle = socket.Time(v) * socket.Second
		} else {
			b.opts.KeepInterval = socket.Time(v) * socket.Second
		}
	case abi.TCP_KEEPCNT, abi.TCP_SYNCNT:
		if v < 1 || v > 127 {
			return abi.EINVAL
		}
		if name == abi.TCP_KEEPCNT {
			b.opts.KeepCount = v
		} else {
			b.opts.SynCount = v
		}
	case abi.TCP_USER_TIMEOUT:
		if v < 0 {
			return abi.EINVAL
		}
		b.opts.UserTimeout = socket.Time(v) * socket.Millisecond
	default:
		return b.setPlain(abi.IPPROTO_TCP, name, v)
	}
	return abi.OK
}

// setUDP is net/ipv4/udp.c:udp_lib_setsockopt.
func (b *socketBase) setUDP(name, v int) abi.Errno {
	if b.kind != abi.SOCK_DGRAM {
		return abi.ENOPROTOOPT
	}
	if name == abi.UDP_SEGMENT && (v < 0 || v > 1<<16-1) {
		return abi.EINVAL
	}
	return b.setPlain(abi.IPPROTO_UDP, name, v)
}

func (b *socketBase) setPlain(level, name, v int) abi.Errno {
	p, ok := b.opt.find(level, name)
	if !ok {
		return abi.ENOPROTOOPT
	}
	if level == abi.IPPROTO_IP && name == abi.IP_TOS && b.kind == abi.SOCK_STREAM {
		v &^= 3 // the ECN bits belong to TCP; net/ipv4/ip_sockglue.c:__ip_sock_set_tos
	}
	p.value = v
	b.opt.store(p)
	return abi.OK
}

// sysGetsockopt is getsockopt(2).
func sysGetsockopt(t *Task, a *Args) (uintptr, abi.Errno) {
	s, errno := t.sock(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	level, name := int(int32(a[1])), int(int32(a[2]))
	n, errno := loadInt(a[4])
	if errno != abi.OK {
		return 0, errno
	}
	if n < 0 {
		return 0, abi.EINVAL
	}
	b := s.base()
	var raw [16]byte
	size := 4
	switch {
	case level == abi.SOL_SOCKET && name == abi.SO_LINGER:
		putInt32(raw[:], b.opt.linger[0])
		putInt32(raw[4:], b.opt.linger[1])
		size = 8
	case level == abi.SOL_SOCKET && (name == abi.SO_RCVTIMEO || name == abi.SO_SNDTIMEO):
		b.putTimeout(name-abi.SO_RCVTIMEO, raw[:])
		size = 16
	case level == abi.SOL_SOCKET && name == abi.SO_PEERCRED:
		size = peerCred(s, raw[:])
	default:
		v, errno := getOption(s, level, name)
		if errno != abi.OK {
			return 0, errno
		}
		putInt32(raw[:], int32(v))
	}
	size = min(size, n)
	p, errno := mem(a[3], uintptr(size))
	if errno != abi.OK {
		return 0, errno
	}
	copy(p, raw[:size])
	return 0, storeInt(a[4], size)
}

func putInt32(p []byte, v int32) {
	p[0], p[1], p[2], p[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

// peerCred writes who is at the other end of a unix connection, or -1 for
// nobody; unix(7) SO_PEERCRED.
func peerCred(s netSocket, raw []byte) int {
	c := abi.Ucred{UID: 1<<32 - 1, GID: 1<<32 - 1}
	if f, ok := s.(*unixSocket); ok && f.streams() && f.linked {
		c = f.mateCred
	} else if ok && f.linked && f.mate != nil && f.name == "" && f.mate.mate == f {
		c = f.mateCred // of socketpair(2)
	} else if ok && f.listening {
		c = f.cred
	}
	putInt32(raw, c.Pid)
	putInt32(raw[4:], int32(c.UID))
	putInt32(raw[8:], int32(c.GID))
	return abi.SizeofUcred
}

// getOption is the value of an option that is an int.
func getOption(s netSocket, level, name int) (int, abi.Errno) {
	b := s.base()
	if b.family == abi.AF_UNIX && level != abi.SOL_SOCKET {
		return 0, abi.EOPNOTSUPP
	}
	if level == abi.IPPROTO_IPV6 {
		return b.getIPv6(name)
	}
	if level == abi.IPPROTO_TCP {
		return b.getTCP(name)
	}
	if level == abi.SOL_SOCKET {
		switch name {
		case abi.SO_ERROR:
			return int(s.takeError()), abi.OK
		case abi.SO_TYPE:
			return b.kind, abi.OK
		case abi.SO_PROTOCOL:
			return b.proto, abi.OK
		case abi.SO_DOMAIN:
			return b.family, abi.OK
		case abi.SO_ACCEPTCONN:
			tcp, ok := s.(*tcpSocket)
			unix, is := s.(*unixSocket)
			return bit(ok && tcp.lis != nil || is && unix.listening), abi.OK
		case abi.SO_REUSEPORT:
			return bit(b.opt.reusePort), abi.OK
		case abi.SO_PASSCRED:
			return bit(b.opt.passCred), abi.OK
		case abi.SO_REUSEADDR:
			return bit(b.opt.reuseAddr), abi.OK
		case abi.SO_BROADCAST:
			return bit(b.opt.broadcast), abi.OK
		case abi.SO_KEEPALIVE:
			return bit(b.opts.KeepAlive), abi.OK
		case abi.SO_SNDBUF:
			return b.opts.SendBuffer, abi.OK
		case abi.SO_RCVBUF:
			return b.opts.ReceiveMax, abi.OK
		}
	}
	if level == abi.SOL_SOCKET || level == abi.IPPROTO_IP || level == abi.IPPROTO_UDP && b.kind == abi.SOCK_DGRAM {
		if p, ok := b.opt.find(level, name); ok {
			return p.value, abi.OK
		}
		return 0, abi.ENOPROTOOPT
	}
	return 0, abi.EOPNOTSUPP
}

func (b *socketBase) getTCP(name int) (int, abi.Errno) {
	if b.kind != abi.SOCK_STREAM {
		return 0, abi.ENOPROTOOPT
	}
	switch name {
	case abi.TCP_NODELAY:
		return bit(b.opts.NoDelay), abi.OK
	case abi.TCP_KEEPIDLE:
		return int(b.opts.KeepIdle / socket.Second), abi.OK
	case abi.TCP_KEEPINTVL:
		return int(b.opts.KeepInterval / socket.Second), abi.OK
	case abi.TCP_KEEPCNT:
		return b.opts.KeepCount, abi.OK
	case abi.TCP_SYNCNT:
		if b.opts.SynCount == 0 {
			return 6, abi.OK
		}
		return b.opts.SynCount, abi.OK
	case abi.TCP_USER_TIMEOUT:
		return int(b.opts.UserTimeout / socket.Millisecond), abi.OK
	}
	if p, ok := b.opt.find(abi.IPPROTO_TCP, name); ok {
		return p.value, abi.OK
	}
	return 0, abi.ENOPROTOOPT
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// describeSocket is describeArg for what only calls about sockets have.
func describeSocket(b []byte, ev *Event, kind byte, a *Args, i int) []byte {
	v := a[i]
	switch kind {
	case 'a':
		if v == 0 {
			return b
		}
		raw, errno := readName(v, a[i+1])
		if errno != abi.OK || len(raw) < 2 {
			return append(b, " ?"...)
		}
		n, errno := parseName(nameFamily(raw), raw)
		if errno != abi.OK {
			return append(b, " ?"...)
		}
		ev.Peer = n.String()
		return append(append(b, ' '), ev.Peer...)
	case 'A':
		switch int(int32(v)) {
		case abi.AF_UNIX:
			return append(b, " AF_UNIX"...)
		case abi.AF_INET:
			return append(b, " AF_INET"...)
		case abi.AF_INET6:
			return append(b, " AF_INET6"...)
		case abi.AF_NETLINK:
			return append(b, " AF_NETLINK"...)
		}
	case 'T':
		names := [...]string{1: "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"}
		if t := v & abi.SOCK_TYPE_MASK; t > 0 && t < uintptr(len(names)) {
			return append(append(b, ' '), names[t]...)
		}
	case 'h':
		return appendName(b, []string{"SHUT_RD", "SHUT_WR", "SHUT_RDWR"}, v)
	}
	return appendName(b, nil, v)
}
