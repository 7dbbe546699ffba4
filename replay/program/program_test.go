package program

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

const source = `package x

import ("os"; "testing")

var env = os.Getenv("WHO")

func TestX(t *testing.T) { t.Log("hello", env, os.Args[len(os.Args)-1]) }

func TestForever(t *testing.T) { for { os.Getpid() } }
`

func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/x\n\ngo 1.26\n", "x_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, spec Spec) *Program {
	t.Helper()
	p, err := Load(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func hello(t *testing.T, r *steplog.Reader) string {
	t.Helper()
	for c := r.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}); c.Next(); {
		return string(c.Step().Message())
	}
	t.Fatal("no log line")
	return ""
}

// TestLoad records a run, keeps it as restep test would, and finds it again.
func TestLoad(t *testing.T) {
	dir := module(t)
	p := load(t, Spec{Dir: dir, Test: "TestX", Seed: 3, Env: []string{"WHO=me"}, Args: []string{"last"}})
	if got := hello(t, p.Log); got != "hello me last" {
		t.Fatalf("the run logs %q", got)
	}
	if p.Log.Header().Seed != 3 || p.Stale {
		t.Errorf("%+v, stale %v", p.Log.Header(), p.Stale)
	}
	store(t, dir, p)

	again := load(t, Spec{Dir: dir, Test: "TestX", Seed: 3})
	if got := hello(t, again.Log); got != "hello me last" || again.Stale {
		t.Errorf("the stored run is found as it was made: %q", got)
	}
	d, err := steplog.Diff(p.Log, again.Log)
	if err != nil || d != nil {
		t.Errorf("%v %v", d, err)
	}
	other := load(t, Spec{Dir: dir, Test: "TestX", Seed: 3, Env: []string{"WHO=you"}})
	if got, args := hello(t, other.Log), other.Header.Args; got != "hello you "+args[len(args)-1] {
		t.Errorf("another environment is another run: %q", got)
	}
	if _, err := Load(t.Context(), Spec{Dir: dir, Test: "TestY"}); !errors.Is(err, ErrNoTest) {
		t.Errorf("unknown test: %v", err)
	}

	// A change makes the stored run stale, but its world stays.
	path := filepath.Join(dir, "x_test.go")
	if err := os.WriteFile(path, []byte(source+"\nvar changed = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := load(t, Spec{Dir: dir, Test: "TestX", Seed: 3})
	if got := hello(t, changed.Log); !changed.Stale || got != "hello me last" || changed.Log.Header().Build == p.Header.Build {
		t.Errorf("after a change: stale %v, %q", changed.Stale, got)
	}
}

// store keeps a program's run in the module's folder, as restep test does.
func store(t *testing.T, dir string, p *Program) {
	t.Helper()
	s, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	head, err := steplog.EncodeHeader(&p.Header)
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.NewLog(head)
	if err != nil {
		t.Fatal(err)
	}
	r, err := launch.Request(&p.Header, dir, log)
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.zygote.Run(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	_, err = s.Add(runs.Result{
		Time: time.Now(), Build: p.Bin.BuildID, Package: p.Bin.ImportPath, Module: p.Bin.ModulePath, Test: "TestX",
		Seed: 3, Result: runs.Pass, Steps: p.Log.Steps(),
	}, log, "id")
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoadCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Load(ctx, Spec{Dir: module(t), Test: "TestForever", Progress: func(what string) {
		if what == "recording TestForever" {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSplitTest(t *testing.T) {
	for _, test := range []struct{ in, name, run string }{
		{"TestX", "TestX", ""}, {"TestX/a/b", "TestX", "^TestX$/a/b"}, {"", "", ""},
	} {
		if name, run := splitTest(test.in); name != test.name || run != test.run {
			t.Errorf("%q: %q %q", test.in, name, run)
		}
	}
}
