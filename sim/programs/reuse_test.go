package programs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/restep/restep/sim/zygote"
)

// reusing are programs and tests of which every second one leaves something
// behind: each ends in its own way.
var reusing = map[string][]string{
	"reuse": {"TestSubtests", "TestFails", "TestPanics", "TestExits", "TestLeaks", "TestCrashes", "TestRuntime",
		"TestMemory", "TestHeap", "TestDeep", "Test.*s"},
	"soak":  {"TestHTTP", "TestChannels", "TestTimers", "TestFiles", "TestCrashes"},
	"ends":  {"TestMainPanics", "TestMainExits", "TestDeadlock", "TestTimeout", "TestThreads", "TestCrashWaits"},
	"files": {"TestMapShared", "TestMapFaults", "TestPipeBlocks", "TestProc"},
}

// TestReuse: a run in a process that has served others, whatever these did,
// gives the log of a run in a process of its own, byte for byte.
func TestReuse(t *testing.T) {
	for dir, tests := range reusing {
		t.Run(dir, func(t *testing.T) {
			rounds := 2
			if os.Getenv("RESTEP_NIGHTLY") != "" {
				rounds = 20
				if dir == "ends" {
					tests = append(tests, "TestMachineEnds") // fills a gigabyte of stack
				}
			}
			b := build(t, dir)
			fresh, used := start(t, b), start(t, b)
			type job struct {
				test string
				seed uint64
			}
			var jobs []job
			want := map[job]run{}
			for _, test := range tests {
				for seed := uint64(1); seed <= 2; seed++ {
					j := job{test, seed}
					jobs = append(jobs, j)
					want[j] = checked(t, fresh, j.test, j.seed, zygote.CheckLast)
				}
			}
			const order = 1 // a seed: failures name it
			r := rand.New(rand.NewPCG(order, 0))
			pids, before := map[int]int{}, job{}
			for round := range rounds {
				r.Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
				for _, j := range jobs {
					got := checked(t, used, j.test, j.seed, zygote.CheckReuse)
					if got.status != want[j].status {
						t.Errorf("order %d, round %d, %v after %v: ended with %x, alone with %x", order, round, j, before, got.status, want[j].status)
					}
					t.Run(fmt.Sprint(j, " after ", before), func(t *testing.T) { compare(t, want[j], got) })
					pids[got.pid]++
					before = j
				}
			}
			if len(pids) > rounds*len(jobs)/2 {
				t.Errorf("%d runs in %d processes", rounds*len(jobs), len(pids))
			}
		})
	}
}

func checked(t *testing.T, z *zygote.Zygote, test string, seed uint64, check zygote.Check) run {
	t.Helper()
	req := request(test, seed, "")
	req.Check = check
	return simulateWith(t, z, req)
}

// TestServesAgain: a process that was killed is followed by another one.
func TestServesAgain(t *testing.T) {
	const seed = 7
	z := start(t, build(t, "storm"))
	want := simulate(t, z, "TestStorm", seed)
	again := func() int {
		t.Helper()
		got := simulate(t, z, "TestStorm", seed)
		compare(t, want, got)
		return got.pid
	}
	first, second := again(), again()
	if first != second {
		t.Errorf("the second run was made by process %d, not by %d: was it killed, or is close_range(2) missing?", second, first)
	}
	child, err := z.Run(request("TestStorm", seed, newLog(t, "run", seed, 0)))
	if err != nil {
		t.Fatal(err)
	}
	child.Kill()
	if status, err := child.Wait(); err != nil || !status.Signaled() && status.ExitStatus() != 0 {
		t.Errorf("exit %d, %v", status.ExitStatus(), err)
	} else if third := again(); status.Signaled() && third == first {
		t.Errorf("process %d was killed and serves all the same", third)
	}
}

// TestNoShortcuts: a sleep that needs no scheduler makes the steps of one that
// does.
func TestNoShortcuts(t *testing.T) {
	z := start(t, build(t, "soak"))
	for _, test := range []string{"TestTimers", "TestHTTP", "TestCrashes"} {
		for seed := uint64(1); seed <= 5; seed++ {
			for _, variant := range []uint64{0, 3<<3 | 1} { // random; PCT, depth 3
				req := request(test, seed, "")
				req.Variant = variant
				want := simulateWith(t, z, req)
				req.Check = zygote.CheckPlain
				compare(t, want, simulateWith(t, z, req))
			}
		}
	}
}
