package programs

import (
	"slices"
	"testing"

	"github.com/restep/restep/sim/steplog"
)

// System calls made by assembly of golang.org/x/sys reach the machine, not the
// host, or fail by name.
func TestAssembly(t *testing.T) {
	z := start(t, build(t, "assembly"))
	r := simulate(t, z, "TestNoError", 1)
	r.passes(t)
	if got, want := r.lines(steplog.KindUnsupported), []string{"main: sync"}; !slices.Equal(got, want) {
		t.Errorf("unsupported calls %q, want %q", got, want)
	}
	simulate(t, z, "TestClocks", 1).passes(t)
}
