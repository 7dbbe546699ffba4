package target

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
)

// BenchmarkJump goes to random steps of three runs: the machines case, one of a
// million steps, and five machines with 50 MB of heap. The first one goes to
// the last step.
//
//	go test -run '^$' -bench Jump -benchtime 1000x ./dap/target
func BenchmarkJump(b *testing.B) {
	const big = "testdata/big/big_test.go"
	for _, c := range []struct{ name, file, test string }{
		{"machines", "../../cmd/restep/testdata/cases/machines/machines_test.go", "TestMachines"},
		{"million", big, "TestMillion"},
		{"load", big, "TestLoad"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, target, engine := openCase(b, c.file, c.test)
			jumps(b, p, target, engine)
		})
	}
}

func jumps(b *testing.B, p *program.Program, target *Target, engine *replay.Engine) {
	start := time.Now()
	if err := engine.Jump(b.Context(), p.Log.Steps()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(start).Seconds()*1000, "first-ms")
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
			b.Fatalf("to step %d: %v\n%s", n, err, p.Stderr())
		}
		d := time.Since(start)
		if n <= s.Step {
			back = append(back, d)
		} else {
			forth = append(forth, d)
		}
	}
	b.ReportMetric(float64(p.Log.Steps()), "steps")
	for name, l := range map[string][]time.Duration{"back": back, "forth": forth} {
		slices.Sort(l)
		if len(l) > 0 {
			b.ReportMetric(float64(l[len(l)/2].Microseconds())/1000, name+"-p50-ms")
			b.ReportMetric(float64(l[len(l)*95/100].Microseconds())/1000, name+"-p95-ms")
		}
	}
}
