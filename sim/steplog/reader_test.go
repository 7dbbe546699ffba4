package steplog

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/v1.steplog again")

func TestFilter(t *testing.T) {
	log, steps := writeLog(t, 2, 2500, 100_000)
	r := mustOpen(t, log)
	labels := []string{"", "main", "server", "client"}
	for _, f := range []Filter{
		{}, {Machines: []string{"server"}}, {Machines: []string{"client", "main"}}, {Machines: []string{"nobody"}},
		{Goroutine: 3}, {Kinds: []Kind{KindLog, KindEnd}}, {From: 100, To: 200}, {From: 2400}, {To: 7},
		{Text: func(b []byte) bool { return strings.Contains(string(b), "hello") }},
		{Machines: []string{"server"}, Goroutine: 2, Kinds: []Kind{KindGo, KindSend, KindDrop}, From: 50, To: 2300},
		{From: 9999},
	} {
		var want, got, back []uint64
		for i, s := range steps {
			n := uint64(i + 1)
			if (len(f.Machines) == 0 || slices.Contains(f.Machines, labels[s.head.Machine])) &&
				(f.Goroutine == 0 || f.Goroutine == s.head.Goroutine) &&
				(len(f.Kinds) == 0 || slices.Contains(f.Kinds, s.head.Kind)) &&
				n >= f.From && (f.To == 0 || n <= f.To) && (f.Text == nil || f.Text([]byte(s.text))) {
				want = append(want, n)
			}
		}
		for s := range r.Forward(f) {
			got = append(got, s.Number)
		}
		for s := range r.Backward(f) {
			back = append(back, s.Number)
		}
		slices.Reverse(back)
		if !slices.Equal(got, want) || !slices.Equal(back, want) {
			t.Errorf("%+v: forward %d, backward %d steps, want %d", f, len(got), len(back), len(want))
		}
		// Around any step, Next and Prev give the neighbours.
		c := r.Cursor(f)
		for _, n := range []uint64{1, 2, 777, 2500} {
			i, _ := slices.BinarySearch(want, n)
			if err := c.Seek(n); err != nil || c.Step().Number != n {
				t.Fatal(err)
			}
			if ok := c.Prev(); ok != (i > 0) || ok && c.Step().Number != want[i-1] {
				t.Errorf("%+v: Prev of %d gives %v %d", f, n, ok, c.Step().Number)
			}
			c.Reset(n)
			if ok := c.Next(); ok != (i < len(want)) || ok && c.Step().Number != want[i] {
				t.Errorf("%+v: Next from %d gives %v %d", f, n, ok, c.Step().Number)
			}
		}
		if c.Err() != nil {
			t.Error(c.Err())
		}
	}
	for _, n := range []uint64{0, 2501, 1 << 63} {
		if err := r.Cursor(Filter{}).Seek(n); err == nil || !strings.Contains(err.Error(), "2500") {
			t.Errorf("step %d: %v", n, err)
		}
	}
}

// TestKilled looks at the log at every point where the writer calls out and
// after every step, as if the process had been killed there.
func TestKilled(t *testing.T) {
	log := newLog(t, testHeader, 120)
	w := new(Writer)
	cfg := testConfig(log)
	looks := 0
	look := func() {
		looks++
		r := mustOpen(t, log)
		if r.Steps() != w.Steps() {
			t.Fatalf("%d steps readable of %d", r.Steps(), w.Steps())
		}
		if looks%16 == 0 || r.Steps() < 20 {
			if err := Verify(r); err != nil {
				t.Fatalf("after %d steps: %v", w.Steps(), err)
			}
		}
	}
	cfg.Symbolize = func(w *Writer, pc uintptr) { look(); symbolize(w, pc); look() }
	cfg.Grow = func(uint64) bool { look(); return true }
	if err := w.Init(cfg); err != nil {
		t.Fatal(err)
	}
	w.Machine(Machine{ID: 1, Label: "main"})
	rng := newRand(8)
	tick := uint64(0)
	for range 600 {
		s := randomStep(rng, tick, 300_000)
		tick = s.head.Tick
		s.write(w)
		look()
	}
	w.Close()
	look()
}

// TestTruncated: a log cut at any byte opens, keeps a prefix of its steps, and
// says nothing wrong about them.
func TestTruncated(t *testing.T) {
	log, steps := writeLog(t, 6, 120, 3000)
	end := len(log)
	for end > 0 && log[end-1] == 0 {
		end--
	}
	before := uint64(0)
	for n := range end + 8 {
		if n > BlockSize && n < 2*BlockSize && log[n] == 0 && log[n-1] == 0 {
			continue // the unused part of the definition block
		}
		r, err := Open(log[:n])
		if err != nil {
			if n >= BlockSize {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		if r.Steps() < before || len(r.Problems()) > 0 {
			t.Fatalf("%d bytes: %d steps, %d with less; %v", n, r.Steps(), before, r.Problems())
		}
		if before = r.Steps(); before > 0 {
			s, err := r.Step(before)
			if err != nil {
				t.Fatalf("%d bytes: %v", n, err)
			}
			same(t, r, &s, before, &steps[before-1])
		}
	}
	if before != 120 {
		t.Errorf("%d steps in the end", before)
	}
}

// TestVerifyEveryByte turns a bit in every byte that means something.
func TestVerifyEveryByte(t *testing.T) {
	log := smallLog(t)
	meaning := recordBytes(log)
	if len(meaning) < 1500 {
		t.Fatalf("only %d bytes", len(meaning))
	}
	for _, at := range meaning {
		for _, bit := range []byte{1, 0x10, 0x80} {
			log[at] ^= bit
			r, err := Open(log)
			if err == nil {
				err = Verify(r)
			}
			if err == nil {
				t.Errorf("offset %d bit %#x: damage not seen", at, bit)
			}
			log[at] ^= bit
		}
	}
	if err := Verify(mustOpen(t, log)); err != nil {
		t.Fatal(err)
	}
}

// recordBytes returns the offsets of all bytes of block headers and records
// but spare ones, padding, and the middle of long texts.
func recordBytes(log []byte) (list []int) {
	add := func(from, to int) {
		for ; from < to; from++ {
			list = append(list, from)
		}
	}
	for off := BlockSize; off < len(log); off += BlockSize {
		add(off, off+5)
		add(off+16, off+20)
		fixed, lengthAt := recordSize, 24
		if log[off+4] == blockDefs {
			fixed, lengthAt = defSize, 8
		} else {
			add(off+8, off+16)
			add(off+24, off+32)
		}
		for at := off + blockHeader; at < off+int(get32(log[off+16:])); {
			length := int(get32(log[at+lengthAt:]))
			switch defKind(log[at]) {
			case defMachine:
				add(at+8, at+fixed+length) // kind and id of a machine stand on their own
			default:
				add(at, at+2)
				add(at+4, at+fixed+min(length, 200))
				add(at+fixed+max(0, length-9), at+fixed+length)
			}
			at += fixed + pad8(length)
		}
	}
	return list
}

func TestVerifyNamesTheStep(t *testing.T) {
	log, _ := writeLog(t, 2, 500, 50)
	r := mustOpen(t, log)
	s, err := r.Step(104)
	if err != nil {
		t.Fatal(err)
	}
	log[s.Offset+8] ^= 1
	err = Verify(r)
	if err == nil || !strings.HasPrefix(err.Error(), "steplog: step 104: checksum differs: stored ") {
		t.Error(err)
	}
}

// TestDamagedBlock: steps of other blocks stay readable.
func TestDamagedBlock(t *testing.T) {
	log, steps := writeLog(t, 5, 4000, 50)
	blocks := mustOpen(t, log).blocks
	if len(blocks) < 4 {
		t.Fatal(len(blocks))
	}
	log[blocks[1].off] ^= 1
	r := mustOpen(t, log)
	if r.Steps() != 4000 || len(r.Problems()) != 1 || Verify(r) == nil {
		t.Fatal(r.Steps(), r.Problems())
	}
	name := "step " + u64text(blocks[1].first) + ":"
	if _, err := r.Step(blocks[1].first); err == nil || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
	c := r.Cursor(Filter{})
	n := uint64(0)
	for ; c.Next(); n++ {
		same(t, r, c.Step(), c.Step().Number, &steps[c.Step().Number-1])
	}
	back := uint64(0)
	for range r.Backward(Filter{}) {
		back++
	}
	if want := 4000 - (blocks[2].first - blocks[1].first); n != want || back != want {
		t.Errorf("%d steps forward, %d backward, want %d", n, back, want)
	}
}

func TestDiff(t *testing.T) {
	base, steps := writeLog(t, 1, 300, 500)
	a := mustOpen(t, base)
	if d, err := Diff(a, mustOpen(t, base)); d != nil || err != nil {
		t.Fatal(d, err)
	}
	again := func(n int, change func(s *want)) *Reader {
		log := newLog(t, testHeader, 40)
		w := new(Writer)
		if err := w.Init(testConfig(log)); err != nil {
			t.Fatal(err)
		}
		defineMachines(w)
		for i, s := range steps[:n] {
			if i == 149 {
				change(&s)
			}
			s.write(w)
		}
		return mustOpen(t, log)
	}
	for field, change := range map[string]func(s *want){
		"kind":      func(s *want) { s.head.Kind = 99 },
		"machine":   func(s *want) { s.head.Machine = 4 },
		"goroutine": func(s *want) { s.head.Goroutine = 77 },
		"time":      func(s *want) { s.head.TimeNs++ },
		"text":      func(s *want) { s.text += "!" },
		"errno":     func(s *want) { s.fields = append(s.fields, Field{Tag: TagErrno, Num: 2}) },
		"stack":     func(s *want) { s.pcs = append(s.pcs, textBase+99) },
		"flags":     func(s *want) { s.head.Flags ^= FlagUser },
	} {
		d, err := Diff(a, again(300, change))
		if err != nil || d == nil || d.Step != 150 || d.Field != field || d.A == d.B {
			t.Errorf("%s: %v %v", field, d, err)
		}
	}
	d, err := Diff(a, again(200, func(*want) {}))
	if err != nil || d == nil || d.Step != 201 || d.Field != "steps" || d.A != "300" || d.B != "200" {
		t.Error(d, err)
	}
	if d != nil && d.String() != `step 201: steps differs: "300" and "200"` {
		t.Error(d.String())
	}
}

func TestSummary(t *testing.T) {
	s := Summarize(mustOpen(t, smallLog(t)))
	if s.Err != nil || s.Result != "fail" || s.Steps != 7 || s.Ticks != 9_000_000_012 || s.DurationNs != 3_500_000_000 {
		t.Errorf("%+v", s)
	}
	if len(s.Machines) != 2 || s.Machines[1].Steps != 3 || s.Machines[1].FirstNs != testHeader.StartNs+1e9 ||
		s.Machines[1].LastNs != testHeader.StartNs+3e9 {
		t.Errorf("%+v", s.Machines)
	}
	if len(s.Kinds) != 5 || s.Kinds[0] != (KindCount{KindLog, 2}) {
		t.Errorf("%+v", s.Kinds)
	}
	if s := Summarize(mustOpen(t, newLog(t, testHeader, 1))); s.Steps != 0 || s.Result != "unfinished" {
		t.Errorf("empty log: %+v", s)
	}
}

// smallLog writes the run of the golden file: it has every form of field, a
// split text, a big tick and inlined frames.
func smallLog(tb testing.TB) []byte {
	tb.Helper()
	log := newLog(tb, testHeader, 8)
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		tb.Fatal(err)
	}
	w.Machine(Machine{1, "main", "main", "10.0.0.1"})
	w.Machine(Machine{2, "server", "srv", "fd00::2"})
	step := func(k Kind, m MachineID, at float64, tick uint64, text string, msg int, fields func(), pcs ...uintptr) {
		w.Begin(Head{Kind: k, Machine: m, Goroutine: uint32(m) * 16, TimeNs: testHeader.StartNs + int64(at*1e9), Tick: tick})
		if fields != nil {
			fields()
		}
		w.End(Tail{Text: text, Message: msg, PCs: pcs, StackHash: HashPCs(pcs, textBase)})
	}
	step(KindTest, 1, 0, 1, "", 0, func() { w.Intern(TagTest, "TestTransfer"); w.Intern(TagStatus, "run") }, textBase+1)
	step(KindBoot, 2, 1, 5, "", 0, nil, textBase+1, textBase+2, textBase+1)
	step(KindSyscall, 2, 2, 6, "", 0, func() {
		w.Intern(TagName, "openat")
		w.Uint(TagSyscall, 257)
		w.String(TagPath, "/var/db")
		w.Int(TagResult, -1)
		w.Uint(TagErrno, 2)
	}, textBase+5, textBase+1)
	step(KindLog, 2, 3, 9_000_000_000, "2000/01/01 00:00:03 sum is 90, want 100\n", 20,
		func() { w.Int(TagLevel, 8) }, textBase+5)
	step(KindLog, 1, 3, 9_000_000_001, strings.Repeat("0123456789abcdef", 4200), 0, nil)
	step(KindTest, 1, 3.5, 9_000_000_010, "", 0, func() { w.Intern(TagTest, "TestTransfer"); w.Intern(TagStatus, "fail") })
	step(KindEnd, 1, 3.5, 9_000_000_012, "", 0, func() { w.Intern(TagStatus, "fail") })
	w.Close()
	return log[:w.Bytes()]
}

// packed is the golden file's form: blocks cut to what they use, so that the
// checked-in file is small. unpack restores the zeros.
func pack(log []byte) []byte {
	out := slices.Clone(log[:headerFixed+get32(log[12:])])
	for off := BlockSize; off < len(log); off += BlockSize {
		out = append(out, log[off:off+int(get32(log[off+16:]))]...)
	}
	return out
}

func unpack(b []byte) []byte {
	cut := headerFixed + int(get32(b[12:]))
	log := append(slices.Clone(b[:cut]), make([]byte, BlockSize-cut)...)
	for b = b[cut:]; len(b) > 0; {
		used := int(get32(b[16:]))
		log = append(append(log, b[:used]...), make([]byte, BlockSize-used)...)
		b = b[used:]
	}
	return log
}

// goldenSum is the last checksum of the golden file, written down so that an
// -update cannot hide a change of the checksum.
const goldenSum = uint32(3112364821)

// TestGolden reads a checked-in log of version 1, which later versions must
// read too, and compares what the writer writes today.
func TestGolden(t *testing.T) {
	name := filepath.Join("testdata", "v1.steplog")
	now := smallLog(t)
	if *update {
		if err := os.WriteFile(name, pack(now), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("wrote %s", name)
	}
	packed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	golden := unpack(packed)
	if string(golden) != string(now) {
		t.Errorf("the writer's format changed: raise Version and keep %s,"+
			" or, if version 1 is not released yet, run go test -update", name)
	}
	r := mustOpen(t, golden)
	if err := Verify(r); err != nil {
		t.Fatal(err)
	}
	s, err := r.Step(4)
	if err != nil || string(s.Message()) != "sum is 90, want 100\n" || s.Kind != KindLog || s.Tick != 9_000_000_000 {
		t.Errorf("%v %+v", err, s)
	}
	if s, _ := r.Step(3); s.Fields[0].Value() != "openat" || s.Fields[3].Value() != "-1" ||
		len(r.Stack(s.StackID, nil)) != 4 {
		t.Errorf("%+v", s)
	}
	if s, _ := r.Step(7); s.Checksum != goldenSum {
		t.Errorf("last checksum %d, want %d", s.Checksum, goldenSum)
	}
}
