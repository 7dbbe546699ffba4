package abi

// Address families, socket(2). Source: include/linux/socket.h.
const (
	AF_UNSPEC  = 0
	AF_UNIX    = 1
	AF_INET    = 2
	AF_INET6   = 10
	AF_NETLINK = 16
	AF_MAX     = 46
)

// Socket types and the flags that share their argument, socket(2).
// Source: include/linux/net.h.
const (
	SOCK_STREAM    = 1
	SOCK_DGRAM     = 2
	SOCK_RAW       = 3
	SOCK_SEQPACKET = 5
	SOCK_TYPE_MASK = 0xf
	SOCK_CLOEXEC   = 0o2000000
	SOCK_NONBLOCK  = 0o4000
)

// Protocols, ip(7). Source: include/uapi/linux/in.h.
const (
	IPPROTO_IP     = 0
	IPPROTO_ICMP   = 1
	IPPROTO_TCP    = 6
	IPPROTO_UDP    = 17
	IPPROTO_ICMPV6 = 58
	IPPROTO_IPV6   = 41
	IPPROTO_MPTCP  = 262
)

// Options of level SOL_SOCKET, socket(7).
// Source: include/uapi/asm-generic/socket.h.
const (
	SOL_SOCKET      = 1
	SO_DEBUG        = 1
	SO_REUSEADDR    = 2
	SO_TYPE         = 3
	SO_ERROR        = 4
	SO_DONTROUTE    = 5
	SO_BROADCAST    = 6
	SO_SNDBUF       = 7
	SO_RCVBUF       = 8
	SO_KEEPALIVE    = 9
	SO_OOBINLINE    = 10
	SO_PRIORITY     = 12
	SO_LINGER       = 13
	SO_REUSEPORT    = 15
	SO_PASSCRED     = 16
	SO_PEERCRED     = 17
	SO_RCVTIMEO     = 20
	SO_SNDTIMEO     = 21
	SO_ACCEPTCONN   = 30
	SO_SNDBUFFORCE  = 32
	SO_RCVBUFFORCE  = 33
	SO_MARK         = 36
	SO_PROTOCOL     = 38
	SO_DOMAIN       = 39
	SO_INCOMING_CPU = 49
	SO_BINDTODEVICE = 25
	SO_TIMESTAMP    = 29
	SO_RXQ_OVFL     = 40
	SO_COOKIE       = 57
)

// Options of level IPPROTO_TCP, tcp(7). Source: include/uapi/linux/tcp.h.
const (
	TCP_NODELAY          = 1
	TCP_MAXSEG           = 2
	TCP_CORK             = 3
	TCP_KEEPIDLE         = 4
	TCP_KEEPINTVL        = 5
	TCP_KEEPCNT          = 6
	TCP_SYNCNT           = 7
	TCP_LINGER2          = 8
	TCP_DEFER_ACCEPT     = 9
	TCP_INFO             = 11
	TCP_QUICKACK         = 12
	TCP_CONGESTION       = 13
	TCP_USER_TIMEOUT     = 18
	TCP_FASTOPEN         = 23
	TCP_FASTOPEN_CONNECT = 30
)

// Options of levels IPPROTO_IP and IPPROTO_IPV6, ip(7), ipv6(7).
// Sources: include/uapi/linux/in.h, in6.h.
const (
	IP_TOS              = 1
	IP_TTL              = 2
	IP_PKTINFO          = 8
	IP_MTU_DISCOVER     = 10
	IP_RECVERR          = 11
	IP_RECVTTL          = 12
	IP_RECVTOS          = 13
	IP_FREEBIND         = 15
	IP_MULTICAST_IF     = 32
	IP_MULTICAST_TTL    = 33
	IP_MULTICAST_LOOP   = 34
	IP_ADD_MEMBERSHIP   = 35
	IP_DROP_MEMBERSHIP  = 36
	MCAST_JOIN_GROUP    = 42 // both levels, as the next
	MCAST_LEAVE_GROUP   = 45
	IP_MULTICAST_ALL    = 49
	IPV6_UNICAST_HOPS   = 16
	IPV6_MULTICAST_IF   = 17
	IPV6_MULTICAST_HOPS = 18
	IPV6_MULTICAST_LOOP = 19
	IPV6_JOIN_GROUP     = 20
	IPV6_LEAVE_GROUP    = 21
	IPV6_MTU_DISCOVER   = 23
	IPV6_RECVERR        = 25
	IPV6_V6ONLY         = 26
	IPV6_RECVPKTINFO    = 49
	IPV6_PKTINFO        = 50
	IPV6_RECVHOPLIMIT   = 51
	IPV6_HOPLIMIT       = 52
	IPV6_RECVTCLASS     = 66
	IPV6_TCLASS         = 67
)

// Options and ancillary data of level SOL_UDP, udp(7), include/uapi/linux/udp.h,
// and the most datagrams of one call with UDP_SEGMENT, include/linux/udp.h.
const (
	UDP_SEGMENT      = 103
	UDP_MAX_SEGMENTS = 128
)

// Kinds of ancillary data of level SOL_SOCKET, unix(7), cmsg(3).
const (
	SCM_RIGHTS      = 1
	SCM_CREDENTIALS = 2
	SCM_MAX_FD      = 253 // include/net/scm.h
)

// Flags of send(2) and recv(2). Source: include/linux/socket.h.
const (
	MSG_OOB          = 0x1
	MSG_PEEK         = 0x2
	MSG_DONTROUTE    = 0x4
	MSG_CTRUNC       = 0x8
	MSG_TRUNC        = 0x20
	MSG_DONTWAIT     = 0x40
	MSG_WAITALL      = 0x100
	MSG_ERRQUEUE     = 0x2000
	MSG_NOSIGNAL     = 0x4000
	MSG_MORE         = 0x8000
	MSG_CMSG_CLOEXEC = 0x40000000
)

// Ways of shutdown(2).
const (
	SHUT_RD   = 0
	SHUT_WR   = 1
	SHUT_RDWR = 2
)

// SOMAXCONN is the largest backlog, listen(2): the default of
// net.core.somaxconn since Linux 5.4.
const SOMAXCONN = 4096

// FIONREAD and FIONBIO are the ioctl(2) requests that sockets answer.
// Source: include/uapi/asm-generic/ioctls.h.
const (
	FIONREAD = 0x541b
	FIONBIO  = 0x5421
)

// Sizes of struct sockaddr_in, ip(7): family, port (big endian), address, 8
// bytes of padding; of sockaddr_in6, ipv6(7): family, port, flow label,
// address, scope id, of which the scope may be missing; of sockaddr_un,
// unix(7): family and path; of sockaddr_nl, netlink(7): family, padding, port
// id, groups.
const (
	SizeofSockaddrIn    = 16
	SizeofSockaddrIn6   = 28
	MinSockaddrIn6      = 24
	SizeofSockaddrUn    = 110
	SizeofSockaddrNl    = 12
	SizeofSockaddrMax   = 128 // struct sockaddr_storage
	UnixPathMax         = 108
	SizeofUcred         = 12
	SizeofCmsghdr       = 16
	SizeofInPktinfo     = 12
	SizeofIn6Pktinfo    = 20
	NETLINK_ROUTE       = 0
	MaxGroupMemberships = 20 // igmp_max_memberships
)

// Cmsghdr is struct cmsghdr, cmsg(3), on 64-bit machines; data follows.
type Cmsghdr struct {
	Len         uint64
	Level, Type int32
}

// Ucred is struct ucred, unix(7).
type Ucred struct {
	Pid      int32
	UID, GID uint32
}

// Mmsghdr is struct mmsghdr, sendmmsg(2).
type Mmsghdr struct {
	Hdr Msghdr
	Len uint32
	_   uint32
}

// Msghdr is struct msghdr, recvmsg(2), on 64-bit machines.
type Msghdr struct {
	Name       uintptr
	Namelen    uint32
	_          uint32
	Iov        uintptr
	Iovlen     uint64
	Control    uintptr
	Controllen uint64
	Flags      int32
	_          int32
}
