package kernel

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// TestCallsWait: a call that waits answers ERESTARTSYS, leaves no step, and is
// told when it may try again.
func TestCallsWait(t *testing.T) {
	h := newTestHost(t, nil)
	var ready []uintptr
	h.k.host.Ready = func(caller uintptr) { ready = append(ready, caller) }
	m := h.boot("main")
	try := func(caller, nr uintptr, a ...uintptr) (uintptr, abi.Errno) {
		var args Args
		copy(args[:], a)
		return h.k.SyscallFrom(ProcessID(m.id), caller, nr, &args)
	}
	var fds [2]int32
	h.must(m, abi.SYS_PIPE2, unsafe.Pointer(&fds), 0)
	buf := make([]byte, 4)
	r, w, at := uintptr(fds[0]), uintptr(fds[1]), uintptr(unsafe.Pointer(&buf[0]))
	steps := len(h.events)
	if _, errno := try(71, abi.SYS_READ, r, at, 4); errno != abi.ERESTARTSYS {
		t.Fatalf("read of an empty pipe: errno %d", errno)
	}
	if _, errno := try(0, abi.SYS_READ, r, at, 4); errno != abi.EAGAIN {
		t.Errorf("read by a caller that cannot wait: errno %d", errno)
	}
	if len(h.events) != steps+1 {
		t.Errorf("%d steps of a call that waits and one that failed", len(h.events)-steps)
	}
	h.want(m, 3, abi.OK, abi.SYS_WRITE, int(w), []byte("abc"), 3)
	if !slices.Equal(ready, []uintptr{71}) {
		t.Fatalf("told after the write: %d", ready)
	}
	if n, errno := try(71, abi.SYS_READ, r, at, 4); n != 3 || errno != abi.OK || string(buf[:3]) != "abc" {
		t.Errorf("read again: %d, errno %d, %q", n, errno, buf)
	}
	ready = nil
	try(72, abi.SYS_READ, r, at, 4)
	h.k.Forget(ProcessID(m.id), 72)
	h.want(m, 0, abi.OK, abi.SYS_CLOSE, int(w))
	if n, errno := try(72, abi.SYS_READ, r, at, 4); n != 0 || errno != abi.OK {
		t.Errorf("read after the last writer went: %d, errno %d", n, errno)
	}
}
