package programs

import "testing"

func TestGlobals(t *testing.T) {
	z := start(t, build(t, "globals"))
	for _, test := range []string{"TestOwn", "TestMutex", "TestShared", "TestSendVariable", "TestReceiveVariable", "TestTimers", "TestFinalizers"} {
		t.Run(test, func(t *testing.T) {
			for seed := range uint64(10) {
				simulate(t, z, test, seed+1).passes(t)
			}
		})
	}
}
