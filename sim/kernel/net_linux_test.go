//go:build linux && amd64

package kernel

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// sockets is what a script of socket calls needs; it runs on Linux, the
// judge, and on the simulated kernel, both over 127.0.0.1.
type sockets interface {
	call(nr uintptr, a *Args) (uintptr, abi.Errno)
	// settle lets what is under way arrive. fd is one that becomes readable
	// or writable by it.
	settle(fd int, write bool)
}

// linuxSockets is the real kernel.
type linuxSockets struct{ t *testing.T }

func (linuxSockets) call(nr uintptr, a *Args) (uintptr, abi.Errno) {
	r, _, errno := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	return r, abi.Errno(errno)
}

type pollFD struct {
	fd              int32
	events, revents int16
}

func (l linuxSockets) settle(fd int, write bool) {
	p := pollFD{fd: int32(fd), events: 1}
	if write {
		p.events = 4
	}
	n, _, errno := syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&p)), 1, 10_000)
	if n != 1 {
		l.t.Fatalf("poll of %d: %d, %v", fd, n, errno)
	}
}

// simSockets is the simulated kernel.
type simSockets struct{ w *netWorld }

func (s simSockets) call(nr uintptr, a *Args) (uintptr, abi.Errno) {
	return s.w.k.Syscall(1, nr, a)
}

func (s simSockets) settle(fd int, write bool) {
	s.w.t.Helper()
	pd := uintptr(0x100000 + fd)
	f, errno := s.w.k.Machine(1).proc.fds.get(fd)
	if errno != abi.OK {
		s.w.t.Fatalf("settle of %d: errno %d", fd, errno)
	}
	want := byte(ModeRead)
	if write {
		want = byte(ModeWrite)
	}
	s.w.run(100_000) // loopback is synchronous on Linux
	s.w.until("ready", func() bool {
		delete(s.w.ready, pd)
		f.PollOpen(pd)
		f.PollClose(pd)
		m := byte(s.w.ready[pd])
		return m == want || m == byte(ModeReadWrite)
	})
}

// script makes calls and writes down what they answer, without numbers that
// may differ.
type script struct {
	t   *testing.T
	sys sockets
	out []string
	fds []int
	// keep is what a call is given the address of, as a number: a thing on the
	// stack would move with it.
	keep any
}

func (s *script) note(format string, a ...any) { s.out = append(s.out, fmt.Sprintf(format, a...)) }

func (s *script) raw(nr uintptr, args ...uintptr) (int, abi.Errno) {
	var a Args
	copy(a[:], args)
	r, errno := s.sys.call(nr, &a)
	if errno != abi.OK {
		r = 0
	}
	return int(r), errno
}

func (s *script) socket() int {
	fd, errno := s.raw(abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_STREAM|abi.SOCK_NONBLOCK|abi.SOCK_CLOEXEC, 0)
	if errno != abi.OK {
		s.t.Fatalf("socket: errno %d", errno)
	}
	s.fds = append(s.fds, fd)
	return fd
}

func (s *script) option(fd, level, name int, value int32) {
	v := &value
	s.keep = v
	_, errno := s.raw(abi.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name), uintptr(unsafe.Pointer(v)), 4)
	s.note("setsockopt %d %d: errno %d", level, name, errno)
}

func (s *script) get(fd, level, name int) {
	v := &[2]int32{-1, 4}
	s.keep = v
	_, errno := s.raw(abi.SYS_GETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(&v[0])), uintptr(unsafe.Pointer(&v[1])))
	s.note("getsockopt %d %d: %d, length %d, errno %d", level, name, v[0], v[1], errno)
}

func (s *script) addr(nr uintptr, fd int) *[16]byte {
	v := &struct {
		raw [16]byte
		n   int32
	}{n: 16}
	s.keep = v
	_, errno := s.raw(nr, uintptr(fd), uintptr(unsafe.Pointer(v)), uintptr(unsafe.Pointer(&v.n)))
	raw, n := &v.raw, v.n
	s.note("name: family %d ip %v port set %v, length %d, errno %d", raw[0], raw[4:8], raw[2]|raw[3] != 0, n, errno)
	return raw
}

func (s *script) bind(fd int, addr *[16]byte) {
	_, errno := s.raw(abi.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(addr)), 16)
	s.note("bind: errno %d", errno)
}

func (s *script) listen(fd, backlog int) {
	_, errno := s.raw(abi.SYS_LISTEN, uintptr(fd), uintptr(backlog))
	s.note("listen: errno %d", errno)
}

func (s *script) connect(fd int, addr *[16]byte) {
	_, errno := s.raw(abi.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(addr)), 16)
	s.note("connect: errno %d", errno)
}

func (s *script) accept(fd int) int {
	c, errno := s.raw(abi.SYS_ACCEPT4, uintptr(fd), 0, 0, abi.SOCK_NONBLOCK|abi.SOCK_CLOEXEC)
	s.note("accept: errno %d", errno)
	if errno == abi.OK {
		s.fds = append(s.fds, c)
	}
	return c
}

func (s *script) send(fd int, p string) {
	b := append([]byte(p), 0)
	n, errno := s.raw(abi.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(p)), abi.MSG_NOSIGNAL)
	s.note("send %q: %d, errno %d", p, n, errno)
}

func (s *script) recv(fd, flags int) {
	var b [64]byte
	n, errno := s.raw(abi.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b)), 64, uintptr(flags))
	s.note("recv: %q, errno %d", b[:n], errno)
}

func (s *script) shutdown(fd, how int) {
	_, errno := s.raw(abi.SYS_SHUTDOWN, uintptr(fd), uintptr(how))
	s.note("shutdown %d: errno %d", how, errno)
}

func (s *script) close(fd int) {
	_, errno := s.raw(abi.SYS_CLOSE, uintptr(fd))
	s.note("close: errno %d", errno)
	for i, x := range s.fds {
		if x == fd {
			s.fds = append(s.fds[:i], s.fds[i+1:]...)
			break
		}
	}
}

// listener is a socket that listens at a free port, and its address.
func (s *script) listener(backlog int) (int, *[16]byte) {
	fd := s.socket()
	s.option(fd, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
	s.bind(fd, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
	s.listen(fd, backlog)
	return fd, s.addr(abi.SYS_GETSOCKNAME, fd)
}

// open is a connection: client, server and listener.
func (s *script) open() (client, server, listener int) {
	l, addr := s.listener(10)
	c := s.socket()
	s.connect(c, addr)
	s.sys.settle(l, false)
	s.sys.settle(c, true)
	return c, s.accept(l), l
}

// linger0 is SO_LINGER with a time of 0.
func (s *script) linger0(fd int) {
	v := [2]int32{1, 0}
	_, errno := s.raw(abi.SYS_SETSOCKOPT, uintptr(fd), abi.SOL_SOCKET, abi.SO_LINGER, uintptr(unsafe.Pointer(&v)), 8)
	s.note("linger: errno %d", errno)
}

var scripts = []struct {
	name string
	run  func(s *script)
}{
	{"fresh", func(s *script) {
		fd := s.socket()
		s.recv(fd, 0)
		s.send(fd, "x")
		s.addr(abi.SYS_GETSOCKNAME, fd)
		s.addr(abi.SYS_GETPEERNAME, fd)
		s.shutdown(fd, abi.SHUT_WR)
		s.accept(fd)
		s.get(fd, abi.SOL_SOCKET, abi.SO_ERROR)
		s.get(fd, abi.SOL_SOCKET, abi.SO_TYPE)
		s.get(fd, abi.SOL_SOCKET, abi.SO_ACCEPTCONN)
		s.get(fd, abi.SOL_SOCKET, abi.SO_PROTOCOL)
		s.get(fd, abi.SOL_SOCKET, abi.SO_DOMAIN)
		s.listen(fd, 5)
		s.addr(abi.SYS_GETSOCKNAME, fd)
		s.get(fd, abi.SOL_SOCKET, abi.SO_ACCEPTCONN)
		s.recv(fd, 0)
		s.send(fd, "x")
		s.connect(fd, sockaddrIn([4]byte{127, 0, 0, 1}, 9))
		s.accept(fd)
	}},
	{"options", func(s *script) {
		fd := s.socket()
		for _, o := range [][2]int{
			{abi.SOL_SOCKET, abi.SO_KEEPALIVE}, {abi.SOL_SOCKET, abi.SO_REUSEADDR}, {abi.SOL_SOCKET, abi.SO_BROADCAST},
			{abi.IPPROTO_TCP, abi.TCP_NODELAY}, {abi.IPPROTO_TCP, abi.TCP_KEEPIDLE}, {abi.IPPROTO_TCP, abi.TCP_KEEPINTVL},
			{abi.IPPROTO_TCP, abi.TCP_KEEPCNT}, {abi.IPPROTO_TCP, abi.TCP_USER_TIMEOUT}, {abi.IPPROTO_TCP, abi.TCP_SYNCNT},
			{abi.IPPROTO_IP, abi.IP_TTL}, {abi.IPPROTO_IP, abi.IP_TOS},
		} {
			s.get(fd, o[0], o[1])
			s.option(fd, o[0], o[1], 1)
			s.get(fd, o[0], o[1])
			s.option(fd, o[0], o[1], 7)
			s.get(fd, o[0], o[1])
		}
		s.option(fd, abi.IPPROTO_TCP, abi.TCP_KEEPIDLE, 0)
		s.option(fd, abi.IPPROTO_TCP, abi.TCP_KEEPCNT, 1000)
		s.option(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, 1)
		s.option(fd, abi.SOL_SOCKET, 9999, 1)
		s.option(fd, abi.SOL_SOCKET, abi.SO_TYPE, 1)
		s.get(fd, abi.SOL_SOCKET, 9999)
		s.get(fd, abi.IPPROTO_TCP, 9999)
		s.option(fd, abi.SOL_SOCKET, abi.SO_SNDBUF, 10000)
		s.get(fd, abi.SOL_SOCKET, abi.SO_SNDBUF)
		s.option(fd, abi.SOL_SOCKET, abi.SO_RCVBUF, 1)
		s.get(fd, abi.SOL_SOCKET, abi.SO_RCVBUF)
		s.option(-1, abi.SOL_SOCKET, abi.SO_KEEPALIVE, 1)
	}},
	{"exchange", func(s *script) {
		c, v, _ := s.open()
		s.get(c, abi.SOL_SOCKET, abi.SO_ERROR)
		s.addr(abi.SYS_GETPEERNAME, c)
		s.addr(abi.SYS_GETPEERNAME, v)
		s.recv(v, 0)
		s.send(c, "hello")
		s.sys.settle(v, false)
		s.recv(v, abi.MSG_PEEK)
		s.recv(v, 0)
		s.recv(v, 0)
		s.recv(v, abi.MSG_OOB)
		s.send(v, "")
		s.send(v, "world")
		s.sys.settle(c, false)
		s.recv(c, 0)
	}},
	{"connect states", func(s *script) {
		l, addr := s.listener(10)
		c := s.socket()
		s.connect(c, addr)
		s.sys.settle(c, true)
		s.connect(c, addr)
		s.connect(c, addr)
		s.bind(c, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
		s.listen(c, 1)
		s.accept(c)
		s.bind(l, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
	}},
	{"refused", func(s *script) {
		l, addr := s.listener(10)
		s.close(l)
		c := s.socket()
		s.connect(c, addr)
		s.sys.settle(c, true)
		s.get(c, abi.SOL_SOCKET, abi.SO_ERROR)
		s.get(c, abi.SOL_SOCKET, abi.SO_ERROR)
		s.addr(abi.SYS_GETPEERNAME, c)
		s.recv(c, 0)
		s.send(c, "x")
		s.connect(c, addr)
		s.connect(c, addr)
		s.sys.settle(c, true)
		s.connect(c, addr)
		s.send(c, "x")
	}},
	{"half close", func(s *script) {
		c, v, _ := s.open()
		s.send(c, "bye")
		s.shutdown(c, abi.SHUT_WR)
		s.send(c, "more")
		s.sys.settle(v, false)
		s.recv(v, 0)
		s.sys.settle(v, false)
		s.recv(v, 0)
		s.send(v, "answer")
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.recv(c, 0)
		s.close(v)
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.shutdown(c, abi.SHUT_RDWR)
		s.addr(abi.SYS_GETPEERNAME, c)
	}},
	{"shut reading", func(s *script) {
		c, v, _ := s.open()
		s.shutdown(c, abi.SHUT_RD)
		s.recv(c, 0)
		s.send(v, "late")
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.recv(c, 0)
		s.send(c, "still")
		s.sys.settle(v, false)
		s.recv(v, 0)
		s.shutdown(c, 3)
	}},
	{"close with unread data", func(s *script) {
		c, v, _ := s.open()
		s.send(c, "unread")
		s.sys.settle(v, false)
		s.close(v)
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.recv(c, 0)
		s.send(c, "x")
		s.send(c, "x")
	}},
	{"reset seen by write", func(s *script) {
		c, v, _ := s.open()
		s.linger0(v)
		s.close(v)
		s.sys.settle(c, false)
		s.send(c, "x")
		s.send(c, "x")
		s.recv(c, 0)
		s.addr(abi.SYS_GETPEERNAME, c)
		s.shutdown(c, abi.SHUT_WR)
	}},
	{"reset after data", func(s *script) {
		c, v, _ := s.open()
		s.send(v, "keep")
		s.sys.settle(c, false)
		s.linger0(v)
		s.close(v)
		s.get(c, abi.SOL_SOCKET, abi.SO_TYPE)
		s.sys.settle(c, false)
	}},
	{"write after peer closed", func(s *script) {
		c, v, _ := s.open()
		s.close(v)
		s.sys.settle(c, false)
		s.send(c, "first")
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.sys.settle(c, true)
	}},
	{"listener closed with waiting connection", func(s *script) {
		l, addr := s.listener(10)
		c := s.socket()
		s.connect(c, addr)
		s.sys.settle(l, false)
		s.sys.settle(c, true)
		s.close(l)
		s.sys.settle(c, false)
		s.recv(c, 0)
		s.recv(c, 0)
	}},
	{"listener shut down", func(s *script) {
		l, _ := s.listener(10)
		s.shutdown(l, abi.SHUT_WR)
		s.accept(l)
		s.shutdown(l, abi.SHUT_RD)
		s.accept(l)
	}},
	{"address in use", func(s *script) {
		l, addr := s.listener(10)
		a := s.socket()
		s.bind(a, addr)
		s.option(a, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
		s.bind(a, addr)
		s.close(l)
		s.bind(a, addr)
		b := s.socket()
		s.option(b, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
		s.bind(b, addr)
		s.listen(a, 1)
		s.listen(b, 1)
		s.listen(a, 2)
		c := s.socket()
		s.bind(c, sockaddrIn([4]byte{192, 0, 2, 77}, 80))
	}},
	{"listen again while a connection lives", func(s *script) {
		c, v, l := s.open()
		addr := s.addr(abi.SYS_GETSOCKNAME, l)
		s.close(l)
		a := s.socket()
		s.bind(a, addr)
		s.option(a, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
		s.bind(a, addr)
		s.listen(a, 1)
		s.send(c, "old")
		s.sys.settle(v, false)
		s.recv(v, 0)
	}},
	{"the end that closes first waits", func(s *script) {
		for _, serverFirst := range []bool{true, false} {
			c, v, l := s.open()
			own := s.addr(abi.SYS_GETSOCKNAME, c)
			at := s.addr(abi.SYS_GETSOCKNAME, l)
			s.close(l)
			first, second := c, v
			if serverFirst {
				first, second = v, c
			}
			s.close(first)
			s.sys.settle(second, false)
			s.recv(second, 0)
			s.close(second)
			s.sys.settle(s.socket(), true) // lets the last segments arrive
			for _, addr := range []*[16]byte{own, at} {
				a, b := s.socket(), s.socket()
				s.bind(a, addr)
				s.option(b, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
				s.bind(b, addr)
				s.listen(b, 1)
			}
		}
	}},
	{"bad arguments", func(s *script) {
		fd := s.socket()
		addr := sockaddrIn([4]byte{127, 0, 0, 1}, 0)
		for _, a := range [][]uintptr{
			{abi.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(addr)), 8},
			{abi.SYS_BIND, 9999, uintptr(unsafe.Pointer(addr)), 16},
			{abi.SYS_BIND, 1 << 20, uintptr(unsafe.Pointer(addr)), 16},
			{abi.SYS_BIND, uintptr(fd), 0, 16},
			{abi.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(addr)), 8},
			{abi.SYS_CONNECT, uintptr(fd), 0, 16},
			{abi.SYS_ACCEPT4, uintptr(fd), 0, 0, 1 << 5},
			{abi.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(addr)), 0},
			{abi.SYS_SHUTDOWN, uintptr(fd), 7},
			{abi.SYS_SOCKET, 999, abi.SOCK_STREAM, 0},
			{abi.SYS_SOCKET, abi.AF_INET, 77, 0},
			{abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_STREAM, abi.IPPROTO_UDP},
			{abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM, abi.IPPROTO_TCP},
		} {
			_, errno := s.raw(a[0], a[1:]...)
			s.note("call %d: errno %d", a[0], errno)
		}
		addr[0] = 77
		s.connect(fd, addr)
		s.bind(fd, addr)
	}},
	{"datagrams", func(s *script) {
		open := func() int {
			fd, errno := s.raw(abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_DGRAM|abi.SOCK_NONBLOCK, 0)
			s.note("socket: errno %d", errno)
			s.fds = append(s.fds, fd)
			return fd
		}
		a, b := open(), open()
		s.recv(a, 0)
		s.send(a, "nowhere")
		s.addr(abi.SYS_GETPEERNAME, a)
		s.listen(a, 1)
		s.accept(a)
		s.shutdown(a, abi.SHUT_WR)
		s.bind(a, sockaddrIn([4]byte{127, 0, 0, 1}, 0))
		addr := s.addr(abi.SYS_GETSOCKNAME, a)
		s.connect(b, addr)
		s.addr(abi.SYS_GETSOCKNAME, b)
		s.send(b, "one")
		s.send(b, "")
		s.sys.settle(a, false)
		s.recv(a, 0)
		s.sys.settle(a, false)
		s.recv(a, 0)
		s.recv(a, 0)
		s.close(a)
		s.send(b, "lost")
		s.sys.settle(b, false)
		s.recv(b, 0)
		s.send(b, "lost again")
		s.sys.settle(b, false)
		s.get(b, abi.SOL_SOCKET, abi.SO_ERROR)
	}},
}

// TestLinuxAgrees runs each script on both kernels and compares.
func TestLinuxAgrees(t *testing.T) {
	for _, x := range scripts {
		t.Run(x.name, func(t *testing.T) {
			real := &script{t: t, sys: linuxSockets{t}}
			defer func() {
				for _, fd := range real.fds {
					syscall.Close(fd)
				}
			}()
			x.run(real)
			sim := &script{t: t, sys: simSockets{newNetWorld(t, 1)}}
			x.run(sim)
			sameAnswers(t, real.out, sim.out)
		})
	}
}

// sameAnswers makes sure that both kernels have answered alike.
func sameAnswers(t *testing.T, real, sim []string) {
	t.Helper()
	if !slices.Equal(real, sim) {
		t.Errorf("answers differ:\n%s", diffLines(real, sim))
	}
}

// diffLines shows both transcripts where they differ.
func diffLines(want, got []string) string {
	var b strings.Builder
	for i := range max(len(want), len(got)) {
		w, g := "", ""
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		mark := "  "
		if w != g {
			mark = "! "
		}
		fmt.Fprintf(&b, "%s%-60s | linux %s\n", mark, g, w)
	}
	return b.String()
}
