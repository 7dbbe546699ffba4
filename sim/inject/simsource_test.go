package inject

import (
	"os/exec"
	"testing"

	"github.com/restep/restep/sim/inject/internal/simsource"
)

// TestSimArchiveIsCurrent generates sim.txtar in memory.
func TestSimArchiveIsCurrent(t *testing.T) {
	files, err := simsource.Files("../..")
	if err != nil {
		t.Fatal(err)
	}
	want, err := simsource.Format(files)
	if err != nil {
		t.Fatal(err)
	}
	if simArchive != want {
		t.Error("sim.txtar is not package sim of this tree; run: go generate ./sim/inject")
	}
	if len(SimSource()) < 5 {
		t.Errorf("the archive has %d files only", len(SimSource()))
	}
}

// TestStoreSim compiles a program against the stored copy, both ways.
func TestStoreSim(t *testing.T) {
	t.Setenv("GOCACHE", goCache(t))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := StoreSim()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := StoreSim(); err != nil || again != dir {
		t.Errorf("stored again in %s (%v), first in %s", again, err, dir)
	}
	module := writeModule(t, map[string]string{
		"go.mod": "module example.com/user\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
			"replace github.com/restep/restep => " + dir + "\n",
		"main.go": "package main\n\nimport \"github.com/restep/restep/sim\"\n\nfunc main() { println(sim.IsSim()) }\n",
	})
	for _, args := range [][]string{{"run", "."}, {"vet", "-tags=restep", "github.com/restep/restep/sim"}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = module
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		if args[0] == "run" && string(out) != "false\n" {
			t.Errorf("go run printed %q", out)
		}
	}
}

// goCache is where the go command keeps builds, wherever HOME points.
func goCache(t *testing.T) string {
	t.Helper()
	g := installed(t)
	out, err := g.command(t.Context(), "", nil, "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out[:len(out)-1])
}
