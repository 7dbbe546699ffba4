package target

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func BenchmarkJump(b *testing.B) {
	p, target, engine := openMachines(b)
	if err := engine.Jump(b.Context(), p.Log.Steps()); err != nil {
		b.Fatal(err)
	}
	_ = target
	r := rand.New(rand.NewPCG(1, 2))
	var back, forth []time.Duration
	for b.Loop() {
		n := 1 + r.Uint64N(p.Log.Steps())
		s, err := target.State()
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if err := engine.Jump(b.Context(), n); err != nil {
			b.Fatalf("to step %d: %v", n, err)
		}
		d := time.Since(start)
		if n <= s.Step {
			back = append(back, d)
		} else {
			forth = append(forth, d)
		}
	}
	for name, l := range map[string][]time.Duration{"back": back, "forth": forth} {
		slices.Sort(l)
		if len(l) > 0 {
			b.ReportMetric(float64(l[len(l)/2].Microseconds())/1000, name+"-p50-ms")
			b.ReportMetric(float64(l[len(l)*95/100].Microseconds())/1000, name+"-p95-ms")
		}
	}
}
