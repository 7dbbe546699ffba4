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
)

// builtDir is where tests built restep, for TestMain to remove.
var builtDir string

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
	code := m.Run()
	if builtDir != "" {
		_ = os.RemoveAll(builtDir)
	}
	os.Exit(code)
}

// raw is a client that writes frames itself.
type raw struct {
	t     testing.TB
	conn  net.Conn
	in    *bufio.Reader
	ended chan error
}

func connectRaw(t testing.TB) *raw {
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

// frame returns the body of the next message.
func (r *raw) frame() []byte {
	r.t.Helper()
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
	return body
}

// receive returns the next response; notifications and requests of the server
// are left out.
func (r *raw) receive() answer {
	r.t.Helper()
	for {
		body := r.frame()
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

// command is a request for a command.
func command(id int, params string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"workspace/executeCommand","params":{%s}}`, id, params)
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
		{command(7, `"command":"rm"`), -32602},
		{command(8, `"command":"restep.runTest","arguments":[{"uri":"file:///x/y.go","test":"-x"}]`), -32602},
		{command(9, `"command":"restep.explore","arguments":[{"uri":"file:///x/y.go","test":"TestX","seeds":"1 -o"}]`), -32602},
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

// TestPanic: a handler that panics fails its request, and nothing else.
func TestPanic(t *testing.T) {
	hintKinds["broken"] = func(*place, int) string { panic("broken hint") }
	defer delete(hintKinds, "broken")
	dir, file, content := module(t)
	recordPass(t, dir, 1)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	_, err := c.InlayHint(c.ctx, &protocol.InlayHintParams{TextDocument: id, Range: protocol.Range{End: protocol.Position{Line: 100}}})
	if err == nil || !strings.Contains(err.Error(), "broken hint") {
		t.Errorf("the request ended with %v", err)
	}
	c.until(t, "a word about it", func() bool { return len(c.logged) == 1 && strings.Contains(c.logged[0], "broken hint") })
	if len(c.lenses(t, id)) == 0 {
		t.Error("other requests fail, too")
	}
}
