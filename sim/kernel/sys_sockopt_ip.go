package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// setIP is setsockopt(2) of levels IPPROTO_IP and IPPROTO_IPV6: ip(7),
// ipv6(7), net/ipv4/ip_sockglue.c:do_ip_setsockopt,
// net/ipv6/ipv6_sockglue.c:do_ipv6_setsockopt.
func setIP(s netSocket, level, name int, p []byte) abi.Errno {
	b := s.base()
	switch {
	case b.family == abi.AF_UNIX:
		return abi.EOPNOTSUPP
	case b.family != abi.AF_INET && b.family != abi.AF_INET6, level == abi.IPPROTO_IPV6 && b.family != abi.AF_INET6:
		return abi.ENOPROTOOPT
	}
	if u, ok := s.(*udpSocket); ok {
		if errno, done := u.setGroup(level, name, p); done {
			return errno
		}
	}
	v := 0
	switch {
	case len(p) >= 4:
		v = int(int32At(p))
	case len(p) >= 1 && level == abi.IPPROTO_IP:
		v = int(p[0])
	default:
		return abi.EINVAL
	}
	switch {
	case level == abi.IPPROTO_IPV6 && name == abi.IPV6_V6ONLY:
		if s.bound() {
			return abi.EINVAL
		}
		b.opt.v6Only = v != 0
		return abi.OK
	case level == abi.IPPROTO_IP && name == abi.IP_MULTICAST_TTL,
		level == abi.IPPROTO_IPV6 && name == abi.IPV6_MULTICAST_HOPS:
		if v < -1 || v > 255 {
			return abi.EINVAL
		}
		if v == -1 {
			v = 1
		}
	case level == abi.IPPROTO_IP && name == abi.IP_TTL, level == abi.IPPROTO_IPV6 && name == abi.IPV6_UNICAST_HOPS:
		if v == -1 {
			v = 64
		}
		if v < 1 && level == abi.IPPROTO_IP || v < 0 || v > 255 {
			return abi.EINVAL
		}
	case level == abi.IPPROTO_IP && (name == abi.IP_MULTICAST_LOOP || name == abi.IP_MULTICAST_ALL), level == abi.IPPROTO_IPV6 && name == abi.IPV6_MULTICAST_LOOP:
		v = bit(v != 0)
	}
	return b.setPlain(level, name, v)
}

// setGroup carries out the options about multicast that are no ints.
func (f *udpSocket) setGroup(level, name int, p []byte) (errno abi.Errno, done bool) {
	switch {
	case name == abi.MCAST_JOIN_GROUP, name == abi.MCAST_LEAVE_GROUP:
		return f.requestGroup(level, name == abi.MCAST_JOIN_GROUP, p), true
	case level == abi.IPPROTO_IPV6 && (name == abi.IPV6_JOIN_GROUP || name == abi.IPV6_LEAVE_GROUP):
		if len(p) < 20 { // struct ipv6_mreq: group, device
			return abi.EINVAL, true
		}
		return f.setMembership(name == abi.IPV6_JOIN_GROUP, membership{socket.IP(p[:16]), int(int32At(p[16:]))}), true
	case level == abi.IPPROTO_IPV6:
		return abi.OK, false
	case name == abi.IP_MULTICAST_IF:
		if len(p) < 4 {
			return abi.EINVAL, true
		}
		if len(p) >= 8 {
			p = p[4:] // a struct ip_mreq or ip_mreqn, whose group does not matter
		}
		if device := f.multicastDevice(p); device != 0 && !isDevice(device) {
			return abi.EADDRNOTAVAIL, true
		}
		return abi.OK, true
	case name == abi.IP_ADD_MEMBERSHIP, name == abi.IP_DROP_MEMBERSHIP:
		if len(p) < 8 { // struct ip_mreq: group, address of the device
			return abi.EINVAL, true
		}
		m := membership{socket.V4(p[0], p[1], p[2], p[3]), f.multicastDevice(p[4:])}
		return f.setMembership(name == abi.IP_ADD_MEMBERSHIP, m), true
	}
	return abi.OK, false
}

// requestGroup is MCAST_JOIN_GROUP and MCAST_LEAVE_GROUP: a struct group_req,
// which has the number of a device and at byte 8 a socket address
// (net/ipv4/ip_sockglue.c:mcast_join_leave).
func (f *udpSocket) requestGroup(level int, join bool, p []byte) abi.Errno {
	const size, at, at6 = 136, 8 + 4, 8 + 8
	if len(p) < size {
		return abi.EINVAL
	}
	device, family := int(int32At(p)), int(p[8])|int(p[9])<<8
	switch {
	case level == abi.IPPROTO_IPV6 && family != abi.AF_INET6:
		return abi.EADDRNOTAVAIL
	case level == abi.IPPROTO_IPV6:
		return f.setMembership(join, membership{socket.IP(p[at6 : at6+16]), device})
	case family != abi.AF_INET:
		return abi.EINVAL
	}
	return f.setMembership(join, membership{socket.V4(p[at], p[at+1], p[at+2], p[at+3]), device})
}

// isDevice reports whether a machine has a device of that number.
func isDevice(n int) bool { return n == deviceLo || n == deviceEth }

// multicastDevice is the device that the rest of a struct ip_mreq or ip_mreqn
// names, by address or by number: 0 for none, -1 for one that is not there.
func (f *udpSocket) multicastDevice(p []byte) int {
	if len(p) >= 8 {
		if device := int(int32At(p[4:])); device != 0 {
			return device
		}
	}
	switch ip := socket.V4(p[0], p[1], p[2], p[3]); {
	case ip.Unspecified():
		return 0
	case !f.stack.Local(ip):
		return -1
	case ip[12] == 127:
		return deviceLo
	}
	return deviceEth
}

// getIPv6 is getsockopt(2) of level IPPROTO_IPV6.
func (b *socketBase) getIPv6(name int) (int, abi.Errno) {
	switch {
	case b.family == abi.AF_INET:
		return 0, abi.EOPNOTSUPP // net/ipv4/ip_sockglue.c:do_ip_getsockopt
	case b.family != abi.AF_INET6:
		return 0, abi.ENOPROTOOPT
	}
	if name == abi.IPV6_V6ONLY {
		return bit(b.opt.v6Only), abi.OK
	}
	if p, ok := b.opt.find(abi.IPPROTO_IPV6, name); ok {
		return p.value, abi.OK
	}
	return 0, abi.ENOPROTOOPT
}
