//go:build linux && amd64

package kernel

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// rawScript makes calls on raw sockets and writes down what they answer.
type rawScript struct{ six }

func (s *rawScript) open(family, proto int) int {
	fd, errno := s.raw(abi.SYS_SOCKET, uintptr(family), abi.SOCK_RAW|abi.SOCK_NONBLOCK, uintptr(proto))
	s.note("socket %d %d: errno %d", family, proto, errno)
	if errno != abi.OK {
		return -1
	}
	s.fds = append(s.fds, fd)
	return fd
}

// message receives one message and writes it down without what each kernel
// makes up: id, flags and checksum of the header.
func (s *rawScript) message(fd int) {
	b := &[100]byte{}
	s.keep = b
	n, errno := s.raw(abi.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(b)), 100, 0)
	if b[0]>>4 == 4 {
		copy(b[4:8], "\x00\x00\x00\x00")
		b[10], b[11] = 0, 0
	}
	s.note("recv: % x, errno %d", b[:n], errno)
}

// echo is an ICMP echo request with its checksum.
func echo(kind byte, text string) string {
	b := append([]byte{kind, 0, 0, 0, 0, 77, 0, 1}, text...)
	c := checksum(b, 0)
	b[2], b[3] = byte(c>>8), byte(c)
	return string(b)
}

func runRaw(s *rawScript) {
	for _, proto := range []int{0, -1, 263, 300} {
		s.open(abi.AF_INET, proto)
	}
	f := s.open(abi.AF_INET, abi.IPPROTO_ICMP)
	g := s.open(abi.AF_INET6, abi.IPPROTO_ICMPV6)
	if f < 0 || g < 0 {
		return
	}
	s.addr(abi.SYS_GETSOCKNAME, f)
	s.addr(abi.SYS_GETPEERNAME, f)
	s.get(f, abi.SOL_SOCKET, abi.SO_TYPE)
	s.get(f, abi.SOL_SOCKET, abi.SO_PROTOCOL)
	s.listen(f, 1)
	s.accept(f)
	s.shutdown(f, abi.SHUT_WR)
	s.send(f, "nowhere")
	s.message(f)
	s.bind(f, sockaddrIn([4]byte{8, 8, 8, 8}, 0))
	s.connect(f, sockaddrIn([4]byte{127, 9, 8, 7}, 0))
	s.addr(abi.SYS_GETSOCKNAME, f)
	s.addr(abi.SYS_GETPEERNAME, f)
	s.bind(f, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
	s.send(f, echo(8, "hello"))
	s.sys.settle(f, false)
	s.message(f)
	s.message(f)
	bad := []byte(echo(8, "damaged"))
	bad[2]++
	s.send(f, string(bad))
	s.send(f, echo(8, ""))
	s.sys.settle(f, false)
	s.message(f)
	s.message(f)
	s.send(f, "short")
	long := make([]byte, 65516)
	n, errno := s.raw(abi.SYS_SENDTO, uintptr(f), uintptr(unsafe.Pointer(&long[0])), uintptr(len(long)), 0)
	s.note("send of %d bytes: %d, errno %d", len(long), n, errno)
	other := s.open(abi.AF_INET, 253) // for experiments (RFC 3692)
	s.connect(other, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
	s.send(other, "of its own")
	s.sys.settle(other, false)
	s.message(other)
	s.message(f)

	s.name6(abi.SYS_GETSOCKNAME, g)
	s.connect6(g, sockaddrIn6(nil, []byte{1}, 0))
	s.name6(abi.SYS_GETSOCKNAME, g)
	s.send(g, echo(128, "six"))
	s.sys.settle(g, false)
	s.message(g)
	s.sys.settle(g, false)
	s.message(g)
	s.message(g)
	s.send(g, "xyz")
	for _, fd := range []int{f, g, other} {
		s.close(fd)
	}
}

// TestLinuxAgreesOnRawSockets makes the same calls on both kernels, as the user
// that the test runs as.
func TestLinuxAgreesOnRawSockets(t *testing.T) {
	real := &rawScript{six{script{t: t, sys: linuxSockets{t}}}}
	defer func() {
		for _, fd := range real.fds {
			syscall.Close(fd)
		}
	}()
	runRaw(real)
	w := newNetWorld(t, 1)
	w.k.Machine(Main).proc.who = user(uint32(syscall.Geteuid()), uint32(syscall.Getegid()))
	sim := &rawScript{six{script{t: t, sys: simSockets{w}}}}
	runRaw(sim)
	sameAnswers(t, real.out, sim.out)
}
