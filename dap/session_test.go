package dap

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim/steplog"
)

var filterLog = steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}

func TestLaunchAtStepAndJump(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n})
	s := c.stop()
	file := filepath.Join(module, "machines_test.go")
	if s.reason != "goto" || s.step != fmt.Sprintf("#%d", n) || s.path != file || s.line != lineOf(t, "got a request") ||
		!strings.Contains(s.function, "server.func1") {
		t.Fatalf("stopped: %+v", s)
	}
	if got := c.eval(s, "r.RemoteAddr"); got != `"11.0.0.1:10000"` {
		t.Errorf("r.RemoteAddr is %s", got)
	}
	if got := c.eval(s, "count"); got != "1" {
		t.Errorf("count is %s", got)
	}
	if out := c.output("stdout"); strings.Count(out, "got a request") != 1 || !strings.Contains(out, "starting server") {
		t.Errorf("output so far:\n%s", out)
	}
	all := c.requestSteps()
	if all[0] != n {
		t.Fatalf("steps of requests %v, but the first is %d", all, n)
	}
	// Forward, back, the last one, which is on a restarted machine, and where
	// we are.
	for _, to := range []struct {
		step  int
		count string
		addr  string
	}{{all[1], "2", "11.0.0.1:10000"}, {all[0], "1", "11.0.0.1:10000"}, {all[2], "1", "11.0.0.1:10001"},
		{all[2], "1", "11.0.0.1:10001"}, {all[0], "1", "11.0.0.1:10000"}} {
		c.do(commandJump, map[string]any{"step": to.step})
		s := c.stop()
		if s.reason != "goto" || s.step != fmt.Sprintf("#%d", to.step) || s.line != lineOf(t, "got a request") {
			t.Fatalf("jump to %d: %+v", to.step, s)
		}
		if got := c.eval(s, "count"); got != to.count {
			t.Errorf("count at #%d is %s, want %s", to.step, got, to.count)
		}
		if got := c.eval(s, "r.RemoteAddr"); got != strconv.Quote(to.addr) {
			t.Errorf("r.RemoteAddr at #%d is %s, want %s", to.step, got, to.addr)
		}
	}
	if out := c.output("stdout"); strings.Count(out, "got a request") != 3 {
		t.Errorf("each line of output comes once, but this came:\n%s", out)
	}
	c.do("terminate", nil)
	c.event("terminated")
	c.do("disconnect", nil)
	if err := c.wait(); err != nil {
		t.Error(err)
	}
	noChildren(t)
}

func TestThreadsAreNamedByMachine(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n, "hideSystemGoroutines": true})
	s := c.stop()
	list := c.do("threads", nil).list("body", "threads")
	names, ok := "", false
	for _, th := range list {
		names += th.text("name") + "\n"
		if int(th.at("id").(float64)) == s.thread {
			ok = th.text("name") == fmt.Sprintf("server/%d net/http.(*conn).serve", s.thread)
		}
	}
	if !ok || !strings.Contains(names, "main/1 runtime.main\n") || strings.Contains(names, "runtime/") {
		t.Errorf("stopped thread %d of threads\n%s", s.thread, names)
	}
}

func TestBreakpointsAreKept(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.launch(nil, line)
	s := c.stop()
	if s.reason != "breakpoint" || s.line != line || c.eval(s, "count") != "1" {
		t.Fatalf("first stop: %+v", s)
	}
	all := c.requestSteps()
	// On the way to the third request lies the breakpoint of the second.
	c.do(commandJump, map[string]any{"step": all[2]})
	if s = c.stop(); s.reason != "goto" || s.step != fmt.Sprintf("#%d", all[2]) {
		t.Fatalf("jump over a breakpoint: %+v", s)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "breakpoint" || s.line != line || c.eval(s, "r.RemoteAddr") != `"11.0.0.1:10001"` {
		t.Fatalf("breakpoint after a jump: %+v", s)
	}
	c.do(commandJump, map[string]any{"step": all[0]})
	s = c.stop()
	for want := 1; want <= 2; want++ {
		c.do("continue", map[string]any{"threadId": s.thread})
		if s = c.stop(); s.reason != "breakpoint" || s.line != line || c.eval(s, "count") != fmt.Sprint(want) {
			t.Fatalf("breakpoint %d after a jump back: %+v", want, s)
		}
	}
	// Removed breakpoints stay away.
	c.breakpoints()
	c.do("continue", map[string]any{"threadId": s.thread})
	c.event("terminated")
	if e := c.event("exited"); e.text("body", "exitCode") != "0" {
		t.Errorf("exited: %v", e)
	}
	// The end is not the end.
	c.do(commandJump, map[string]any{"step": all[1]})
	if s = c.stop(); c.eval(s, "count") != "2" {
		t.Errorf("after the program's end: %+v", s)
	}
}

func TestStepOverFromStep(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n})
	s := c.stop()
	at := s.thread
	c.do("next", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "step" || s.line != lineOf(t, `Fprintf(w, "hello`) || s.thread != at {
		t.Fatalf("next: %+v", s)
	}
	if len(s.frames) == 0 || s.frames[0].text("presentationHint") == "subtle" {
		t.Errorf("top frame after next: %v", s.frames)
	}
	c.do("next", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "step" || s.line != lineOf(t, `Fprintf(w, "hello`)+1 {
		t.Fatalf("second next: %+v", s)
	}
}

func TestStopOnEntry(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	s := c.stop()
	if s.reason != "entry" || !strings.Contains(s.function, "TestMachines") || s.line != lineOf(t, "sim.NewMachine(") {
		t.Fatalf("entry: %+v", s)
	}
	if got := c.eval(s, "count"); got != "100" {
		t.Errorf("count on main is %s", got)
	}
	c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": filepath.Join(module, "machines_test.go")},
		"breakpoints": []map[string]any{{"line": lineOf(t, "log.Println(string(body))")}}})
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); c.eval(s, "count") != "100" || c.eval(s, "string(body)") != `"hello from the server! request: 1"` {
		t.Errorf("in request: %+v", s)
	}
}

func TestStepOfTheSimulator(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	s := c.stop()
	list, total := c.steps(map[string]any{"kind": "clock", "count": 1})
	if len(list) != 1 || total < 50 {
		t.Fatalf("clock steps: %v of %d", list, total)
	}
	c.do(commandJump, map[string]any{"step": list[0].at("step")})
	if s = c.stop(); s.thread != schedulerThread || len(s.frames) == 0 {
		t.Errorf("a clock jump: %+v", s)
	}
	if th := c.do("threads", nil).list("body", "threads"); int(th[0].at("id").(float64)) != schedulerThread {
		t.Errorf("threads: %v", th)
	}
	_, text := c.fail("next", map[string]any{"threadId": s.thread})
	if !strings.Contains(text, "only the goroutine") {
		t.Error(text)
	}
	// The last step of all.
	c.do(commandJump, map[string]any{"step": total})
	if s = c.stop(); s.step != fmt.Sprintf("#%d", total) {
		t.Errorf("the last step: %+v", s)
	}
}

func TestStopAtEnd(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopAtEnd": true})
	s := c.stop()
	_, total := c.steps(nil)
	if s.step != fmt.Sprintf("#%d", total) || s.reason != "goto" {
		t.Errorf("stopped: %+v of %d steps", s, total)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	c.event("terminated")
}

func TestNothingIsLeft(t *testing.T) {
	t.Run("client closes while stopped", func(t *testing.T) {
		c := dial(t, Options{})
		c.launch(map[string]any{"stopOnEntry": true})
		c.stop()
		c.conn.Close()
		if err := c.wait(); err != nil {
			t.Error(err)
		}
		noChildren(t)
	})
	t.Run("client closes during launch", func(t *testing.T) {
		c := dial(t, Options{})
		c.initialize()
		c.send("launch", map[string]any{"program": module, "test": "TestMachines"})
		c.event("output")
		c.conn.Close()
		c.wait()
		noChildren(t)
	})
	t.Run("disconnect", func(t *testing.T) {
		c := dial(t, Options{})
		c.launch(map[string]any{"stopOnEntry": true})
		c.stop()
		c.do("disconnect", map[string]any{"terminateDebuggee": true})
		if err := c.wait(); err != nil {
			t.Error(err)
		}
		noChildren(t)
	})
}

// TestTerminateWhileRunning ends a program that never stops by itself.
func TestTerminateWhileRunning(t *testing.T) {
	for _, how := range []string{"terminate", "pause"} {
		c := dial(t, Options{})
		c.initialize()
		c.do("launch", map[string]any{"program": module, "test": "TestBusy"})
		c.do("configurationDone", nil)
		if id, _ := c.fail("stackTrace", map[string]any{"threadId": 1}); id != int(idOrder) {
			t.Errorf("stack of a running program: %d", id)
		}
		if list, total := c.steps(map[string]any{"count": 1}); len(list) != 1 || total < 5 {
			t.Errorf("steps while it runs: %v of %d", list, total)
		}
		if how == "pause" {
			c.do("pause", map[string]any{"threadId": 1})
			if s := c.stop(); s.reason != "pause" {
				t.Errorf("pause: %+v", s)
			}
		}
		c.do("terminate", nil)
		c.event("terminated")
		if id, _ := c.fail(commandJump, map[string]any{"step": 1}); id != int(idOrder) {
			t.Errorf("jump after terminate: %d", id)
		}
		c.do("disconnect", nil)
		if err := c.wait(); err != nil {
			t.Error(err)
		}
		noChildren(t)
	}
}

// noChildren fails when the test process has children. Those of a session are
// waited for before it ends; a go command that a cancelled build ran ends on
// its own soon after.
func noChildren(t *testing.T) {
	t.Helper()
	until := time.Now().Add(10 * time.Second)
	for {
		left := children(t)
		if len(left) == 0 {
			return
		}
		if time.Now().After(until) || strings.Contains(strings.Join(left, "\n"), "restep.test") {
			t.Errorf("left behind: %q", left)
			return
		}
		runtime.Gosched()
	}
}

// children returns the command lines of the test process's children.
func children(t *testing.T) (list []string) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread ended
		}
		for _, pid := range strings.Fields(string(b)) {
			name, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			list = append(list, pid+" "+string(name))
		}
	}
	return list
}

// TestReverse goes back by line and by breakpoint from a request's handler to
// the start of the run.
func TestReverse(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.launch(map[string]any{"stopAtEnd": true}, line)
	for range 3 {
		s := c.stop()
		if s.reason != "breakpoint" || s.line != line {
			t.Fatalf("a request: %+v", s)
		}
		c.do("continue", map[string]any{"threadId": s.thread})
	}
	s := c.stop() // the end of the run
	for _, count := range []string{"1", "2", "1"} {
		c.do("reverseContinue", map[string]any{"threadId": s.thread})
		if s = c.stop(); s.reason != "breakpoint" || s.line != line || c.eval(s, "count") != count {
			t.Fatalf("back to count %s: %+v, count is %s", count, s, c.eval(s, "count"))
		}
	}
	got := []int{}
	for range 3 {
		c.do("stepBack", map[string]any{"threadId": s.thread})
		s = c.stop()
		if s.reason != "step" {
			t.Fatalf("a line back: %+v", s)
		}
		got = append(got, s.line)
	}
	if got[0] != line-1 || got[1] != line-2 || c.eval(s, "r.RemoteAddr") != `"11.0.0.1:10000"` || c.eval(s, "count") != "0" {
		t.Errorf("lines back from %d: %v, count is %s", line, got, c.eval(s, "count"))
	}
	c.do(commandOut, map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "step" || !strings.Contains(fmt.Sprint(s.frames[0]), "http.HandlerFunc.ServeHTTP") {
		t.Errorf("out of the handler, backwards: %+v", s)
	}
	here, _ := strconv.Atoi(strings.TrimPrefix(s.step, "#"))
	for _, jump := range []struct {
		args     map[string]any
		backward bool
	}{
		{map[string]any{"to": "kind:*", "goroutine": s.thread}, false},
		{map[string]any{"to": "kind:*", "goroutine": s.thread, "backward": true}, true},
		{map[string]any{"to": "machine:server crash"}, false},
		{map[string]any{"to": "log:got a request", "machine": "server", "backward": true}, true},
		{map[string]any{"to": "time:1.5s"}, false},
	} {
		to := int(c.do(commandJump, jump.args).at("body", "step").(float64))
		s = c.stop()
		if s.step != fmt.Sprintf("#%d", to) || (to < here) != jump.backward || to == here {
			t.Errorf("%v from #%d: answered %d, stopped at %s", jump.args, here, to, s.step)
		}
		here = to
	}
	if id, text := c.fail(commandJump, map[string]any{"to": "net:drop"}); id != int(idNoStep) || !strings.Contains(text, "no such event after") {
		t.Errorf("no such event: %d %s", id, text)
	}
	if id, _ := c.fail(commandJump, map[string]any{"to": "main.main"}); id != int(idArguments) {
		t.Errorf("no event at all: %d", id)
	}
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "breakpoint" || s.line != line {
		t.Errorf("back after the jumps: %+v", s)
	}
	c.do(commandJump, map[string]any{"to": "kind:boot", "backward": true})
	s = c.stop()
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "entry" || s.step != "#1" {
		t.Errorf("nothing to stop at before: %+v", s)
	}
	if out := c.output("console"); !strings.Contains(out, "the run starts here") {
		t.Errorf("the console says %q", out)
	}
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason != "breakpoint" || s.line != line || c.eval(s, "count") != "1" {
		t.Errorf("and on again: %+v", s)
	}
}

// TestBreakpointsOnTheSimulation stops at events, forwards and backwards.
func TestBreakpointsOnTheSimulation(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.initialize()
	c.do("launch", map[string]any{"program": module, "test": "TestMachines"})
	set := c.do("setFunctionBreakpoints", map[string]any{"breakpoints": []any{
		map[string]any{"name": "machine:server crash"},
		map[string]any{"name": "net/http.(*Server).ListenAndServe"},
		map[string]any{"name": "log:/^got a request/", "hitCondition": ">= 2"},
		map[string]any{"name": "machine:server explode"},
		map[string]any{"name": "net:drop"},
	}}).list("body", "breakpoints")
	for i, want := range []struct {
		verified bool
		message  string
	}{{true, "at step #"}, {true, ""}, {true, "at 2 steps"}, {false, `no "explode"`}, {true, "no step of this run"}} {
		if got := set[i]; got.at("verified") != want.verified || !strings.Contains(got.text("message"), want.message) {
			t.Errorf("breakpoint %d: %v", i, got)
		}
	}
	c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": testFile()}, "breakpoints": []any{
		map[string]any{"line": line, "condition": `machine == "server" && count == 1`},
		map[string]any{"line": lineOf(t, "starting server"), "condition": `machine != "server"`},
	}})
	c.do("setExceptionBreakpoints", map[string]any{"filters": []string{"machine-crash", "deadlock"}})
	c.do("configurationDone", nil)
	var seen, lines []string
	var thread int
	for range 7 {
		s := c.stop()
		seen, lines, thread = append(seen, s.reason), append(lines, s.step), s.thread
		c.do("continue", map[string]any{"threadId": s.thread})
	}
	c.event("terminated")
	// The server starts, answers the first request, gets the second one,
	// crashes, starts again, and answers one.
	want := []string{"function breakpoint", "breakpoint", "function breakpoint", "exception", "function breakpoint",
		"function breakpoint", "breakpoint"}
	if strings.Join(seen, ", ") != strings.Join(want, ", ") {
		t.Errorf("stopped by %v at %v, want %v", seen, lines, want)
	}
	for i := len(want) - 1; i >= 0; i-- {
		c.do("reverseContinue", map[string]any{"threadId": thread})
		s := c.stop()
		if thread = s.thread; s.step != lines[i] {
			t.Errorf("back to stop %d: %s at %s, want %s at %s", i, s.reason, s.step, want[i], lines[i])
		}
	}
}

// TestChildOfMachine stops in a process that a machine's program has started:
// a condition on the machine holds for it, too.
func TestChildOfMachine(t *testing.T) {
	dir, err := filepath.Abs("../sim/programs/testdata/children")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "children_test.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := 1 + strings.Count(strings.Split(string(text), "\t\tcounter++\n")[0], "\n")
	c := dial(t, Options{})
	c.initialize()
	c.do("launch", map[string]any{"program": dir, "test": "TestServer"})
	c.do("setBreakpoints", map[string]any{"source": map[string]any{"path": file}, "breakpoints": []any{
		map[string]any{"line": line, "condition": `machine == "server" && counter == 1`},
		map[string]any{"line": line + 1, "condition": `counter == 1 && machine != "server"`},
	}})
	c.do("configurationDone", nil)
	s := c.stop()
	if s.line != line {
		t.Errorf("stopped at line %d, want %d", s.line, line)
	}
	c.do("reverseContinue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.reason == "breakpoint" {
		t.Errorf("stopped once more on the way back: %v", s)
	}
}

// TestBackFromEnd goes back after the program has ended, in the process that
// ran.
func TestBackFromEnd(t *testing.T) {
	line := lineOf(t, "got a request")
	c := dial(t, Options{})
	c.launch(nil, line)
	s := c.stop()
	pids := func() (list []string) {
		t.Helper()
		for _, child := range children(t) {
			zygote, _, _ := strings.Cut(child, " ")
			b, err := os.ReadFile("/proc/" + zygote + "/task/" + zygote + "/children")
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, strings.Fields(string(b))...)
		}
		return list
	}
	before := pids()
	if len(before) != 1 {
		t.Fatalf("programs: %v", before)
	}
	c.breakpoints()
	for range 2 { // to the end, and once more
		c.do("continue", map[string]any{"threadId": s.thread})
		c.event("terminated")
		if code := c.event("exited").text("body", "exitCode"); code != "0" {
			t.Errorf("exit code %s", code)
		}
		if _, text := c.fail("threads", nil); !strings.Contains(text, "ended") {
			t.Errorf("threads after the end: %s", text)
		}
		last := c.requestSteps()[2]
		c.do(commandJump, map[string]any{"step": last})
		if s = c.stop(); s.step != fmt.Sprintf("#%d", last) {
			t.Errorf("back from the end: %+v", s)
		}
	}
	c.breakpoints(line)
	c.do(commandJump, map[string]any{"step": c.requestSteps()[2]})
	s = c.stop()
	c.do("continue", map[string]any{"threadId": s.thread})
	c.event("terminated")
	c.do("reverseContinue", map[string]any{"threadId": 1})
	if s = c.stop(); s.line != line || s.reason != "breakpoint" {
		t.Errorf("back to a breakpoint: %+v", s)
	}
	if after := pids(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("another process: %v, was %v", after, before)
	}
}
