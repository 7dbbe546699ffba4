package inject

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/restep/restep/sim/inject/internal/simsource"
)

func TestSimAPI(t *testing.T) {
	want := OwnSimAPI()
	if got, err := SimAPI("../../sim"); err != nil || got != want || got < 1 {
		t.Errorf("package sim of this tree has API %d (%v), the embedded one %d", got, err, want)
	}
	dir := writeModule(t, map[string]string{
		"old/sim.go": "package sim\n",
		"new/api.go": "package sim\n\n// A comment: const API = 3\nconst (\n\tX   = 1\n\tAPI = 77\n)\n",
		"bad/api.go": "package sim\n\nvar API = 1\n",
	})
	if n, err := SimAPI(filepath.Join(dir, "old")); n != 0 || err != nil {
		t.Errorf("without a number: %d, %v", n, err)
	}
	if n, err := SimAPI(filepath.Join(dir, "new")); n != 77 || err != nil {
		t.Errorf("with a number: %d, %v", n, err)
	}
	if n, err := SimAPI(filepath.Join(dir, "bad")); err == nil {
		t.Errorf("a variable was taken for the number: %d", n)
	}
	if _, err := SimAPI(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no package: %v", err)
	}
}

func TestCheckSimFix(t *testing.T) {
	newer, older := "package sim\n\nconst API = "+strconv.Itoa(OwnSimAPI()+1)+"\n", "package sim\n\nconst API = 0\n"
	dir := writeModule(t, map[string]string{
		"plain/sim/api.go": newer, "user/vendor/github.com/restep/restep/sim/api.go": newer, "old/sim/api.go": older,
		"checkout/sim/api.go": newer, "checkout/cmd/restep/main.go": "package main\n",
	})
	for _, test := range []struct{ dir, version, fix string }{
		{"plain", "", "go mod edit -dropreplace=github.com/restep/restep && restep init"},
		{"user/vendor/github.com/restep/restep", "", "restep init"},
		{"plain", "v1.4.0", "go install github.com/restep/restep/cmd/restep@v1.4.0"},
		{"old", "v0.1.0", "restep init"},
		{"checkout", "", "go -C " + filepath.Join(dir, "checkout") + " install ./cmd/restep"},
	} {
		var api *SimAPIError
		if err := CheckSim(filepath.Join(dir, test.dir, "sim"), test.version); !errors.As(err, &api) || api.Fix != test.fix {
			t.Errorf("%s %s: %v, want the fix %q", test.dir, test.version, err, test.fix)
		}
	}
	if err := CheckSim("../../sim", ""); err != nil {
		t.Error(err)
	}
}

// TestBuildSimMismatch builds against packages sim of another API: one that
// compiles and one whose functions nobody has, which alone would be an error
// of the linker.
func TestBuildSimMismatch(t *testing.T) {
	const lost = "\n//go:linkname simNew runtime.restepSimOfTomorrow\nfunc simNew() bool\n\nfunc IsSim() bool { return simNew() }\n"
	for name, face := range map[string]string{
		"compiles": "package sim\n\nfunc IsSim() bool { return true }\n",
		"link":     "package sim\n\nimport _ \"unsafe\"\n" + lost,
		"syntax":   "package sim\n\nfunc IsSim() bool { return 1 }\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeModule(t, map[string]string{
				"go.mod": "module example.com/user\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
					"replace github.com/restep/restep => ./fork\n",
				"uses/a_test.go":   "package uses\n\nimport (\n\t\"testing\"\n\n\t\"github.com/restep/restep/sim\"\n)\n\nfunc TestX(t *testing.T) { t.Log(sim.IsSim()) }\n",
				"not/a_test.go":    "package not\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) {}\n",
				"fork/go.mod":      "module github.com/restep/restep\n\ngo 1.18\n",
				"fork/sim/api.go":  "package sim\n\nconst API = 99\n",
				"fork/sim/face.s":  "// empty\n",
				"fork/sim/face.go": face,
			})
			_, err := tryBuild(t, BuildConfig{Dir: dir, Package: "./uses"})
			var api *SimAPIError
			if !errors.As(err, &api) {
				t.Fatalf("not a SimAPIError: %v", err)
			}
			want := "package sim in " + filepath.Join(dir, "fork", "sim") + " has API 99, this restep has API " +
				strconv.Itoa(OwnSimAPI()) + "; run: go mod edit -dropreplace=github.com/restep/restep && restep init"
			if err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
			// A package that has nothing of sim is none of its business.
			buildPlain(t, BuildConfig{Dir: dir, Package: "./not"})
		})
	}
}

// TestSimModuleForOldModules uses the stored package from a module whose go
// line is older than ours: go wants the line of whoever requires a module to
// be no older than the module's.
func TestSimModuleForOldModules(t *testing.T) {
	t.Setenv("GOCACHE", goCache(t))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir, err := StoreSim()
	if err != nil {
		t.Fatal(err)
	}
	module := writeModule(t, map[string]string{
		"go.mod": "module example.com/user\n\ngo 1.18\n\nrequire " + simsource.Module + " v0.0.0\n\n" +
			"replace " + simsource.Module + " => " + dir + "\n",
		"main.go": "package main\n\nimport \"" + simPackage + "\"\n\nfunc main() { println(sim.IsSim()) }\n",
	})
	for _, args := range []string{"build ./...", "build -tags=restep " + simPackage} {
		cmd := exec.Command("go", strings.Fields(args)...)
		cmd.Dir = module
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("go %s: %v\n%s", args, err, out)
		}
	}
}
