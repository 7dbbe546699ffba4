package lsp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// fakeRestep stands for restep test: TestPass passes, TestFail fails, TestLong
// goes on until it is interrupted.
func fakeRestep(args []string) int {
	fmt.Println(strings.Join(args, " "))
	switch args[0] {
	case "-run=^TestFail$":
		fmt.Println("restep: TestFail failed: sum is 90")
		fmt.Println("FAIL")
		return 1
	case "-run=^TestTagged$":
		fmt.Println("testing: warning: no tests to run")
		fmt.Println("ok  \texample.com/m\t0.012s [no tests to run]")
		return 0
	case "-run=^TestLong$":
		select {} // the interrupt ends it
	}
	fmt.Println("ok")
	return 0
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
			`{"result":"fail","exitCode":1,"message":"TestFail seeds 3,5-9: sum is 90"}`},
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

// TestDebuggedAt lets a debug session be at several steps: a line shows the hit
// that it is at, or its last one, until a user chooses another one.
func TestDebuggedAt(t *testing.T) {
	dir, file, content := module(t)
	recordPass(t, dir, 3)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	at := func(args string) error {
		_, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: debuggedAt, Arguments: []protocol.LSPAny{protocol.LSPAny(args)}})
		return err
	}
	for _, x := range []struct{ args, title string }{
		{`{"package":"example.com/m","test":"TestPass/sub","seed":3,"step":3}`, "#3 main/2"},
		{`{"package":"example.com/m","test":"TestPass","seed":3,"variant":"0","step":2}`, "#2 main/2"},
		{`{"package":"example.com/m","test":"TestPass","seed":3,"step":99}`, "#3 main/2"},
		{`{"package":"example.com/m","test":"TestPass","seed":2,"step":2}`, "#1 main/2"},
		{`{"package":"example.com/m","test":"TestPass","seed":3,"variant":"f","step":2}`, "#1 main/2"},
		{`{"package":"example.com/other","test":"TestPass","seed":3,"step":2}`, "#1 main/2"},
		{`{"package":"example.com/m","test":"TestPass","seed":3,"step":2}`, "#2 main/2"},
	} {
		if err := at(x.args); err != nil {
			t.Fatal(err)
		}
		if got := c.lenses(t, id)[3][1].Title; got != x.title {
			t.Errorf("at %s the lens is %s, want %s", x.args, got, x.title)
		}
		if got := c.hints(t, id)[3][0]; got != x.title+" ×3" {
			t.Errorf("at %s the hint is %s", x.args, got)
		}
	}
	if _, err := c.execute(nextHit, arguments{URI: string(id.URI), Test: "TestPass", Line: 4, Step: 1}); err != nil {
		t.Fatal(err)
	}
	if got := c.lenses(t, id)[3][1].Title; got != "#1 main/2" {
		t.Errorf("a later choice of the user shows %s", got)
	}
	for _, bad := range []string{`7`, `{"step":-1}`, `{"variant":"x"}`} {
		if at(bad) == nil {
			t.Errorf("%s is taken", bad)
		}
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

// TestBuildFlags: settings reach restep test and the debugger, and an empty
// one takes the flags back.
func TestBuildFlags(t *testing.T) {
	dir, file, _ := module(t)
	c := start(t, dir, func(p *protocol.InitializeParams) {
		p.InitializationOptions = protocol.LSPAny(`{"output":true,"buildFlags":["-tags=a b","-mod=vendor"],"env":{"B":"2","A":"x y"}}`)
	})
	args := arguments{URI: string(uri.File(file)), Test: "TestPass"}
	for _, want := range []struct{ run, launch string }{
		{"-run=^TestPass$ -seed=1 -env A=x y -env B=2 -tags=a b -mod=vendor .", `"buildFlags":["-tags=a b","-mod=vendor"],"env":{"A":"x y","B":"2"}}`},
		{"-run=^TestPass$ -seed=1 .", `"seed":1}`},
	} {
		if _, err := c.execute(runTest, args); err != nil {
			t.Fatal(err)
		}
		c.until(t, "the flags "+want.run, func() bool { return slices.Contains(c.outputs, want.run+"\n") })
		if got, err := c.execute(debugTest, args); err != nil || !strings.HasSuffix(got, want.launch) {
			t.Errorf("debug answers %s, %v, want %s", got, err, want.launch)
		}
		p := &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny(`{"restep":{"buildFlags":[],"env":{}}}`)}
		if err := c.DidChangeConfiguration(c.ctx, p); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNothingRan: a test that the build leaves out did not pass.
func TestNothingRan(t *testing.T) {
	dir, file, _ := module(t)
	write(t, file, "//go:build integration\n\npackage m\n\nimport \"testing\"\n\nfunc TestTagged(t *testing.T) {}\n")
	c := start(t, dir, nil)
	got, err := c.execute(runTest, arguments{URI: string(uri.File(file)), Test: "TestTagged"})
	want := `{"result":"error","exitCode":0,"message":"TestTagged was not run: m_test.go has //go:build integration; ` +
		`set restep.buildFlags, for example to [\"-tags=integration\"]"}`
	if err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	write(t, file, "package m\n")
	got, err = c.execute(runTest, arguments{URI: string(uri.File(file)), Test: "TestTagged"})
	if err != nil || !strings.Contains(got, "package example.com/m has no such test") {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestShowRun: the source shows the run that is debugged, until the test runs
// again.
func TestShowRun(t *testing.T) {
	dir, file, content := module(t)
	for seed := uint64(1); seed < 4; seed++ {
		recordPass(t, dir, seed)
	}
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	shows := func(want string) {
		t.Helper()
		c.after(t, func() bool { h := c.hints(t, id)[3]; return len(h) == 1 && h[0] == want })
	}
	shows("#1 main/2 ×3")
	if _, err := c.execute(goToStep, arguments{URI: string(id.URI), Test: "TestPass", Seed: seed(2), Step: 1}); err != nil {
		t.Fatal(err)
	}
	shows("#1 main/2 ×2")
	if _, err := c.execute(showRun, arguments{URI: string(id.URI), Test: "TestPass", Seed: seed(1)}); err != nil {
		t.Fatal(err)
	}
	shows("#1 main/2")
	recordPass(t, dir, 4)
	shows("#1 main/2 ×4")
}
