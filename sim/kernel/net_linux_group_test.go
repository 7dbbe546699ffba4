//go:build linux && amd64

package kernel

import (
	"encoding/binary"
	"syscall"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// groups makes calls about multicast groups and writes down what they answer.
type groups struct{ script }

func (s *groups) udp(family int) int {
	fd, errno := s.raw(abi.SYS_SOCKET, uintptr(family), abi.SOCK_DGRAM|abi.SOCK_NONBLOCK|abi.SOCK_CLOEXEC, 0)
	s.note("socket: errno %d", errno)
	s.fds = append(s.fds, fd)
	return fd
}

func (s *groups) set(fd, level, name int, p []byte) {
	s.keep = p
	_, errno := s.raw(abi.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	s.note("setsockopt %d %d %v, %d bytes: errno %d", level, name, p[:min(len(p), 32)], len(p), errno)
}

// request is a struct group_req.
func request(device uint32, family byte, group ...byte) []byte {
	p := make([]byte, 136)
	binary.LittleEndian.PutUint32(p, device)
	p[8] = family
	at := 12 // in a struct sockaddr_in
	if len(group) == 16 {
		at = 16 // in a struct sockaddr_in6
	}
	copy(p[at:], group)
	return p
}

// mreqn is a struct ip_mreqn.
func mreqn(group, addr [4]byte, device uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(group[:], addr[:]...), device)
}

func runGroups(s *groups) {
	const lo, none = 1, 99_999
	group, loop, no := [4]byte{224, 1, 2, 3}, [4]byte{127, 0, 0, 1}, [4]byte{}
	for _, family := range []int{abi.AF_INET, abi.AF_INET6} { // a dual-stack socket joins groups of IPv4, too
		fd := s.udp(family)
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_LEAVE_GROUP, request(lo, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreqn(group, no, lo))
		s.set(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreqn(group, loop, 0))
		s.set(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreqn(group, loop, 0)[:8])
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET, 10, 0, 0, 1))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET6, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(none, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET, group[:]...)[:135])
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_LEAVE_GROUP, request(none, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_LEAVE_GROUP, request(lo, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.IP_ADD_MEMBERSHIP, mreqn(group, loop, 0))
		s.set(fd, abi.IPPROTO_IP, abi.MCAST_LEAVE_GROUP, request(lo, abi.AF_INET, group[:]...))
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, mreqn(no, no, lo))
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, mreqn(no, no, none))
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, mreqn(no, loop, 0))
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, mreqn(no, [4]byte{203, 0, 113, 1}, 0))
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, mreqn(no, [4]byte{203, 0, 113, 1}, 0)[:8])
		s.set(fd, abi.IPPROTO_IP, abi.IP_MULTICAST_IF, loop[:])
	}
	fd := s.udp(abi.AF_INET6)
	six := []byte{0: 0xff, 1: 2, 14: 1, 15: 2}
	one := append(append([]byte{}, six...), lo, 0, 0, 0) // struct ipv6_mreq
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.IPV6_JOIN_GROUP, one)
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(none, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET6, 0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_JOIN_GROUP, request(lo, abi.AF_INET6, six...)[:100])
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_LEAVE_GROUP, request(lo, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_LEAVE_GROUP, request(lo, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.IPV6_JOIN_GROUP, one)
	s.set(fd, abi.IPPROTO_IPV6, abi.MCAST_LEAVE_GROUP, request(0, abi.AF_INET6, six...))
	s.set(fd, abi.IPPROTO_IPV6, abi.IPV6_LEAVE_GROUP, one)
}

// TestLinuxAgreesOnGroups makes the same calls on both kernels.
func TestLinuxAgreesOnGroups(t *testing.T) {
	real := &groups{script{t: t, sys: linuxSockets{t}}}
	defer func() {
		for _, fd := range real.fds {
			syscall.Close(fd)
		}
	}()
	runGroups(real)
	sim := &groups{script{t: t, sys: simSockets{newNetWorld(t, 1)}}}
	runGroups(sim)
	sameAnswers(t, real.out, sim.out)
}
