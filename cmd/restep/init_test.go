package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/restep/restep/sim/inject"
)

// scriptCmpmod is "cmpmod go.mod want": the files are equal, where SIM in the
// second stands for the folder in which this binary keeps its package sim.
func scriptCmpmod(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cmpmod go.mod want")
	}
	sim, err := inject.StoreSim()
	ts.Check(err)
	got, want := ts.ReadFile(args[0]), strings.ReplaceAll(ts.ReadFile(args[1]), "SIM", sim)
	if got != want {
		ts.Fatalf("%s is\n%s\nwant\n%s", args[0], got, want)
	}
}

// scriptSimold is "simold files...": it lets go.mod files point to a copy that
// another restep has made.
func scriptSimold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: simold files...")
	}
	sim, err := inject.StoreSim()
	ts.Check(err)
	old := filepath.Join(filepath.Dir(sim), fmt.Sprintf("%032x", os.Getpid())) // no other test, no leftover
	ts.Check(os.CopyFS(old, os.DirFS(sim)))
	ts.Defer(func() { _ = os.RemoveAll(old) })
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), sim, old)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

func TestVendorModuleAddTo(t *testing.T) {
	v := &vendorModule{Path: "m.com/m", Version: "v1.0.0", GoVersion: "1.18"}
	replaced := *v
	replaced.Replace = &struct{ Path, Version string }{"/dir", ""}
	const a, z = "# a.com/a v1.0.0\n## explicit\na.com/a\n", "# z.com/z v1.0.0\nz.com/z\n"
	const block = "# m.com/m v1.0.0\n## explicit; go 1.18\nm.com/m/sim\n"
	const blockTo = "# m.com/m v1.0.0 => /dir\n## explicit; go 1.18\nm.com/m/sim\n"
	for _, test := range []struct {
		v        *vendorModule
		in, want string
	}{
		{v, "", block},
		{v, a + z, a + block + z},
		{v, a, a + block},
		{&replaced, a + z + "# b.com => ./b\n# y.com => ./y\n", a + blockTo + z + "# b.com => ./b\n# y.com => ./y\n# m.com/m => /dir\n"},
		{&replaced, a + "# m.com/m v0.9.0 => /old\n## explicit\nm.com/m/sim\nm.com/m/x\n" + z + "# m.com/m => /old\n",
			a + blockTo + z + "# m.com/m => /dir\n"},
		{v, a + blockTo + z + "# m.com/m => /dir\n", a + block + z},
	} {
		if got := string(test.v.addTo([]byte(test.in), []string{"m.com/m/sim"})); got != test.want {
			t.Errorf("in:\n%s\ngot:\n%s\nwant:\n%s", test.in, got, test.want)
		}
	}
}
