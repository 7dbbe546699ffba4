package programs

import "testing"

// TestProperty runs a property of generated machines under a library that knows
// nothing of the simulation: it passes, the broken variant is shrunk to the
// least case, and in a process of their own both take the same steps again.
func TestProperty(t *testing.T) {
	b := build(t, "property")
	for _, test := range []string{"TestPings", "TestLostPings"} {
		t.Run(test, func(t *testing.T) {
			for seed := uint64(1); seed <= 2; seed++ {
				r := simulate(t, start(t, b), test, seed)
				r.passes(t)
				compare(t, r, simulate(t, start(t, b), test, seed))
			}
		})
	}
}
