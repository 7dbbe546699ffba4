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
	if level == abi.IPPROTO_IPV6 {
		if name != abi.IPV6_JOIN_GROUP && name != abi.IPV6_LEAVE_GROUP {
			return abi.OK, false
		}
		if len(p) < 20 { // struct ipv6_mreq: group, device
			return abi.EINVAL, true
		}
		device := int32At(p[16:])
		if device != 0 && device != deviceLo && device != deviceEth {
			return abi.ENODEV, true
		}
		if name == abi.IPV6_JOIN_GROUP {
			return f.join(socket.IP(p[:16])), true
		}
		return f.leave(socket.IP(p[:16])), true
	}
	switch name {
	case abi.IP_MULTICAST_IF:
		if len(p) < 4 {
			return abi.EINVAL, true
		}
		return f.multicastDevice(p), true
	case abi.IP_ADD_MEMBERSHIP, abi.IP_DROP_MEMBERSHIP:
		if len(p) < 8 { // struct ip_mreq: group, address of the device
			return abi.EINVAL, true
		}
		if errno := f.multicastDevice(p[4:]); errno != abi.OK {
			return abi.ENODEV, true
		}
		group := socket.V4(p[0], p[1], p[2], p[3])
		if name == abi.IP_ADD_MEMBERSHIP {
			return f.join(group), true
		}
		return f.leave(group), true
	}
	return abi.OK, false
}

// multicastDevice checks the device that a struct in_addr, ip_mreq or ip_mreqn
// names, by address and perhaps by number. All groups are on one segment, so
// that nothing depends on which it is.
func (f *udpSocket) multicastDevice(p []byte) abi.Errno {
	if len(p) >= 8 {
		if device := int32At(p[4:]); device != 0 {
			if device != deviceLo && device != deviceEth {
				return abi.EADDRNOTAVAIL
			}
			return abi.OK
		}
	}
	if ip := socket.V4(p[0], p[1], p[2], p[3]); !ip.Unspecified() && !f.stack.Local(ip) {
		return abi.EADDRNOTAVAIL
	}
	return abi.OK
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
