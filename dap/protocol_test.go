package dap

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestErrorIDsUnique(t *testing.T) {
	seen := map[errorID]bool{}
	for _, id := range allErrorIDs {
		if seen[id] || id <= 10000 {
			t.Errorf("id %d is there twice, or is one of Delve's", id)
		}
		seen[id] = true
	}
	if want := int(idInternal - idMalformed + 1); len(seen) != want {
		t.Errorf("allErrorIDs has %d of %d ids", len(seen), want)
	}
}

func TestReadFrame(t *testing.T) {
	for _, test := range []struct{ name, in, want, err string }{
		{"plain", "Content-Length: 2\r\n\r\n{}", "{}", ""},
		{"more headers", "Content-Type: x\r\ncontent-length:2\r\n\r\n{}", "{}", ""},
		{"bare newlines", "Content-Length: 2\n\n{}", "{}", ""},
		{"empty", "Content-Length: 0\r\n\r\n", "", ""},
		{"end", "", "", "EOF"},
		{"end in header", "Content-Le", "", "unexpected EOF"},
		{"end after header", "Content-Length: 2\r\n", "", "unexpected EOF"},
		{"end in content", "Content-Length: 3\r\n\r\n{}", "", "unexpected EOF"},
		{"no length", "X: 2\r\n\r\n{}", "", "no Content-Length"},
		{"no number", "Content-Length: x\r\n\r\n{}", "", "has no length"},
		{"negative", "Content-Length: -1\r\n\r\n{}", "", "has no length"},
		{"too long", "Content-Length: 4194305\r\n\r\n", "", "the limit is"},
		{"huge", "Content-Length: 99999999999999999999\r\n\r\n", "", "has no length"},
		{"no colon", "hello\r\n\r\n", "", "no colon"},
		{"endless header", strings.Repeat("a", maxHeader+2), "", "too long"},
		{"many headers", strings.Repeat("A: b\r\n", maxHeader), "", "too long"},
	} {
		got, err := readFrame(bufio.NewReader(strings.NewReader(test.in)))
		if test.err == "" && (err != nil || string(got) != test.want) || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}"))
	f.Add([]byte("Content-Length: 19\r\n\r\n{\"type\":\"request\"}\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReader(bytes.NewReader(in))
		codec := newCodec()
		for {
			b, err := readFrame(r)
			if err != nil {
				return
			}
			if len(b) > len(in) {
				t.Fatalf("%d bytes out of %d", len(b), len(in))
			}
			if _, err := codec.DecodeMessage(b); err != nil {
				requestHead(b)
			}
		}
	})
}

// TestWrongOrder sends what is not allowed yet, or twice.
func TestWrongOrder(t *testing.T) {
	c := dial(t, Options{})
	for _, early := range []string{"launch", "configurationDone", "threads", "continue", "setBreakpoints", commandJump, commandSteps} {
		if id, text := c.fail(early, map[string]any{}); id != int(idOrder) || !strings.Contains(text, "before initialize") {
			t.Errorf("%s: %d %s", early, id, text)
		}
	}
	c.initialize()
	if id, _ := c.fail("initialize", map[string]any{"linesStartAt1": true}); id != int(idAlreadyThere) {
		t.Errorf("second initialize: %d", id)
	}
	if id, text := c.fail("attach", map[string]any{"processId": 1}); id != int(idUnsupported) || !strings.Contains(text, "launched") {
		t.Errorf("attach: %d %s", id, text)
	}
	if id, text := c.fail("no/such/request", nil); id != int(idUnknown) || !strings.Contains(text, `"no/such/request"`) {
		t.Errorf("unknown request: %d %s", id, text)
	}
	for _, never := range []string{"stepInTargets", "terminateThreads"} {
		if id, text := c.fail(never, map[string]any{"threadId": 1}); id != int(idUnsupported) || !strings.Contains(text, "not supported") {
			t.Errorf("%s: %d %s", never, id, text)
		}
	}
	c.do("cancel", map[string]any{"requestId": 1})
	c.do("terminate", nil)
	c.event("terminated")
	if id, text := c.fail("launch", map[string]any{}); id != int(idAlreadyThere) {
		t.Errorf("launch after terminate: %d %s", id, text)
	}
	c.do("disconnect", nil)
	if err := c.wait(); err != nil {
		t.Error(err)
	}
}

func TestInitializeArguments(t *testing.T) {
	c := dial(t, Options{})
	if id, _ := c.fail("initialize", map[string]any{"pathFormat": "uri", "linesStartAt1": true, "columnsStartAt1": true}); id != int(idInitialize) {
		t.Error(id)
	}
	if id, _ := c.fail("initialize", map[string]any{"linesStartAt1": false, "columnsStartAt1": true}); id != int(idInitialize) {
		t.Error(id)
	}
	c.initialize()
}

func TestMalformedMessages(t *testing.T) {
	for _, test := range []struct{ name, send, want string }{
		{"no JSON", "Content-Length: 5\r\n\r\nhello", "malformed message"},
		{"no message", "Content-Length: 2\r\n\r\n{}", "malformed message"},
		{"no frame", "GET / HTTP/1.1\r\n\r\n", "malformed message"},
		{"bad length", "Content-Length: minus\r\n\r\n", "malformed message"},
		{"too long", "Content-Length: 99999999\r\n\r\n", "malformed message"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, Options{})
			io.WriteString(c.conn, test.send)
			if out := c.event("output"); !strings.Contains(out.text("body", "output"), test.want) {
				t.Errorf("output: %v", out)
			}
			c.event("terminated")
			if err := c.wait(); err == nil {
				t.Error("the session ended without an error")
			}
			noChildren(t)
		})
	}
	t.Run("malformed arguments", func(t *testing.T) {
		c := dial(t, Options{})
		c.raw(`{"seq":1,"type":"request","command":"initialize","arguments":{"linesStartAt1":"yes"}}`)
		m := c.answer(1)
		if m.at("success") != false || !strings.Contains(m.text("message"), "malformed") {
			t.Errorf("%v", m)
		}
		c.seq = 1
		c.initialize() // and the session goes on
	})
}

func TestToken(t *testing.T) {
	for _, token := range []any{nil, "", "wrong", 7} {
		c := dial(t, Options{Token: "right"})
		c.initialize()
		args := map[string]any{"program": module, "test": "TestMachines"}
		if token != nil {
			args["token"] = token
		}
		if id, text := c.fail("launch", args); id != int(idToken) && token != 7 {
			t.Errorf("token %v: %d %s", token, id, text)
		}
		if token == 7 {
			continue
		}
		args["token"] = "right"
		c.send("launch", args)
		if m := c.read(); m != nil {
			t.Errorf("there is a second try: %v", m)
		}
	}
	c := dial(t, Options{Token: "right"})
	c.launch(map[string]any{"token": "right", "stopOnEntry": true})
	c.stop()
}

func TestListen(t *testing.T) {
	for _, bad := range []string{"0.0.0.0:0", ":0", "8.8.8.8:1", "[::]:0", "127.0.0.1", "example.com:80"} {
		if l, err := Listen(bad); err == nil {
			l.Close()
			t.Errorf("listens on %s", bad)
		}
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ServeListener(context.Background(), l, Options{}, nil); err == nil {
		t.Error("serves without a token")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ServeListener(ctx, l, Options{Token: "x"}, func(err error) { t.Log(err) }) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "Content-Length: 4\r\n\r\nnull") // wakes the session
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestLaunchArguments(t *testing.T) {
	c := dial(t, Options{})
	c.initialize()
	for _, test := range []struct {
		args map[string]any
		id   errorID
		want string
	}{
		{map[string]any{"program": module}, idArguments, `no "test"`},
		{map[string]any{"program": filepath.Join(module, "nowhere"), "test": "TestX"}, idArguments, "no program"},
		{map[string]any{"program": module, "test": "TestX", "seed": -1}, idArguments, "wrong"},
		{map[string]any{"program": module, "test": "TestX", "seed": "one"}, idArguments, "wrong"},
		{map[string]any{"program": module, "test": "TestX", "seed": 1.5}, idArguments, "wrong"},
		{map[string]any{"program": module, "test": "TestX", "buildFlags": 3}, idArguments, "list of strings"},
		{map[string]any{"program": module, "test": "TestX", "env": map[string]any{"A=B": "c"}}, idArguments, "impossible name"},
		{map[string]any{"program": module, "test": "TestNoSuch"}, idLaunch, "no such test"},
		{map[string]any{"program": "example.org/elsewhere", "cwd": module, "test": "TestX"}, idLaunch, "example.org/elsewhere"},
		{map[string]any{"program": module, "test": "TestMachines", "step": 0}, idNoStep, "#1 to #"},
		{map[string]any{"program": module, "test": "TestMachines", "step": 1 << 40}, idNoStep, "#1 to #"},
	} {
		if id, text := c.fail("launch", test.args); id != int(test.id) || !strings.Contains(text, test.want) {
			t.Errorf("%v: %d %s", test.args, id, text)
		}
		noChildren(t)
	}
	// Then the right ones, by import path.
	c.do("launch", map[string]any{"program": "example.org/machines", "cwd": module, "test": "TestMachines", "seed": " 1", "stopOnEntry": true})
	c.do("configurationDone", nil)
	s := c.stop()
	if id, text := c.fail(commandJump, map[string]any{"step": 0}); id != int(idNoStep) {
		t.Errorf("jump to 0: %d %s", id, text)
	}
	if id, text := c.fail(commandJump, map[string]any{"step": 1 << 40}); id != int(idNoStep) {
		t.Errorf("jump too far: %d %s", id, text)
	}
	if id, text := c.fail(commandSteps, map[string]any{"grep": "("}); id != int(idArguments) {
		t.Errorf("bad expression: %d %s", id, text)
	}
	if id, text := c.fail(commandSteps, map[string]any{"kind": "log,nonsense"}); id != int(idArguments) {
		t.Errorf("bad kind: %d %s", id, text)
	}
	if id, text := c.fail("setExceptionBreakpoints", map[string]any{"filters": []string{"nonsense"}}); id != int(idArguments) {
		t.Errorf("bad filter: %d %s", id, text)
	}
	if list := c.do("loadedSources", nil).list("body", "sources"); len(list) != 1 || list[0].text("path") != filepath.Join(module, "machines_test.go") {
		t.Errorf("sources: %v", list)
	}
	if got := c.eval(s, "count"); got != "100" {
		t.Errorf("failed requests moved the program: count is %s", got)
	}
}
