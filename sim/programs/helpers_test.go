package programs

import "testing"

// TestHelpers runs what tests do with machines, and each twice: the logs must
// be equal.
func TestHelpers(t *testing.T) {
	z := start(t, build(t, "helpers"))
	for _, test := range []string{
		"TestWaits", "TestExecDies", "TestSignals", "TestPause", "TestClock", "TestDiskFull", "TestDiskFault",
		"TestReload", "TestCrashStates", "TestRemove",
	} {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 3; seed++ {
				r := simulate(t, z, test, seed)
				r.passes(t)
				compare(t, r, simulate(t, z, test, seed))
			}
		})
	}
}
