package programs

import (
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// TestChildren runs machines whose programs start processes, and each test
// twice: the logs must be equal. The collector checks itself meanwhile.
func TestChildren(t *testing.T) {
	z := start(t, build(t, "children"))
	for _, test := range []string{
		"TestServer", "TestKilledServer", "TestWorkers", "TestWorkersOnMachines", "TestCrashes", "TestPanic", "TestClock",
		"TestByHand", "TestTen", "TestPipeToConsole", "TestUsers", "TestDropPrivileges", "TestCredential",
	} {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 2; seed++ {
				r := simulate(t, z, test, seed)
				r.passes(t)
				compare(t, r, simulate(t, z, test, seed))
				req := request(test, seed, "")
				req.Check = zygote.CheckGC | zygote.CheckCollect
				simulateWith(t, z, req).passes(t)
			}
			r := runVariant(t, z, test, 1, sched.Policy{Strategy: sched.KindPCT, Depth: 3}.Variant())
			r.passes(t)
		})
	}
	t.Run("report of a panic", func(t *testing.T) {
		lines := simulate(t, z, "TestPanic", 1).lines(steplog.KindLog)
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "main: panic: runtime error") }) {
			t.Errorf("no report of the panic in\n%s", strings.Join(lines, "\n"))
		}
	})
}

// TestProgram starts a package main of the module.
func TestProgram(t *testing.T) {
	z := start(t, build(t, "programs"))
	for _, test := range []string{"TestProgram", "TestNoProgram"} {
		for seed := uint64(1); seed <= 2; seed++ {
			r := simulate(t, z, test, seed)
			r.passes(t)
			compare(t, r, simulate(t, z, test, seed))
		}
	}
}
