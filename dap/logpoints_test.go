package dap

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEarlierLogs sets logpoints at the last request: they print for those
// before, the program stays where it is, and they print for later ones, too.
func TestEarlierLogs(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.launch(nil, lineOf(t, "got a request"))
	c.stop()
	requests := c.requestSteps()
	set := func(b ...map[string]any) (earlier []string) {
		t.Helper()
		c.log = nil
		c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": testFile()}, "breakpoints": b})
		c.do("threads", nil) // answered after the lines
		for _, e := range c.log {
			if e.text("event") != "output" || e.text("body", "data", "restep") != "earlier" {
				continue
			}
			text, step := e.text("body", "output"), fmt.Sprint(e.at("body", "data", "step"))
			if !strings.HasPrefix(text, "#"+step+" server/") || e.at("body", "line") != float64(line) {
				t.Errorf("output %v", e)
			}
			earlier = append(earlier, strings.TrimSpace(text[strings.Index(text, "(earlier): ")+11:]))
		}
		return earlier
	}
	log := func(condition, hit string) map[string]any {
		return map[string]any{"line": line, "logMessage": "count {count} of {10 * 10}", "condition": condition, "hitCondition": hit}
	}
	plain := log("", "")
	for _, test := range []struct {
		at   int
		b    map[string]any
		want []string
	}{
		{2, plain, []string{"count 1 of 100", "count 2 of 100"}},
		{2, plain, nil}, // known
		{2, log("count == 2", ""), []string{"count 2 of 100"}},
		{2, log("", "== 2"), []string{"count 2 of 100"}},
		{2, log("any(@* count == 1)", ""), []string{"count 1 of 100"}},
		{1, log("count > 0", ""), []string{"count 1 of 100"}},
		{0, log("count > 1", ""), nil},
		{2, map[string]any{"line": line, "logMessage": "server {@server count}, all {@* count}"},
			[]string{"server 1, all main: 100, server: 1", "server 2, all main: 100, server: 2"}},
	} {
		c.do(commandJump, map[string]any{"step": requests[test.at]})
		s := c.stop()
		if got := set(test.b); !slices.Equal(got, test.want) {
			t.Errorf("at request %d, %v: %q, want %q", test.at, test.b, got, test.want)
		}
		frames := c.do("stackTrace", map[string]any{"threadId": s.thread, "startFrame": 0, "levels": 100}).list("body", "stackFrames")
		if len(frames) != len(s.frames) || frames[0].text("name") != s.frames[0].text("name") || c.eval(s, "count") != fmt.Sprint(test.at%2+1) {
			t.Errorf("at request %d: the program is elsewhere: %v", test.at, frames[0])
		}
	}
	// Between two steps, on a line with a breakpoint, and on from there.
	stops := map[string]any{"line": lineOf(t, "got a request")}
	set(stops)
	c.do(commandJump, map[string]any{"step": requests[0]})
	s := c.stop()
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.line != lineOf(t, "got a request") {
		t.Fatalf("stopped: %+v", s)
	}
	if got := set(stops, log("", "")); !slices.Equal(got, []string{"count 1 of 100"}) {
		t.Errorf("between steps: %q", got)
	}
	if got := c.eval(s, "count"); got != "2" {
		t.Errorf("count is %s", got)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.line != lineOf(t, "got a request") || c.eval(s, "count") != "1" {
		t.Errorf("on from there: %+v", s)
	}
	if out := c.output("console") + c.output("stdout"); !strings.Contains(out, "count 2 of 100") {
		t.Errorf("nothing was printed live: %s", out)
	}
	for message, want := range map[string]string{"a {b} c": "a |b| c", "{m{1}}": "|m{1}|", "open {": "open {||", "": "||"} {
		text, expr, rest := nextExpression(message)
		if got := text + "|" + expr + "|" + rest; got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

// TestMachineLogs continues over a logpoint that names machines: it prints each
// time and stops the program neither on the way forth nor on the way back.
func TestMachineLogs(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopAtEnd": true}, lineOf(t, "starting server"))
	s := c.stop()
	c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": testFile()}, "breakpoints": []map[string]any{
		{"line": lineOf(t, `Fprintf(w, "hello`), "logMessage": "{@server count} of {@* count}", "condition": "@server count != 2"}}})
	c.do("continue", map[string]any{"threadId": s.thread})
	c.stop() // the last step
	var lines []string
	for l := range strings.Lines(c.output("console")) {
		if _, text, ok := strings.Cut(l, ": "); ok && strings.Contains(l, "server/") {
			lines = append(lines, strings.TrimSpace(text))
		}
	}
	want := []string{"1 of main: 100, server: 1", "1 of main: 100, server: 1"}
	if !slices.Equal(lines, want) {
		t.Errorf("printed %q, want %q", lines, want)
	}
	c.do("reverseContinue", map[string]any{"threadId": 1})
	if s := c.stop(); s.step != "#1" {
		t.Errorf("the way back stopped at %+v", s)
	}
}
