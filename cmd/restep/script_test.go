package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/restep/restep/sim/inject"
)

// TestMain lets this binary stand for restep in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"restep": main, "noptrace": noptrace})
}

// TestScript runs testdata/script. The scripts share the build caches of the
// user who runs the test; everything else of them is in a folder of its own.
func TestScript(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]string{"ROOT": root, "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": os.Getenv("GOTOOLCHAIN")}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		shared[name] = string(out[:len(out)-1])
	}
	if shared["XDG_CACHE_HOME"], err = os.UserCacheDir(); err != nil {
		t.Fatal(err)
	}
	warmUp(t)
	conditions := map[string]bool{"qemu": emulates(t)}
	gopls := findGopls(t)
	conditions["gopls"] = gopls != ""
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			met, ok := conditions[cond]
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return met, nil
		},
		Setup: func(env *testscript.Env) error {
			for name, value := range shared {
				if value != "" {
					env.Setenv(name, value)
				}
			}
			env.Setenv("NO_COLOR", "1")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"events": scriptEvents,
			"exits":  scriptExits,
			"gomod":  scriptGomod,
			"go":     scriptGo,
			"gopls": func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Check(ts.Exec(gopls, args...))
			},
			"modules": scriptModules,
			"cmpmod":  scriptCmpmod,
			"simold":  scriptSimold,
		},
	})
}

// warmUp builds something, so that what is compiled but once, and said to be,
// is compiled before the scripts.
func warmUp(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module x\n\ngo 1.26\n", "x_test.go": "package x\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := inject.Build(t.Context(), inject.BuildConfig{Dir: dir}); err != nil {
		t.Fatal(err)
	}
}

// goplsModule is the editor's language server that modules are tried with.
const goplsModule = "golang.org/x/tools/gopls@v0.24.0"

// findGopls returns the path of gopls, "" when there is none. The nightly run
// installs it.
func findGopls(t *testing.T) string {
	t.Helper()
	if os.Getenv("RESTEP_NIGHTLY") == "" {
		path, _ := exec.LookPath("gopls")
		return path
	}
	bin := t.TempDir()
	cmd := exec.Command("go", "install", goplsModule)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOTOOLCHAIN=go1.27.3") // it needs 1.27
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go install %s: %v\n%s", goplsModule, err, out)
	}
	return filepath.Join(bin, "gopls")
}

// emulates reports whether scripts run programs for linux/arm64: in the nightly
// run, which needs an emulator.
func emulates(t *testing.T) bool {
	t.Helper()
	if os.Getenv("RESTEP_NIGHTLY") == "" {
		return false
	}
	if _, err := exec.LookPath("qemu-aarch64"); err != nil {
		t.Fatalf("%v: run apt-get install qemu-user", err)
	}
	return true
}

// scriptModules is "modules file": it writes which modules, in which versions,
// the build takes, but for package sim's.
func scriptModules(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: modules file")
	}
	ts.Check(ts.Exec("go", "list", "-mod=readonly", "-m", "all"))
	var kept strings.Builder
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if !strings.HasPrefix(line, "github.com/restep/restep ") {
			kept.WriteString(line)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(kept.String()), 0o644))
}

// scriptExits is "exits code command args...": the command ends with the code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// scriptGo is "go args...": the go command, whose failure prints what it said.
func scriptGo(ts *testscript.TestScript, neg bool, args []string) {
	if err := ts.Exec("go", args...); (err != nil) != neg {
		ts.Fatalf("go %v: %v, expected failure: %v", args, err, neg)
	}
}

// scriptGomod is "gomod dir path": it makes the folder a module that uses this
// working copy.
func scriptGomod(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gomod dir path")
	}
	text := "module " + args[1] + "\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
		"replace github.com/restep/restep => " + ts.Getenv("ROOT") + "\n"
	ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[0]), "go.mod"), []byte(text), 0o644))
}
