package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/restep/restep/sim/steplog"
)

// writeLog writes a log of n steps, two thirds of them system calls, as runs
// have them, and returns its size.
func writeLog(tb testing.TB, path string, n int) int64 {
	tb.Helper()
	const textBase = 0x400000
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	size := (n/400 + 16) * steplog.BlockSize
	if err := f.Truncate(int64(size)); err != nil {
		tb.Fatal(err)
	}
	log, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		tb.Fatal(err)
	}
	defer syscall.Munmap(log)
	head, err := steplog.EncodeHeader(&steplog.Header{Seed: 1, Package: "example.com/m", Module: "example.com/m", Test: "TestX"})
	if err != nil {
		tb.Fatal(err)
	}
	copy(log, head)
	w := new(steplog.Writer)
	err = w.Init(&steplog.WriterConfig{
		Log: log, Seed: 1, TextBase: textBase, Table: make([]byte, steplog.TableSize(1<<12)),
		GrowTable: func(need uint64) []byte { return make([]byte, need) },
		Symbolize: func(w *steplog.Writer, pc uintptr) {
			w.Frame(fmt.Sprintf("example.com/m.f%d", pc), "example.com/m/m.go", int(pc-textBase))
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.Machine(steplog.Machine{ID: 1, Label: "main"})
	pcs := make([]uintptr, 12)
	for i := range pcs {
		pcs[i] = textBase + uintptr(i)*16
	}
	for i := range n {
		pcs[0] = textBase + uintptr(i%256)*16
		tail := steplog.Tail{PCs: pcs, StackHash: steplog.HashPCs(pcs, textBase)}
		if i%3 == 0 {
			w.Begin(steplog.Head{Kind: steplog.KindLog, Machine: 1, Goroutine: uint32(i % 64), TimeNs: int64(i), Tick: uint64(i)})
			w.Int(steplog.TagLevel, 0)
			tail.Text = "transfer 17 from a to b done\n"
		} else {
			w.Begin(steplog.Head{Kind: steplog.KindSyscall, Machine: 1, Goroutine: uint32(i % 64), TimeNs: int64(i), Tick: uint64(i)})
			w.Uint(steplog.TagSyscall, 1)
			w.Int(steplog.TagResult, 4096)
			w.Int(steplog.TagFD, 7)
			tail.Text = "write 4096"
		}
		w.End(tail)
	}
	w.Close()
	if w.Lost() != 0 {
		tb.Fatal("the log is too small")
	}
	if err := f.Truncate(int64(w.Bytes())); err != nil {
		tb.Fatal(err)
	}
	return int64(w.Bytes())
}

// BenchmarkLoad opens logs by path and reads a step in their middle, as
// everybody does who shows one.
func BenchmarkLoad(b *testing.B) {
	for name, n := range map[string]int{"100k": 100_000, "1M": 1_000_000, "10M": 10_000_000} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "x.steplog")
			size := writeLog(b, path, n)
			for b.Loop() {
				log, err := Load(path)
				if err != nil {
					b.Fatal(err)
				}
				if s, err := log.Step(uint64(n / 2)); err != nil || log.Steps() != uint64(n) || s.Number != uint64(n/2) {
					b.Fatal(log.Steps(), err)
				}
				log.Close()
			}
			b.ReportMetric(float64(size)/float64(n), "log-bytes/step")
		})
	}
}
