package runtime

import "unsafe"

const restepTraceHeader = "go 1.26 trace\x00\x00\x00"

// Profiles and traces of execution measure the host's time and need signals
// and threads. A simulated program that asks for them gets valid ones with
// nothing in them; what it can see of their files is the same in every run.

// restepReadProfile is what runtime/pprof reads of a CPU profile: the header,
// 100 samples a second, and the end.
func restepReadProfile() ([]uint64, []unsafe.Pointer, bool) {
	return []uint64{3, 0, 100}, make([]unsafe.Pointer, 1), true
}

func restepSetMutexProfileFraction(rate int) int {
	m := &restep.machine[getg().restepMachine]
	old := m.mutexRate
	if rate >= 0 {
		m.mutexRate = rate
	}
	return old
}

// restepTrace is a process's trace of execution: StartTrace opens it, a
// goroutine reads the header and waits, StopTrace lets it end and waits for
// that.
type restepTrace struct {
	state      uint8
	stop, done uint32 // semaphores
}

// States of a trace.
const (
	restepTraceOff = iota
	restepTraceStarted
	restepTraceRead // the header has been read
)

func restepStartTrace() error {
	t := &restep.machine[getg().restepMachine].trace
	if t.state != restepTraceOff {
		return errorString("tracing is already enabled")
	}
	*t = restepTrace{state: restepTraceStarted}
	return nil
}

func restepStopTrace() {
	t := &restep.machine[getg().restepMachine].trace
	if t.state != restepTraceOff {
		semrelease(&t.stop)
		semacquire(&t.done)
		t.state = restepTraceOff
	}
}

func restepReadTrace() []byte {
	t := &restep.machine[getg().restepMachine].trace
	switch t.state {
	case restepTraceStarted:
		t.state = restepTraceRead
		return []byte(restepTraceHeader)
	case restepTraceRead:
		semacquire(&t.stop)
		semrelease(&t.done)
	}
	return nil
}
