package target

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-delve/delve/service/api"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/sim/steplog"
)

// stepOf finds the step of a log line.
func stepOf(t *testing.T, target *Target, text string) uint64 {
	t.Helper()
	for c := target.prog.Log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}); c.Next(); {
		if strings.HasPrefix(string(c.Step().Message()), text) {
			return c.Step().Number
		}
	}
	t.Fatalf("the run has no line %q", text)
	return 0
}

// at describes where the stopped goroutine is: function, line and some values.
func at(t *testing.T, target *Target, exprs ...string) string {
	t.Helper()
	frames, err := target.Frames(-1)
	if err != nil {
		t.Fatal(err)
	}
	f := frames[0]
	out := fmt.Sprintf("%s:%d", f.Func[strings.LastIndex(f.Func, "/")+1:], f.Line)
	for _, e := range exprs {
		if v, err := target.Eval(0, e); err == nil {
			out += " " + e + "=" + v.Value
		}
	}
	return out
}

// TestStepBack goes over the lines of a test with Delve's next, and back again
// by StepBack: it must see the same moments in the opposite order.
func TestStepBack(t *testing.T) {
	_, target, engine := openCase(t, "testdata/back/back_test.go", "TestBack")
	if err := engine.Jump(t.Context(), stepOf(t, target, "begin")); err != nil {
		t.Fatal(err)
	}
	if left, err := target.LeaveStep(t.Context()); err != nil || left == Elsewhere {
		t.Fatal(left, err)
	}
	var there []string
	for range 50 {
		if _, err := target.dbg.Command(&api.DebuggerCommand{Name: api.Next}, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		here := at(t, target, "i", "c.n", "f", "sum")
		there = append(there, here)
		if strings.Contains(here, "TestBack:37") {
			break
		}
	}
	// A line that follows itself is one line when going back.
	there = slices.CompactFunc(there, func(a, b string) bool { return a[:strings.IndexByte(a, ' ')] == b[:strings.IndexByte(b, ' ')] })
	var back []string
	for range len(there) - 1 {
		ok, err := target.StepBack(t.Context())
		if err != nil || !ok {
			t.Fatalf("after %v: %v, %v", back, ok, err)
		}
		back = append(back, at(t, target, "i", "c.n", "f", "sum"))
	}
	slices.Reverse(there)
	for i, want := range there[1:] {
		if back[i] != want {
			t.Errorf("step %d back: %s, want %s", i+1, back[i], want)
		}
	}
}

// TestReverseContinue runs to the end of the test over breakpoints, and back
// over the same ones.
func TestReverseContinue(t *testing.T) {
	_, target, engine := openCase(t, "testdata/back/back_test.go", "TestBack")
	if err := engine.Jump(t.Context(), stepOf(t, target, "begin")); err != nil {
		t.Fatal(err)
	}
	for _, b := range []api.Breakpoint{
		{File: "example.org/machines/x_test.go", Line: 9},                                   // every turn
		{File: "example.org/machines/x_test.go", Line: 13, Cond: "n == 2"},                  // within a recursion
		{File: "example.org/machines/x_test.go", Line: 29, Cond: "c.n > 500 && c.n < 800"},  // a loop without steps
		{File: "example.org/machines/x_test.go", Line: 34, Cond: "1 == 2"},                  // never
		{File: "example.org/machines/x_test.go", Line: 24, Tracepoint: true, Name: "trace"}, // does not stop
	} {
		if _, err := target.dbg.CreateBreakpoint(&b, "", nil, false); err != nil {
			t.Fatal(b.Line, err)
		}
	}
	last := stepOf(t, target, "end")
	if err := target.StartTo(last); err != nil {
		t.Fatal(err)
	}
	var there []string
	for {
		state, err := target.dbg.Command(&api.DebuggerCommand{Name: api.Continue}, nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bp := state.CurrentThread.Breakpoint; bp != nil && bp.Tracepoint {
			continue
		}
		if s, err := target.State(); err != nil || s.Step == last {
			break
		}
		there = append(there, at(t, target, "c.n", "k", "n"))
	}
	if len(there) < 7 {
		t.Fatalf("only %v", there)
	}
	// The second time from within a loop, between two steps.
	for _, from := range []int{len(there), len(there) - 3} {
		for i := from - 1; i >= 0; i-- {
			ok, err := target.ReverseContinue(t.Context(), 0, nil)
			if err != nil || !ok {
				t.Fatalf("before stop %d: %v, %v", i+1, ok, err)
			}
			if got := at(t, target, "c.n", "k", "n"); got != there[i] {
				t.Errorf("back to stop %d: %s, want %s", i+1, got, there[i])
			}
		}
		if ok, err := target.ReverseContinue(t.Context(), 0, nil); ok || err != nil {
			t.Errorf("before the first stop: %v, %v", ok, err)
		}
		if from != len(there) {
			break
		}
		if err := engine.Jump(t.Context(), stepOf(t, target, "begin")); err != nil {
			t.Fatal(err)
		}
		if err := target.StartTo(last); err != nil {
			t.Fatal(err)
		}
		for stops := 0; stops < len(there)-2; {
			state, err := target.dbg.Command(&api.DebuggerCommand{Name: api.Continue}, nil, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if bp := state.CurrentThread.Breakpoint; bp == nil || !bp.Tracepoint {
				stops++
			}
		}
	}
}

// begin goes to the first line of the user's after a log line.
func begin(t *testing.T, target *Target, engine *replay.Engine, text string) {
	t.Helper()
	if err := engine.Jump(t.Context(), stepOf(t, target, text)); err != nil {
		t.Fatal(err)
	}
	if left, err := target.LeaveStep(t.Context()); err != nil || left == Elsewhere {
		t.Fatal(left, err)
	}
}

// next makes Delve's next until a place.
func next(t *testing.T, target *Target, until string) {
	t.Helper()
	for range 50 {
		if _, err := target.dbg.Command(&api.DebuggerCommand{Name: api.Next}, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(at(t, target), until) {
			return
		}
	}
	t.Fatalf("never at %s", until)
}

// backOnce goes back and says where it is then.
func backOnce(t *testing.T, target *Target, step func(context.Context) (bool, error), exprs ...string) string {
	t.Helper()
	if ok, err := step(t.Context()); err != nil || !ok {
		t.Fatal(ok, err)
	}
	return at(t, target, exprs...)
}

// TestStepBackIn goes back into calls that have returned.
func TestStepBackIn(t *testing.T) {
	_, target, engine := openCase(t, "testdata/back/back_test.go", "TestBack")
	begin(t, target, engine, "turn 1")
	next(t, target, "machines.TestBack:32")
	for i, want := range []string{
		"machines.fib:18 n=3 a=1 b=1",
		"machines.fib:14 n=1", // fib(n-2)
		"machines.fib:13 n=1",
		"machines.fib:12 n=1",
		"machines.fib:17 n=3 a=1",
		"machines.fib:18 n=2 a=1 b=0", // fib(n-1)
	} {
		if got := backOnce(t, target, target.StepBackIn, "n", "a", "b"); got[:min(len(got), len(want))] != want {
			t.Errorf("%d times back: %s, want %s", i+1, got, want)
		}
	}
	// From a step, into the call on the line before.
	if err := engine.Jump(t.Context(), stepOf(t, target, "turn 2")); err != nil {
		t.Fatal(err)
	}
	if got := backOnce(t, target, target.StepBackIn, "c.n", "k"); got != "machines.(*counter).add:10 c.n=3 k=2" {
		t.Errorf("from a step: %s", got)
	}
}

// TestStepBackFine goes forward by instructions and back again, by instructions
// and by statements.
func TestStepBackFine(t *testing.T) {
	_, target, engine := openCase(t, "testdata/back/back_test.go", "TestBack")
	begin(t, target, engine, "turn 1")
	where := func() string {
		frames, err := target.Frames(-1)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%#x %d %s", frames[0].PC, frames[0].offset, at(t, target, "i", "c.n"))
	}
	var there []string
	calls := map[string]bool{}
	for range 40 {
		here := where()
		there = append(there, here)
		calls[strings.Fields(here)[2]] = true
		if _, err := target.dbg.Command(&api.DebuggerCommand{Name: api.StepInstruction}, nil, nil, nil); err != nil {
			t.Fatal(err)
		}
		// Over what is called: the way back counts a call as one instruction.
		for !strings.Contains(where(), "TestBack") && !strings.Contains(where(), "add") {
			if _, err := target.dbg.Command(&api.DebuggerCommand{Name: api.StepOut}, nil, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(calls) < 4 || !calls["machines.(*counter).add:10"] {
		t.Fatalf("only in %v", calls)
	}
	for i := len(there) - 1; i >= 0 && !t.Failed(); i-- {
		if ok, err := target.StepBackInstruction(t.Context()); err != nil || !ok {
			t.Fatal(ok, err)
		}
		got := where()
		if got == there[i] {
			continue
		}
		// A call that was gone into is one instruction on the way back.
		for j := i; j >= 0; j-- {
			if there[j] == got && strings.Contains(strings.Join(there[j+1:i+1], " "), "add") {
				i = j
			}
		}
		if got != there[i] {
			t.Errorf("instruction %d: %s, want %s", i, got, there[i])
		}
	}
	begin(t, target, engine, "turn 1")
	next(t, target, "machines.TestBack:25")
	// The line of the loop has several: i++, the condition.
	var lines []string
	pcs := map[string]bool{}
	for len(lines) < 10 && !slices.Contains(lines, "machines.TestBack:26") {
		lines = append(lines, strings.TrimSpace(backOnce(t, target, target.StepBackStatement)))
		pcs[strings.Fields(where())[0]] = true
	}
	if len(lines) < 3 || len(pcs) != len(lines) || lines[0] != "machines.TestBack:24" || lines[len(lines)-1] != "machines.TestBack:26" {
		t.Errorf("by statements: %v at %v", lines, pcs)
	}
}

// TestStepBackBeforeMain: what called a machine's main function is the
// simulator, no line of the program.
func TestStepBackBeforeMain(t *testing.T) {
	_, target, engine := openMachines(t)
	n := stepOf(t, target, "starting server")
	if err := engine.Jump(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if ok, err := target.StepBackOut(t.Context()); ok || err != nil {
		t.Errorf("out of main: %v, %v; at %s", ok, err, at(t, target))
	}
	if err := engine.Jump(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if ok, err := target.StepBack(t.Context()); !ok || err != nil || !strings.HasPrefix(at(t, target), "machines_test.server:") {
		t.Fatalf("to the start of main: %v, %v; at %s", ok, err, at(t, target))
	}
	if ok, err := target.StepBack(t.Context()); ok || err != nil {
		t.Errorf("before main: %v, %v; at %s", ok, err, at(t, target))
	}
}
