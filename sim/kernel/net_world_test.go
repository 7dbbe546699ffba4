package kernel

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// netWorld is a kernel with a clock that the test moves, and a record of all
// events.
type netWorld struct {
	t     *testing.T
	k     *Kernel
	now   Nanos
	src   sched.Source
	ready map[uintptr]Mode
	steps []string
	kinds []steplog.Kind
	keep  bool // record steps
}

const netStart Nanos = 946_684_800_000_000_000

// newNetWorld makes machines main, m2, m3, ... and boots them.
func newNetWorld(t *testing.T, machines int) *netWorld { return newSeededWorld(t, machines, 1) }

func newSeededWorld(t *testing.T, machines int, seed uint64) *netWorld {
	w := &netWorld{t: t, now: netStart, ready: map[uintptr]Mode{}, keep: true}
	w.src.Init(seed)
	w.k = New(Config{
		Start: netStart, Cwd: "/",
		Host: Host{
			Now:  func() Nanos { return w.now },
			Rand: func(s sched.Stream) uint64 { return w.src.Next(s) },
			Wake: func(pd uintptr, mode Mode) {
				w.ready[pd] |= mode
			},
			Signal: func(ProcessID, uint32) {},
			Record: w.record,
		},
	})
	for i := range machines {
		label := "main"
		if i > 0 {
			label = fmt.Sprintf("m%d", i+1)
		}
		m, text := w.k.NewMachine(MachineConfig{Label: label})
		if text != "" {
			t.Fatal(text)
		}
		m.Boot()
	}
	return w
}

func (w *netWorld) record(e *Event) {
	w.kinds = append(w.kinds, e.Kind)
	if w.keep {
		w.steps = append(w.steps, fmt.Sprintf("%d %s m%d %q fd%d r%d e%d %s %s conn%d %dB link%d",
			w.now-netStart, e.Kind, e.Machine, e.Text, e.FD, e.Result, e.Errno, e.Local, e.Peer, e.Conn, e.Bytes, e.Link))
	}
}

// run lets time pass.
func (w *netWorld) run(d Nanos) {
	end := w.now + d
	for {
		next := w.k.NextEvent()
		if next == 0 || next > end {
			break
		}
		w.now = max(w.now, next)
		w.k.RunEvents(w.now)
	}
	w.now = end
}

// until runs events until cond holds and tells how long it took.
func (w *netWorld) until(what string, cond func() bool) Nanos {
	w.t.Helper()
	start := w.now
	for !cond() {
		next := w.k.NextEvent()
		if next == 0 || next > start+86_400_000_000_000 {
			w.t.Fatalf("did not happen: %s", what)
		}
		w.now = max(w.now, next)
		w.k.RunEvents(w.now)
	}
	return w.now - start
}

// call makes a system call on machine id. Pointers come as unsafe.Pointer, so
// that they stay alive; numbers as int.
func (w *netWorld) call(id MachineID, nr uintptr, args ...any) (int, abi.Errno) {
	var a Args
	for i, x := range args {
		switch x := x.(type) {
		case int:
			a[i] = uintptr(x)
		case unsafe.Pointer:
			a[i] = uintptr(x)
		default:
			w.t.Fatalf("argument %d of type %T", i, x)
		}
	}
	r, errno := w.k.Syscall(id, nr, &a)
	_ = args
	return int(r), errno
}

// must is call that has to succeed.
func (w *netWorld) must(id MachineID, nr uintptr, args ...any) int {
	w.t.Helper()
	r, errno := w.call(id, nr, args...)
	if errno != abi.OK {
		w.t.Fatalf("call %d on machine %d: errno %d", nr, id, errno)
	}
	return r
}

func sockaddrIn(ip [4]byte, port int) *[16]byte {
	return &[16]byte{abi.AF_INET, 0, byte(port >> 8), byte(port), ip[0], ip[1], ip[2], ip[3]}
}

func (w *netWorld) socket(id MachineID) int {
	w.t.Helper()
	return w.must(id, abi.SYS_SOCKET, abi.AF_INET, abi.SOCK_STREAM|abi.SOCK_NONBLOCK, 0)
}

func (w *netWorld) setopt(id MachineID, fd, level, name, value int) {
	w.t.Helper()
	v := int32(value)
	w.must(id, abi.SYS_SETSOCKOPT, fd, level, name, unsafe.Pointer(&v), 4)
}

func (w *netWorld) getopt(id MachineID, fd, level, name int) int {
	w.t.Helper()
	v, n := int32(0), int32(4)
	w.must(id, abi.SYS_GETSOCKOPT, fd, level, name, unsafe.Pointer(&v), unsafe.Pointer(&n))
	return int(v)
}

// listen is what net.Listen does.
func (w *netWorld) listen(id MachineID, port int) int {
	w.t.Helper()
	fd := w.socket(id)
	w.setopt(id, fd, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1)
	w.must(id, abi.SYS_BIND, fd, unsafe.Pointer(sockaddrIn([4]byte{}, port)), 16)
	w.must(id, abi.SYS_LISTEN, fd, 4096)
	return fd
}

// dial is what net.Dial does up to EINPROGRESS.
func (w *netWorld) dial(id MachineID, ip [4]byte, port int) int {
	w.t.Helper()
	fd := w.socket(id)
	if _, errno := w.call(id, abi.SYS_CONNECT, fd, unsafe.Pointer(sockaddrIn(ip, port)), 16); errno != abi.EINPROGRESS {
		w.t.Fatalf("connect: errno %d, want EINPROGRESS", errno)
	}
	return fd
}

// finish waits for the end of an attempt to connect and gives SO_ERROR; then
// it sets what net sets.
func (w *netWorld) finish(id MachineID, fd int) (abi.Errno, Nanos) {
	w.t.Helper()
	pd := uintptr(0x1000 + fd + int(id)*0x10000)
	delete(w.ready, pd)
	f, _ := w.k.Machine(id).proc.fds.get(fd)
	if errno := f.PollOpen(pd); errno != abi.OK {
		w.t.Fatal(errno)
	}
	d := w.until("connect ends", func() bool { return w.ready[pd] != 0 })
	f.PollClose(pd)
	errno := abi.Errno(w.getopt(id, fd, abi.SOL_SOCKET, abi.SO_ERROR))
	if errno == abi.OK {
		w.goOptions(id, fd)
	}
	return errno, d
}

func (w *netWorld) goOptions(id MachineID, fd int) {
	w.setopt(id, fd, abi.IPPROTO_TCP, abi.TCP_NODELAY, 1)
	w.setopt(id, fd, abi.SOL_SOCKET, abi.SO_KEEPALIVE, 1)
	w.setopt(id, fd, abi.IPPROTO_TCP, abi.TCP_KEEPIDLE, 15)
	w.setopt(id, fd, abi.IPPROTO_TCP, abi.TCP_KEEPINTVL, 15)
	w.setopt(id, fd, abi.IPPROTO_TCP, abi.TCP_KEEPCNT, 9)
}

// pair connects machine 1 to a listener on machine 2.
func (w *netWorld) pair() (client, server, listener int) {
	w.t.Helper()
	listener = w.listen(2, 80)
	client = w.dial(1, w.k.Machine(2).Addr(), 80)
	if errno, _ := w.finish(1, client); errno != abi.OK {
		w.t.Fatalf("connect: errno %d", errno)
	}
	server = w.acceptFrom(2, listener)
	return client, server, listener
}

func (w *netWorld) acceptFrom(id MachineID, listener int) int {
	w.t.Helper()
	fd := -1
	w.until("accept", func() bool {
		r, errno := w.call(id, abi.SYS_ACCEPT4, listener, 0, 0, abi.SOCK_NONBLOCK|abi.SOCK_CLOEXEC)
		fd = r
		return errno == abi.OK
	})
	w.goOptions(id, fd)
	return fd
}

func (w *netWorld) send(id MachineID, fd int, p string) {
	w.t.Helper()
	b := []byte(p)
	if n := w.must(id, abi.SYS_SENDTO, fd, unsafe.Pointer(&b[0]), len(b), 0, 0, 0); n != len(b) {
		w.t.Fatalf("sent %d of %d bytes", n, len(b))
	}
}

func (w *netWorld) recv(id MachineID, fd int) (string, abi.Errno) {
	b := make([]byte, 1<<16)
	n, errno := w.call(id, abi.SYS_RECVFROM, fd, unsafe.Pointer(&b[0]), len(b), 0, 0, 0)
	return string(b[:n]), errno
}

// wait receives, and gives the time it took.
func (w *netWorld) wait(id MachineID, fd int) (string, abi.Errno, Nanos) {
	w.t.Helper()
	var p string
	var errno abi.Errno
	d := w.until("data", func() bool {
		p, errno = w.recv(id, fd)
		return errno != abi.EAGAIN
	})
	return p, errno, d
}
