package dap

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/dap/target"
)

// Commands of the test binary: TestMain.
const (
	testHost  = "dap-test-host"
	testStdio = "dap-test-stdio"
)

var hostOptions = Options{Host: []string{os.Args[0], testHost}}

// runTestHost is what restep dap-host is.
func runTestHost() {
	conn := stdStreams{os.Stdin, os.Stdout}
	os.Stdout = os.Stderr
	if err := target.ServeProcess(conn, os.NewFile(3, ""), os.NewFile(4, "")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// runTestStdio is what restep dap is.
func runTestStdio() {
	conn := stdStreams{os.Stdin, os.Stdout}
	os.Stdout = os.Stderr
	_ = Serve(context.Background(), conn, hostOptions)
}

type stdStreams struct{ in, out *os.File }

func (s stdStreams) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s stdStreams) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s stdStreams) Close() error                { return s.in.Close() }

// processFile is a file of the programs.
func processFile(name string) string {
	path, err := filepath.Abs(filepath.Join("testdata/processes", name))
	if err != nil {
		panic(err)
	}
	return path
}

// processLine is the number of the line that holds a text.
func processLine(t *testing.T, file, part string) int {
	t.Helper()
	b, err := os.ReadFile(processFile(file))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(b), "\n") {
		if strings.Contains(line, part) {
			return i + 1
		}
	}
	t.Fatalf("no line with %q in %s", part, file)
	return 0
}

// freePorts are ports that nobody listens on now.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func addrOf(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

type object = map[string]any

// server is the configuration of a server.
func server(name string, port int, more object) object {
	p := object{
		"name": name, "program": "server", "args": []string{"-addr", addrOf(port)},
		"ready": object{"port": port, "log": "^listening"},
	}
	for k, v := range more {
		p[k] = v
	}
	return p
}

// launchProcesses comes as far as configurationDone, with breakpoints by file.
func (c *client) launchProcesses(list []object, more object, breakpoints map[string][]int) {
	c.t.Helper()
	args := object{"mode": "processes", "cwd": processFile("."), "processes": list}
	for k, v := range more {
		args[k] = v
	}
	c.initialize()
	c.do("launch", args)
	c.event("initialized")
	for file, lines := range breakpoints {
		c.processBreakpoints(file, lines...)
	}
	c.do("setExceptionBreakpoints", object{"filters": []string{"unrecovered-panic", "machine-crash"}})
	c.do("configurationDone", nil)
}

func (c *client) processBreakpoints(file string, lines ...int) []message {
	c.t.Helper()
	list := []object{}
	for _, l := range lines {
		list = append(list, object{"line": l})
	}
	m := c.do("setBreakpoints", object{"source": object{"path": processFile(file)}, "breakpoints": list})
	got := m.list("body", "breakpoints")
	for _, b := range got {
		if b.at("verified") != true || b.text("line") == "" {
			c.t.Errorf("breakpoint in %s: %v", file, b)
		}
	}
	return got
}

// halted is a stop: of which process, and what an editor shows.
type haltedAt struct {
	stop
	description string
	ids         []any
}

func (c *client) halt() haltedAt {
	c.t.Helper()
	e := c.event("stopped")
	if e.at("body", "allThreadsStopped") != true {
		c.t.Errorf("a stop of a part: %v", e)
	}
	c.log = append([]message{e}, c.log...)
	ids, _ := e.at("body", "hitBreakpointIds").([]any)
	return haltedAt{c.stop(), e.text("body", "description"), ids}
}

// pids are the processes that events told of, by name.
func (c *client) pids() map[string]int {
	list := map[string]int{}
	for _, m := range c.log {
		if m.text("event") == "process" {
			n, _ := m.at("body", "systemProcessId").(float64)
			list[m.text("body", "name")] = int(n)
		}
	}
	return list
}

// until waits for a line of output and returns what came up to it.
func (c *client) until(category, part string) string {
	c.t.Helper()
	for !strings.Contains(c.output(category), part) {
		m := c.read()
		if m == nil {
			c.t.Fatalf("the connection ended before %q; there is\n%s", part, c.output(category))
		}
		c.log = append(c.log, m)
	}
	return c.output(category)
}

// gone checks that processes, and all of their groups, are no more.
func gone(t *testing.T, pids map[string]int) {
	t.Helper()
	for name, pid := range pids {
		for _, p := range []int{pid, -pid} {
			if err := syscall.Kill(p, 0); err != syscall.ESRCH {
				out, _ := exec.Command("ps", "-o", "pid,ppid,pgid,stat,args", "-p", strconv.Itoa(pid)).CombinedOutput()
				t.Errorf("%s, pid %d: %v\n%s", name, p, err, out)
			}
		}
	}
}

func TestProcesses(t *testing.T) {
	ports := freePorts(t, 2)
	line := processLine(t, "work/work.go", "a breakpoint for all")
	c := dial(t, hostOptions)
	c.launchProcesses([]object{
		{"name": "client", "program": "example.org/processes/client", "args": []string{addrOf(ports[0]), addrOf(ports[1])},
			"dependsOn": []string{"one", "two"}},
		server("one", ports[0], object{"env": object{"COLOUR": "red"}, "cwd": "server"}),
		server("two", ports[1], object{"dependsOn": []string{"one"}, "args": []string{"-addr", addrOf(ports[1]), "-child"}}),
	}, object{"env": object{"COLOUR": "blue"}}, map[string][]int{"work/work.go": {line}})

	// The client is the last to start and the first to stop.
	s := c.halt()
	if s.description != "client: breakpoint" || s.line != line || s.path != processFile("work/work.go") || len(s.ids) != 1 {
		t.Errorf("first stop: %+v", s)
	}
	order := strings.Fields(strings.NewReplacer(",", "", "restep: ", "").Replace(c.output("console")))
	if !inOrder(order, "one", "started", "one", "ready", "two", "started", "two", "ready", "client", "started") {
		t.Errorf("order: %s", c.output("console"))
	}
	pids := c.pids()
	out := c.until("stdout", "two | child <nil> ")
	for _, want := range []string{
		"one | listening in " + processFile("server") + ", COLOUR=red\n", "two | listening in " + processFile(".") + ", COLOUR=blue\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the output\n%s", want, out)
		}
	}
	_, rest, _ := strings.Cut(out, "two | child <nil> ")
	pids["child of two"], _ = strconv.Atoi(strings.SplitN(rest, "\n", 2)[0])
	threads := c.lookAround(s, ports)

	// A step in one process, while the others run; then each server stops.
	c.do("next", object{"threadId": s.thread})
	if s = c.halt(); s.description != "client: step" || s.path != processFile("client/main.go") {
		t.Errorf("after a step: %+v", s)
	}
	for _, want := range []string{"one", "client", "two"} {
		c.do("continue", object{"threadId": s.thread})
		if s = c.halt(); s.description != want+": breakpoint" || s.line != line {
			t.Errorf("stop of %s: %+v", want, s)
		}
	}
	// The end of the client is not the end of the others.
	c.do("continue", object{"threadId": s.thread})
	c.until("console", "client exited with code 0")
	if out := c.output("stdout"); !strings.Contains(out, "client | got server works on 1\nclient | done\n") {
		t.Errorf("output:\n%s", out)
	}
	c.do("pause", object{"threadId": threads["two"]})
	if s = c.halt(); s.reason != "pause" || s.description != "two: pause" {
		t.Errorf("pause: %+v", s)
	}
	// Nor is that of a server the other's.
	c.do("continue", object{"threadId": s.thread})
	ask(t, ports[0], "die")
	c.until("console", "one exited with code 3")

	c.do("setBreakpoints", object{"source": object{"path": processFile("work/work.go")}, "breakpoints": []object{}})
	c.processBreakpoints("server/main.go", processLine(t, "server/main.go", "on the way out"))
	c.do("terminate", nil)
	if s = c.halt(); s.description != "two: breakpoint" || s.function != "main.goodbye" {
		t.Errorf("on the way out: %+v", s)
	}
	c.do("continue", object{"threadId": s.thread})
	c.event("terminated")
	if out := c.output("stdout"); !strings.Contains(out, "two | goodbye\n") {
		t.Errorf("output:\n%s", out)
	}
	gone(t, pids)
	c.do("disconnect", nil)
	c.wait()
	noChildren(t)
}

// lookAround looks at the threads, frames and variables of all processes at a
// stop of the client, and returns the threads of their main goroutines.
func (c *client) lookAround(s haltedAt, ports []int) (threads map[string]int) {
	t := c.t
	t.Helper()
	var names []string
	threads = map[string]int{}
	for _, th := range c.do("threads", nil).list("body", "threads") {
		names = append(names, th.text("name"))
		name, _, _ := strings.Cut(th.text("name"), "/")
		if strings.Contains(th.text("name"), "/1 ") {
			threads[name] = int(th.at("id").(float64))
		}
	}
	if len(threads) != 3 || threads["client"] != s.thread || !strings.HasPrefix(names[0], "client/1 ") || !strings.HasSuffix(names[0], "work.Do") {
		t.Errorf("threads: %q", names)
	}
	if f := c.frameOf(threads["one"], "main.main"); c.evalIn(f, "*addr") != strconv.Quote(addrOf(ports[0])) {
		t.Errorf("one's address: %s", c.evalIn(f, "*addr"))
	}
	scopes := c.do("scopes", object{"frameId": s.frame}).list("body", "scopes")
	if v := c.variable(scopes[0].at("variablesReference"), "text"); v.text("value") != `"client works on 1"` {
		t.Errorf("text: %v", v)
	}
	c.do("setVariable", object{"variablesReference": scopes[0].at("variablesReference"), "name": "n", "value": "7"})
	for expr, want := range map[string]string{
		"n": "7", "who": `"client"`, "Count": "1", "@two work.Count": "0", "@* work.Count": "client: 1, one: 0, two: 0",
	} {
		if got := c.evalIn(s.frame, expr); got != want {
			t.Errorf("%s is %s, want %s", expr, got, want)
		}
	}
	if got := c.do("evaluate", object{"expression": "who"}).text("body", "result"); got != `"client"` {
		t.Errorf("without a frame: %s", got)
	}
	for command, args := range map[string]object{
		"stepBack": {"threadId": s.thread}, "variables": {"variablesReference": 63}, "stackTrace": {"threadId": 1<<6 + 63},
		"evaluate": {"expression": "@nobody x"}, "launch": {"mode": "processes"}, "initialize": {},
	} {
		c.fail(command, args)
	}
	return threads
}

// ask says a line to a server.
func ask(t *testing.T, port int, line string) {
	t.Helper()
	conn, err := net.Dial("tcp", addrOf(port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, line)
}

// inOrder reports whether words occur one after another.
func inOrder(list []string, words ...string) bool {
	for _, w := range words {
		i := slices.Index(list, w)
		if i < 0 {
			return false
		}
		list = list[i+1:]
	}
	return true
}

// TestProcessesLoseNoStop lets two processes come to a breakpoint at the same
// time, again and again: a process that is stopped because of the other must
// not lose its own stop.
func TestProcessesLoseNoStop(t *testing.T) {
	line := processLine(t, "work/work.go", "a breakpoint for all")
	c := dial(t, hostOptions)
	c.launchProcesses([]object{{"name": "a", "program": "race"}, {"name": "b", "program": "race"}}, nil, map[string][]int{"work/work.go": {line}})
	hits := map[string]int{}
	for {
		m := c.read()
		if m == nil || m.text("event") == "terminated" {
			break
		}
		if m.text("event") != "stopped" {
			continue
		}
		name, _, _ := strings.Cut(m.text("body", "description"), ":")
		hits[name]++
		if m.at("body", "preserveFocusHint") == nil {
			c.send("continue", object{"threadId": m.at("body", "threadId")})
		}
	}
	if hits["a"] != 15 || hits["b"] != 15 {
		t.Errorf("stops: %v, want 15 each", hits)
	}
}

// TestProcessesRestart restarts, with breakpoints, two servers one of which does
// not want to end; then the client goes away.
func TestProcessesRestart(t *testing.T) {
	ports := freePorts(t, 2)
	c := dial(t, hostOptions)
	c.launchProcesses([]object{
		server("one", ports[0], object{"stopTimeout": "300ms", "args": []string{"-addr", addrOf(ports[0]), "-stubborn"}}),
		server("two", ports[1], nil),
	}, nil, nil)
	c.until("console", "one is ready")
	c.until("console", "two is ready")
	line := processLine(t, "work/work.go", "a breakpoint for all")
	c.processBreakpoints("work/work.go", line) // while they run
	ask(t, ports[0], "hello")
	if s := c.halt(); s.description != "one: breakpoint" || s.line != line {
		t.Errorf("before: %+v", s)
	}
	before := c.pids()
	c.do("restart", nil)
	gone(t, before)
	for _, want := range []string{"one | I stay\n", "two | goodbye\n"} {
		if out := c.output("stdout"); !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out := c.output("console"); !strings.Contains(out, "one was killed: it did not end within 300ms of SIGTERM") {
		t.Errorf("console:\n%s", out)
	}
	c.log = nil
	c.until("console", "one is ready")
	c.until("console", "two is ready")
	ask(t, ports[1], "hello")
	s := c.halt()
	if s.description != "two: breakpoint" || s.line != line || len(s.ids) != 1 {
		t.Errorf("after: %+v", s)
	}
	after := c.pids()
	c.conn.Close()
	c.wait()
	gone(t, after)
	noChildren(t)
}

// TestProcessesKilled kills a debugger's host, and then the adapter.
func TestProcessesKilled(t *testing.T) {
	ports := freePorts(t, 2)
	cmd := exec.Command(os.Args[0], testStdio)
	cmd.Stderr = os.Stderr
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(theirs, out); theirs.Close() }()
	go func() { _, _ = io.Copy(in, theirs); in.Close() }()
	c := &client{t: t, conn: ours, r: bufio.NewReader(ours)}
	c.launchProcesses([]object{server("one", ports[0], nil), server("two", ports[1], nil)}, nil, nil)
	c.until("console", "one is ready")
	c.until("console", "two is ready")
	pids := c.pids()
	parent := func(pid int) (n int) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		n, _ = strconv.Atoi(strings.Fields(rest)[1])
		return n
	}
	hosts := map[string]int{"host of one": parent(pids["one"]), "host of two": parent(pids["two"])}
	if err := syscall.Kill(hosts["host of one"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.until("console", "one ended with its debugger")
	c.do("pause", object{"threadId": 1<<6 + 1})
	if s := c.halt(); s.description != "two: pause" {
		t.Errorf("the other one: %+v", s)
	}
	c.do("continue", object{"threadId": 1<<6 + 1})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for until := time.Now().Add(deadline); time.Now().Before(until); {
		if syscall.Kill(hosts["host of two"], 0) == syscall.ESRCH {
			break
		}
		runtime.Gosched()
	}
	gone(t, pids)
	gone(t, hosts)
}

// TestProcessesTest runs a test against a server: the session ends with it.
func TestProcessesTest(t *testing.T) {
	ports := freePorts(t, 1)
	c := dial(t, hostOptions)
	c.launchProcesses([]object{
		{"name": "test", "program": "e2e", "test": "TestServer", "env": object{"SERVER": addrOf(ports[0])}, "dependsOn": []string{"one"}},
		server("one", ports[0], nil),
	}, object{"endWith": "test"}, nil)
	c.event("terminated")
	out := c.output("stdout")
	for _, want := range []string{`answer "server works on 1\n", <nil>`, "test | --- PASS: TestServer", "one | goodbye\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code := c.event("exited").text("body", "exitCode"); code != "0" || strings.Contains(out, "TestOther") {
		t.Errorf("exit code %s\n%s", code, out)
	}
	gone(t, c.pids())
}

// TestProcessesNotReady has one server that is never ready, and one whose port
// is taken.
func TestProcessesNotReady(t *testing.T) {
	ports := freePorts(t, 1)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	c := dial(t, hostOptions)
	c.launchProcesses([]object{
		server("one", ports[0], object{"ready": object{"log": "^never", "timeout": "200ms"}}),
		server("two", port, nil),
		{"name": "test", "program": "e2e", "test": "TestServer", "dependsOn": []string{"one"}},
	}, object{"endWith": "test"}, nil)
	c.event("terminated") // for the test will never run
	for category, wants := range map[string][]string{
		"stderr": {`one is not ready after 200ms, no line of output matches "^never"`},
		"console": {fmt.Sprintf("two was not started: port %d, by which it would be ready, is in use", port),
			"test was not started: one is not ready", "one exited with code 0"},
	} {
		for _, want := range wants {
			if out := c.output(category); !strings.Contains(out, want) {
				t.Errorf("no %q in\n%s", want, out)
			}
		}
	}
	gone(t, c.pids())
}

// TestProcessesRefused starts what cannot be.
func TestProcessesRefused(t *testing.T) {
	for want, list := range map[string][]object{
		"needs \"processes\"":         {},
		"there is no program":         {{"name": "a", "program": "./nothing"}},
		"it is package work":          {{"name": "a", "program": "work"}},
		"two processes":               {{"name": "a", "program": "race"}, {"name": "a", "program": "race"}},
		"build process a: go list in": {{"name": "a", "program": "example.org/nowhere"}},
		"waits for itself":            {{"name": "a", "program": "race", "dependsOn": []string{"b"}}, {"name": "b", "program": "race", "dependsOn": []string{"a"}}},
		"start process a: ":           {{"name": "b", "program": "race"}, {"name": "a", "program": "race", "cwd": "nowhere"}},
	} {
		c := dial(t, hostOptions)
		c.initialize()
		if _, text := c.fail("launch", object{"mode": "processes", "cwd": processFile("."), "processes": list}); !strings.Contains(text, want) {
			t.Errorf("%s: %s", want, text)
		}
		c.do("disconnect", nil)
	}
	noChildren(t)
}
