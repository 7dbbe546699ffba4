package target

import (
	"strings"
	"testing"

	"github.com/go-delve/delve/service/api"
)

// watch finds a variable of the frame that is shown.
func watch(t *testing.T, target *Target, expr string) *Watch {
	t.Helper()
	frames, err := target.Frames(-1)
	if err != nil {
		t.Fatal(err)
	}
	w, err := target.FindWatch(Scope{Goroutine: -1, Frame: target.Place(frames).Index}, expr)
	if err != nil {
		t.Fatal(err)
	}
	again, err := FindData(w.DataID())
	if err != nil || again.DataID() != w.DataID() {
		t.Fatalf("%v, %v, %v", w, again, err)
	}
	return again
}

// written is the place of a write: the user's line after which it is, with the
// value.
func written(t *testing.T, target *Target, expr string) string {
	t.Helper()
	frames, err := target.Frames(-1)
	if err != nil {
		t.Fatal(err)
	}
	f := target.Place(frames)
	v, err := target.Eval(f.Index, expr)
	if err != nil {
		v.Value = err.Error()
	}
	return f.Func[strings.LastIndex(f.Func, ".")+1:] + " " + expr + "=" + v.Value
}

// TestLastWrite goes back from the end of a test over all writes to variables
// on the heap, on a stack that has moved, and of one machine.
func TestLastWrite(t *testing.T) {
	_, target, engine := openCase(t, "testdata/watch/watch_test.go", "TestWatch")
	end := stepOf(t, target, "end")
	for _, test := range []struct {
		expr, shown string
		want        []string
	}{
		{"a.balance", "a.balance", []string{"pay a.balance=40", "pay a.balance=70", "pay a.balance=90", "TestWatch"}},
		{"local", "local", []string{"TestWatch local=7", "TestWatch local=2", "TestWatch local=1"}},
		{"count", "count", []string{"TestWatch count=2", "TestWatch count=1"}},
		{"a.owner", "a.owner", []string{`TestWatch a.owner="bob"`}},
	} {
		if err := engine.Jump(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		w := watch(t, target, test.expr)
		for _, want := range test.want {
			ok, err := target.LastWrite(t.Context(), w)
			if err != nil || !ok {
				t.Fatalf("%s: %v, %v", want, ok, err)
			}
			got := written(t, target, test.shown)
			if want == "TestWatch" { // before a has its value
				got, _, _ = strings.Cut(got, " ")
			}
			if got != want {
				t.Errorf("%s: %s", want, got)
			}
		}
	}
}

// TestWatchForwards stops at the writes of one machine to its package variable,
// and at those to a local variable whose stack moves.
func TestWatchForwards(t *testing.T) {
	_, target, engine := openCase(t, "testdata/watch/watch_test.go", "TestWatch")
	for _, test := range []struct {
		expr string
		want []string
	}{
		{"count", []string{"TestWatch count=1", "TestWatch count=2"}},
		{"local", []string{"TestWatch local=2", "TestWatch local=7"}},
	} {
		begin(t, target, engine, "begin")
		w := watch(t, target, test.expr)
		w.ID = WatchID(0)
		if errs, err := target.SetWatches([]*Watch{w}); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		end := stepOf(t, target, "end")
		if err := target.StartTo(end); err != nil {
			t.Fatal(err)
		}
		var got []string
		for len(got) < 10 {
			if _, err := target.dbg.Command(&api.DebuggerCommand{Name: api.Continue}, nil, nil, nil); err != nil {
				t.Fatal(err)
			}
			if again, err := target.Follow(); err != nil || again {
				if err != nil {
					t.Fatal(err)
				}
				continue
			}
			if s, err := target.State(); err != nil || s.Step == end {
				break
			}
			got = append(got, written(t, target, test.expr))
		}
		if strings.Join(got, ",") != strings.Join(test.want, ",") {
			t.Errorf("%s: %v, want %v", test.expr, got, test.want)
		}
		// The same ones on the way back, which a jump does not mind.
		if err := engine.Jump(t.Context(), end); err != nil {
			t.Fatal(err)
		}
		for i := len(test.want) - 1; i >= 0; i-- {
			if ok, err := target.ReverseContinue(t.Context(), stepOf(t, target, "begin"), nil); err != nil || !ok {
				t.Fatal(ok, err)
			}
			if got := written(t, target, test.expr); got != test.want[i] {
				t.Errorf("%s, backwards: %s, want %s", test.expr, got, test.want[i])
			}
		}
	}
	list := []*Watch{watch(t, target, "count"), watch(t, target, "local")}
	list[1].HitCond = "> 1"
	if errs, err := target.SetWatches(list); err != nil || errs[0] != nil || errs[1] == nil {
		t.Errorf("a hit condition on a stack: %v, %v", errs, err)
	}
}
