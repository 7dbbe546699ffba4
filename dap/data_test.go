package dap

import (
	"fmt"
	"strings"
	"testing"
)

// dataID asks for the data id of a variable.
func (c *client) dataID(s stop, name string) string {
	c.t.Helper()
	m := c.do("dataBreakpointInfo", map[string]any{"name": name, "frameId": s.frame})
	id := m.text("body", "dataId")
	if id == "" {
		c.t.Fatalf("%s cannot be watched: %v", name, m)
	}
	return id
}

// TestDataBreakpoints stops at the writes to one machine's variable, forwards
// and backwards, and goes to the last write.
func TestDataBreakpoints(t *testing.T) {
	c := dial(t, Options{})
	c.launch(nil, lineOf(t, "got a request"))
	s := c.stop()
	id := c.dataID(s, "count")
	set := func(list ...map[string]any) []message {
		t.Helper()
		return c.do("setDataBreakpoints", map[string]any{"breakpoints": list}).list("body", "breakpoints")
	}
	c.breakpoints()
	b := set(map[string]any{"dataId": id, "accessType": "write"}, map[string]any{"dataId": id, "accessType": "read"}, map[string]any{"dataId": "nonsense"})
	if b[0].at("verified") != true || b[1].at("verified") != false || b[2].at("verified") != false {
		t.Fatalf("data breakpoints: %v", b)
	}
	check := func(how, reason, count string) {
		t.Helper()
		s = c.stop()
		if s.reason != reason || !strings.Contains(s.function, "server") || c.eval(s, "count") != count {
			t.Errorf("%s: %+v with count %s", how, s, c.eval(s, "count"))
		}
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	check("second request", "data breakpoint", "2")
	if ids := fmt.Sprint(b[0].at("id")); ids == "<nil>" {
		t.Errorf("no id: %v", b[0])
	}
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	check("back to the first", "data breakpoint", "1")
	set()
	c.do(commandJump, map[string]any{"step": c.requestSteps()[1]})
	c.stop()
	c.do(commandWrite, map[string]any{"dataId": id})
	check("last write", "data breakpoint", "2")
	c.do(commandWrite, map[string]any{"expression": "count", "frameId": s.frame})
	check("the one before", "data breakpoint", "1")
	for _, bad := range []map[string]any{{"expression": "1 + 1", "frameId": s.frame}, {"dataId": "1,2"}, {"dataId": "0x10,99,1,1,1,1,f,x"}} {
		if _, text := c.fail(commandWrite, bad); text == "" {
			t.Errorf("%v is a variable", bad)
		}
	}
	if m := c.do("dataBreakpointInfo", map[string]any{"name": "1 + 1", "frameId": s.frame}); m.at("body", "dataId") != nil {
		t.Errorf("a number can be watched: %v", m)
	}
	// A variable of a list; its condition is about all machines.
	var locals float64
	for _, scope := range c.do("scopes", map[string]any{"frameId": s.frame}).list("body", "scopes") {
		if scope.text("name") == "Locals" {
			locals, _ = scope.at("variablesReference").(float64)
		}
	}
	if m := c.do("dataBreakpointInfo", map[string]any{"variablesReference": locals, "name": "r"}); m.text("body", "dataId") == "" {
		t.Errorf("r of a list: %v", m)
	}
	set(map[string]any{"dataId": id, "accessType": "write", "condition": "count(@* count > 1) == 2"})
	c.do("continue", map[string]any{"threadId": s.thread})
	check("with a condition", "data breakpoint", "2")
}

// TestReverseCondition goes back to the last hit at which a condition over all
// machines held.
func TestReverseCondition(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopAtEnd": true})
	s := c.stop()
	line := lineOf(t, "got a request")
	set := func(condition, hit string) {
		t.Helper()
		c.do("setBreakpoints", map[string]any{
			"source":      map[string]any{"path": testFile()},
			"breakpoints": []map[string]any{{"line": line, "condition": condition, "hitCondition": hit}},
		})
	}
	// The third request comes to the server after its restart, with count 1.
	set("count(@* count > 1) == 2", "")
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "breakpoint" || s.line != line || c.eval(s, "@* count") != "main: 100, server: 2" {
		t.Errorf("stopped: %+v with %s", s, c.eval(s, "@* count"))
	}
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.step != "#1" {
		t.Errorf("there was another hit: %+v", s)
	}
	// A hit count beside it counts all hits.
	c.do(commandJump, map[string]any{"step": c.requestSteps()[2] + 10})
	s = c.stop()
	set("any(@* count > 0)", "2")
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "breakpoint" || c.eval(s, "@* count") != "main: 100, server: 2" {
		t.Errorf("the second hit: %+v with %s", s, c.eval(s, "@* count"))
	}
}

// TestStepBackKinds goes back by instructions and into a call.
func TestStepBackKinds(t *testing.T) {
	c := dial(t, Options{})
	c.launch(nil, lineOf(t, "s.Crash()")-1)
	s := c.stop()
	c.do("stepBack", map[string]any{"threadId": s.thread, "granularity": "instruction"})
	back := c.stop()
	if back.reason != "step" || back.line != s.line-1 && back.line != s.line {
		t.Errorf("an instruction before line %d: %+v", s.line, back)
	}
	// Into the call: one instruction on, as Delve does it, and back over it.
	c.do("stepIn", map[string]any{"threadId": s.thread, "granularity": "instruction"})
	if on := c.stop(); !strings.HasSuffix(on.function, "request") {
		t.Errorf("into the call: %+v", on)
	}
	c.do("stepBack", map[string]any{"threadId": s.thread, "granularity": "statement"})
	if back = c.stop(); back.line != s.line-1 {
		t.Errorf("a statement before the call: %+v", back)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	c.stop()
	c.do("stepBack", map[string]any{"threadId": s.thread, "granularity": "statement"})
	if back = c.stop(); back.line != s.line-1 {
		t.Errorf("a statement before line %d: %+v", s.line, back)
	}
	c.do(commandJump, map[string]any{"step": c.requestSteps()[1]})
	c.stop()
	c.breakpoints(lineOf(t, "s.Crash()") - 1)
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	s = c.stop()
	c.do(commandIn, map[string]any{"threadId": s.thread})
	if back = c.stop(); !strings.HasSuffix(back.function, "request") || back.line < lineOf(t, "log.Println(string(body))") {
		t.Errorf("into the call before: %+v", back)
	}
}
