package programs

import (
	"os"
	"testing"
)

// Crashes and restarts without end take no memory: a heap, a stack or an image
// that stayed behind would show within a thousand rounds.
func TestRestarts(t *testing.T) {
	rounds := "1000"
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		rounds = "10000"
	}
	z := start(t, build(t, "restarts"))
	r := request("TestRestarts", 1, "")
	r.Env = append(r.Env, "ROUNDS="+rounds)
	if status := wait(t, z, r); status.ExitStatus() != 0 {
		t.Errorf("exit %d after %s rounds; run restep test -v -env ROUNDS=%s ./testdata/restarts\n%s",
			status.ExitStatus(), rounds, rounds, z.Stderr())
	}
}
