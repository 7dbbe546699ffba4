package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// TestMain lets this binary stand for restep: as "test" it prints what a test
// may look like, as "sleep" it is a process to watch.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "test" {
		os.Exit(fakeRestep(os.Args[2:]))
	}
	if len(os.Args) > 1 && os.Args[1] == "wait" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakeRestep stands for restep test: TestPass passes, TestFail fails, TestLong
// goes on until it is interrupted.
func fakeRestep(args []string) int {
	fmt.Println(strings.Join(args, " "))
	switch args[0] {
	case "-run=^TestFail$":
		fmt.Println("restep: TestFail failed: sum is 90")
		fmt.Println("FAIL")
		return 1
	case "-run=^TestLong$":
		select {} // the interrupt ends it
	}
	fmt.Println("ok")
	return 0
}

// raw is a client that writes frames itself.
type raw struct {
	t     *testing.T
	conn  net.Conn
	in    *bufio.Reader
	ended chan error
}

func connectRaw(t *testing.T) *raw {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	here, there := net.Pipe()
	_ = here.SetDeadline(time.Now().Add(limit))
	r := &raw{t, here, bufio.NewReader(here), make(chan error, 1)}
	go func() { r.ended <- Serve(ctx, there, Options{}) }()
	return r
}

func (r *raw) send(body string) {
	r.t.Helper()
	if _, err := fmt.Fprintf(r.conn, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		r.t.Fatal(err)
	}
}

// answer is a response.
type answer struct {
	ID     any
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
	Method string
}

// receive returns the next response; notifications and requests of the server
// are left out.
func (r *raw) receive() answer {
	r.t.Helper()
	for {
		length := 0
		for {
			line, err := r.in.ReadString('\n')
			if err != nil {
				r.t.Fatal(err)
			}
			if line = strings.TrimSpace(line); line == "" {
				break
			}
			if n, ok := strings.CutPrefix(line, "Content-Length: "); ok {
				length, _ = strconv.Atoi(n)
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r.in, body); err != nil {
			r.t.Fatal(err)
		}
		var a answer
		if err := json.Unmarshal(body, &a); err != nil {
			r.t.Fatalf("%v in %s", err, body)
		}
		if a.Method == "" {
			return a
		}
	}
}

func (r *raw) wantError(code int) {
	r.t.Helper()
	if a := r.receive(); a.Error == nil || a.Error.Code != code {
		r.t.Errorf("answer %+v, want error %d", a, code)
	}
}

func (r *raw) wantEnd(want error) {
	r.t.Helper()
	select {
	case err := <-r.ended:
		if !errors.Is(err, want) {
			r.t.Errorf("the server ended with %v, want %v", err, want)
		}
	case <-time.After(limit):
		r.t.Error("the server goes on")
	}
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"rootUri":null,"capabilities":{}}}`

func TestLifecycle(t *testing.T) {
	r := connectRaw(t)
	r.send(`{"jsonrpc":"2.0","id":0,"method":"textDocument/hover","params":{}}`)
	r.wantError(-32002)
	r.send(initialize)
	if a := r.receive(); a.Error != nil || !strings.Contains(string(a.Result), `"positionEncoding":"utf-16"`) {
		t.Errorf("initialize: %+v", a)
	}
	r.send(strings.Replace(initialize, `"id":1`, `"id":2`, 1))
	r.wantError(-32600)
	r.send(`{"jsonrpc":"2.0","method":"initialized","params":{}}`)
	r.send(`{"jsonrpc":"2.0","id":"s","method":"shutdown"}`)
	if a := r.receive(); a.Error != nil || a.ID != "s" {
		t.Errorf("shutdown: %+v", a)
	}
	r.send(`{"jsonrpc":"2.0","id":3,"method":"textDocument/codeLens","params":{"textDocument":{"uri":"file:///x.go"}}}`)
	r.wantError(-32600)
	r.send(`{"jsonrpc":"2.0","method":"exit"}`)
	r.wantEnd(nil)
}

func TestExitWithoutShutdown(t *testing.T) {
	r := connectRaw(t)
	r.send(initialize)
	r.receive()
	r.send(`{"jsonrpc":"2.0","method":"exit"}`)
	r.wantEnd(ErrNoShutdown)
}

func TestClientGone(t *testing.T) {
	r := connectRaw(t)
	r.send(initialize)
	r.receive()
	_ = r.conn.Close()
	r.wantEnd(ErrNoShutdown)
}

// TestMalformed sends what is no message, or one that makes no sense: each is
// answered if it can be, and the next message is served.
func TestMalformed(t *testing.T) {
	r := connectRaw(t)
	r.send(initialize)
	r.receive()
	for _, c := range []struct {
		body string
		code int
	}{
		{`{"jsonrpc":`, -32700},
		{"\xff\xfe", -32700},
		{`[]`, -32600},
		{`42`, -32600},
		{`{"jsonrpc":"2.0","id":5,"method":"no/such","params":{}}`, -32601},
		{`{"jsonrpc":"2.0","id":6,"method":"textDocument/hover","params":{"textDocument":7}}`, -32602},
		{`{"jsonrpc":"2.0","id":7,"method":"workspace/executeCommand","params":{"command":"rm"}}`, -32602},
		{`{"jsonrpc":"2.0","id":8,"method":"workspace/executeCommand","params":{"command":"restep.runTest","arguments":[{"uri":"file:///x/y.go","test":"-x"}]}}`, -32602},
		{`{"jsonrpc":"2.0","id":9,"method":"workspace/executeCommand","params":{"command":"restep.explore","arguments":[{"uri":"file:///x/y.go","test":"TestX","seeds":"1 -o"}]}}`, -32602},
	} {
		r.send(c.body)
		if a := r.receive(); a.Error == nil || a.Error.Code != c.code {
			t.Errorf("%s: %+v, want error %d", c.body, a, c.code)
		}
	}
	for _, notification := range []string{
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":{}}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":[]}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":[]}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///x.go","version":1},"contentChanges":[{"text":""}]}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"untitled:1"}}}`,
		`{"jsonrpc":"2.0","method":"workspace/didChangeConfiguration","params":{"settings":[1]}}`,
		`{"jsonrpc":"2.0","method":"no/such","params":{}}`,
	} {
		r.send(notification)
	}
	r.send(`{"jsonrpc":"2.0","id":10,"method":"textDocument/codeLens","params":{"textDocument":{"uri":"file:///x.go"}}}`)
	if a := r.receive(); a.Error != nil || string(a.Result) != "[]" {
		t.Errorf("after all this: %+v", a)
	}
	if _, err := io.WriteString(r.conn, "Content-Length: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r.wantEnd(jsonrpc2.ErrInvalidHeader)
}

// TestEncodings edits a line with characters of all widths, in all units.
func TestEncodings(t *testing.T) {
	const content = "package m\n\nfunc TestA(t *testing.T) { _ = \"é€😀\" } // end\n"
	for _, c := range []struct {
		offered []protocol.PositionEncodingKind
		picked  protocol.PositionEncodingKind
		column  uint32 // of the text behind the string
	}{
		{nil, "utf-16", 37},
		{[]protocol.PositionEncodingKind{"utf-8", "utf-16"}, "utf-8", 42},
		{[]protocol.PositionEncodingKind{"utf-32"}, "utf-32", 36},
		{[]protocol.PositionEncodingKind{"utf-7", "utf-16"}, "utf-16", 37},
	} {
		t.Run(string(c.picked), func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
			client := connect(t, Options{})
			result, err := client.Initialize(client.ctx, &protocol.InitializeParams{
				Capabilities:          protocol.ClientCapabilities{General: &protocol.GeneralClientCapabilities{PositionEncodings: c.offered}},
				InitializationOptions: protocol.LSPAny(`{"tests":"all"}`),
			})
			if err != nil || result.Capabilities.PositionEncoding != c.picked {
				t.Fatalf("picked %v, %v", result, err)
			}
			id := client.open(t, filepath.Join(dir, "m_test.go"), content)
			p := &protocol.DidChangeTextDocumentParams{}
			p.TextDocument.URI, p.TextDocument.Version = id.URI, 2
			at := protocol.Position{Line: 2, Character: c.column}
			p.ContentChanges = []protocol.TextDocumentContentChangeEvent{
				&protocol.TextDocumentContentChangePartial{Range: protocol.Range{Start: at, End: at}, Text: "; _ = \"😀\" };func TestB(t *testing.T) {"},
				&protocol.TextDocumentContentChangePartial{Range: protocol.Range{}, Text: "// 😀\n"},
			}
			if err := client.DidChange(client.ctx, p); err != nil {
				t.Fatal(err)
			}
			list, err := client.CodeLens(client.ctx, &protocol.CodeLensParams{TextDocument: id})
			if err != nil {
				t.Fatal(err)
			}
			starts := map[string]protocol.Position{}
			for _, l := range list {
				if l.Command.Title == "run seed 1" {
					var args arguments
					if err := json.Unmarshal(l.Command.Arguments[0], &args); err != nil {
						t.Fatal(err)
					}
					starts[args.Test] = l.Range.Start
				}
			}
			smiley := map[protocol.PositionEncodingKind]uint32{"utf-8": 4, "utf-16": 2, "utf-32": 1}[c.picked]
			want := protocol.Position{Line: 3, Character: c.column + 6 + 2 + smiley + 3 + 5}
			if starts["TestB"] != want || starts["TestA"].Line != 3 {
				t.Errorf("tests are at %v, want TestB at %v", starts, want)
			}
		})
	}
}

// TestBrokenEdit: after an edit that cannot be, nothing is shown until the file
// is opened again.
func TestBrokenEdit(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
	const content = "package m\n\nfunc TestA(t *testing.T) {}\n"
	c := start(t, dir, func(p *protocol.InitializeParams) { p.InitializationOptions = protocol.LSPAny(`{"tests":"all"}`) })
	id := c.open(t, filepath.Join(dir, "m_test.go"), content)
	if len(c.lenses(t, id)) != 1 {
		t.Fatal("no lenses")
	}
	p := &protocol.DidChangeTextDocumentParams{ContentChanges: []protocol.TextDocumentContentChangeEvent{
		&protocol.TextDocumentContentChangePartial{Range: protocol.Range{Start: protocol.Position{Line: 2}}},
	}}
	p.TextDocument.URI = id.URI
	if err := c.DidChange(c.ctx, p); err != nil {
		t.Fatal(err)
	}
	if l := c.lenses(t, id); len(l) != 0 {
		t.Errorf("lenses %v of a text that nobody knows", l)
	}
	c.until(t, "a word about it", func() bool { return len(c.logged) == 1 && strings.Contains(c.logged[0], "open it again") })
	c.open(t, filepath.Join(dir, "m_test.go"), content)
	if len(c.lenses(t, id)) != 1 {
		t.Error("no lenses after it was opened again")
	}
}

// module makes a module with one recorded test.
func module(t testing.TB) (dir, file, content string) {
	dir = t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
	file, content = filepath.Join(dir, "m_test.go"), "package m\n\nfunc TestPass(t *testing.T) {\n\tt.Log(1)\n}\n"
	write(t, file, content)
	return dir, file, content
}

// after waits until something holds, which it looks at after each refresh.
func (c *client) after(t testing.TB, ok func() bool) {
	t.Helper()
	for {
		c.mu.Lock()
		before := c.refreshed
		c.mu.Unlock()
		if ok() {
			return
		}
		c.until(t, "what should hold after a refresh", func() bool { return c.refreshed > before })
	}
}

func recordPass(t testing.TB, dir string, seed uint64) {
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: seed, Result: runs.Pass}
	record(t, dir, &r, func(l *logtest.Log) {
		for range seed {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 2, Text: "x",
				Stack: []steplog.Frame{{Func: "example.com/m.TestPass", File: "example.com/m/m_test.go", Line: 4}}})
		}
	})
}

// TestResultsAppear: a run that ends while the editor is open is announced
// soon, and shown then.
func TestResultsAppear(t *testing.T) {
	dir, file, content := module(t)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	if h := c.hints(t, id); len(h) != 0 {
		t.Fatalf("hints %v before any run", h)
	}
	for seed := uint64(1); seed < 4; seed++ {
		recordPass(t, dir, seed)
		ended := time.Now()
		want := []string{"", "#1 main/2", "#1 main/2 ×2", "#1 main/2 ×3"}[seed]
		c.after(t, func() bool { h := c.hints(t, id)[3]; return len(h) == 1 && h[0] == want })
		if d := time.Since(ended); d > 300*time.Millisecond {
			t.Errorf("shown %v after the run's end", d)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, runs.Dir)); err != nil {
		t.Fatal(err)
	}
	c.after(t, func() bool { return len(c.hints(t, id)) == 0 })
}

// TestEditsAfterRun: what the editor and the disk become after a run does not
// change what ran.
func TestEditsAfterRun(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 1)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	if h := c.hints(t, id); len(h[3]) != 1 {
		t.Fatalf("hints %v", h)
	}
	moved := strings.Replace(content, "package m\n", "package m\n\n// new\n\n", 1)
	c.edit(t, id, moved)
	if err := os.WriteFile(file, []byte(moved), 0o644); err != nil { // saved
		t.Fatal(err)
	}
	if h := c.hints(t, id); len(h[6]) != 1 {
		t.Errorf("hints %v, want one in line 6", h)
	}
	recordPass(t, dir, 2) // another run of the build whose files are known
	c.after(t, func() bool { h := c.hints(t, id)[6]; return len(h) == 1 && h[0] == "#1 main/2 ×2" })
	c.edit(t, id, strings.Replace(moved, "t.Log(1)", "t.Log(2)", 1))
	if h := c.hints(t, id)[6]; len(h) != 1 || h[0] != "stale: #1 main/2 ×2" {
		t.Errorf("hints %v of an edited line", h)
	}
	if h := c.hover(t, id, protocol.Position{Line: 6, Character: 3}); !strings.Contains(h, "edited since") {
		t.Errorf("hover %s of an edited line", h)
	}
	c.edit(t, id, strings.Replace(moved, "\tt.Log(1)\n", "", 1))
	if h := c.hints(t, id); len(h) != 0 {
		t.Errorf("hints %v of a line that is gone", h)
	}
}

func TestCancel(t *testing.T) {
	dir, file, _ := module(t)
	c := start(t, dir, func(p *protocol.InitializeParams) { p.InitializationOptions = protocol.LSPAny(`{"output":true}`) })
	ctx, cancel := context.WithCancel(c.ctx)
	done := make(chan error, 1)
	go func() {
		_, err := c.ExecuteCommand(ctx, &protocol.ExecuteCommandParams{
			Command: runTest, Arguments: arguments{URI: string(uri.File(file)), Test: "TestLong"}.list(),
		})
		done <- err
	}()
	c.until(t, "the run to begin", func() bool { return len(c.outputs) > 0 })
	// Other requests are answered meanwhile.
	if _, err := c.execute(debugTest, arguments{URI: string(uri.File(file)), Test: "TestX"}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the request ended with %v", err)
	}
	if err := c.Shutdown(c.ctx); err != nil {
		t.Error(err)
	}
	if err := c.Exit(c.ctx); err != nil {
		t.Error(err)
	}
	if err := <-c.ended; err != nil { // it waits for its child
		t.Errorf("the server ended with %v", err)
	}
}

func TestRunCommands(t *testing.T) {
	dir, file, _ := module(t)
	yes := true
	c := start(t, dir, func(p *protocol.InitializeParams) {
		p.InitializationOptions = protocol.LSPAny(`{"output":true}`)
		p.Capabilities.Window = &protocol.WindowClientCapabilities{WorkDoneProgress: &yes}
	})
	u := string(uri.File(file))
	for _, x := range []struct {
		command string
		args    arguments
		line    string // first one that restep printed; X stands for any number
		result  string
	}{
		{runTest, arguments{URI: u, Test: "TestPass"}, "-run=^TestPass$ -seed=1 .", `{"result":"pass","exitCode":0,"message":"TestPass seed 1: pass"}`},
		{runTest, arguments{URI: u, Test: "TestPass", Seed: seed(1<<64 - 1)}, "-run=^TestPass$ -seed=18446744073709551615 .", `"result":"pass"`},
		{runTestWithSeed, arguments{URI: u, Test: "TestPass"}, "-run=^TestPass$ -seed=", `"result":"pass"`},
		{explore, arguments{URI: u, Test: "TestPass"}, "-run=^TestPass$ -seeds=1-100 .", `"TestPass seeds 1-100: pass"`},
		{explore, arguments{URI: u, Test: "TestFail", Seeds: "3,5-9"}, "-run=^TestFail$ -seeds=3,5-9 .",
			`{"result":"fail","exitCode":1,"message":"TestFail seeds 3,5-9: TestFail failed: sum is 90"}`},
	} {
		c.mu.Lock()
		c.outputs, c.messages, c.progress = nil, nil, nil
		c.mu.Unlock()
		got, err := c.execute(x.command, x.args)
		if err != nil || !strings.Contains(got, x.result) {
			t.Errorf("%s: %s, %v, want %s", x.command, got, err, x.result)
		}
		c.until(t, "output, message and progress", func() bool { return len(c.outputs) >= 2 && len(c.messages) == 1 && len(c.progress) == 2 })
		if !strings.HasPrefix(c.outputs[0], x.line) {
			t.Errorf("%s ran %s, want %s", x.command, c.outputs[0], x.line)
		}
		if !strings.Contains(c.progress[0], `"kind":"begin"`) || !strings.Contains(c.progress[1], `"kind":"end"`) {
			t.Errorf("progress %q", c.progress)
		}
	}
}

func TestProgressCancel(t *testing.T) {
	dir, file, _ := module(t)
	yes := true
	c := start(t, dir, func(p *protocol.InitializeParams) {
		p.InitializationOptions = protocol.LSPAny(`{"output":true}`)
		p.Capabilities.Window = &protocol.WindowClientCapabilities{WorkDoneProgress: &yes}
	})
	done := make(chan error, 1)
	go func() {
		_, err := c.execute(runTest, arguments{URI: string(uri.File(file)), Test: "TestLong"})
		done <- err
	}()
	c.until(t, "the run to begin", func() bool { return len(c.outputs) > 0 && len(c.progress) > 0 })
	token, _, _ := strings.Cut(c.progress[0], " ")
	if err := c.WorkDoneProgressCancel(c.ctx, &protocol.WorkDoneProgressCancelParams{Token: protocol.String(token)}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, protocol.ErrRequestCancelled) {
		t.Errorf("the request ended with %v", err)
	}
}

// TestHits goes through the steps of a line by its lenses.
func TestHits(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 3)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	for _, want := range []struct{ command, title string }{
		{nextHit, "#2 main/2"}, {nextHit, "#3 main/2"}, {nextHit, "#1 main/2"}, {previousHit, "#3 main/2"},
	} {
		for _, l := range c.lenses(t, id)[3] {
			if l.Command == want.command {
				if _, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: l.Command, Arguments: l.Arguments}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := c.lenses(t, id)[3][1].Title; got != want.title {
			t.Errorf("after %s the lens is %s, want %s", want.command, got, want.title)
		}
		if got := c.hints(t, id)[3][0]; got != want.title+" ×3" {
			t.Errorf("the hint is %s", got)
		}
	}
	if _, err := c.execute(nextHit, arguments{URI: string(id.URI), Test: "TestPass", Line: 4, Step: 99}); err == nil {
		t.Error("a step that the line does not have is taken")
	}
}

func TestDebugCommand(t *testing.T) {
	dir, file, _ := module(t)
	c := start(t, dir, nil)
	got, err := c.execute(goToStep, arguments{URI: string(uri.File(file)), Test: "TestPass", Seed: seed(37), Step: 412})
	want := `{"name":"TestPass seed 37 #412","type":"restep","request":"launch","program":"` + dir + `","test":"TestPass","seed":37,"step":412}`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := c.execute(debugTest, arguments{URI: string(uri.File(file)), Test: "TestPass", Package: "example.com/other"}); err == nil {
		t.Error("a package of another module is taken")
	}
}

// TestCorrupt: a log that is damaged is reported once, whatever happens after.
func TestCorrupt(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 2)
	logs, err := filepath.Glob(filepath.Join(dir, runs.Dir, "logs", "*"))
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	if err := os.WriteFile(logs[0], []byte("RESTEPLG garbage \x1b[31m"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	if h := c.hints(t, id); len(h) != 0 {
		t.Errorf("hints %v of garbage", h)
	}
	c.until(t, "a complaint", func() bool { return len(c.logged) > 0 })
	index := filepath.Join(dir, runs.Dir, "index")
	for range 2 { // lines that are no JSON change the index, not what it says
		c.mu.Lock()
		before := c.refreshed
		c.mu.Unlock()
		f, err := os.OpenFile(index, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("garbage\n"); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		c.until(t, "a refresh", func() bool { return c.refreshed > before })
	}
	if len(c.logged) != 1 || !strings.Contains(c.logged[0], logs[0]) && !strings.Contains(c.logged[0], filepath.Base(logs[0])) {
		t.Errorf("logged %q, want one line that names the log", c.logged)
	}
}

// TestFolders: folders that come and go bring and take their errors.
func TestFolders(t *testing.T) {
	dir, file, _ := module(t)
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 1, Result: runs.Fail,
		Failure: &runs.Failure{Message: "x", File: "example.com/m/m_test.go", Line: 4, Step: 1}}
	record(t, dir, &r, func(*logtest.Log) {})
	c := start(t, t.TempDir(), nil)
	folders := []protocol.WorkspaceFolder{{URI: uri.File(dir), Name: "m"}}
	change := &protocol.DidChangeWorkspaceFoldersParams{Event: protocol.WorkspaceFoldersChangeEvent{Added: folders, Removed: []protocol.WorkspaceFolder{}}}
	if err := c.DidChangeWorkspaceFolders(c.ctx, change); err != nil {
		t.Fatal(err)
	}
	u := uri.File(file)
	c.until(t, "an error", func() bool { return len(c.diagnostics[u]) == 1 })
	change.Event = protocol.WorkspaceFoldersChangeEvent{Removed: folders, Added: []protocol.WorkspaceFolder{}}
	if err := c.DidChangeWorkspaceFolders(c.ctx, change); err != nil {
		t.Fatal(err)
	}
	c.until(t, "no error", func() bool { return len(c.diagnostics[u]) == 0 })
}

// TestPulledConfiguration: what the client answers when it is asked counts.
func TestPulledConfiguration(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 1)
	yes := true
	c := start(t, dir, func(p *protocol.InitializeParams) { p.Capabilities.Workspace.Configuration = &yes })
	id := c.open(t, file, content)
	if len(c.lenses(t, id)[2]) == 0 {
		t.Fatal("no lenses")
	}
	c.mu.Lock()
	c.config = `{"tests":"off"}`
	c.mu.Unlock()
	if err := c.DidChangeConfiguration(c.ctx, &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny("null")}); err != nil {
		t.Fatal(err)
	}
	c.after(t, func() bool { return len(c.lenses(t, id)[2]) == 0 })
}

// TestParentDies: the server ends when the process that started it does, even
// if somebody else keeps the connection open.
func TestParentDies(t *testing.T) {
	parent := exec.Command(os.Args[0], "wait")
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	c := connect(t, Options{})
	pid := int32(parent.Process.Pid)
	if _, err := c.Initialize(c.ctx, &protocol.InitializeParams{ProcessID: &pid}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-c.ended:
		t.Fatalf("the server ended with %v while its parent lives", err)
	default:
	}
	_ = stdin.Close()
	if err := parent.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := <-c.ended; err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("the server ended with %v", err)
	}
}
