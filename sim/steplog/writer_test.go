package steplog

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestHeaderRoundTrip(t *testing.T) {
	b, err := EncodeHeader(&testHeader)
	if err != nil || len(b) != BlockSize {
		t.Fatal(len(b), err)
	}
	h, err := DecodeHeader(b)
	if err != nil || !reflect.DeepEqual(h, testHeader) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, h, testHeader)
	}
	for _, bad := range []Header{
		{Test: strings.Repeat("x", 1<<16)},
		{Build: strings.Repeat("x", 65000), Test: strings.Repeat("y", 600)},
		{Args: []string{"a\x00b"}},
	} {
		if _, err := EncodeHeader(&bad); err == nil {
			t.Error("a header that cannot be stored was encoded")
		}
	}
	b[8] = 2
	if _, err := Open(b); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Error(err)
	}
	if _, err := Open([]byte("PK\x03\x04" + strings.Repeat("x", 100))); err == nil {
		t.Error("a zip file was opened")
	}
}

func TestRoundTrip(t *testing.T) {
	for seed := int64(1); seed <= 5; seed++ {
		log, steps := writeLog(t, seed, 3000, 200_000)
		r := mustOpen(t, log)
		if r.Steps() != uint64(len(steps)) || len(r.Problems()) != 0 {
			t.Fatalf("seed %d: %d steps, want %d; %v", seed, r.Steps(), len(steps), r.Problems())
		}
		n := uint64(0)
		for s := range r.Forward(Filter{}) {
			n++
			same(t, r, s, n, &steps[n-1])
		}
		for s := range r.Backward(Filter{}) {
			same(t, r, s, n, &steps[n-1])
			n--
		}
		if n != 0 {
			t.Fatalf("seed %d: backwards ended at %d", seed, n)
		}
		s, err := r.Step(1234)
		if err != nil {
			t.Fatal(err)
		}
		same(t, r, &s, 1234, &steps[1233])
		if err := Verify(r); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		if m, ok := r.Machine(3); !ok || m != (Machine{3, "client", "cli.example", "fd00::3"}) {
			t.Errorf("machine 3 is %+v", m)
		}
	}
}

// TestRecordingOff: the checksums must not depend on where or whether a run is
// recorded, nor on how full the tables are.
func TestRecordingOff(t *testing.T) {
	_, on := writeLog(t, 9, 2000, 100_000)
	log := newLog(t, testHeader, 200)
	small := testConfig(log)
	small.Table, small.GrowTable = nil, nil
	for name, cfg := range map[string]*WriterConfig{"off": {Seed: 37, Variant: 5}, "no tables": small} {
		w := new(Writer)
		if err := w.Init(cfg); err != nil {
			t.Fatal(err)
		}
		defineMachines(w)
		steps := writeSteps(w, 9, 2000, 100_000)
		for i := range steps {
			if steps[i].sum != on[i].sum {
				t.Fatalf("%s: step %d has checksum %d, want %d", name, i+1, steps[i].sum, on[i].sum)
			}
		}
		if name == "no tables" {
			r := mustOpen(t, log)
			for n := uint64(1); n <= r.Steps(); n++ {
				s, err := r.Step(n)
				if err != nil {
					t.Fatal(err)
				}
				same(t, r, &s, n, &steps[n-1])
			}
			if err := Verify(r); err != nil {
				t.Error(err)
			}
		}
	}
	other := new(Writer)
	if err := other.Init(&WriterConfig{Seed: 38, Variant: 5}); err != nil {
		t.Fatal(err)
	}
	if s := writeSteps(other, 9, 1, 10); s[0].sum == on[0].sum {
		t.Error("another seed gives the same checksum")
	}
}

// TestFollower compares a run without recording with the log, step by step.
func TestFollower(t *testing.T) {
	log, steps := writeLog(t, 4, 3000, 150_000)
	var f Follower
	f.Init(log)
	for i := range steps {
		if sum, ok := f.Next(); !ok || sum != steps[i].sum || f.Step() != uint64(i+1) {
			t.Fatalf("step %d: %d %v, want %d", i+1, sum, ok, steps[i].sum)
		}
	}
	if _, ok := f.Next(); ok {
		t.Error("a step behind the end")
	}
}

// TestLogFull: when the log cannot grow, what is there stays readable and the
// checksums go on.
func TestLogFull(t *testing.T) {
	_, whole := writeLog(t, 3, 3000, 100_000)
	log := newLog(t, testHeader, 200)
	cfg := testConfig(log)
	granted := uint64(BlockSize)
	cfg.Grow = func(need uint64) bool {
		if need != granted+BlockSize {
			t.Errorf("asked for %d bytes after %d", need, granted)
		}
		granted = need
		return need <= 5*BlockSize
	}
	w := new(Writer)
	if err := w.Init(cfg); err != nil {
		t.Fatal(err)
	}
	defineMachines(w)
	steps := writeSteps(w, 3, 3000, 100_000)
	if w.Lost() == 0 || w.Recording() || w.Bytes() != 5*BlockSize ||
		uint32(w.Checksum()) != whole[2999].sum || w.Steps() != 3000 {
		t.Fatalf("lost %d, bytes %d, sum %d, steps %d", w.Lost(), w.Bytes(), w.Checksum(), w.Steps())
	}
	r := mustOpen(t, log)
	if r.Steps() != w.Lost()-1 || Verify(r) != nil {
		t.Fatalf("%d steps, lost from %d; %v", r.Steps(), w.Lost(), Verify(r))
	}
	last, err := r.Step(r.Steps())
	if err != nil {
		t.Fatal(err)
	}
	same(t, r, &last, r.Steps(), &steps[r.Steps()-1])
}

// TestDirtyMemory: the log ends where it ends even in memory that was used.
func TestDirtyMemory(t *testing.T) {
	log := newLog(t, testHeader, 200)
	for i := BlockSize; i < len(log); i++ {
		log[i] = 0xff
	}
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		t.Fatal(err)
	}
	defineMachines(w)
	steps := writeSteps(w, 12, 1500, 100_000)
	r := mustOpen(t, log[:w.Bytes()])
	if err := Verify(r); err != nil || r.Steps() != 1500 || r.Header().Seed != 37 || len(r.Machines()) != 3 {
		t.Fatal(r.Steps(), err)
	}
	for s := range r.Forward(Filter{}) {
		same(t, r, s, s.Number, &steps[s.Number-1])
	}
}

func TestInitRefuses(t *testing.T) {
	log := newLog(t, testHeader, 4)
	for name, cfg := range map[string]*WriterConfig{
		"seed": {Seed: 1, Variant: 5, Log: log}, "variant": {Seed: 37, Log: log},
		"no header": {Seed: 37, Variant: 5, Log: make([]byte, 4*BlockSize)}, "short": {Seed: 37, Variant: 5, Log: log[:100]},
	} {
		var e *Error
		if err := new(Writer).Init(cfg); !errors.As(err, &e) || e.Advice == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLimits: what is too long is cut, marked, and still verifies.
func TestLimits(t *testing.T) {
	log := newLog(t, testHeader, 600)
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		t.Fatal(err)
	}
	w.Machine(Machine{ID: 1, Label: strings.Repeat("m", MaxName+5)})
	step := func(text string, pcs []uintptr, fields func()) {
		w.Begin(Head{Kind: KindLog, Machine: 1})
		fields()
		w.End(Tail{Text: text, PCs: pcs, StackHash: HashPCs(pcs, textBase)})
	}
	none := func() {}
	step(strings.Repeat("t", MaxText+1), nil, none)
	step("", nil, func() { w.String(TagPath, strings.Repeat("p", MaxBytes+1)) })
	step("", nil, func() {
		for range 5 {
			w.String(TagPath, strings.Repeat("p", MaxBytes))
		}
	})
	step("", nil, func() { w.Intern(TagFault, strings.Repeat("i", MaxInterned+1)) })
	deep := make([]uintptr, MaxFrames+50)
	for i := range deep {
		deep[i] = textBase + 1
	}
	step("deep", deep, none)
	step("fits", nil, none)
	r := mustOpen(t, log[:w.Bytes()])
	if err := Verify(r); err != nil || r.Steps() != 6 {
		t.Fatal(err, r.Steps(), r.Problems())
	}
	size := func(n uint64) (cut bool, text, fields int) {
		s, err := r.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Fields {
			fields += len(f.Bytes)
		}
		return s.Flags&FlagCut != 0, len(s.Text), fields
	}
	for n, want := range [][3]int{
		{1, MaxText, 0}, {1, 0, MaxBytes}, {1, 0, MaxBytes}, {1, 0, MaxInterned}, {0, 4, 0}, {0, 4, 0},
	} {
		cut, text, fields := size(uint64(n + 1))
		if cut != (want[0] == 1) || text != want[1] || fields != want[2] {
			t.Errorf("step %d: cut %v, text %d, fields %d; want %v", n+1, cut, text, fields, want)
		}
	}
	s, _ := r.Step(5)
	if n := len(r.Stack(s.StackID, nil)); n != MaxFrames {
		t.Errorf("stack of %d frames, want %d", n, MaxFrames)
	}
	if m, _ := r.Machine(1); len(m.Label) != MaxName {
		t.Errorf("label of %d bytes", len(m.Label))
	}
}

// TestExactFit sweeps text lengths over the end of a block, so that every
// remainder of room is met.
func TestExactFit(t *testing.T) {
	for n := 4000; n < 4200; n++ {
		log := newLog(t, testHeader, 8)
		w := new(Writer)
		if err := w.Init(testConfig(log)); err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("x", n)
		for i := range 40 {
			w.Begin(Head{Kind: KindLog, Tick: uint64(i) << 33})
			w.Uint(TagFrom, uint64(i))
			w.End(Tail{Text: text})
		}
		r := mustOpen(t, log)
		if err := Verify(r); err != nil || r.Steps() != 40 {
			t.Fatalf("length %d: %d steps, %v", n, r.Steps(), err)
		}
		for s := range r.Forward(Filter{}) {
			if string(s.Text) != text {
				t.Fatalf("length %d: step %d has a text of %d bytes", n, s.Number, len(s.Text))
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	broken := map[string]func(w *Writer){
		"nested":       func(w *Writer) { w.Begin(Head{Kind: KindLog}); w.Begin(Head{Kind: KindLog}) },
		"no begin":     func(w *Writer) { w.End(Tail{}) },
		"stray field":  func(w *Writer) { w.Uint(TagErrno, 1) },
		"wrong form":   func(w *Writer) { w.Begin(Head{Kind: KindLog}); w.Int(TagErrno, 1) },
		"no kind":      func(w *Writer) { w.Begin(Head{}) },
		"stray frame":  func(w *Writer) { w.Frame("f", "g", 1) },
		"tick goes on": func(w *Writer) { w.Begin(Head{Kind: 1, Tick: 2}); w.End(Tail{}); w.Begin(Head{Kind: 1, Tick: 1}) },
	}
	for name, f := range broken {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "steplog: ") {
					t.Errorf("%s: no assertion", name)
				}
			}()
			w := new(Writer)
			if err := w.Init(&WriterConfig{}); err != nil {
				t.Fatal(err)
			}
			f(w)
		}()
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range append(Kinds(), 200) {
		if got, ok := ParseKind(k.String()); !ok || got != k || seen[k.String()] {
			t.Errorf("%d: %s gives %d", k, k, got)
		}
		seen[k.String()] = true
	}
	if KindEnd.String() != "end" || KindLog.String() != "log" ||
		KindClock.String() != "clock" || KindDeadlock.String() != "deadlock" {
		t.Error("names do not match the constants")
	}
	for _, bad := range []string{"", "kind-0", "kind-256", "nope"} {
		if k, ok := ParseKind(bad); ok {
			t.Errorf("%q gives %d", bad, k)
		}
	}
	for tag, name := range map[Tag]string{
		TagCause: "cause", TagOffset: "offset", TagReason: "reason", TagFunc: "func", 63: "field-63",
	} {
		if tag.String() != name {
			t.Errorf("%s, want %s", tag, name)
		}
	}
}

// A step without a text may fill a block to its last byte; there is then no
// room for the head of a text, which it does not need.
func TestStepFillsBlock(t *testing.T) {
	log := newLog(t, testHeader, 8)
	var w Writer
	if err := w.Init(testConfig(log)); err != nil {
		t.Fatal(err)
	}
	const steps = 3 * BlockSize / recordSize
	for i := range uint64(steps) {
		w.Begin(Head{Kind: KindClock, TimeNs: int64(i), Tick: i})
		w.End(Tail{})
	}
	w.Close()
	r := mustOpen(t, log)
	if r.Steps() != steps || len(r.Problems()) != 0 {
		t.Fatalf("%d steps, want %d; %v", r.Steps(), steps, r.Problems())
	}
	if err := Verify(r); err != nil {
		t.Error(err)
	}
}
