package programs

import "testing"

// Numbers of policies (sim/sched): a variant's low bits.
const (
	variantAtomics = 1 << 13
	variantCalls   = 2 << 13
	variantMemory  = 3 << 13
	variantPCT     = 1
	variantPCT3    = variantPCT | 3<<3
)

// Each level of preemption finds what those before it cannot.
func TestPreemptLevels(t *testing.T) {
	plain, fine := start(t, build(t, "explore")), start(t, instrumented(t, "explore"))
	const seeds = 60
	for _, c := range []struct {
		test  string
		least uint64 // variant of the coarsest level that finds it
	}{
		{"TestLostUntyped", variantAtomics}, {"TestLostCall", variantCalls}, {"TestLostPlain", variantMemory},
	} {
		for _, level := range []uint64{0, variantAtomics, variantCalls, variantMemory} {
			z := fine
			if level == 0 {
				z = plain
			}
			found := 0
			for seed := range uint64(seeds) {
				if runVariant(t, z, c.test, seed+1, level).status.ExitStatus() != 0 {
					found++
				}
			}
			t.Logf("%s at level %d: %d of %d seeds", c.test, level>>13, found, seeds)
			if level < c.least && found != 0 || level >= c.least && (found == 0 || found > seeds*9/10) {
				t.Errorf("%s at level %d: %d of %d seeds lose the update", c.test, level>>13, found, seeds)
			}
		}
	}
}

// PCT with a depth of 3 finds a bug of depth 3, which random picks do not find
// in as many seeds, and which a depth of 2 cannot.
func TestPCTFindsDeepBugs(t *testing.T) {
	z := start(t, build(t, "explore"))
	const seeds = 200
	for _, c := range []struct {
		name    string
		variant uint64
		finds   bool
	}{
		{"random", 0, false},
		{"pct:2:8192", variantPCT | 2<<3 | 13<<8, false},
		{"pct:3:8192", variantPCT3 | 13<<8, true},
		{"pct:3", variantPCT3, true},
	} {
		found := 0
		for seed := range uint64(seeds) {
			if runVariant(t, z, "TestDeep", seed+1, c.variant).status.ExitStatus() != 0 {
				found++
			}
		}
		t.Logf("%s: %d of %d seeds", c.name, found, seeds)
		if c.finds != (found > 0) {
			t.Errorf("%s finds the bug with %d of %d seeds", c.name, found, seeds)
		}
	}
}

// Nobody starves: a goroutine that spins lets others run, whatever its priority.
func TestNobodyStarves(t *testing.T) {
	plain, fine := start(t, build(t, "explore")), start(t, instrumented(t, "explore"))
	for seed := uint64(1); seed <= 10; seed++ {
		runVariant(t, plain, "TestSpin", seed, 0).passes(t)
		runVariant(t, plain, "TestSpin", seed, variantPCT3).passes(t)
		runVariant(t, fine, "TestSpin", seed, variantPCT3|variantMemory).passes(t)
	}
}
