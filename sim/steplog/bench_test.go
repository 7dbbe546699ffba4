package steplog

import (
	"fmt"
	"testing"
)

// benchStep writes the step of a log line with 40 bytes of payload and a known
// stack of 12 frames.
func benchStep(w *Writer, i int, pcs []uintptr) {
	w.Begin(Head{Kind: KindLog, Machine: 1, Goroutine: 17, TimeNs: int64(i), Tick: uint64(i) * 3})
	w.Int(TagLevel, 0)
	w.Intern(TagStream, "stdout")
	w.End(Tail{Text: "transfer 17 from a to b done\n", Message: 9, PCs: pcs, StackHash: HashPCs(pcs, textBase)})
}

func benchPCs() []uintptr {
	pcs := make([]uintptr, 12)
	for i := range pcs {
		pcs[i] = textBase + uintptr(i)*16
	}
	return pcs
}

// benchLog returns a log of n such steps with 64 different stacks.
func benchLog(tb testing.TB, n int) []byte {
	log := newLog(tb, testHeader, n/500+8)
	w := new(Writer)
	if err := w.Init(testConfig(log)); err != nil {
		tb.Fatal(err)
	}
	w.Machine(Machine{ID: 1, Label: "main"})
	pcs := benchPCs()
	for i := range n {
		pcs[0] = textBase + uintptr(i%64)*16
		benchStep(w, i, pcs)
	}
	w.Close()
	if w.Lost() != 0 {
		tb.Fatal("log too small")
	}
	return log[:w.Bytes()]
}

func BenchmarkWrite(b *testing.B) {
	log := newLog(b, testHeader, 1024)
	pcs := benchPCs()
	for name, cfg := range map[string]*WriterConfig{"on": testConfig(log), "off": {Seed: 37, Variant: 5}} {
		b.Run(name, func(b *testing.B) {
			w := new(Writer)
			if err := w.Init(cfg); err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.ReportAllocs(); b.Loop(); i++ {
				if w.next > uint64(len(log))-2*BlockSize {
					w.stepBlock, w.next = block{}, 4*BlockSize // round again in the same memory
				}
				benchStep(w, i, pcs)
			}
		})
	}
}

const million = 1_000_000

func BenchmarkOpen(b *testing.B) {
	for _, steps := range []int{million, 10 * million} {
		b.Run(fmt.Sprintf("%dM", steps/million), func(b *testing.B) {
			log := benchLog(b, steps)
			for b.ReportAllocs(); b.Loop(); {
				if r, err := Open(log); err != nil || r.Steps() != uint64(steps) {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(log))/float64(steps), "log-bytes/step")
		})
	}
}

func BenchmarkSeek1M(b *testing.B) {
	c := mustOpen(b, benchLog(b, million)).Cursor(Filter{})
	n := uint64(1)
	for b.ReportAllocs(); b.Loop(); n = n*6364136223846793005 + 1442695040888963407 {
		if err := c.Seek(n>>11%million + 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan1M(b *testing.B) {
	r := mustOpen(b, benchLog(b, million))
	for name, f := range map[string]Filter{"all": {}, "none": {Goroutine: 1}} {
		b.Run(name, func(b *testing.B) {
			for b.ReportAllocs(); b.Loop(); {
				n := 0
				for c := r.Cursor(f); c.Next(); {
					n++
				}
				if n != 0 && n != million {
					b.Fatal(n)
				}
			}
		})
	}
}

func BenchmarkVerify1M(b *testing.B) {
	r := mustOpen(b, benchLog(b, million))
	for b.Loop() {
		if err := Verify(r); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNoAllocation: the writer and the follower never use the Go heap.
func TestNoAllocation(t *testing.T) {
	log := newLog(t, testHeader, 64)
	table := make([]byte, TableSize(10_000))
	cfg := &WriterConfig{Seed: 37, Variant: 5, Log: log, Table: table, TextBase: textBase,
		Symbolize: func(w *Writer, pc uintptr) { w.Frame("main.f", "main.go", int(pc)) }}
	w := new(Writer)
	pcs := benchPCs()
	long := make([]byte, 70_000)
	run := func() {
		clear(table)
		if err := w.Init(cfg); err != nil {
			t.Fatal(err)
		}
		w.Machine(Machine{ID: 1, Label: "main"})
		for i := range 2000 {
			pcs[i%12] = textBase + uintptr(i)
			benchStep(w, i, pcs)
			if i%500 == 0 {
				w.Begin(Head{Kind: KindLog, Tick: uint64(i) * 3})
				w.String(TagPath, "/a/b")
				w.EndBytes(long, Tail{})
			}
		}
		w.Close()
	}
	if n := testing.AllocsPerRun(5, run); n != 0 {
		t.Errorf("%v allocations a run of 2000 steps", n)
	}
	if w.Lost() != 0 || mustOpen(t, log[:w.Bytes()]).Steps() != 2004 {
		t.Fatal("the run did not record")
	}
	follow := func() {
		var f Follower
		f.Init(log)
		for ok := true; ok; _, ok = f.Next() {
		}
	}
	if n := testing.AllocsPerRun(5, follow); n != 0 {
		t.Errorf("%v allocations to follow", n)
	}
}
