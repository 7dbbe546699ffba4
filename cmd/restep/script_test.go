package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets this binary stand for restep in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"restep": main})
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
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
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
			"exits":  scriptExits,
			"gomod":  scriptGomod,
			"go":     scriptGo,
			"cmpmod": scriptCmpmod,
			"simold": scriptSimold,
		},
	})
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
