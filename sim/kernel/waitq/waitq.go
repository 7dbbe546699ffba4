package waitq

// Mode says which side of a file became ready: reading, writing or both.
type Mode uint8

// The values are those of the Go runtime's poller: 'r', 'w' and 'r'+'w'.
const (
	ModeRead      Mode = 'r'
	ModeWrite     Mode = 'w'
	ModeReadWrite Mode = 'r' + 'w'
)

// Queue is the set of poll descriptors registered with one file. The zero
// value is empty.
type Queue struct {
	pds []uintptr
}

// Add registers pd; a descriptor that is registered already stays where it is.
func (q *Queue) Add(pd uintptr) {
	for _, p := range q.pds {
		if p == pd {
			return
		}
	}
	q.pds = append(q.pds, pd)
}

// Remove takes pd out; it may be absent.
func (q *Queue) Remove(pd uintptr) {
	for i, p := range q.pds {
		if p == pd {
			q.pds = append(q.pds[:i], q.pds[i+1:]...)
			return
		}
	}
}

// Empty reports whether nobody is registered.
func (q *Queue) Empty() bool { return len(q.pds) == 0 }

// Clear forgets every descriptor, as power loss does.
func (q *Queue) Clear() { q.pds = nil }

// Wake calls wake for every descriptor, first added first. wake must not
// change the queue.
func (q *Queue) Wake(mode Mode, wake func(pd uintptr, mode Mode)) {
	for _, pd := range q.pds {
		wake(pd, mode)
	}
}

// Release empties a queue of callers, which need not be poll descriptors, and
// calls ready for each, first added first. One that goes on waiting adds itself
// again.
func (q *Queue) Release(ready func(caller uintptr)) {
	callers := q.pds
	q.pds = nil
	for _, c := range callers {
		ready(c)
	}
}
