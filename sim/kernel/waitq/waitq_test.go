package waitq

import (
	"slices"
	"testing"
)

func TestWakeInOrderOfAdding(t *testing.T) {
	var q Queue
	for _, pd := range []uintptr{7, 3, 7, 9} {
		q.Add(pd)
	}
	q.Remove(3)
	q.Remove(4)
	var got []uintptr
	q.Wake(ModeWrite, func(pd uintptr, mode Mode) {
		if mode != ModeWrite {
			t.Errorf("mode %d, want %d", mode, ModeWrite)
		}
		got = append(got, pd)
	})
	if want := []uintptr{7, 9}; !slices.Equal(got, want) {
		t.Errorf("woken %v, want %v", got, want)
	}
	if q.Empty() {
		t.Error("queue with two descriptors says it is empty")
	}
	q.Clear()
	if !q.Empty() {
		t.Error("queue is not empty after Clear")
	}
}

func TestReleaseLetsCallersComeAgain(t *testing.T) {
	var q Queue
	q.Release(func(uintptr) { t.Error("nobody waits") })
	for _, caller := range []uintptr{7, 3} {
		q.Add(caller)
	}
	var got []uintptr
	q.Release(func(caller uintptr) {
		got = append(got, caller)
		if caller == 7 {
			q.Add(caller)
		}
	})
	if want := []uintptr{7, 3}; !slices.Equal(got, want) {
		t.Errorf("released %v, want %v", got, want)
	}
	got = nil
	q.Release(func(caller uintptr) { got = append(got, caller) })
	if want := []uintptr{7}; !slices.Equal(got, want) || !q.Empty() {
		t.Errorf("then released %v, want %v", got, want)
	}
}
