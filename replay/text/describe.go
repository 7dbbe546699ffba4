package text

import (
	"bytes"
	"strconv"

	"github.com/restep/restep/sim/steplog"
)

// Level returns the three letters of a log level in slog's numbers.
func Level(n int64) string {
	switch {
	case n < 0:
		return "DBG"
	case n < 4:
		return "INF"
	case n < 8:
		return "WRN"
	}
	return "ERR"
}

// AppendDescription appends what a step says, in words, as raw bytes: escape
// them before they reach a terminal. Log lines and lines of the test may be
// several, without a newline at the end.
func AppendDescription(dst []byte, r *steplog.Reader, s *steplog.Step) []byte {
	d := description{dst, r, s}
	switch s.Kind {
	case steplog.KindLog, steplog.KindTest, steplog.KindMark:
		return append(dst, bytes.TrimSuffix(s.Message(), []byte("\n"))...)
	case steplog.KindGo:
		d.number("starts goroutine ", steplog.TagGoroutine)
	case steplog.KindGoExit:
		d.number("end of goroutine ", steplog.TagGoroutine)
	case steplog.KindSyscall:
		d.syscall()
	case steplog.KindUnsupported:
		d.say(string(s.Text) + " is not simulated")
		d.name("; returned ", steplog.TagErrno, ErrnoName)
	case steplog.KindConnect, steplog.KindAccept, steplog.KindClose, steplog.KindReset,
		steplog.KindSend, steplog.KindDeliver, steplog.KindDrop:
		d.network()
	case steplog.KindSignal:
		d.name("", steplog.TagSignal, SignalName)
		d.text()
	case steplog.KindExit, steplog.KindPanic, steplog.KindKill, steplog.KindStop, steplog.KindEnd:
		d.text()
		if f, ok := s.Field(steplog.TagExitCode); ok {
			if len(s.Text) > 0 {
				d.say("(exit code " + f.Value() + ")")
			} else {
				d.say("exit code " + f.Value())
			}
		}
	case steplog.KindClock:
		d.text()
		d.say("time moves on")
	default:
		d.text()
	}
	if f, ok := s.Field(steplog.TagReason); ok {
		d.say(string(f.Bytes))
	}
	return d.b
}

// description collects the parts of a step's description.
type description struct {
	b []byte
	r *steplog.Reader
	s *steplog.Step
}

// say appends a part, with a space in front unless it brings its own.
func (d *description) say(part string) {
	if part == "" {
		return
	}
	if n := len(d.b); n > 0 && d.b[n-1] != ' ' && part[0] != ';' && part[0] != ' ' {
		d.b = append(d.b, ' ')
	}
	d.b = append(d.b, part...)
}

func (d *description) text() { d.say(string(bytes.TrimSuffix(d.s.Text, []byte("\n")))) }

func (d *description) number(before string, tag steplog.Tag) {
	if f, ok := d.s.Field(tag); ok {
		d.say(before + f.Value())
	}
}

func (d *description) name(before string, tag steplog.Tag, name func(uint64) string) {
	if f, ok := d.s.Field(tag); ok {
		d.say(before + name(f.Num))
	}
}

// syscall reads as strace(1) does: call, arguments, result.
func (d *description) syscall() {
	d.text()
	if f, ok := d.s.Field(steplog.TagFD); ok {
		d.say("fd " + f.Value())
	}
	if f, ok := d.s.Field(steplog.TagErrno); ok {
		d.say("= " + ErrnoName(f.Num))
	} else {
		d.number("= ", steplog.TagResult)
	}
}

// network reads: who to whom, how much, why.
func (d *description) network() {
	local, hasLocal := d.s.Field(steplog.TagLocal)
	peer, hasPeer := d.s.Field(steplog.TagPeer)
	switch {
	case hasLocal && hasPeer:
		d.say(string(local.Bytes) + " -> " + string(peer.Bytes))
	case hasLocal:
		d.say(string(local.Bytes))
	case hasPeer:
		d.say("-> " + string(peer.Bytes))
	}
	if f, ok := d.s.Field(steplog.TagTo); ok {
		if m, known := d.r.Machine(steplog.MachineID(f.Num)); known && f.Num < 1<<16 {
			d.say("(" + m.Label + ")")
		}
	}
	if f, ok := d.s.Field(steplog.TagCount); ok {
		d.say(strconv.FormatUint(f.Num, 10) + " bytes")
	}
	d.text()
	if f, ok := d.s.Field(steplog.TagErrno); ok {
		d.say(ErrnoName(f.Num))
	}
}
