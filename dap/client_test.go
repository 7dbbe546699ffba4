package dap

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/replay/program"
)

// module is the folder of the machines case as a module of its own.
var module string

const machinesTest = `package example_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/restep/restep/sim"
)

var count = 0

func server() {
	log.Printf("starting server")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		count++
		log.Printf("got a request from %s", r.RemoteAddr)
		fmt.Fprintf(w, "hello from the server! request: %d", count)
	})
	http.ListenAndServe("10.0.0.1:80", nil)
}

func request() {
	resp, err := http.Get("http://10.0.0.1/")
	if err != nil {
		log.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Println(err)
		return
	}
	log.Println(string(body))
}

func TestMachines(t *testing.T) {
	count = 100
	s := sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: server})
	time.Sleep(time.Second)
	request()
	request()
	s.Crash()
	s.Restart()
	time.Sleep(time.Second)
	request()
}

func crowd(n int) {
	block := make(chan bool)
	for range n {
		go func() { <-block }()
	}
}

func TestCrowd(t *testing.T) {
	sim.NewMachine(sim.MachineConfig{Label: "server", Addr: netip.MustParseAddr("10.0.0.1"), MainFunc: func() {
		crowd(900)
		time.Sleep(time.Hour)
	}})
	crowd(1100)
	time.Sleep(time.Minute)
	t.Log("all are there")
}

func TestBusy(t *testing.T) {
	n := 0
	for start := time.Now(); time.Since(start) < 20*time.Second; {
		n++
	}
}
`

// lineOf returns the line of the test's source that holds a text.
func lineOf(t *testing.T, part string) int {
	t.Helper()
	for i, line := range strings.Split(machinesTest, "\n") {
		if strings.Contains(line, part) {
			return i + 1
		}
	}
	t.Fatalf("no line with %q", part)
	return 0
}

func TestMain(m *testing.M) {
	if where := os.Getenv("RESTEP_TEST_STRANGER"); where != "" {
		stranger(where)
		return
	}
	if len(os.Args) == 2 && os.Args[1] == testHost {
		runTestHost()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == testStdio {
		runTestStdio()
		return
	}
	dir, err := os.MkdirTemp("", "restep-dap-test-")
	if err != nil {
		panic(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	module = dir
	files := map[string]string{
		"machines_test.go": machinesTest,
		"go.mod": "module example.org/machines\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
			"replace github.com/restep/restep => " + root + "\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// client is a client of the protocol that knows no types: what the tests look
// at is JSON as an editor gets it.
type client struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	seq  int
	log  []message // events that were read while waiting for something else
	done chan error
}

type message map[string]any

// at follows a path of names.
func (m message) at(path ...string) any {
	var v any = map[string]any(m)
	for _, p := range path {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[p]
	}
	return v
}

func (m message) text(path ...string) string {
	if v := m.at(path...); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

func (m message) list(path ...string) []message {
	l, _ := m.at(path...).([]any)
	out := make([]message, 0, len(l))
	for _, v := range l {
		if o, ok := v.(map[string]any); ok {
			out = append(out, o)
		}
	}
	return out
}

// deadline bounds each wait, to name the test that hangs; a build takes longest.
const deadline = 4 * time.Minute

// dial starts a session over a loopback connection.
func dial(t *testing.T, opt Options) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := &client{t: t, done: make(chan error, 1)}
	if c.conn, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.r = bufio.NewReader(c.conn)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { c.done <- Serve(ctx, theirs, opt) }()
	t.Cleanup(func() {
		c.conn.Close()
		c.wait()
		cancel()
	})
	return c
}

// wait waits until the session is over and returns its error.
func (c *client) wait() error {
	c.t.Helper()
	select {
	case err := <-c.done:
		c.done <- err
		return err
	case <-time.After(deadline):
		c.t.Fatal("the session does not end")
		return nil
	}
}

func (c *client) raw(text string) {
	if _, err := fmt.Fprintf(c.conn, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) send(command string, args any) int {
	c.seq++
	b, err := json.Marshal(map[string]any{"seq": c.seq, "type": "request", "command": command, "arguments": args})
	if err != nil {
		c.t.Fatal(err)
	}
	c.raw(string(b))
	return c.seq
}

// read returns the next message, nil at the end of the connection.
func (c *client) read() message {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(deadline))
	b, err := readFrame(c.r)
	if err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			c.t.Fatal("no message from the adapter")
		}
		return nil
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		c.t.Fatal(err)
	}
	return m
}

// answer reads up to the answer to a request; events are kept.
func (c *client) answer(seq int) message {
	c.t.Helper()
	for {
		m := c.read()
		if m == nil {
			c.t.Fatalf("the connection ended before the answer to %d", seq)
		}
		if m.text("type") == "response" && m.text("request_seq") == fmt.Sprint(seq) {
			return m
		}
		c.log = append(c.log, m)
	}
}

// do sends a request that must succeed.
func (c *client) do(command string, args any) message {
	c.t.Helper()
	m := c.answer(c.send(command, args))
	if m.at("success") != true {
		c.t.Fatalf("%s failed: %s", command, m.text("message"))
	}
	return m
}

// fail sends a request that must fail and returns the error's id and text.
func (c *client) fail(command string, args any) (id int, text string) {
	c.t.Helper()
	m := c.answer(c.send(command, args))
	if m.at("success") != false {
		c.t.Fatalf("%s succeeded: %v", command, m)
	}
	n, _ := m.at("body", "error", "id").(float64)
	return int(n), m.text("message")
}

// event waits for an event that the log may hold already.
func (c *client) event(name string) message {
	c.t.Helper()
	for i, m := range c.log {
		if m.text("event") == name {
			c.log = append(c.log[:i:i], c.log[i+1:]...)
			return m
		}
	}
	for {
		m := c.read()
		if m == nil {
			c.t.Fatalf("the connection ended before the event %s", name)
		}
		if m.text("event") == name {
			return m
		}
		c.log = append(c.log, m)
	}
}

// output is all that came as output events of a category and was not read.
func (c *client) output(category string) string {
	var b strings.Builder
	for _, m := range c.log {
		if m.text("event") == "output" && m.text("body", "category") == category {
			b.WriteString(m.text("body", "output"))
		}
	}
	return b.String()
}

func (c *client) initialize() {
	c.t.Helper()
	c.do("initialize", map[string]any{
		"adapterID": "restep", "pathFormat": "path", "linesStartAt1": true, "columnsStartAt1": true,
		"supportsVariableType": true,
	})
}

// launch comes as far as configurationDone; breakpoints are lines of the test.
func (c *client) launch(more map[string]any, breakpoints ...int) {
	c.t.Helper()
	args := map[string]any{"program": module, "test": "TestMachines", "seed": 1}
	for k, v := range more {
		args[k] = v
	}
	c.initialize()
	c.do("launch", args)
	c.event("initialized")
	if len(breakpoints) > 0 {
		c.breakpoints(breakpoints...)
	}
	c.do("configurationDone", nil)
}

func (c *client) breakpoints(lines ...int) {
	c.t.Helper()
	var list []map[string]any
	for _, l := range lines {
		list = append(list, map[string]any{"line": l})
	}
	m := c.do("setBreakpoints", map[string]any{
		"source": map[string]any{"path": filepath.Join(module, "machines_test.go")}, "breakpoints": list,
	})
	for _, b := range m.list("body", "breakpoints") {
		if b.at("verified") != true {
			c.t.Fatalf("breakpoint is not verified: %v", b)
		}
	}
}

// stop is what a client shows when the program has stopped.
type stop struct {
	reason, step string
	thread       int
	frame        int // id of the frame that an editor chooses
	function     string
	line         int
	path         string
	frames       []message
}

func (c *client) stop() stop {
	c.t.Helper()
	e := c.event("stopped")
	s := stop{reason: e.text("body", "reason"), step: e.text("body", "text")}
	n, _ := e.at("body", "threadId").(float64)
	s.thread = int(n)
	s.frames = c.do("stackTrace", map[string]any{"threadId": s.thread, "startFrame": 0, "levels": 100}).list("body", "stackFrames")
	for _, f := range s.frames {
		if f.text("presentationHint") == "subtle" {
			continue
		}
		id, _ := f.at("id").(float64)
		line, _ := f.at("line").(float64)
		s.frame, s.line, s.function, s.path = int(id), int(line), f.text("name"), f.text("source", "path")
		break
	}
	return s
}

func (c *client) eval(s stop, expr string) string {
	c.t.Helper()
	return c.do("evaluate", map[string]any{"expression": expr, "frameId": s.frame}).text("body", "result")
}

// steps returns the numbers of the steps that a request selects.
func (c *client) steps(args map[string]any) (list []message, total int) {
	c.t.Helper()
	m := c.do(commandSteps, args)
	n, _ := m.at("body", "total").(float64)
	return m.list("body", "steps"), int(n)
}

// requestSteps are the steps of "got a request".
func (c *client) requestSteps() []int {
	c.t.Helper()
	list, _ := c.steps(map[string]any{"kind": "log", "machine": "server", "grep": "^got a request"})
	var out []int
	for _, s := range list {
		n, _ := s.at("step").(float64)
		out = append(out, int(n))
	}
	if len(out) != 3 {
		c.t.Fatalf("steps of requests: %v", out)
	}
	return out
}

// firstRequest is the number of the first such step, from a run of its own.
func firstRequest(t *testing.T) int {
	t.Helper()
	p, err := program.Load(context.Background(), program.Spec{Dir: module, Test: "TestMachines", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := p.Log.Cursor(filterLog)
	for c.Next() {
		if strings.HasPrefix(string(c.Step().Message()), "got a request") {
			return int(c.Step().Number)
		}
	}
	t.Fatal("no request in the run")
	return 0
}
