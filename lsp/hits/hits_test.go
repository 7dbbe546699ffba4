package hits

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const content = "package m\n\nfunc TestA(t *testing.T) {\n\tt.Log(1)\n}\n\nfunc TestB(t *testing.T) {\n\tt.Log(2)\n}\n"

// module makes a module with one file that was changed at a time.
func module(t *testing.T, changed time.Time) (dir, file string) {
	t.Helper()
	dir = source.Real(t.TempDir())
	file = filepath.Join(dir, "m_test.go")
	for name, text := range map[string]string{file: content, filepath.Join(dir, "go.mod"): "module example.com/m\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(file, changed, changed); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

// record puts a run into the store: hits at a line, in a function.
func record(t *testing.T, dir string, r runs.Result, function string, line, count int) {
	t.Helper()
	store, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log := logtest.New(t, steplog.Header{Seed: r.Seed})
	for i := range count {
		log.Add(logtest.Event{Kind: steplog.KindLog, Machine: 2, Goroutine: uint32(i + 1), AtMs: int64(i), Text: fmt.Sprintf("hit %d", i+1),
			Stack: []steplog.Frame{{Func: "testing.(*common).Log", File: "testing/testing.go", Line: 1}, {Func: function, File: "example.com/m/m_test.go", Line: line}}})
	}
	path, err := store.NewLog(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Package, r.Module = "example.com/m", "example.com/m"
	if r.Build == "" {
		r.Build = "b"
	}
	if r.Result == "" {
		r.Result = runs.Pass
	}
	if _, err := store.Add(r, path, ""); err != nil {
		t.Fatal(err)
	}
}

// load reads a module's state once.
func load(t *testing.T, dir string) (state *State, complaints []string) {
	t.Helper()
	found, ok := source.FindModule(dir)
	if !ok {
		t.Fatal("no module")
	}
	m := NewModule(found)
	m.Publish = func(s *State) { state = s }
	m.Complain = func(s string) { complaints = append(complaints, s) }
	m.reload(t.Context())
	return state, complaints
}

const recorded = "example.com/m/m_test.go"

func TestManyHits(t *testing.T) {
	now := time.Now()
	dir, file := module(t, now.Add(-time.Hour))
	record(t, dir, runs.Result{Time: now, Test: "TestA", Seed: 1}, "example.com/m.TestA", 4, 100)
	state, complaints := load(t, dir)
	if len(state.Runs) != 1 || len(complaints) > 0 {
		t.Fatalf("%d runs, %q", len(state.Runs), complaints)
	}
	lines := state.Runs[0].Lines(file)
	if len(lines) != 1 || lines[0].Number != 4 || lines[0].Count != 100 || len(lines[0].Hits) != 100 {
		t.Fatalf("lines %+v", lines)
	}
	l := lines[0]
	if len(l.First) != Shown || len(l.Last) != Shown {
		t.Fatalf("%d first and %d last hits", len(l.First), len(l.Last))
	}
	for i := range Shown {
		if d := l.First[i]; d.Step != uint64(i+1) || d.Message != fmt.Sprintf("hit %d", i+1) || d.Who != fmt.Sprintf("server/%d", i+1) {
			t.Errorf("hit %d is %+v", i+1, d)
		}
		if d := l.Last[i]; d.Step != uint64(81+i) || d.Message != fmt.Sprintf("hit %d", 81+i) {
			t.Errorf("hit %d is %+v", 81+i, d)
		}
	}
	if b := state.Runs[0].Base(file); b == nil || !b.Has(l) {
		t.Error("the file is not known to be what ran")
	}
}

// TestBases: a file counts as what ran only if it was last changed before the
// run's command began, and if it has what was recorded.
func TestBases(t *testing.T) {
	now := time.Now()
	second := func(n int) time.Time { return now.Add(time.Duration(n) * time.Second) }
	for _, c := range []struct {
		name     string
		changed  time.Time
		runs     []time.Time   // when runs ended, oldest first; each took half a second
		build    time.Duration // from the begin of the build to the end of the run, 0 = not noted
		function string
		line     int
		base     bool
		has      bool
	}{
		{"before", second(-10), []time.Time{second(0)}, 0, "example.com/m.TestA", 4, true, true},
		{"after", second(1), []time.Time{second(0)}, 0, "example.com/m.TestA", 4, false, false},
		{"during the run", now.Add(-200 * time.Millisecond), []time.Time{second(0)}, 0, "example.com/m.TestA", 4, false, false},
		{"between seeds of one command", now.Add(-700 * time.Millisecond),
			[]time.Time{now.Add(-550 * time.Millisecond), second(0)}, 0, "example.com/m.TestA", 4, false, false},
		{"between commands, saved as it was", second(-5), []time.Time{second(-10), second(0)}, 0, "example.com/m.TestA", 4, true, true},
		{"before the build", second(-10), []time.Time{second(0)}, 9 * time.Second, "example.com/m.TestA", 4, true, true},
		{"during the build", second(-5), []time.Time{second(0)}, 9 * time.Second, "example.com/m.TestA", 4, false, false},
		{"during the first of two builds", second(-5), []time.Time{second(-2), second(0)}, 4 * time.Second, "example.com/m.TestA", 4, true, true},
		{"a tick before the build", second(-9).Add(-time.Millisecond), []time.Time{second(0)}, 9 * time.Second, "example.com/m.TestA", 4, false, false},
		{"in the second of the build", second(-9).Truncate(time.Second), []time.Time{second(0)}, 9 * time.Second, "example.com/m.TestA", 4, false, false},
		{"in whole seconds", second(-12).Truncate(time.Second), []time.Time{second(0)}, 9 * time.Second, "example.com/m.TestA", 4, true, true},
		{"another function at the line", second(-10), []time.Time{second(0)}, 0, "example.com/m.TestB", 4, true, false},
		{"no call at the line", second(-10), []time.Time{second(0)}, 0, "example.com/m.TestA", 3, true, false},
		{"no such line", second(-10), []time.Time{second(0)}, 0, "example.com/m.TestA", 400, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, file := module(t, c.changed)
			for i, at := range c.runs {
				r := runs.Result{Time: at, RealNs: int64(500 * time.Millisecond), Test: "TestA", Seed: uint64(i)}
				if c.build > 0 {
					r.Begun = at.Add(-c.build)
				}
				record(t, dir, r, c.function, c.line, 1)
			}
			state, _ := load(t, dir)
			base, lines := state.Runs[0].Base(file), state.Runs[0].Lines(file)
			if (base != nil) != (c.base && c.has) {
				t.Fatalf("known: %v", base != nil)
			}
			// Lines of a file that is not known are kept: the user is told about them.
			if (len(lines) == 1) != (c.has || !c.base) {
				t.Errorf("%d lines", len(lines))
			}
			if base != nil && !base.Has(lines[0]) {
				t.Error("the file has not what it shows")
			}
		})
	}
}

// TestOtherFiles: files of other modules, and of other versions, are not ours.
func TestOtherFiles(t *testing.T) {
	now := time.Now()
	dir, _ := module(t, now.Add(-time.Hour))
	store, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := logtest.New(t, steplog.Header{})
	for _, f := range []string{"example.com/m@v1.0.0/x.go", "example.com/mm/x.go", "log/log.go", "../../etc/passwd", "example.com/m/../../../etc/passwd"} {
		log.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 1, Text: "x", Stack: []steplog.Frame{{Func: "x.F", File: f, Line: 1}}})
	}
	path, err := store.NewLog(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Add(runs.Result{Time: now, Build: "b", Package: "example.com/m", Test: "TestA", Result: runs.Pass}, path, ""); err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	state, _ := load(t, dir)
	for f := range state.Runs[0].lines {
		t.Errorf("%s is taken for a file of the module", f)
	}
}

// TestDamaged: whatever is in a log, the others are shown, and it is said once
// what is wrong.
func TestDamaged(t *testing.T) {
	now := time.Now()
	dir, file := module(t, now.Add(-time.Hour))
	record(t, dir, runs.Result{Time: now, Test: "TestA", Seed: 1}, "example.com/m.TestA", 4, 3)
	record(t, dir, runs.Result{Time: now, Test: "TestB", Seed: 1}, "example.com/m.TestB", 8, 3)
	logs, err := filepath.Glob(filepath.Join(dir, runs.Dir, "logs", "TestA-*"))
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	whole, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	half := append([]byte{}, whole...)
	copy(half[steplog.BlockSize+100:], "garbage garbage garbage garbage garbage garbage")
	for what, b := range map[string][]byte{"empty": {}, "not a log": []byte("hello"), "cut": whole[:100], "garbage": half} {
		if err := os.WriteFile(logs[0], b, 0o644); err != nil {
			t.Fatal(err)
		}
		state, complaints := load(t, dir)
		if len(complaints) != 1 || !strings.Contains(complaints[0], logs[0]) {
			t.Errorf("%s: complaints %q, want one that names the log", what, complaints)
		}
		found := false
		for _, r := range state.Runs {
			found = found || r.Test == "TestB" && len(r.Lines(file)) == 1
		}
		if !found {
			t.Errorf("%s: the run whose log is good is not there", what)
		}
	}
}

// TestTruncated: a log that is cut short while it is read is a fault of the
// processor, not the end of the server.
func TestTruncated(t *testing.T) {
	now := time.Now()
	dir, file := module(t, now.Add(-time.Hour))
	record(t, dir, runs.Result{Time: now, Test: "TestA", Seed: 1}, "example.com/m.TestA", 4, 3000)
	store, err := runs.OpenRead(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r, err := store.Find(runs.Query{})
	if err != nil {
		t.Fatal(err)
	}
	run := index(func() (*runs.Log, error) {
		log, err := runs.LoadGrowing(store.Path(r.Log)) // mapped, as long ones are
		if err == nil {
			err = os.Truncate(store.Path(r.Log), 10)
		}
		return log, err
	}, r, &owner{src: text.Source{Module: "example.com/m"}, roots: source.Roots{{Module: source.Module{Dir: dir, Path: "example.com/m"}}},
		base: func(string) *Base { return nil }})
	if run.Problem == "" || run.Lines(file) != nil {
		t.Errorf("problem %q", run.Problem)
	}
}

func TestFailing(t *testing.T) {
	now := time.Now()
	dir, _ := module(t, now.Add(-time.Hour))
	fail := &runs.Failure{Message: "x", File: recorded, Line: 4, Step: 1}
	for _, r := range []runs.Result{
		{Test: "TestA", Seed: 1, Result: runs.Fail, Failure: fail},
		{Test: "TestA", Seed: 2, Result: runs.Fail, Failure: fail},
		{Test: "TestB", Seed: 1, Result: runs.Fail, Failure: fail},
		{Test: "TestA", Seed: 1, Result: runs.Pass},
		{Test: "TestA", Seed: 3, Result: runs.Fail, Failure: fail},
		{Test: "TestB", Seed: 1, Result: runs.Skip},
	} {
		r.Time = now
		record(t, dir, r, "example.com/m."+r.Test, 4, 1)
	}
	state, _ := load(t, dir)
	var seeds []uint64
	for _, r := range state.Failures(Test{"example.com/m", "TestA"}) {
		seeds = append(seeds, r.Seed)
	}
	if fmt.Sprint(seeds) != "[3 2]" {
		t.Errorf("TestA fails with seeds %v, want 3 and 2", seeds)
	}
	if len(state.Failures(Test{"example.com/m", "TestB"})) != 0 || !state.Ran(Test{"example.com/m", "TestB"}) || state.Ran(Test{"example.com/m", "TestC"}) {
		t.Error("TestB ran and does not fail any more; TestC never ran")
	}
}

// TestPrefer: a run that somebody asked for is shown first, until its test runs
// again.
func TestPrefer(t *testing.T) {
	now := time.Now()
	all := []runs.Result{
		{Test: "TestA", Seed: 1, Log: "a1"}, {Test: "TestA", Seed: 37, Log: "old"}, {Test: "TestA", Seed: 37, Log: "a37"},
		{Test: "TestA", Seed: 2, Log: "a2"}, {Test: "TestB", Seed: 3, Log: "b3"}, {Test: "TestB", Seed: 37},
	}
	for i := range all {
		all[i].Time = now.Add(time.Duration(i) * time.Second)
	}
	logs := func(p map[Test]preference) string {
		var names []string
		for _, r := range summarize(all, p).shown {
			names = append(names, r.Log)
		}
		return strings.Join(names, " ")
	}
	a, b := Test{"", "TestA"}, Test{"", "TestB"}
	for _, c := range []struct {
		preferred map[Test]preference
		want      string
	}{
		{nil, "b3 a2"},
		{map[Test]preference{a: {37, now.Add(time.Minute)}}, "a37 b3"},
		{map[Test]preference{a: {37, now.Add(2500 * time.Millisecond)}}, "b3 a2"}, // seed 2 ran after that
		{map[Test]preference{a: {99, now.Add(time.Minute)}}, "b3 a2"},             // never ran
		{map[Test]preference{b: {37, now.Add(time.Minute)}}, "b3 a2"},             // its log is gone
	} {
		if got := logs(c.preferred); got != c.want {
			t.Errorf("%v shows %s, want %s", c.preferred, got, c.want)
		}
	}
}
