package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
)

// All machines are on one segment: a multicast or broadcast reaches every
// machine that it is for, each over its own link.

// sendUDP puts a message on its way to whoever it is for.
func (s *netStack) sendUDP(f *udpSocket, g *datagram) {
	n := s.net
	switch {
	case g.dst.IP.Multicast():
		if loop := f.opt.find2(f.family, abi.IP_MULTICAST_LOOP, abi.IPV6_MULTICAST_LOOP); loop != 0 && s.member(g.dst.IP) {
			n.send(s, s, nil, g)
		}
		if f.opt.find2(f.family, abi.IP_MULTICAST_TTL, abi.IPV6_MULTICAST_HOPS) == 0 {
			return // it does not leave the machine
		}
		for _, to := range n.stacks {
			if to != s && to.member(g.dst.IP) {
				n.send(s, to, nil, g)
			}
		}
	case s.broadcast(g.dst.IP):
		n.send(s, s, nil, g)
		for _, to := range n.stacks {
			if to != s && to.broadcast(g.dst.IP) {
				n.send(s, to, nil, g)
			}
		}
	default:
		n.send(s, s.machineAt(g.dst.IP), nil, g)
	}
}

// member reports whether a socket of the machine has joined a group. Every
// machine listens to all hosts, 224.0.0.1 and ff02::1.
func (s *netStack) member(group socket.IP) bool {
	return s.joined[group] > 0 || group == socket.V4(224, 0, 0, 1) || group == socket.IP{0: 0xff, 1: 0x02, 15: 1}
}

// broadcast reports whether ip is the broadcast address of a net that the
// machine is on.
func (s *netStack) broadcast(ip socket.IP) bool {
	if !ip.Is4() || ip[15] != 0xff { // nets end before the last byte
		return false
	}
	if ip == socket.V4(255, 255, 255, 255) {
		return true
	}
	for _, own := range s.ips {
		if !own.Is4() {
			continue
		}
		if at := 12 + prefixBits(own)/8; socket.Common(own, ip) >= 8*at && allOnes(ip[at:]) {
			return true
		}
	}
	return false
}

func allOnes(b []byte) bool {
	for _, x := range b {
		if x != 0xff {
			return false
		}
	}
	return true
}

// prefixBits is how many bits of an address name the net: 8 for 10.x and 11.x,
// where machines get theirs from, 24 for other IPv4 ones, 64 for IPv6, 8 and
// 128 for those of the loopback device.
func prefixBits(ip socket.IP) int {
	switch {
	case ip == socket.Loopback6():
		return 128
	case !ip.Is4():
		return 64
	case ip[12] == 10, ip[12] == 11, ip[12] == 127:
		return 8
	}
	return 24
}

// inputUDP takes a message that arrived. A port that nobody has answers "port
// unreachable" (net/ipv4/udp.c:__udp4_lib_rcv), unless the message was for
// many.
func (s *netStack) inputUDP(g *datagram) {
	if g.icmp == abi.OK && (g.dst.IP.Multicast() || s.broadcast(g.dst.IP)) {
		for _, f := range s.udp[g.dst.Port] {
			if f.hearsAll(g) {
				f.take(g)
			}
		}
		return
	}
	f := s.udpAt(g.dst, g.src)
	switch {
	case g.icmp != abi.OK:
		if f != nil && (f.remote == g.src || f.opt.on(abi.IPPROTO_IP, abi.IP_RECVERR)) {
			f.err = g.icmp
			f.Notify(socket.Readable | socket.Writable)
		}
	case f != nil:
		f.take(g)
	case s.net.dns.serves(g.dst):
		s.net.dns.query(s, g)
	default:
		s.icmp(g, abi.ECONNREFUSED)
	}
}

// icmp answers a message with an error for its sender's socket.
func (s *netStack) icmp(g *datagram, errno abi.Errno) {
	if to := s.machineAt(g.src.IP); to != nil {
		s.net.send(s, to, nil, &datagram{
			from: s, src: g.dst, dst: g.src, srcText: g.dstText, dstText: g.srcText, icmp: errno,
		})
	}
}

// hearsAll reports whether a socket gets a copy of a message for many: it is
// bound to any address or to this one, and not connected to somebody else.
// IP_MULTICAST_ALL, the default, gives it groups that other sockets of the
// machine have joined; ip(7).
func (f *udpSocket) hearsAll(g *datagram) bool {
	ip := g.dst.IP
	if f.set().Score(ip) == 0 || f.remote.Port != 0 && f.remote != g.src {
		return false
	}
	if !ip.Multicast() || f.opt.on(abi.IPPROTO_IP, abi.IP_MULTICAST_ALL) {
		return true
	}
	for _, m := range f.groups {
		if m.group == ip {
			return true
		}
	}
	return false
}

// udpAt finds the socket for a message: connected ones to src first, then
// those bound to the exact address, then the wildcards; the one bound last
// wins among equals. net/ipv4/udp.c:compute_score.
func (s *netStack) udpAt(dst, src socket.Addr) *udpSocket {
	var best *udpSocket
	top := 0
	for _, f := range s.udp[dst.Port] {
		score := f.set().Score(dst.IP)
		if score == 0 {
			continue
		}
		if f.remote == src {
			score += 4
		} else if f.remote.Port != 0 {
			continue
		}
		if score >= top {
			best, top = f, score
		}
	}
	return best
}

// membership is that of a socket in a group, on one device. All groups are on
// one segment, so that what a socket hears does not depend on the device.
type membership struct {
	group  socket.IP
	device int // 0 for whichever the route to the group takes
}

// setMembership joins or leaves a group: net/ipv4/igmp.c:ip_mc_join_group and
// ip_mc_leave_group, net/ipv6/mcast.c:ipv6_sock_mc_join and ipv6_sock_mc_drop.
func (f *udpSocket) setMembership(join bool, m membership) abi.Errno {
	any := m.device == 0 && !m.group.Is4() // for IPv6 this finds what it has on any
	if m.device == 0 {
		m.device = deviceEth
	}
	at := -1
	for i, o := range f.groups {
		if o == m || any && o.group == m.group {
			at = i
			break
		}
	}
	switch {
	case join && (!m.group.Multicast() || f.family == abi.AF_INET && !m.group.Is4()):
		return abi.EINVAL
	case join && !isDevice(m.device):
		return abi.ENODEV
	case join && at >= 0:
		return abi.EADDRINUSE
	case join && len(f.groups) >= abi.MaxGroupMemberships:
		return abi.ENOBUFS
	case join:
		f.groups = append(f.groups, m)
		f.stack.joined[m.group]++
	case at < 0:
		return abi.EADDRNOTAVAIL
	default:
		f.groups = append(f.groups[:at], f.groups[at+1:]...)
		f.stack.joined[m.group]--
	}
	return abi.OK
}
