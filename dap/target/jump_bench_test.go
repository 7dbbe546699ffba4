package target

import (
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/sim/bench/host"
)

// BenchmarkJump goes to random steps of three runs: the machines case, one of a
// million steps, and five machines with 50 MB of heap. The first one goes to
// the last step. Beside the times it reports how many checkpoints were made while
// jumping, and the memory of the whole session.
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

// forks is how many checkpoints the program ever made.
func forks(t testing.TB, target *Target) uint64 {
	t.Helper()
	grp, unlock := target.dbg.LockTargetGroup()
	defer unlock()
	c, err := readControl(grp.Selected.Memory())
	if err != nil {
		t.Fatal(err)
	}
	return c.made
}

// sessionMemory is the memory of the debugger, which is this process, the
// zygote, the program and its checkpoints, in bytes: proportional set sizes,
// which count shared pages once.
func sessionMemory(t testing.TB, target *Target) float64 {
	t.Helper()
	pids := append(host.Descendants(os.Getpid()), os.Getpid())
	if len(pids) < 3 {
		t.Fatalf("the session has only the processes %v", pids)
	}
	total := 0.0
	for _, pid := range pids {
		m, _ := host.MemoryOf(pid)
		total += float64(m.PSS) * 1024
	}
	return total
}

// cpuTime is what the debugger and the program have used. The times of a jump
// are little more on a computer that has nothing else to do.
func cpuTime(t testing.TB, target *Target) time.Duration {
	t.Helper()
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	program, ok := host.CPUTime(target.run.Pid)
	if !ok {
		t.Fatalf("process %d of the program is gone", target.run.Pid)
	}
	return time.Duration(own.Utime.Nano()+own.Stime.Nano()) + program
}

func jumps(b *testing.B, p *program.Program, target *Target, engine *replay.Engine) {
	start := time.Now()
	if err := engine.Jump(b.Context(), p.Log.Steps()); err != nil {
		b.Fatal(err)
	}
	first := time.Since(start)
	before := forks(b, target)
	r := rand.New(rand.NewPCG(1, 2))
	times := map[string][]time.Duration{}
	for b.Loop() {
		n := 1 + r.Uint64N(p.Log.Steps())
		s, err := target.State()
		if err != nil {
			b.Fatal(err)
		}
		start, cpu := time.Now(), cpuTime(b, target)
		if err := engine.Jump(b.Context(), n); err != nil {
			b.Fatalf("to step %d: %v\n%s", n, err, p.Stderr())
		}
		way := "forth"
		if n <= s.Step {
			way = "back"
		}
		times[way] = append(times[way], time.Since(start))
		times[way+"-cpu"] = append(times[way+"-cpu"], cpuTime(b, target)-cpu)
	}
	b.ReportMetric(first.Seconds()*1000, "first-ms")
	b.ReportMetric(float64(p.Log.Steps()), "steps")
	b.ReportMetric(float64(forks(b, target)-before), "forks")
	b.ReportMetric(sessionMemory(b, target)/(1<<20), "session-MB")
	for name, l := range times {
		slices.Sort(l)
		if len(l) > 0 {
			b.ReportMetric(float64(l[len(l)/2].Microseconds())/1000, name+"-p50-ms")
			b.ReportMetric(float64(l[len(l)*95/100].Microseconds())/1000, name+"-p95-ms")
		}
	}
}
