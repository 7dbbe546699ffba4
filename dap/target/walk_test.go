package target

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/service/api"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/sim/steplog"
)

// scene is all that a user sees at a stop: who, where, and every local
// variable of the frame that is shown, what it points to included.
func scene(t *testing.T, target *Target) string {
	t.Helper()
	s, err := target.State()
	if err != nil {
		t.Fatal(err)
	}
	frames, err := target.Frames(-1)
	if err != nil || len(frames) == 0 {
		t.Fatalf("at %+v: %v", s, err)
	}
	f := frames[0]
	if s.AtStep {
		f = target.Place(frames)
	}
	out := fmt.Sprintf("#%d %v machine %d goroutine %d %s %s:%d\n", s.Step, s.AtStep, s.Machine, s.Goroutine, f.Func, f.File, f.Line)
	if s.Goroutine == 0 {
		return out
	}
	deep := proc.LoadConfig{FollowPointers: true, MaxVariableRecurse: 4, MaxStringLen: 64, MaxArrayValues: 8, MaxStructFields: -1}
	args, err := target.dbg.FunctionArguments(-1, f.Index, 0, deep)
	if err != nil {
		t.Fatal(err)
	}
	locals, err := target.dbg.LocalVariables(-1, f.Index, 0, deep)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(args, locals...) {
		if len(out) > 100_000 {
			break
		}
		a := api.ConvertVar(v)
		if a.Addr>>48 == 0xbeef { // in a register: Delve makes an address up
			a.Addr = 0
		}
		out += fmt.Sprintf("%s %s @%#x = %s\n", a.Name, a.Type, a.Addr, a.StringWithOptions("", "", api.PrettyNewlines))
	}
	return out
}

// TestWalk goes to and fro at random through a run with crashes, by jumps, by
// lines and by breakpoints, in one process. Every step must look as it does in
// another process that only ever runs forwards, and every other moment as it
// did at the last visit.
func TestWalk(t *testing.T) {
	const file = "testdata/walk/walk_test.go"
	_, reference, forwards := openCase(t, file, "TestWalk")
	steps := forwards.Log().Steps()
	want := make([]string, steps+1)
	for n := uint64(1); n <= steps; n++ {
		if err := forwards.Jump(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		want[n] = scene(t, reference)
	}
	var ends []uint64
	for c := forwards.Log().Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindCrash}}); c.Next(); {
		ends = append(ends, c.Step().Number)
	}
	if len(ends) != 2 {
		t.Fatalf("%d crashes", len(ends))
	}

	p, target, engine := openCase(t, file, "TestWalk")
	if err := engine.Jump(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	engine = replay.NewEngine(p.Log, noRewind{target, t})
	bp := &api.Breakpoint{File: "example.org/machines/x_test.go", Line: 50}
	if _, err := target.dbg.CreateBreakpoint(bp, "", nil, false); err != nil {
		t.Fatal(err)
	}
	turns, across := 150, 0
	if os.Getenv("RESTEP_NIGHTLY") == "1" {
		turns = 2000
	}
	w := &walk{t: t, target: target, engine: engine, want: want, seen: map[string]string{}, r: rand.New(rand.NewPCG(3, 4))}
	for i := range turns {
		before, err := target.State()
		if err != nil {
			t.Fatal(err)
		}
		did := w.turn()
		now, err := target.State()
		if err != nil || now.Exited {
			t.Fatalf("turn %d, %s from step %d: %+v, %v", i, did, before.Step, now, err)
		}
		for _, e := range ends {
			if now.Step < e && before.Step >= e {
				across++
				break
			}
		}
		w.look(fmt.Sprintf("turn %d, %s from step %d", i, did, before.Step))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d turns, %d of them back over a crash; %d moments between steps", turns, across, len(w.seen))
	if across < turns/10 {
		t.Errorf("only %d of %d turns went back over a crash", across, turns)
	}
}

type walk struct {
	t      *testing.T
	target *Target
	engine *replay.Engine
	want   []string // by step
	seen   map[string]string
	r      *rand.Rand
}

// turn does one thing and says what.
func (w *walk) turn() string {
	w.t.Helper()
	check := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	last := uint64(len(w.want) - 1)
	s, err := w.target.State()
	check(err)
	k := w.r.IntN(10)
	if s.Goroutine == 0 || s.Step >= last-3 {
		k = 0 // nothing else leads away from here
	}
	switch k {
	case 5, 6:
		if _, err := w.target.LeaveStep(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		check(w.target.StartTo(last))
		check(w.target.dbg.CancelNext()) // of one that a breakpoint interrupted
		_, err := w.target.dbg.Command(&api.DebuggerCommand{Name: api.Next}, nil, nil, nil)
		check(err)
		return "next"
	case 7, 8:
		ok, err := w.target.StepBack(w.t.Context())
		check(err)
		if !ok {
			check(w.engine.Jump(w.t.Context(), 1))
		}
		return "step back"
	case 9:
		ok, err := w.target.ReverseContinue(w.t.Context(), 0, nil)
		check(err)
		if !ok {
			check(w.engine.Jump(w.t.Context(), 1))
		}
		return "reverse continue"
	}
	n := 1 + w.r.Uint64N(last)
	check(w.engine.Jump(w.t.Context(), n))
	return fmt.Sprintf("jump to %d", n)
}

// look compares the present moment with the reference, or with the last visit.
func (w *walk) look(how string) {
	w.t.Helper()
	got := scene(w.t, w.target)
	s, err := w.target.State()
	if err != nil {
		w.t.Fatal(err)
	}
	if s.AtStep {
		if got != w.want[s.Step] {
			w.t.Errorf("%s: at step %d\n%s\nwant\n%s", how, s.Step, got, w.want[s.Step])
		}
		return
	}
	here, err := w.target.here()
	if err != nil {
		w.t.Fatal(err)
	}
	key := fmt.Sprint(here)
	if old, ok := w.seen[key]; ok && old != got {
		w.t.Errorf("%s: between steps\n%s\nbefore\n%s", how, got, old)
	}
	w.seen[key] = got
	if !strings.HasPrefix(got, fmt.Sprintf("#%d false", s.Step)) {
		w.t.Errorf("%s: %s", how, got)
	}
}
