package hits

import (
	"testing"
	"time"

	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// FuzzIndex reads any bytes as a log: what comes out is in order and within its
// bounds, or there is a problem.
func FuzzIndex(f *testing.F) {
	log := logtest.New(f, steplog.Header{Seed: 1, Module: "example.com/m"})
	for i := range 30 {
		log.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: uint32(i), Text: "x\x1b[31m",
			Stack: []steplog.Frame{{Func: "log.Print", File: "log/log.go", Line: 1}, {Func: "example.com/m.TestA", File: recorded, Line: 4 + i%3}}})
	}
	f.Add(log.Bytes())
	f.Add(log.Bytes()[:steplog.BlockSize+200])
	base := newBase("m_test.go", content)
	f.Fuzz(func(t *testing.T, b []byte) {
		open := func() (*runs.Log, error) {
			r, err := steplog.Open(b)
			return &runs.Log{Reader: r}, err
		}
		run := index(open, runs.Result{Time: time.Unix(0, 0)}, &owner{
			src:   text.Source{Module: "example.com/m"},
			roots: source.Roots{{Module: source.Module{Dir: "/m", Path: "example.com/m"}}},
			base:  func(string) *Base { return base },
		})
		for name, lines := range run.lines {
			last := 0
			for _, l := range lines {
				if l.File != name || l.Number < last || l.Count == 0 || len(l.Hits) == 0 || uint64(len(l.Hits)) > l.Count ||
					len(l.First) > Shown || len(l.Last) > Shown || !base.Has(l) {
					t.Fatalf("line %+v", l)
				}
				last = l.Number
			}
		}
	})
}
