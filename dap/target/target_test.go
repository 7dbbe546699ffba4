package target

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/sim/steplog"
)

// openMachines starts the machines case under Delve.
func openMachines(t testing.TB) (*program.Program, *Target, *replay.Engine) {
	t.Helper()
	return openCase(t, "../../cmd/restep/testdata/cases/machines/machines_test.go", "TestMachines")
}

// openCase starts a test of a file under Delve.
func openCase(t testing.TB, file, test string) (*program.Program, *Target, *replay.Engine) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"x_test.go": string(source),
		"go.mod": "module example.org/machines\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
			"replace github.com/restep/restep => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := program.Load(t.Context(), program.Spec{Dir: dir, Test: test, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	target, err := Open(p)
	if err != nil {
		p.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return p, target, replay.NewEngine(p.Log, target)
}

// TestEveryKindOfStep goes to the first and last step of each kind, in the
// order of the run and then backwards to some, and compares who is stopped
// with what was recorded.
func TestEveryKindOfStep(t *testing.T) {
	p, target, engine := openMachines(t)
	first, last := map[steplog.Kind]uint64{}, map[steplog.Kind]uint64{}
	for c := p.Log.Cursor(steplog.Filter{}); c.Next(); {
		s := c.Step()
		if first[s.Kind] == 0 {
			first[s.Kind] = s.Number
		}
		last[s.Kind] = s.Number
	}
	wanted := map[uint64]bool{}
	for k := range first {
		wanted[first[k]], wanted[last[k]] = true, true
	}
	if len(first) < 8 {
		t.Fatalf("only %d kinds of steps", len(first))
	}
	visit := func(n uint64) {
		t.Helper()
		if err := engine.Jump(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		s, err := p.Log.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		state, err := target.State()
		if err != nil {
			t.Fatal(err)
		}
		if state.Step != n || !state.AtStep || uint32(state.Goroutine) != s.Goroutine {
			t.Errorf("step %d (%v of goroutine %d): stopped at %+v", n, s.Kind, s.Goroutine, state)
		}
		frames, err := target.Frames(-1)
		if err != nil || len(frames) == 0 {
			t.Fatalf("step %d: %v", n, err)
		}
		place, recorded := p.Source.Place(p.Log.Stack(s.StackID, nil))
		if user, ok := target.UserFrame(frames); recorded && (!ok || user.Func != place.Func || user.Line != place.Line) {
			t.Errorf("step %d (%v): in %s:%d, recorded in %s:%d", n, s.Kind, user.Func, user.Line, place.Func, place.Line)
		}
	}
	for n := uint64(1); n <= p.Log.Steps(); n++ {
		if wanted[n] {
			visit(n)
		}
	}
	visit(last[steplog.KindLog])
	visit(first[steplog.KindClock])
	visit(1)
}

func TestMachinesOfGoroutines(t *testing.T) {
	p, target, engine := openMachines(t)
	var at steplog.Step
	for c := p.Log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}); c.Next(); {
		if strings.HasPrefix(string(c.Step().Message()), "got a request") {
			at = c.Step().Clone()
			break
		}
	}
	if err := engine.Jump(t.Context(), at.Number); err != nil {
		t.Fatal(err)
	}
	list, err := target.Goroutines(100)
	if err != nil {
		t.Fatal(err)
	}
	starts := map[uint32]string{}
	for _, g := range list {
		starts[g.Machine] += g.Start + "\n"
		if g.ID == int64(at.Goroutine) && (g.Machine != uint32(at.Machine) || g.Start != "net/http.(*conn).serve") {
			t.Errorf("the stopped goroutine: %+v", g)
		}
	}
	if !strings.Contains(starts[2], ".server\n") || strings.Contains(starts[1]+starts[2], "internal/restep") {
		t.Errorf("goroutines of the simulator are named after it: %v", starts)
	}
	if !strings.Contains(starts[1], "testing.tRunner") || !strings.Contains(starts[2], "net/http.(*conn).serve") {
		t.Errorf("goroutines by machine: %v", starts)
	}
	if left, err := target.LeaveStep(t.Context()); err != nil || left != NewLine {
		t.Errorf("leave the step: %v, %v", left, err)
	}
	v, err := target.Eval(0, "count")
	if err != nil || v != (Value{Type: "int", Value: "1"}) {
		t.Errorf("count: %+v, %v", v, err)
	}
	if _, err := target.Eval(0, "nonsense"); err == nil {
		t.Error("nonsense has a value")
	}
	if err := target.Close(); err != nil {
		t.Error(err)
	}
	if _, err := target.State(); err == nil {
		t.Error("a closed target has a state")
	}
}
