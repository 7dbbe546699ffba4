package dap

import (
	"fmt"
	"strings"
	"testing"
)

// frameOf returns the frame of a thread whose function has a name.
func (c *client) frameOf(thread int, function string) int {
	c.t.Helper()
	list := c.do("stackTrace", map[string]any{"threadId": thread, "startFrame": 0, "levels": 100}).list("body", "stackFrames")
	for _, f := range list {
		if strings.HasSuffix(f.text("name"), function) {
			return int(f.at("id").(float64))
		}
	}
	c.t.Fatalf("no frame %s in %v", function, list)
	return 0
}

// threadOf returns the goroutine of a machine that runs a test.
func (c *client) threadOf(prefix, start string) int {
	c.t.Helper()
	for _, th := range c.do("threads", nil).list("body", "threads") {
		if name := th.text("name"); strings.HasPrefix(name, prefix) && strings.Contains(name, start) {
			return int(th.at("id").(float64))
		}
	}
	c.t.Fatalf("no thread %s %s", prefix, start)
	return 0
}

// variable returns the variable of a name behind a reference.
func (c *client) variable(ref any, name string) message {
	c.t.Helper()
	list := c.do("variables", map[string]any{"variablesReference": ref}).list("body", "variables")
	for _, v := range list {
		if v.text("name") == name {
			return v
		}
	}
	c.t.Fatalf("no variable %s in %v", name, list)
	return nil
}

func (c *client) evalIn(frame int, expr string) string {
	c.t.Helper()
	return c.do("evaluate", map[string]any{"expression": expr, "frameId": frame, "context": "watch"}).text("body", "result")
}

func TestVariablesOfAMachineThatIsNotStopped(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n, "showGlobalVariables": true})
	s := c.stop()
	main := c.threadOf("main/", "testing.tRunner")
	frames := map[string]int{"100": c.frameOf(main, ".TestMachines"), "1": s.frame}
	for range 2 { // back and forth
		for want, frame := range frames {
			if got := c.evalIn(frame, "count"); got != want {
				t.Errorf("count is %s, want %s", got, want)
			}
			scopes := c.do("scopes", map[string]any{"frameId": frame}).list("body", "scopes")
			globals := scopes[len(scopes)-2]
			if !strings.HasPrefix(globals.text("name"), "Globals of machine ") {
				t.Fatalf("scopes: %v", scopes)
			}
			if v := c.variable(globals.at("variablesReference"), "count"); v.text("value") != want {
				t.Errorf("count among the globals: %v, want %s", v, want)
			}
		}
	}
	// What is behind a reference belongs to the same machine.
	for frame, want := range map[int]string{frames["100"]: "100", frames["1"]: "1"} {
		p := c.do("evaluate", map[string]any{"expression": "&count", "frameId": frame})
		list := c.do("variables", map[string]any{"variablesReference": p.at("body", "variablesReference")}).list("body", "variables")
		if len(list) != 1 || list[0].text("value") != want {
			t.Errorf("*&count: %v, want %s", list, want)
		}
	}
	for expr, want := range map[string]string{
		"@server count": "1", "@main count": "100", "@* count": "main: 100, server: 1",
		"count(@* count > 1)": "1", "any(@* count == 1) && all(@* count > 0)": "true",
	} {
		if got := c.evalIn(s.frame, expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
	all := c.do("evaluate", map[string]any{"expression": "@* count", "frameId": s.frame, "context": "hover"})
	if v := c.variable(all.at("body", "variablesReference"), "main"); v.text("value") != "100" || v.text("evaluateName") != "@main count" {
		t.Errorf("main's count: %v", v)
	}
	for expr, want := range map[string]string{
		"@nobody count": "no machine", "@main r": "local variable", "@* nonsense +": "nonsense", "@server": "which expression",
	} {
		if _, text := c.fail("evaluate", map[string]any{"expression": expr, "frameId": s.frame}); !strings.Contains(text, want) {
			t.Errorf("%s: %s", expr, text)
		}
	}
	// The program has not noticed.
	last := c.requestSteps()[2]
	c.do(commandJump, map[string]any{"step": last})
	if s = c.stop(); c.eval(s, "count") != "1" {
		t.Errorf("count at the last request: %s", c.eval(s, "count"))
	}
}

func TestConditionsOnMachines(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.initialize()
	c.do("launch", map[string]any{"program": module, "test": "TestMachines"})
	c.event("initialized")
	set := func(condition string) {
		c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": testFile()},
			"breakpoints": []map[string]any{{"line": line, "condition": condition}}})
	}
	set("count(@* count > 1) == 2")
	c.do("configurationDone", nil)
	s := c.stop()
	if s.reason != "breakpoint" || s.line != line || c.eval(s, "@* count") != "main: 100, server: 2" {
		t.Fatalf("stopped: %+v with %s", s, c.eval(s, "@* count"))
	}
	set("any(@* nonsense)") // says so and stops
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.line != line || !strings.Contains(c.output("console"), "nonsense") {
		t.Errorf("a condition without a value: %+v\n%s", s, c.output("console"))
	}
	first := c.requestSteps()[0]
	c.do(commandJump, map[string]any{"step": first})
	c.stop()
	set("@server count == 7") // never
	c.do("continue", map[string]any{"threadId": 1})
	c.event("terminated")
}

// TestChanges sets variables of both machines and looks at how the run goes on,
// and that a jump undoes it.
func TestChanges(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.initialize()
	c.do("launch", map[string]any{"program": module, "test": "TestMachines", "step": n, "showGlobalVariables": true})
	c.event("initialized")
	c.breakpoints(lineOf(t, "log.Println(string(body))"))
	c.do("configurationDone", nil)
	s := c.stop()
	for _, expr := range []string{"count = 5", "count++", "@main count = 5"} {
		if id, text := c.fail("evaluate", map[string]any{"expression": expr, "frameId": s.frame, "context": "repl"}); id != int(idArguments) ||
			!strings.Contains(text, "would change the program") {
			t.Errorf("%s: %d %s", expr, id, text)
		}
	}
	if _, text := c.fail("evaluate", map[string]any{"expression": "request()", "frameId": s.frame}); !strings.Contains(text, "would change") {
		t.Errorf("a call: %s", text)
	}
	globals := func(frame int) any {
		scopes := c.do("scopes", map[string]any{"frameId": frame}).list("body", "scopes")
		return scopes[len(scopes)-2].at("variablesReference")
	}
	c.do("setVariable", map[string]any{"variablesReference": globals(s.frame), "name": "count", "value": "41"})
	e := c.event(eventDiverged)
	if e.at("body", "diverged") != true || e.text("body", "step") != fmt.Sprint(n) || e.text("body", "text") != "count = 41" {
		t.Errorf("%v", e)
	}
	c.do("threads", nil) // what was said before its answer is read
	if !strings.Contains(c.output("console"), "undoes it") {
		t.Errorf("console: %s", c.output("console"))
	}
	main := c.frameOf(c.threadOf("main/", "testing.tRunner"), ".TestMachines")
	c.do("setExpression", map[string]any{"expression": "count", "value": "7", "frameId": main})
	c.do("setExpression", map[string]any{"expression": "@main count", "value": "1007", "frameId": s.frame})
	if got := c.evalIn(s.frame, "@* count"); got != "main: 1007, server: 41" {
		t.Errorf("after the changes: %s", got)
	}
	if name := c.do("threads", nil).text("body", "threads"); !strings.Contains(name, fmt.Sprintf("(changed by you since #%d)", n)) {
		t.Errorf("threads: %s", name)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	stopped := c.event("stopped")
	if !strings.Contains(stopped.text("body", "description"), "changed by you") {
		t.Errorf("%v", stopped)
	}
	frame := c.frameOf(int(stopped.at("body", "threadId").(float64)), ".request")
	if got := c.evalIn(frame, "string(body)"); got != `"hello from the server! request: 41"` {
		t.Errorf("the server answered %s", got)
	}
	if got := c.evalIn(frame, "count"); got != "1007" {
		t.Errorf("main's count became %s", got)
	}
	// Forward as well as to the same step, a jump undoes it.
	all := c.requestSteps()
	c.do(commandJump, map[string]any{"step": all[1]})
	if e := c.event(eventDiverged); e.at("body", "diverged") != false {
		t.Errorf("%v", e)
	}
	s = c.stop()
	if got := c.evalIn(s.frame, "@* count"); got != "main: 100, server: 2" {
		t.Errorf("after the jump: %s", got)
	}
	c.do("setExpression", map[string]any{"expression": "count", "value": "9", "frameId": s.frame})
	c.do(commandJump, map[string]any{"step": all[1]})
	if s = c.stop(); c.eval(s, "count") != "2" {
		t.Errorf("a jump to the same step keeps the change: %s", c.eval(s, "count"))
	}
}

func TestSimulationScope(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n})
	s := c.stop()
	scopes := c.do("scopes", map[string]any{"frameId": s.frame}).list("body", "scopes")
	sim := scopes[len(scopes)-1]
	if sim.text("name") != "Simulation" || sim.at("expensive") != true {
		t.Fatalf("scopes: %v", scopes)
	}
	ref := sim.at("variablesReference")
	for name, want := range map[string]string{
		"step": fmt.Sprintf("#%d of ", n), "tick": "", "time": "2026-11-15 14:10:04.", "seed": "1", "machine": "server", "machines": "2", "timers due": "",
	} {
		if v := c.variable(ref, name); !strings.Contains(v.text("value"), want) || v.text("value") == "" {
			t.Errorf("%s: %v", name, v)
		}
	}
	machines := c.variable(ref, "machines").at("variablesReference")
	if v := c.variable(machines, "server"); v.text("value") != "10.0.0.1, on, pid 1201, in /" {
		t.Errorf("server: %v", v)
	}
	files := c.do("variables", map[string]any{"variablesReference": c.variable(ref, "open files").at("variablesReference")})
	for _, want := range []string{"TCP, listens on port 80", "TCP 10.0.0.1:80 → 11.0.0.1:10000"} {
		if text := files.text("body", "variables"); !strings.Contains(text, want) {
			t.Errorf("open files: no %s in %s", want, text)
		}
	}
	// A packet right after it was sent.
	list, _ := c.steps(map[string]any{"kind": "send", "count": 1})
	c.do(commandJump, map[string]any{"step": list[0].at("step")})
	s = c.stop()
	scopes = c.do("scopes", map[string]any{"frameId": s.frames[0].at("id")}).list("body", "scopes")
	ref = scopes[len(scopes)-1].at("variablesReference")
	if v := c.variable(ref, "packets in flight"); v.text("value") == "" {
		t.Errorf("packets: %v", v)
	}
	if _, text := c.fail("setVariable", map[string]any{"variablesReference": ref, "name": "tick", "value": "1"}); !strings.Contains(text, "cannot be set") {
		t.Error(text)
	}
}
