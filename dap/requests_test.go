package dap

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func testFile() string { return filepath.Join(module, "machines_test.go") }

func TestGotoTargets(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	s := c.stop()
	want := c.requestSteps()
	list := c.do("gotoTargets", map[string]any{
		"source": map[string]any{"path": testFile()}, "line": lineOf(t, "got a request"),
	}).list("body", "targets")
	if len(list) != len(want) {
		t.Fatalf("targets %v, want steps %v", list, want)
	}
	label := regexp.MustCompile(`^#(\d+) server/\d+ \d\d:\d\d:\d\d\.\d{3} got a request from `)
	for i, target := range list {
		m := label.FindStringSubmatch(target.text("label"))
		if m == nil || m[1] != fmt.Sprint(want[i]) {
			t.Errorf("label of #%d: %q", want[i], target.text("label"))
		}
	}
	c.do("goto", map[string]any{"threadId": s.thread, "targetId": list[2].at("id")})
	if s = c.stop(); s.reason != "goto" || s.step != fmt.Sprintf("#%d", want[2]) || s.line != lineOf(t, "got a request") {
		t.Errorf("goto: %+v", s)
	}
	// A line that makes no step itself has those of what it calls.
	called := c.do("gotoTargets", map[string]any{
		"source": map[string]any{"path": testFile()}, "line": lineOf(t, "s.Restart()"),
	}).list("body", "targets")
	if len(called) == 0 {
		t.Error("no steps below s.Restart()")
	}
	empty := c.do("gotoTargets", map[string]any{"source": map[string]any{"path": testFile()}, "line": 1})
	if list, ok := empty.at("body", "targets").([]any); !ok || len(list) != 0 {
		t.Errorf("targets of a line without code: %v", empty)
	}
	if id, _ := c.fail("goto", map[string]any{"threadId": 1, "targetId": 1 << 40}); id != int(idNoStep) {
		t.Errorf("goto too far: %d", id)
	}
}

func TestRestartFrame(t *testing.T) {
	line := lineOf(t, "log.Println(string(body))")
	c := dial(t, Options{})
	c.launch(nil, line)
	c.stop()
	c.do("continue", map[string]any{"threadId": 1})
	s := c.stop()
	if got := c.eval(s, "string(body)"); got != `"hello from the server! request: 2"` {
		t.Fatalf("second request: %s", got)
	}
	at := s.step
	frame := func(name string) int {
		for _, f := range s.frames {
			if strings.HasSuffix(f.text("name"), name) {
				return int(f.at("id").(float64))
			}
		}
		t.Fatalf("no frame %s in %v", name, s.frames)
		return 0
	}
	c.do("restartFrame", map[string]any{"frameId": frame(".request")})
	s = c.stop()
	if s.reason != "restart" || !strings.HasSuffix(s.function, ".request") || s.line > lineOf(t, `http.Get("http`) || s.step == at {
		t.Errorf("request again: %+v", s)
	}
	// It is the second call, and the breakpoint is as before.
	c.do("continue", map[string]any{"threadId": s.thread})
	if s = c.stop(); s.line != line || c.eval(s, "string(body)") != `"hello from the server! request: 2"` {
		t.Errorf("after the call: %+v", s)
	}
	c.do("restartFrame", map[string]any{"frameId": frame(".TestMachines")})
	if s = c.stop(); !strings.HasSuffix(s.function, ".TestMachines") || s.line > lineOf(t, "count = 100") || c.eval(s, "count") != "0" {
		t.Errorf("TestMachines again: %+v, count %s", s, c.eval(s, "count"))
	}
	if id, text := c.fail("restartFrame", map[string]any{"frameId": 987654}); id != int(idArguments) {
		t.Errorf("no such frame: %d %s", id, text)
	}
}

func TestRestart(t *testing.T) {
	line := lineOf(t, `Fprintf(w, "hello`)
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true}, lineOf(t, "log.Println(err)"), line)
	c.breakpoints(line) // Delve's number of it is no longer the first
	s := c.stop()
	c.do("continue", map[string]any{"threadId": s.thread})
	first := c.event("stopped")
	for _, args := range []map[string]any{
		{"arguments": map[string]any{"program": module, "test": "TestMachines", "seed": 2}},
		{"seed": 3, "stopOnEntry": true},
		nil,
	} {
		var more any
		if args != nil {
			more = args
		}
		c.do("restart", more)
		if args == nil || args["stopOnEntry"] != nil {
			if s = c.stop(); s.reason != "entry" || c.eval(s, "count") != "100" {
				t.Errorf("restart with %v: %+v", args, s)
			}
			c.do("continue", map[string]any{"threadId": s.thread})
		} else if s = c.stop(); s.reason == "entry" { // stopOnEntry stays
			c.do("continue", map[string]any{"threadId": s.thread})
		}
		e := c.event("stopped")
		if e.text("body", "reason") != "breakpoint" || e.text("body", "hitBreakpointIds") != first.text("body", "hitBreakpointIds") {
			t.Errorf("restart with %v: %v, first %v", args, e, first)
		}
	}
	if id, _ := c.fail("restart", map[string]any{"seed": "x"}); id != int(idArguments) {
		t.Errorf("restart with nonsense: %d", id)
	}
	if list, _ := c.steps(map[string]any{"count": 1}); len(list) != 1 {
		t.Error("a refused restart ended the session")
	}
	// From a program that runs, too.
	c.do("restart", map[string]any{"test": "TestBusy", "seed": 1, "stopOnEntry": false})
	c.do("restart", map[string]any{"test": "TestMachines", "stopOnEntry": true})
	if s = c.stop(); s.reason != "entry" || c.eval(s, "count") != "100" {
		t.Errorf("restart of a program that runs: %+v", s)
	}
	for _, m := range c.log {
		if m.text("event") == "initialized" || m.text("event") == "terminated" {
			t.Errorf("the client heard %v", m)
		}
	}
	if id, _ := c.fail("restart", map[string]any{"test": "TestNoSuch"}); id != int(idLaunch) {
		t.Errorf("restart of no test: %d", id)
	}
	c.event("terminated")
	noChildren(t)
}

func TestSourceIsReadInsideTheProgramOnly(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	s := c.stop()
	secret := filepath.Join(module, "secret.txt")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "x.go")
	if err := os.WriteFile(outside, []byte("package x"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(module, "link.go")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	for _, bad := range []string{secret, outside, link, "/etc/passwd", "machines_test.go", module, filepath.Join(module, "none.go"), "", s.path + "/"} {
		if id, text := c.fail("source", map[string]any{"source": map[string]any{"path": bad}, "sourceReference": 0}); id != int(idArguments) {
			t.Errorf("source %s: %d %s", bad, id, text)
		}
	}
	if id, _ := c.fail("source", map[string]any{"sourceReference": 7}); id != int(idArguments) {
		t.Errorf("source by reference: %d", id)
	}
	paths := map[string]bool{testFile(): true}
	for _, f := range s.frames { // of the test, of testing and of the runtime
		if p := f.text("source", "path"); p != "" {
			paths[p] = true
		}
	}
	for p := range paths {
		m := c.do("source", map[string]any{"source": map[string]any{"path": p}, "sourceReference": 0})
		want, err := os.ReadFile(p)
		if err != nil || m.text("body", "content") != string(want) {
			t.Errorf("source %s: %v", p, err)
		}
	}
	if len(paths) < 3 {
		t.Errorf("only %v", paths)
	}
}

func TestModulesAndBreakpointLocations(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	c.stop()
	mods := c.do("modules", map[string]any{}).list("body", "modules")
	byName := map[string]message{}
	for _, m := range mods {
		byName[m.text("name")] = m
	}
	if m := byName["example.org/machines"]; m.at("isUserCode") != true || m.text("path") != module {
		t.Errorf("main module: %v", m)
	}
	if byName["github.com/restep/restep"].text("path") == "" || !strings.HasPrefix(byName["std"].text("version"), "go1.") {
		t.Errorf("modules: %v", mods)
	}
	page := c.do("modules", map[string]any{"startModule": 1, "moduleCount": 1})
	if l := page.list("body", "modules"); len(l) != 1 || l[0].text("name") != mods[1].text("name") || page.text("body", "totalModules") != fmt.Sprint(len(mods)) {
		t.Errorf("a page of modules: %v", page)
	}
	first := lineOf(t, "count++")
	m := c.do("breakpointLocations", map[string]any{
		"source": map[string]any{"path": testFile()}, "line": first - 2, "endLine": first + 3,
	})
	var lines []string
	for _, b := range m.list("body", "breakpoints") {
		lines = append(lines, b.text("line"))
	}
	want := fmt.Sprint(first-2, first-1, first, first+1, first+2, first+3)
	if strings.Join(lines, " ") != want {
		t.Errorf("lines %v, want %s", lines, want)
	}
	file := map[string]any{"path": testFile()}
	if l := c.do("breakpointLocations", map[string]any{"source": file, "line": 2}).list("body", "breakpoints"); len(l) != 0 {
		t.Errorf("code on an empty line: %v", l)
	}
	if id, _ := c.fail("breakpointLocations", map[string]any{"source": file, "line": 1, "endLine": 1 << 40}); id != int(idArguments) {
		t.Errorf("a huge range: %d", id)
	}
}

func TestCompletions(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n})
	s := c.stop()
	for _, test := range []struct{ text, want string }{
		{"r", "r"}, {"co", "count"}, {"r.Remote", "RemoteAddr"}, {"len(r.URL.Pa", "Path"}, {"x + cou", "count"},
		{"http.DefaultCl", "DefaultClient"}, {"@ser", "server"}, {"@", "*"}, {"ca", "call"},
	} {
		m := c.do("completions", map[string]any{"frameId": s.frame, "text": test.text, "column": len(test.text) + 1})
		found := false
		for _, item := range m.list("body", "targets") {
			found = found || item.text("label") == test.want
		}
		if !found {
			t.Errorf("%q: no %s in %v", test.text, test.want, m.at("body", "targets"))
		}
	}
	for _, odd := range []map[string]any{
		{"text": "", "column": 1}, {"text": "]].", "column": 99}, {"text": "r.", "column": -5, "line": 7},
		{"text": "((((.", "column": 6, "frameId": 424242}, {"text": "é.", "column": 3},
		{"text": "r", "column": 1, "line": 1 << 53},
	} {
		c.do("completions", odd)
	}
}

func TestThreadPages(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n, "maxThreads": 2})
	s := c.stop()
	all := c.do(commandThreads, nil)
	total := int(all.at("body", "total").(float64))
	if total < 5 || len(all.list("body", "threads")) != total {
		t.Fatalf("%v", all)
	}
	list := c.do("threads", nil).list("body", "threads")
	stoppedIsThere := false
	for _, th := range list {
		stoppedIsThere = stoppedIsThere || int(th.at("id").(float64)) == s.thread
	}
	if len(list) != 2 || !stoppedIsThere || !strings.Contains(c.output("console"), fmt.Sprintf("2 of %d goroutines", total)) {
		t.Errorf("threads: %v\n%s", list, c.output("console"))
	}
	seen := map[string]bool{}
	for start := 0; start < total; start += 3 {
		for _, th := range c.do(commandThreads, map[string]any{"start": start, "count": 3}).list("body", "threads") {
			seen[th.text("id")] = true
		}
	}
	if len(seen) != total {
		t.Errorf("pages hold %d of %d", len(seen), total)
	}
	server := c.do(commandThreads, map[string]any{"machine": "server", "grep": `\.serve$`, "apply": true})
	for _, th := range server.list("body", "threads") {
		if th.text("machine") != "server" || !strings.HasSuffix(th.text("start"), ".serve") {
			t.Errorf("selected: %v", th)
		}
	}
	for _, th := range c.do("threads", nil).list("body", "threads") {
		if !strings.HasPrefix(th.text("name"), "server/") {
			t.Errorf("filtered: %v", th)
		}
	}
	if id, _ := c.fail(commandThreads, map[string]any{"grep": "("}); id != int(idArguments) {
		t.Error(id)
	}
	if m := c.do(commandThreads, map[string]any{"start": -4, "count": 1 << 40}); len(m.list("body", "threads")) == 0 {
		t.Error(m)
	}
}

func TestExceptionInfoOfACrash(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	s := c.stop()
	if id, _ := c.fail("exceptionInfo", map[string]any{"threadId": schedulerThread}); id == 0 {
		t.Error("there is an exception without a failure")
	}
	list, _ := c.steps(map[string]any{"kind": "crash"})
	c.do(commandJump, map[string]any{"step": list[0].at("step")})
	s = c.stop()
	m := c.do("exceptionInfo", map[string]any{"threadId": s.thread})
	if m.text("body", "exceptionId") != "machine crash" || !strings.Contains(m.text("body", "description"), "server") ||
		!strings.Contains(m.text("body", "details", "stackTrace"), testFile()) {
		t.Errorf("%v", m)
	}
}

// TestProgress builds and records with a client that shows progress.
func TestProgress(t *testing.T) {
	c := dial(t, Options{})
	c.do("initialize", map[string]any{
		"adapterID": "restep", "linesStartAt1": true, "columnsStartAt1": true, "supportsProgressReporting": true,
	})
	c.do("launch", map[string]any{"program": module, "test": "TestMachines", "seed": 4711, "stopOnEntry": true})
	start := c.event("progressStart")
	id := start.text("body", "progressId")
	if id == "" || start.at("body", "cancellable") != true || !strings.Contains(start.text("body", "title"), "TestMachines") {
		t.Errorf("%v", start)
	}
	if update := c.event("progressUpdate"); update.text("body", "progressId") != id || update.text("body", "message") == "" {
		t.Errorf("%v", update)
	}
	if end := c.event("progressEnd"); end.text("body", "progressId") != id {
		t.Errorf("%v", end)
	}
	if out := c.output("console"); out != "" {
		t.Errorf("the console repeats it: %s", out)
	}
}

// TestCapabilitiesAreTrue sends a request for each capability that one stands
// for: none is refused as unknown or not supported.
func TestCapabilitiesAreTrue(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	init := c.do("initialize", map[string]any{"adapterID": "restep", "linesStartAt1": true, "columnsStartAt1": true})
	c.do("launch", map[string]any{"program": module, "test": "TestMachines", "step": n})
	c.do("configurationDone", nil)
	c.stop()
	requests := map[string]string{
		"supportsFunctionBreakpoints": "setFunctionBreakpoints", "supportsStepBack": "stepBack", "supportsSetVariable": "setVariable",
		"supportsRestartFrame": "restartFrame", "supportsGotoTargetsRequest": "gotoTargets",
		"supportsStepInTargetsRequest": "stepInTargets", "supportsCompletionsRequest": "completions",
		"supportsModulesRequest": "modules", "supportsRestartRequest": "restart", "supportsExceptionInfoRequest": "exceptionInfo",
		"supportsLoadedSourcesRequest": "loadedSources", "supportsTerminateThreadsRequest": "terminateThreads",
		"supportsSetExpression": "setExpression", "supportsDataBreakpoints": "dataBreakpointInfo",
		"supportsReadMemoryRequest": "readMemory", "supportsWriteMemoryRequest": "writeMemory",
		"supportsDisassembleRequest": "disassemble", "supportsCancelRequest": "cancel",
		"supportsBreakpointLocationsRequest": "breakpointLocations", "supportsInstructionBreakpoints": "setInstructionBreakpoints",
		"supportsTerminateRequest": "terminate", "supportsConfigurationDoneRequest": "configurationDone",
	}
	attributes := map[string]bool{ // of other requests
		"supportsConditionalBreakpoints": true, "supportsHitConditionalBreakpoints": true, "supportsEvaluateForHovers": true,
		"supportsDelayedStackTraceLoading": true, "supportsLogPoints": true, "supportsClipboardContext": true,
		"supportsSteppingGranularity": true, "supportsExceptionFilterOptions": true, "supportSuspendDebuggee": true,
		"supportTerminateDebuggee": true, "exceptionBreakpointFilters": true, "completionTriggerCharacters": true,
	}
	body, _ := init.at("body").(map[string]any)
	for name, on := range body {
		command, isRequest := requests[name]
		if on == false || attributes[name] {
			continue
		}
		if !isRequest {
			t.Errorf("the capability %s is unknown to this test", name)
			continue
		}
		if command == "terminate" || command == "restart" {
			continue // they end the run; see TestRestart
		}
		m := c.answer(c.send(command, map[string]any{
			"expression": "count", "value": "1", "name": "x", "source": map[string]any{"path": testFile()}, "line": 1, "text": "x", "column": 1,
		}))
		if id, _ := m.at("body", "error", "id").(float64); int(id) == int(idUnsupported) || int(id) == int(idUnknown) {
			t.Errorf("%s is true, but: %v", name, m.text("message"))
		}
	}
	for name, command := range requests {
		if body[name] == true || command == "configurationDone" {
			continue
		}
		if id, _ := c.fail(command, map[string]any{}); id != int(idUnsupported) {
			t.Errorf("%s is false, but %s: %d", name, command, id)
		}
	}
}

// TestWholeStackForCode: VS Code shows the frame that it loads first for almost
// half a second when it believes that a stack is better loaded in two parts.
func TestWholeStackForCode(t *testing.T) {
	for client, want := range map[string]any{"vscode": nil, "": true, "emacs": true} {
		c := dial(t, Options{})
		init := c.do("initialize", map[string]any{"adapterID": "restep", "clientID": client, "linesStartAt1": true, "columnsStartAt1": true})
		if got := init.at("body", "supportsDelayedStackTraceLoading"); got != want {
			t.Errorf("client %q: supportsDelayedStackTraceLoading is %v, want %v", client, got, want)
		}
	}
}

// TestCrowd lists two thousand goroutines of two machines: as many as the
// protocol's request answers, all of them page by page, and those of a machine.
func TestCrowd(t *testing.T) {
	c := dial(t, Options{})
	c.launch(map[string]any{"test": "TestCrowd"}, lineOf(t, "all are there"))
	s := c.stop()
	list := c.do("threads", nil).list("body", "threads")
	all := c.do(commandThreads, map[string]any{"count": 1})
	total, _ := all.at("body", "total").(float64)
	if len(list) != 1024 || len(all.list("body", "threads")) != 1 || total < 2000 || !strings.Contains(c.output("console"), "1024 of") {
		t.Fatalf("%d threads of %v, one page has %d", len(list), total, len(all.list("body", "threads")))
	}
	stoppedIsThere := false
	for _, th := range list {
		stoppedIsThere = stoppedIsThere || int(th.at("id").(float64)) == s.thread
	}
	if !stoppedIsThere {
		t.Error("the goroutine that is stopped is not listed")
	}
	seen, machines := map[float64]bool{}, map[string]int{}
	for start := 0; start < int(total); start += 700 {
		page := c.do(commandThreads, map[string]any{"start": start, "count": 700}).list("body", "threads")
		if want := min(700, int(total)-start); len(page) != want {
			t.Errorf("the page from %d has %d goroutines, want %d", start, len(page), want)
		}
		for _, th := range page {
			seen[th.at("id").(float64)] = true
			machines[th.text("machine")]++
		}
	}
	if len(seen) != int(total) || machines["server"] < 900 || machines["main"] < 1100 {
		t.Errorf("%d different ones of %v: %v", len(seen), total, machines)
	}
	server := c.do(commandThreads, map[string]any{"machine": "server", "grep": `crowd\.func1$`, "count": 10000, "apply": true})
	if n := len(server.list("body", "threads")); n != 900 {
		t.Errorf("%d goroutines of the server's crowd", n)
	}
	list = c.do("threads", nil).list("body", "threads")
	for _, th := range list {
		if !strings.HasPrefix(th.text("name"), "server/") {
			t.Fatalf("filtered: %v", th)
		}
	}
	if len(list) != 900 {
		t.Errorf("filtered: %d", len(list))
	}
	// Any of them can be looked at.
	last := list[len(list)-1].at("id")
	if frames := c.do("stackTrace", map[string]any{"threadId": last, "levels": 20}).list("body", "stackFrames"); len(frames) == 0 {
		t.Errorf("goroutine %v has no stack", last)
	}
}

// TestGoroutineOfAnotherStep: a client that asks for a goroutine of the step
// where the session was before gets an error that it need not show.
func TestGoroutineOfAnotherStep(t *testing.T) {
	c := dial(t, Options{})
	c.initialize()
	c.do("launch", map[string]any{"program": module, "test": "TestMachines", "step": 56})
	c.do("configurationDone", nil)
	c.stop()
	for _, thread := range []int{999_999, -7, 1 << 40} {
		m := c.answer(c.send("stackTrace", map[string]any{"threadId": thread}))
		if m.at("success") != false || m.at("body", "error", "showUser") == true {
			t.Errorf("the stack of thread %d: %v", thread, m)
		}
	}
}
