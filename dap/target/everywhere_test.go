package target

import (
	"errors"
	"strings"
	"testing"

	"github.com/restep/restep/sim/steplog"
)

func TestFindAggregate(t *testing.T) {
	for _, test := range []struct{ expr, name, inner, rest string }{
		{"count(@* role == Leader) > 1", "count", "@* role == Leader", "| > 1"},
		{"x && any( @* f[len(a)] )", "any", " @* f[len(a)] ", "x && |"},
		{`all (@* name != ")")`, "all", `@* name != ")"`, "|"},
		{"discount(@* x)", "", "", ""},
		{"m.count(@* x)", "", "", ""},
		{"count(x)", "", "", ""},
		{`"count(@* x)"`, "", "", ""},
		{"count", "", "", ""},
		{"", "", "", ""},
	} {
		a, err := findAggregate(test.expr)
		if err != nil || (a == nil) != (test.name == "") {
			t.Errorf("%s: %+v, %v", test.expr, a, err)
			continue
		}
		if a != nil && (a.name != test.name || a.inner != test.inner || test.expr[:a.start]+"|"+test.expr[a.end:] != test.rest) {
			t.Errorf("%s: %+v", test.expr, a)
		}
	}
	if _, err := findAggregate("count(@* (x)"); err == nil {
		t.Error("an open bracket is closed")
	}
	for expr, want := range map[string]bool{"@server x": true, "a + count(@* x)": true, `"@"`: false, "'@'": false, `"\"@"`: false, "x": false} {
		if HasMachine(expr) != want {
			t.Errorf("%s names machines: %v", expr, !want)
		}
	}
}

// TestAllMachinesAtOneInstant looks at a variable of each machine at each
// request and before and after the crash, whoever is stopped; then goes on and
// compares with the recorded run.
func TestAllMachinesAtOneInstant(t *testing.T) {
	p, target, engine := openMachines(t)
	scope := Scope{Goroutine: -1}
	for _, m := range p.Log.Machines() {
		scope.Labels = append(scope.Labels, Label{uint32(m.ID), m.Label})
	}
	count := `@* "example.org/machines_test".count`
	seen := map[string]bool{}
	for c := p.Log.Cursor(steplog.Filter{}); c.Next(); {
		s := c.Step()
		switch s.Kind {
		case steplog.KindLog, steplog.KindCrash, steplog.KindRestart, steplog.KindClock, steplog.KindTest, steplog.KindBoot:
		default:
			continue
		}
		if err := engine.Jump(t.Context(), s.Number); err != nil { // verifies the run so far
			t.Fatal(err)
		}
		values, err := target.EvalMachines(scope, count)
		if err != nil {
			t.Fatalf("step %d: %v", s.Number, err)
		}
		text := ""
		for _, v := range values {
			if v.Err != nil {
				t.Errorf("step %d, %s: %v", s.Number, v.Machine, v.Err)
			}
			if v.Off {
				v.Value.Value = "off"
			}
			text += " " + v.Machine + "=" + v.Value.Value
		}
		seen[strings.TrimSpace(text)] = true
		for _, v := range values {
			one, err := target.EvalMachines(scope, "@"+v.Machine+` "example.org/machines_test".count`)
			var off *OffError
			if v.Off != errors.As(err, &off) || err == nil && one[0].Value != v.Value {
				t.Errorf("step %d: @%s is %+v, %v; @* has %+v", s.Number, v.Machine, one, err, v)
			}
		}
	}
	for _, want := range []string{"main=0", "main=0 server=0", "main=0 server=1", "main=0 server=2"} {
		if !seen[want] {
			t.Errorf("never %s, but %v", want, seen)
		}
	}
	if err := engine.Jump(t.Context(), p.Log.Steps()); err != nil {
		t.Errorf("the run does not go on as recorded: %v", err)
	}
}

func TestMachineExpressions(t *testing.T) {
	p, target, engine := openMachines(t)
	var at uint64
	for c := p.Log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}); c.Next(); {
		if strings.HasPrefix(string(c.Step().Message()), "got a request") {
			at = c.Step().Number
			break
		}
	}
	if err := engine.Jump(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	frames, err := target.Frames(-1)
	if err != nil {
		t.Fatal(err)
	}
	user, _ := target.UserFrame(frames)
	scope := Scope{Goroutine: -1, Frame: user.Index, Labels: []Label{{1, "main"}, {2, "server"}}}
	for _, test := range []struct{ expr, want string }{
		{"count", "1"}, {"@server count", "1"}, {"@main count", "0"}, {"@* count", "0 1"},
		{"@server count + 1 == 2", "true"}, {"count(@* count == 0)", "1"}, {"count(@* count >= 0) == 2 && any(@* count > 0)", "true"},
		{"all(@* count == 0)", "false"}, {"r.RemoteAddr", `"11.0.0.1:10000"`}, {"@main http.DefaultMaxHeaderBytes", "1048576"},
	} {
		list, err := target.EvalMachines(scope, test.expr)
		var got []string
		for _, v := range list {
			got = append(got, v.Value.Value)
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s is %v, %v; want %s", test.expr, got, err, test.want)
		}
	}
	for _, test := range []struct{ expr, want string }{
		{"@nobody count", `no machine "nobody"`}, {"@main r.RemoteAddr", "local variable"}, {"@* r", "local variable"},
		{"@server", "which expression"}, {"@*", "which expression"}, {"count(@* count)", "no condition"}, {"count(@* nonsense)", "nonsense"},
		{"count(@* count", "not closed"},
	} {
		if list, err := target.EvalMachines(scope, test.expr); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s is %v, %v; want an error with %q", test.expr, list, err, test.want)
		}
	}
}
