package programs

import "testing"

func TestTraps(t *testing.T) {
	z := start(t, build(t, "traps"))
	for _, test := range []string{
		"TestInitWaits", "TestPull", "TestCleanup", "TestSyscallsFromGrowingStacks", "TestCollectionsSeeImages",
		"TestSharedWaitGroup", "TestPools", "TestPullFromDead", "TestDeadBubble", "TestDeadCleanup",
	} {
		t.Run(test, func(t *testing.T) {
			for seed := range uint64(5) {
				simulate(t, z, test, seed+1).passes(t)
			}
		})
	}
}

// Recording changes nothing that a program can see of its schedule, its clock
// and its heap, which it tells by its exit code.
func TestRecordingIsInvisible(t *testing.T) {
	z := start(t, build(t, "traps"))
	codes := map[int]bool{}
	for seed := uint64(1); seed <= 20; seed++ {
		with := simulate(t, z, "TestObservations", seed).status.ExitStatus()
		without := unrecorded(t, z, "TestObservations", seed).ExitStatus()
		if with != without || with < 3 {
			t.Errorf("seed %d: exit %d with a step log, %d without", seed, with, without)
		}
		codes[with] = true
	}
	if len(codes) < 10 {
		t.Errorf("20 seeds give only %d different runs", len(codes))
	}
}
