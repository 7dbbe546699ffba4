package steplog

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// want is what a test wrote, to be compared with what is read.
type want struct {
	head   Head
	fields []Field
	text   string
	msg    int
	pcs    []uintptr
	sum    uint32
}

const textBase = 0x400000

var testHeader = Header{
	Version: Version, Seed: 37, Variant: 5, StartNs: 946684800_000000000, Build: "00ff", Package: "example.com/bank",
	Test: "TestTransfer", Go: "go1.26.8", Restep: "v0", Module: "example.com/bank",
	Args: []string{"-v", "", "x"}, Env: []string{"A=1", "B="}, Extra: []Pair{{"plan", "later version"}},
}

// symbolize gives each pc one frame, every third pc three.
func symbolize(w *Writer, pc uintptr) {
	n := 1
	if pc%3 == 0 {
		n = 3
	}
	for i := range n {
		w.Frame(fmt.Sprintf("pkg.F%d.%d", pc-textBase, i), fmt.Sprintf("/src/pkg/f%d.go", pc%7), int(pc-textBase)+i)
	}
}

func framesFor(pcs []uintptr) []Frame {
	var frames []Frame
	for _, pc := range pcs {
		n := 1
		if pc%3 == 0 {
			n = 3
		}
		for i := range n {
			frames = append(frames, Frame{
				Func: fmt.Sprintf("pkg.F%d.%d", pc-textBase, i), File: fmt.Sprintf("/src/pkg/f%d.go", pc%7),
				Line: int(pc-textBase) + i, PC: uint64(pc - textBase), Inlined: i+1 < n,
			})
		}
	}
	return frames
}

// newLog returns an empty log of some blocks.
func newLog(tb testing.TB, h Header, blocks int) []byte {
	tb.Helper()
	head, err := EncodeHeader(&h)
	if err != nil {
		tb.Fatal(err)
	}
	return append(head, make([]byte, (blocks-1)*BlockSize)...)
}

func testConfig(log []byte) *WriterConfig {
	return &WriterConfig{
		Seed: testHeader.Seed, Variant: testHeader.Variant, Log: log, Table: make([]byte, TableSize(64)),
		GrowTable: func(need uint64) []byte { return make([]byte, need) }, Symbolize: symbolize, TextBase: textBase,
	}
}

// randomStep makes a step whose content depends on rng alone.
func randomStep(rng *rand.Rand, tick uint64, maxText int) want {
	s := want{head: Head{
		Kind: Kind(1 + rng.Intn(len(kindNames)-1)), Machine: MachineID(1 + rng.Intn(3)),
		Goroutine: uint32(1 + rng.Intn(5)), TimeNs: testHeader.StartNs + int64(rng.Intn(1e9)),
		Tick: tick + uint64(rng.Intn(1000)),
	}}
	if rng.Intn(50) == 0 {
		s.head.Tick += 1<<32 - 500 + uint64(rng.Intn(1000))
	}
	if rng.Intn(5) == 0 {
		s.head.Flags = FlagUser
	}
	if rng.Intn(2) == 0 {
		s.fields = append(s.fields, Field{Tag: TagSyscall, Num: rng.Uint64() >> rng.Intn(64)})
	}
	if rng.Intn(2) == 0 {
		s.fields = append(s.fields, Field{Tag: TagResult, Num: uint64(int64(rng.Uint64()) >> rng.Intn(64))})
	}
	if rng.Intn(3) == 0 {
		s.fields = append(s.fields, Field{Tag: TagPeer, Bytes: []byte(fmt.Sprintf("10.0.0.%d:80", rng.Intn(9)))})
	}
	if rng.Intn(2) == 0 {
		s.fields = append(s.fields, Field{Tag: TagName, Bytes: []byte(fmt.Sprintf("call%d", rng.Intn(300)))})
	}
	if rng.Intn(2) == 0 {
		n := rng.Intn(60)
		if rng.Intn(40) == 0 {
			n = rng.Intn(maxText)
		}
		s.text = strings.Repeat("time=now msg=hello ", n/19+1)[:n]
		if n > 10 && rng.Intn(2) == 0 {
			s.msg = 1 + rng.Intn(9)
		}
	}
	for range rng.Intn(6) {
		s.pcs = append(s.pcs, textBase+uintptr(rng.Intn(12)))
	}
	return s
}

// write records s and remembers its checksum.
func (s *want) write(w *Writer) {
	w.Begin(s.head)
	for _, f := range s.fields {
		switch f.Tag.Form() {
		case FormUint:
			w.Uint(f.Tag, f.Num)
		case FormInt:
			w.Int(f.Tag, f.Int())
		case FormBytes:
			w.String(f.Tag, string(f.Bytes))
		case FormIntern:
			w.Intern(f.Tag, string(f.Bytes))
		}
	}
	w.End(Tail{Text: s.text, Message: s.msg, PCs: s.pcs, StackHash: HashPCs(s.pcs, textBase)})
	s.sum = uint32(w.Checksum())
}

func defineMachines(w *Writer) {
	w.Machine(Machine{1, "main", "main", "10.0.0.1"})
	w.Machine(Machine{2, "server", "srv.example", "10.0.0.2"})
	w.Machine(Machine{3, "client", "cli.example", "fd00::3"})
}

// writeLog writes n random steps and returns the used part of the log.
func writeLog(tb testing.TB, seed int64, n, maxText int) ([]byte, []want) {
	tb.Helper()
	log := newLog(tb, testHeader, 16+n/15)
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		tb.Fatal(err)
	}
	defineMachines(w)
	steps := writeSteps(w, seed, n, maxText)
	if w.Lost() != 0 {
		tb.Fatalf("step %d lost: the test's log is too small", w.Lost())
	}
	return log[:w.Bytes()], steps
}

func writeSteps(w *Writer, seed int64, n, maxText int) []want {
	rng := rand.New(rand.NewSource(seed))
	steps := make([]want, n)
	tick := uint64(0)
	for i := range steps {
		steps[i] = randomStep(rng, tick, maxText)
		tick = steps[i].head.Tick
		steps[i].write(w)
	}
	return steps
}

// same fails unless step n of the log is what was written.
func same(tb testing.TB, r *Reader, got *Step, n uint64, s *want) {
	tb.Helper()
	if got.Number != n || got.Kind != s.head.Kind || got.Machine != s.head.Machine || got.Goroutine != s.head.Goroutine ||
		got.TimeNs != s.head.TimeNs || got.Tick != s.head.Tick || got.Flags != s.head.Flags || got.Checksum != s.sum {
		tb.Fatalf("step %d: got %+v, want %+v sum %d", n, *got, s.head, s.sum)
	}
	if string(got.Text) != s.text || string(got.Message()) != s.text[s.msg:] {
		tb.Fatalf("step %d: text of %d bytes, want %d; message of %d", n, len(got.Text), len(s.text), len(got.Message()))
	}
	fields := got.Fields
	if s.msg > 0 {
		fields = fields[:len(fields)-1]
	}
	if len(fields) != len(s.fields) {
		tb.Fatalf("step %d: fields %v, want %v", n, fields, s.fields)
	}
	for i, f := range fields {
		if f.Tag != s.fields[i].Tag || f.Tag.Form() < FormBytes && f.Num != s.fields[i].Num ||
			string(f.Bytes) != string(s.fields[i].Bytes) {
			tb.Fatalf("step %d: field %+v, want %+v", n, f, s.fields[i])
		}
	}
	frames, wanted := r.Stack(got.StackID, nil), framesFor(s.pcs)
	if fmt.Sprint(frames) != fmt.Sprint(wanted) {
		tb.Fatalf("step %d: stack\n%v, want\n%v", n, frames, wanted)
	}
}

func mustOpen(tb testing.TB, b []byte) *Reader {
	tb.Helper()
	r, err := Open(b)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
