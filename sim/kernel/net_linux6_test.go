//go:build linux && amd64

package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// sockaddrIn6 is a struct sockaddr_in6; the address is written in groups from
// the front and from the back.
func sockaddrIn6(head []byte, tail []byte, port int) *[28]byte {
	a := &[28]byte{abi.AF_INET6, 0, byte(port >> 8), byte(port)}
	copy(a[8:], head)
	copy(a[24-len(tail):24], tail)
	return a
}

func mapped(a, b, c, d byte, port int) *[28]byte {
	return sockaddrIn6(nil, []byte{0xff, 0xff, a, b, c, d}, port)
}

// six makes calls on IPv6 sockets and writes down what they answer.
type six struct{ script }

func (s *six) open(kind int, only bool) int {
	fd, errno := s.raw(abi.SYS_SOCKET, abi.AF_INET6, uintptr(kind|abi.SOCK_NONBLOCK), 0)
	s.note("socket: errno %d", errno)
	s.fds = append(s.fds, fd)
	if only {
		s.option(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, 1)
	}
	s.get(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY)
	return fd
}

func (s *six) to(name string, nr uintptr, fd int, addr *[28]byte, n int) {
	s.keep = addr
	_, errno := s.raw(nr, uintptr(fd), uintptr(unsafe.Pointer(addr)), uintptr(n))
	s.note("%s: errno %d", name, errno)
}

func (s *six) bind6(fd int, addr *[28]byte)    { s.to("bind", abi.SYS_BIND, fd, addr, 28) }
func (s *six) connect6(fd int, addr *[28]byte) { s.to("connect", abi.SYS_CONNECT, fd, addr, 28) }

func (s *six) sendto6(fd int, addr *[28]byte) {
	b := &[1]byte{'x'}
	s.keep = [...]any{b, addr}
	_, errno := s.raw(abi.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(b)), 1, abi.MSG_NOSIGNAL, uintptr(unsafe.Pointer(addr)), 28)
	s.note("sendto: errno %d", errno)
}

func (s *six) name6(nr uintptr, fd int) *[28]byte {
	v := &struct {
		raw [28]byte
		n   int32
	}{n: 28}
	s.keep = v
	_, errno := s.raw(nr, uintptr(fd), uintptr(unsafe.Pointer(v)), uintptr(unsafe.Pointer(&v.n)))
	raw, n := &v.raw, v.n
	s.note("name: family %d ip %v port set %v, length %d, errno %d", raw[0], raw[8:24], raw[2]|raw[3] != 0, n, errno)
	return raw
}

func runSix(s *six) {
	any, loop := sockaddrIn6(nil, nil, 0), sockaddrIn6(nil, []byte{1}, 0)
	other := sockaddrIn6([]byte{0x20, 1, 0xd, 0xb8}, []byte{1}, 8080) // below 1024, rights matter first
	multicast := sockaddrIn6([]byte{0xff, 2}, []byte{1}, 80)

	fd := s.open(abi.SOCK_STREAM, true)
	s.connect6(fd, mapped(127, 0, 0, 1, 80))
	s.bind6(fd, mapped(127, 0, 0, 1, 0))
	s.name6(abi.SYS_GETSOCKNAME, fd)
	s.bind6(fd, any)
	s.option(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, 0) // too late

	fd = s.open(abi.SOCK_STREAM, false)
	s.bind6(fd, other)
	s.connect6(fd, multicast)
	s.to("short", abi.SYS_BIND, fd, any, 23)
	s.to("short", abi.SYS_CONNECT, fd, any, 23)
	wrong := *loop
	wrong[0] = abi.AF_INET
	s.bind6(fd, &wrong)
	s.bind6(fd, loop)
	s.name6(abi.SYS_GETSOCKNAME, fd)
	s.connect6(fd, mapped(127, 0, 0, 1, 80))
	s.listen(fd, 5)
	c := s.open(abi.SOCK_STREAM, false)
	at := s.name6(abi.SYS_GETSOCKNAME, fd)
	s.connect6(c, at)
	s.sys.settle(fd, false)
	s.name6(abi.SYS_GETPEERNAME, c)
	s.name6(abi.SYS_GETSOCKNAME, c)
	s.accept(fd)

	// A port that a dual-stack socket has is taken for IPv4, too.
	l := s.open(abi.SOCK_STREAM, false)
	s.bind6(l, any)
	s.listen(l, 5)
	port := s.name6(abi.SYS_GETSOCKNAME, l)
	v4 := s.socket()
	s.bind(v4, sockaddrIn([4]byte{}, int(port[2])<<8|int(port[3])))
	m := s.open(abi.SOCK_STREAM, false)
	s.connect6(m, mapped(127, 0, 0, 1, int(port[2])<<8|int(port[3])))
	s.sys.settle(l, false)
	s.name6(abi.SYS_GETPEERNAME, s.accept(l))

	u := s.open(abi.SOCK_DGRAM, true)
	s.connect6(u, mapped(127, 0, 0, 1, 9))
	s.sendto6(u, mapped(127, 0, 0, 1, 9))
	u = s.open(abi.SOCK_DGRAM, false)
	s.bind6(u, loop)
	s.sendto6(u, mapped(127, 0, 0, 1, 9))
	s.connect6(u, mapped(127, 0, 0, 1, 9))
	u = s.open(abi.SOCK_DGRAM, false)
	s.connect6(u, sockaddrIn6(nil, nil, 9))
	s.name6(abi.SYS_GETPEERNAME, u)
	s.name6(abi.SYS_GETSOCKNAME, u)
	s.option(u, abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS, 300)
	s.option(u, abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS, -1)
	s.get(u, abi.IPPROTO_IPV6, abi.IPV6_UNICAST_HOPS)
	s.get(u, abi.IPPROTO_IP, abi.IP_MULTICAST_LOOP)
	s.get(u, abi.SOL_SOCKET, abi.SO_DOMAIN)
	s.option(u, abi.SOL_SOCKET, abi.SO_REUSEPORT, 1)
	s.get(u, abi.SOL_SOCKET, abi.SO_REUSEPORT)
}

// TestLinuxAgreesOnIPv6 makes the same calls on both kernels.
func TestLinuxAgreesOnIPv6(t *testing.T) {
	real := &six{script{t: t, sys: linuxSockets{t}}}
	defer func() {
		for _, fd := range real.fds {
			syscall.Close(fd)
		}
	}()
	runSix(real)
	sim := &six{script{t: t, sys: simSockets{newNetWorld(t, 1)}}}
	runSix(sim)
	sameAnswers(t, real.out, sim.out)
}
