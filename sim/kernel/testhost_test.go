package kernel

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/sched"
)

// testHost is the world around a kernel under test: a clock that stands still
// until advance, one seed, and a memory of what the kernel told.
type testHost struct {
	t      *testing.T
	k      *Kernel
	now    Nanos
	rand   sched.Source
	events []Event // Text is copied
	wakes  []wake
}

type wake struct {
	pd   uintptr
	mode Mode
}

const testStart = Nanos(1_700_000_000_000_000_000)

// newTestHost returns a world with seed 1 and no machines. under may be nil.
func newTestHost(t *testing.T, under Under) *testHost {
	h := &testHost{t: t, now: testStart}
	h.rand.Init(1)
	h.k = New(Config{
		Start: testStart,
		Cwd:   "/src/pkg",
		Host: Host{
			Now:  func() Nanos { return h.now },
			Rand: func(s sched.Stream) uint64 { return h.rand.Next(s) },
			Record: func(e *Event) {
				c := *e
				c.Text = append([]byte(nil), e.Text...)
				h.events = append(h.events, c)
			},
			Wake:   func(pd uintptr, mode Mode) { h.wakes = append(h.wakes, wake{pd, mode}) },
			Signal: func(ProcessID, uint32) {},
			Under:  under,
		},
	})
	return h
}

// boot adds a machine and starts it.
func (h *testHost) boot(label string) *Machine {
	h.t.Helper()
	m, msg := h.k.NewMachine(MachineConfig{Label: label})
	if msg != "" {
		h.t.Fatalf("new machine %q: %s", label, msg)
	}
	m.Boot()
	return m
}

// advance moves the clock on by d nanoseconds and runs what falls due on the
// way, each event at its own time.
func (h *testHost) advance(d Nanos) {
	end := h.now + d
	for {
		next := h.k.NextEvent()
		if next == 0 || next > end {
			break
		}
		h.now = max(h.now, next)
		h.k.RunEvents(h.now)
	}
	h.now = end
}

// texts are the texts of the recorded events from number from on.
func (h *testHost) texts(from int) []string {
	var s []string
	for _, e := range h.events[from:] {
		s = append(s, string(e.Text))
	}
	return s
}

// call makes a system call. Arguments are int, string (passed as a pointer to
// its bytes and a NUL), []byte and pointers made by unsafe.Pointer.
func (h *testHost) call(m *Machine, nr uintptr, args ...any) (int, abi.Errno) {
	h.t.Helper()
	var a Args
	keep := make([]any, 0, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case int:
			a[i] = uintptr(v)
		case string:
			b := append([]byte(v), 0)
			keep = append(keep, b)
			a[i] = uintptr(unsafe.Pointer(&b[0]))
		case []byte:
			a[i] = uintptr(unsafe.Pointer(unsafe.SliceData(v)))
		case unsafe.Pointer:
			a[i] = uintptr(v)
		default:
			h.t.Fatalf("argument %d of system call %d has type %T", i, nr, arg)
		}
	}
	var pin runtime.Pinner // on the heap and in place, as on a program's system stack
	defer pin.Unpin()
	for _, k := range keep {
		pin.Pin(unsafe.SliceData(k.([]byte)))
	}
	r, errno := h.k.Syscall(m.id, nr, &a)
	runtime.KeepAlive(args)
	return int(r), errno
}

// want makes a call that must give r and errno.
func (h *testHost) want(m *Machine, r int, errno abi.Errno, nr uintptr, args ...any) {
	h.t.Helper()
	gotR, gotErrno := h.call(m, nr, args...)
	if errno != gotErrno || errno == abi.OK && r != gotR {
		h.t.Errorf("system call %d %v: got %d, errno %d; want %d, errno %d", nr, args, gotR, gotErrno, r, errno)
	}
}

// must makes a call that must succeed and returns its result.
func (h *testHost) must(m *Machine, nr uintptr, args ...any) int {
	h.t.Helper()
	r, errno := h.call(m, nr, args...)
	if errno != abi.OK {
		h.t.Fatalf("system call %d %v: errno %d", nr, args, errno)
	}
	return r
}
