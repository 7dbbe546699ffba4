package kernel

// event is a function due at a simulated time. seq keeps the order of events
// due at the same time: first asked for, first run.
type event struct {
	when Nanos
	seq  uint64
	fn   func()
}

// eventQueue is a binary heap of events ordered by (when, seq).
type eventQueue struct {
	heap []event
	seq  uint64
}

func (q *eventQueue) less(i, j int) bool {
	a, b := &q.heap[i], &q.heap[j]
	return a.when < b.when || a.when == b.when && a.seq < b.seq
}

func (q *eventQueue) push(when Nanos, fn func()) {
	q.seq++
	q.heap = append(q.heap, event{when, q.seq, fn})
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			break
		}
		q.heap[i], q.heap[parent] = q.heap[parent], q.heap[i]
		i = parent
	}
}

func (q *eventQueue) pop() event {
	top := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	i := 0
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.less(child, least) {
				least = child
			}
		}
		if least == i {
			return top
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

// at runs fn when simulated time reaches when. There is no way to cancel: fn
// checks for itself whether it is still wanted (a generation number).
func (k *Kernel) at(when Nanos, fn func()) { k.events.push(when, fn) }

// NextEvent is the time of the earliest event, 0 when none is due ever.
func (k *Kernel) NextEvent() Nanos {
	if len(k.events.heap) == 0 {
		return 0
	}
	return k.events.heap[0].when
}

// RunEvents runs every event due at or before now.
func (k *Kernel) RunEvents(now Nanos) {
	for len(k.events.heap) > 0 && k.events.heap[0].when <= now {
		e := k.events.pop()
		e.fn()
	}
}
