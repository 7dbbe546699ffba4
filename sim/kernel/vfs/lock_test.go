package vfs

import (
	"slices"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// TestAwaitRecordLock: three processes wait for one another in a circle; the
// one that would close it is told.
func TestAwaitRecordLock(t *testing.T) {
	var woken []uintptr
	fs := New(Config{Now: func() int64 { return 1 }, Wake: func(token uintptr) { woken = append(woken, token) }})
	fs.Seal()
	p, _ := fs.Walk(fs.Root(), "/f", 0)
	n, _ := fs.Create(p, 0o600)
	lock := func(owner uint64, at int64) Lock {
		return Lock{Owner: owner, Pid: int32(owner), Write: true, Start: at, End: at}
	}
	for owner := uint64(1); owner <= 3; owner++ {
		if errno := n.SetLock(lock(owner, int64(owner))); errno != abi.OK {
			t.Fatal(errno)
		}
	}
	want := func(owner uint64, at int64, errno abi.Errno) {
		t.Helper()
		other, ok := n.Conflict(lock(owner, at))
		if !ok {
			t.Fatalf("nobody stands against %d at %d", owner, at)
		}
		if got := n.AwaitRecordLock(uintptr(owner), owner, other.Owner); got != errno {
			t.Errorf("process %d waits for %d: errno %d, want %d", owner, other.Owner, got, errno)
		}
	}
	want(1, 2, abi.OK)
	want(2, 3, abi.OK)
	want(3, 1, abi.EDEADLK)
	fs.StopWaiting(2) // a signal, or its end
	want(3, 1, abi.OK)
	n.Unlock(lock(2, 2))
	if !slices.Equal(woken, []uintptr{1, 2, 3}) {
		t.Errorf("woken: %d", woken)
	}
	n.Unlock(lock(1, 1))
	if len(woken) != 3 {
		t.Errorf("somebody was woken twice: %d", woken)
	}
}
