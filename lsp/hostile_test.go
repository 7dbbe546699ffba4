package lsp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.lsp.dev/jsonrpc2"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
)

// TestLongFrame: a message that is too long is left out and answered; the next
// one is served.
func TestLongFrame(t *testing.T) {
	r := connectRaw(t)
	r.send(initialize)
	r.receive()
	if _, err := fmt.Fprintf(r.conn, "Content-Length: %d\r\n\r\n", maxFrame+1); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(r.conn, endless{}, maxFrame+1); err != nil {
		t.Fatal(err)
	}
	r.wantError(-32600)
	r.send(`{"jsonrpc":"2.0","id":10,"method":"textDocument/codeLens","params":{"textDocument":{"uri":"file:///x.go"}}}`)
	if a := r.receive(); a.Error != nil || string(a.Result) != "[]" {
		t.Errorf("the next message: %+v", a)
	}
}

// endless is a reader of spaces.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// TestBrokenFrames: what cannot be told from the next frame ends the server,
// with a reason, and costs no memory before it has come.
func TestBrokenFrames(t *testing.T) {
	for _, c := range []struct {
		what, bytes string
		want        error
	}{
		{"no length", "Content-Type: x\r\n\r\n{}", jsonrpc2.ErrInvalidHeader},
		{"a length above all numbers", "Content-Length: 99999999999999999999999\r\n\r\n", jsonrpc2.ErrInvalidHeader},
		{"a length below zero", "Content-Length: -1\r\n\r\n", jsonrpc2.ErrInvalidHeader},
		{"a header without end", strings.Repeat("X-Field: value\r\n", 1000), jsonrpc2.ErrInvalidHeader},
		{"a line without end", strings.Repeat("x", 20_000), jsonrpc2.ErrInvalidHeader},
		{"the client is gone in a header", "Content-Le", io.ErrUnexpectedEOF},
		{"the client is gone in a message", "Content-Length: 60000000\r\n\r\n{", io.ErrUnexpectedEOF},
		{"the client is gone in a message that is too long", "Content-Length: 6000000000\r\n\r\n{", io.ErrUnexpectedEOF},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := connectRaw(t)
			r.send(initialize)
			r.receive()
			_, err := io.WriteString(r.conn, c.bytes)
			if err != nil && !errors.Is(err, io.ErrClosedPipe) { // it need not read all of it
				t.Fatal(err)
			}
			_ = r.conn.Close()
			r.wantEnd(c.want)
		})
	}
}

// TestStrayMessages: answers to what was never asked, and cancelling what is
// not under way, change nothing.
func TestStrayMessages(t *testing.T) {
	r := connectRaw(t)
	r.send(`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}`) // before initialize
	r.send(initialize)
	r.receive()
	for _, m := range []string{
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"nobody's"}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1.5}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest"}`,
		`{"jsonrpc":"2.0","id":77,"result":null}`,
		`{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"\u001b[31m"}}`,
		`{"jsonrpc":"2.0","method":"window/workDoneProgress/cancel","params":{"token":"nobody's"}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///never/opened.go"}}}`,
		`{"jsonrpc":"2.0","method":"workspace/didChangeWorkspaceFolders","params":{"event":` +
			`{"added":[{"uri":"http://x/y","name":"x"}],"removed":[{"uri":"file:///never","name":"y"}]}}}`,
	} {
		r.send(m)
	}
	r.send(`{"jsonrpc":"2.0","id":10,"method":"textDocument/inlayHint","params":{"textDocument":{"uri":"file:///x.go"},` +
		`"range":{"start":{"line":4294967295,"character":4294967295},"end":{"line":0,"character":0}}}}`)
	if a := r.receive(); a.Error != nil || string(a.Result) != "[]" {
		t.Errorf("after all this: %+v", a)
	}
	r.send(`{"jsonrpc":"2.0","id":11,"method":"shutdown"}`)
	r.receive()
	r.send(`{"jsonrpc":"2.0","method":"exit"}`)
	r.wantEnd(nil)
}

// TestCutLogs: a log that ends anywhere shows what is left of it or nothing, and
// is complained about once, whatever is asked and however often.
func TestCutLogs(t *testing.T) {
	for _, part := range []int{0, 1, 50, 75, 99} {
		t.Run(fmt.Sprint(part, "%"), func(t *testing.T) {
			dir, file, content := module(t)
			r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 1, Result: runs.Pass}
			record(t, dir, &r, func(l *logtest.Log) {
				for range 2000 {
					l.Add(passEvent)
				}
			})
			name := filepath.Join(dir, runs.Dir, "logs", r.Log)
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(name, info.Size()*int64(part)/100); err != nil {
				t.Fatal(err)
			}
			c := start(t, dir, nil)
			id := c.open(t, file, content)
			whole := false
			for range 3 {
				if h := c.hints(t, id)[3]; len(h) > 1 || len(h) == 1 && !strings.HasPrefix(h[0], "#1 main/2 ×") {
					t.Errorf("hints %q", h)
				} else if len(h) == 1 && h[0] == "#1 main/2 ×2000" {
					whole = true // what was cut off was not used
				}
				c.mu.Lock()
				before := c.refreshed // read first: the refresh may be here before recordOther returns
				c.mu.Unlock()
				recordOther(t, dir)
				c.until(t, "the next run", func() bool { return c.refreshed > before })
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if complained := len(c.logged) == 1; complained == whole || len(c.logged) > 1 {
				t.Errorf("complaints %q", c.logged)
			}
		})
	}
}

// recordOther puts a run of another test into the store.
func recordOther(t *testing.T, dir string) {
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestOther", Result: runs.Pass}
	record(t, dir, &r, func(*logtest.Log) {})
}
