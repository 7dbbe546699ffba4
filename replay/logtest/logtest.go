// Package logtest makes step logs for the tests of other packages, with the
// real writer.
//
// It deliberately makes no files. It may import sim/steplog and testing only,
// and nothing but tests may import it.
//
// Invariant: a log made here is complete; its last step is what the test wrote last.
package logtest

import (
	"testing"

	"github.com/restep/restep/sim/steplog"
)

const textBase = 0x400000

// Log is a log in the making.
type Log struct {
	*steplog.Writer
	bytes []byte
	start int64
	tick  uint64
	pcs   map[steplog.Frame]uintptr
	by    map[uintptr]steplog.Frame
	tb    testing.TB
}

// New starts a log with machines main (1) and server (2).
func New(tb testing.TB, h steplog.Header) *Log {
	tb.Helper()
	head, err := steplog.EncodeHeader(&h)
	if err != nil {
		tb.Fatal(err)
	}
	l := &Log{
		Writer: new(steplog.Writer), bytes: append(head, make([]byte, 64*steplog.BlockSize)...), start: h.StartNs,
		pcs: map[steplog.Frame]uintptr{}, by: map[uintptr]steplog.Frame{}, tb: tb,
	}
	err = l.Init(&steplog.WriterConfig{
		Log: l.bytes, Seed: h.Seed, Variant: h.Variant, TextBase: textBase,
		Table: make([]byte, steplog.TableSize(1<<10)), GrowTable: func(need uint64) []byte { return make([]byte, need) },
		Symbolize: func(w *steplog.Writer, pc uintptr) {
			f := l.by[pc]
			w.Frame(f.Func, f.File, f.Line)
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	l.Machine(steplog.Machine{ID: 1, Label: "main", Host: "main", Addr: "11.0.0.1"})
	l.Machine(steplog.Machine{ID: 2, Label: "server", Host: "server", Addr: "10.0.0.1"})
	return l
}

// Event is one step to write.
type Event struct {
	Kind      steplog.Kind
	Machine   steplog.MachineID
	Goroutine uint32
	AtMs      int64 // since the start of the run
	Ticks     int   // since the step before; 0 stands for 1, -1 for none
	Text      string
	Message   int             // offset of the message in Text
	Fields    func()          // calls the writer for fields
	Stack     []steplog.Frame // Func, File and Line count
}

// Add writes a step and returns its number.
func (l *Log) Add(e Event) uint64 {
	var pcs []uintptr
	for _, f := range e.Stack {
		if l.pcs[f] == 0 {
			l.pcs[f] = textBase + 1 + uintptr(len(l.pcs))
			l.by[l.pcs[f]] = f
		}
		pcs = append(pcs, l.pcs[f])
	}
	switch {
	case e.Ticks == 0:
		l.tick++
	case e.Ticks > 0:
		l.tick += uint64(e.Ticks)
	}
	l.Begin(steplog.Head{Kind: e.Kind, Machine: e.Machine, Goroutine: e.Goroutine, TimeNs: l.start + e.AtMs*1e6, Tick: l.tick})
	if e.Fields != nil {
		e.Fields()
	}
	return l.End(steplog.Tail{Text: e.Text, Message: e.Message, PCs: pcs, StackHash: steplog.HashPCs(pcs, textBase)})
}

// Bytes closes the log and returns it.
func (l *Log) Bytes() []byte {
	l.Close()
	return l.bytes[:l.Writer.Bytes()]
}

// Growing returns a copy of the log as a reader finds it while it is written.
func (l *Log) Growing() []byte {
	end := min(len(l.bytes), int(l.Writer.Bytes())+2*steplog.BlockSize) // room for blocks that are open
	return append([]byte(nil), l.bytes[:end]...)
}

// Reader closes the log and opens it.
func (l *Log) Reader() *steplog.Reader {
	l.tb.Helper()
	r, err := steplog.Open(l.Bytes())
	if err != nil {
		l.tb.Fatal(err)
	}
	return r
}
