package lsp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/replay/runs"
)

// frames writes messages as they are sent.
func frames(messages ...string) []byte {
	var b bytes.Buffer
	for _, m := range messages {
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(m), m)
	}
	return b.Bytes()
}

// readWriter is a connection that has said all.
type readWriter struct {
	io.Reader
	io.Writer
}

func (readWriter) Close() error { return nil }

// FuzzStream reads any bytes as frames. There are no more messages than fit,
// and the end is told once.
func FuzzStream(f *testing.F) {
	f.Add(frames(initialize, `{"jsonrpc":"2.0","method":"exit"}`))
	f.Add([]byte("Content-Type: x\r\ncontent-length:2\n\n{}Content-Length: 99999999999\r\n\r\n"))
	f.Add([]byte("Content-Length: 3\r\n\r\n[1]Content-Length: -1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		ends := 0
		s := newStream(readWriter{bytes.NewReader(b), &out}, func(error) { ends++ })
		for n := 0; ; n++ {
			if _, _, err := s.Read(context.Background()); err != nil {
				break
			}
			if n > len(b) {
				t.Fatal("it reads messages that nobody sent")
			}
		}
		if ends != 1 {
			t.Fatalf("the end was told %d times", ends)
		}
		// What it answers can be read back.
		back := newStream(readWriter{&out, io.Discard}, func(error) {})
		for {
			if frame, err := back.frame(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v in its answer %q", err, frame)
			}
		}
	})
}

// FuzzServe is a client that says anything after it has initialized, and goes.
// The server ends, whatever it was.
func FuzzServe(f *testing.F) {
	f.Add(frames(`{"jsonrpc":"2.0","method":"initialized","params":{}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{`+
			`"textDocument":{"uri":"file:///m/m_test.go","languageId":"go","version":1,`+
			`"text":"package m\n// restep://v1/x?test=T&seed=1\nfunc TestA(t *testing.T) {}\n"}}}`,
		`{"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///m/m_test.go","version":2},`+
			`"contentChanges":[{"range":{"start":{"line":1,"character":0},"end":{"line":2,"character":0}},"text":"x\n"}]}}`,
		`{"jsonrpc":"2.0","id":2,"method":"textDocument/codeLens","params":{"textDocument":{"uri":"file:///m/m_test.go"}}}`,
		`{"jsonrpc":"2.0","id":"h","method":"textDocument/hover","params":{"textDocument":{"uri":"file:///m/m_test.go"},"position":{"line":2,"character":7}}}`,
		`{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"h"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"textDocument/documentLink","params":{"textDocument":{"uri":"file:///m/m_test.go"}}}`))
	f.Add(frames(`{"jsonrpc":"2.0","id":4,"method":"textDocument/codeAction","params":{"textDocument":{"uri":"file:///m.go"},`+
		`"range":{"start":{"line":4294967295,"character":0},"end":{"line":0,"character":1}},"context":{"diagnostics":[],"only":["x"],"triggerKind":2}}}`,
		command(5, `"command":"restep.debug","arguments":[{"uri":"file:///m.go","test":"TestA","seed":"18446744073709551615"}]`),
		command(6, `"command":"restep.copyLink","arguments":[{"uri":"file:///m.go","test":"TestA","link":"restep://v1/x?test=T&seed=1"}]`),
		`{"jsonrpc":"2.0","method":"workspace/didChangeConfiguration","params":{"settings":{"restep":{"tests":"all","hints":{"logs":false},"buildFlags":["-x"]}}}}`,
		`{"jsonrpc":"2.0","id":7,"method":"shutdown"}`, `{"jsonrpc":"2.0","method":"exit"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		here, there := net.Pipe()
		_ = here.SetDeadline(time.Now().Add(limit))
		ended := make(chan error, 1)
		go func() { ended <- Serve(ctx, there, Options{}) }()
		go func() { _, _ = io.Copy(io.Discard, here) }()
		_, _ = here.Write(append(frames(initialize), b...)) // it may end before all is said
		_ = here.Close()
		select {
		case <-ended:
		case <-ctx.Done():
			t.Fatalf("the server goes on after %q", b)
		}
	})
}

var fenceEnd = regexp.MustCompile("^ {0,3}(`{3,})[ \t]*$")

// FuzzHover shows any message of any machine: nothing of it ends the block of
// code that it is in, and nothing of it acts on a terminal.
func FuzzHover(f *testing.F) {
	f.Add("```\n[x](command:y)", "$(zap)", uint64(3))
	f.Add("~~~\r\n````text\n<img onerror=x>\x1b]8;;x\x07\u202e", "`````", uint64(1))
	f.Fuzz(func(t *testing.T, message, who string, count uint64) {
		line := &hits.Line{Count: count, First: []hits.Detail{{Step: 1, Who: who, Message: message}, {Step: 2, Who: message, Message: who}}}
		text := fenced(table(&place{run: &hits.Run{Result: runs.Result{Test: who, Result: runs.Pass}}, hits: line}))
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		fence := strings.TrimSuffix(lines[0], "text")
		for i, l := range lines {
			m := fenceEnd.FindStringSubmatch(l)
			if ends := m != nil && len(m[1]) >= len(fence); ends != (i == len(lines)-1) {
				t.Fatalf("the block ends in line %d of\n%q", i, text)
			}
			if strings.ContainsFunc(l, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
				t.Fatalf("a control character in line %d of %q", i, text)
			}
		}
		for _, s := range []string{label(message), label(who)} {
			if strings.Contains(s, "$(") || strings.ContainsAny(s, "\r\n\x1b") {
				t.Fatalf("label %q", s)
			}
		}
	})
}
