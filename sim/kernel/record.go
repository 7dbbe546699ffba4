package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/steplog"
)

// Caller says who makes a step: filled in by the host for each one.
type Caller struct {
	Machine   uint32 // number of its process (ProcessID); 0 = the simulator itself
	Goroutine uint64
	Time      int64  // ns since the Unix epoch, simulated
	Tick      uint64 // scheduling decisions so far
	// Mark describes the next write as a log line: length in bytes in bits
	// 0-23, offset of the message in 24-47, level in 48-55; 0 = none.
	Mark uint64
	N    int
	PCs  [48]uintptr // N return addresses, innermost first
}

// Recorder makes steps of events: it adds who, when and where, and hands them
// to the step log.
type Recorder struct {
	k        *Kernel
	w        *steplog.Writer
	context  func(*Caller)
	stepped  func(n, sum uint64)
	textBase uintptr
	caller   Caller
}

// record makes one step.
func (r *Recorder) record(e *Event) {
	c := &r.caller
	r.context(c)
	machine := e.Machine
	if machine == 0 && c.Machine != 0 {
		if m := r.k.owner(ProcessID(c.Machine)); m != nil {
			machine = m.id
		}
	}
	w := r.w
	w.Begin(steplog.Head{
		Kind: e.Kind, Machine: steplog.MachineID(machine), Goroutine: uint32(c.Goroutine), TimeNs: c.Time, Tick: c.Tick,
	})
	text, message, level := e.Text, e.MessageOff, e.Level
	if mark := c.Mark; mark != 0 && e.Kind == steplog.KindLog && int(mark&0xffffff) == len(text) {
		message, level = int(mark>>24&0xffffff), int8(mark>>48)
	}
	r.fields(e, level)
	pcs := c.PCs[:c.N]
	var s string
	if len(text) > 0 {
		s = unsafe.String(&text[0], len(text))
	}
	n := w.End(steplog.Tail{Text: s, Message: message, PCs: pcs, StackHash: steplog.HashPCs(pcs, r.textBase)})
	r.stepped(n, w.Checksum())
}

// fields writes what the event has beside its text.
func (r *Recorder) fields(e *Event, level int8) {
	w := r.w
	if e.Nr >= 0 {
		w.Uint(steplog.TagSyscall, uint64(e.Nr))
		w.Int(steplog.TagResult, e.Result)
	}
	if e.Errno != 0 {
		w.Uint(steplog.TagErrno, uint64(e.Errno))
	}
	if e.FD >= 0 {
		w.Int(steplog.TagFD, int64(e.FD))
	}
	if e.Bytes != 0 {
		w.Uint(steplog.TagCount, uint64(e.Bytes))
	}
	if e.Conn != 0 {
		w.Uint(steplog.TagConn, e.Conn)
	}
	if e.Link != 0 {
		w.Uint(steplog.TagTo, uint64(e.Link))
	}
	if e.Local != "" {
		w.String(steplog.TagLocal, e.Local)
	}
	if e.Peer != "" {
		w.String(steplog.TagPeer, e.Peer)
	}
	if e.Goroutine != 0 {
		w.Uint(steplog.TagGoroutine, e.Goroutine)
	}
	if e.Expected {
		w.String(steplog.TagReason, "expected")
	}
	switch e.Kind {
	case steplog.KindLog:
		w.Int(steplog.TagLevel, int64(level))
	case steplog.KindSignal:
		w.Uint(steplog.TagSignal, uint64(e.Code))
	case steplog.KindExit, steplog.KindPanic, steplog.KindKill, steplog.KindStop, steplog.KindEnd:
		w.Int(steplog.TagExitCode, int64(e.Code))
	}
}
