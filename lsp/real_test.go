//go:build linux

package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
	"golang.org/x/sys/unix"
)

// realLimit is how long a real run may take: the first one of a new restep
// builds the patched standard library.
const realLimit = 10 * limit

// restepBinary builds restep once.
var restepBinary = sync.OnceValues(func() (string, error) {
	var err error
	if builtDir, err = os.MkdirTemp("", "restep-lsp-test-"); err != nil {
		return "", err
	}
	name := filepath.Join(builtDir, "restep")
	out, err := exec.Command("go", "build", "-o", name, "../cmd/restep").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return name, nil
})

// machines makes a module with the machines case and returns restep's binary
// and the file.
func machines(t *testing.T) (restep, file string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds restep and a test")
	}
	restep, err := restepBinary()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	content, err := os.ReadFile("../cmd/restep/testdata/cases/machines/machines_test.go")
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "machines_test.go")
	write(t, file, string(content))
	write(t, filepath.Join(dir, "go.mod"), "module example.com/machines\n\ngo 1.26\n\n"+
		"require github.com/restep/restep v0.0.0\n\nreplace github.com/restep/restep => "+root+"\n")
	t.Setenv("GOFLAGS", "-mod=mod")
	t.Setenv("GOPROXY", "off")
	return restep, file
}

// pipes are the two ends of a process.
type pipes struct {
	*os.File          // what it prints
	in       *os.File // what it reads
}

func (p pipes) Write(b []byte) (int, error) { return p.in.Write(b) }
func (p pipes) Close() error                { return errors.Join(p.in.Close(), p.File.Close()) }

// startReal starts restep lsp and initializes it.
func startReal(t *testing.T, restep, file string) (*client, *exec.Cmd) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), realLimit)
	t.Cleanup(cancel)
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, restep, "lsp")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirIn, theirOut, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirIn.Close()
	_ = theirOut.Close()
	c := &client{ctx: ctx, pipe: pipes{ourIn, ourOut}, changed: make(chan struct{}), diagnostics: map[uri.URI][]protocol.Diagnostic{}, config: "null"}
	c.conn = jsonrpc2.NewConn(newStream(c.pipe, func(error) {}), jsonrpc2.WithCodec(codec{}))
	c.conn.Go(ctx, c.handler())
	c.Server = protocol.ServerDispatcher(c.conn)
	pid, root, yes := int32(os.Getpid()), uri.File(filepath.Dir(file)), true
	params := &protocol.InitializeParams{ProcessID: &pid, RootURI: &root, InitializationOptions: protocol.LSPAny(`{"output":true}`)}
	params.Capabilities.Workspace = &protocol.WorkspaceClientCapabilities{CodeLens: &protocol.CodeLensWorkspaceClientCapabilities{RefreshSupport: &yes}}
	if _, err := c.Initialize(ctx, params); err != nil {
		t.Fatal(err)
	}
	if err := c.Initialized(ctx, &protocol.InitializedParams{}); err != nil {
		t.Fatal(err)
	}
	return c, cmd
}

// TestRealRun opens the machines case, runs it by its lens, and sees its steps.
func TestRealRun(t *testing.T) {
	restep, file := machines(t)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, cmd := startReal(t, restep, file)
	id := c.open(t, file, string(content))
	run := protocol.Command{}
	for _, line := range c.lenses(t, id) {
		for _, l := range line {
			if l.Title == "run seed 1" {
				run = l
			}
		}
	}
	out, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: run.Command, Arguments: run.Arguments})
	if err != nil || !strings.Contains(string(out), `"result":"pass"`) {
		t.Fatalf("the lens %+v answers %s, %v", run, out, err)
	}
	line := uint32(slices.IndexFunc(strings.Split(string(content), "\n"), func(s string) bool { return strings.Contains(s, "got a request") }))
	c.after(t, func() bool { return len(c.hints(t, id)[line]) == 1 })
	hint := c.hints(t, id)[line][0]
	if !strings.Contains(hint, " server/") || !strings.HasSuffix(hint, " ×4") {
		t.Errorf("the hint is %q", hint)
	}
	hover := c.hover(t, id, protocol.Position{Line: line, Character: 3})
	if strings.Count(hover, "got a request from 11.0.0.1:1000") != 4 {
		t.Errorf("the hover is\n%s", hover)
	}
	if err := c.Shutdown(c.ctx); err != nil {
		t.Error(err)
	}
	if err := c.Exit(c.ctx); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// TestRealNothingLeft closes the server's input, or kills the server, while
// seeds are explored: all processes below it end.
func TestRealNothingLeft(t *testing.T) {
	for _, how := range []string{"close", "kill"} {
		t.Run(how, func(t *testing.T) {
			restep, file := machines(t)
			c, cmd := startReal(t, restep, file)
			go func() { // its answer will never come
				_, _ = c.execute(explore, arguments{URI: string(uri.File(file)), Test: "TestMachines", Seeds: "1-100000"})
			}()
			store := filepath.Join(filepath.Dir(file), ".restep")
			id := c.open(t, file, "package x")
			c.after(t, func() bool { // the first run is through
				c.lenses(t, id)
				b, _ := os.ReadFile(filepath.Join(store, "index"))
				return len(b) > 0
			})
			var watched []int
			for _, pid := range descendants(t, cmd.Process.Pid) {
				if fd, err := unix.PidfdOpen(pid, 0); err == nil {
					watched = append(watched, fd)
				}
			}
			if len(watched) < 2 {
				t.Errorf("only %d processes below the server: restep test and a zygote should run", len(watched))
			}
			if how == "kill" {
				_ = cmd.Process.Kill()
			}
			_ = c.pipe.Close()
			_ = cmd.Wait()
			for _, fd := range watched {
				n, err := 0, error(unix.EINTR)
				for err == unix.EINTR { // SIGCHLD interrupts it
					n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(limit.Milliseconds()))
				}
				if n != 1 || err != nil {
					t.Errorf("a process is left (%d, %v)", n, err)
				}
				_ = unix.Close(fd)
			}
		})
	}
}

// descendants returns the processes below one.
func descendants(t *testing.T, pid int) (all []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	parents := map[int]int{}
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it ended
		}
		s := string(b)
		fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parents[child], _ = strconv.Atoi(fields[1])
	}
	for child := range parents {
		for p := parents[child]; p > 1; p = parents[p] {
			if p == pid {
				all = append(all, child)
				break
			}
		}
	}
	return all
}

// TestNeovim lets a real client ask.
func TestNeovim(t *testing.T) {
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		t.Skip("nvim is not installed")
	}
	restep, file := machines(t)
	run := exec.Command(restep, "test", "-seed=1", ".")
	run.Dir = filepath.Dir(file)
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := filepath.Join(t.TempDir(), "answers")
	ctx, cancel := context.WithTimeout(context.Background(), realLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, nvim, "--headless", "--clean", "-c", "luafile testdata/nvim.lua")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), "CACHE="+cache, "RESTEP="+restep, "FILE="+file, "OUT="+answers,
		"XDG_STATE_HOME="+t.TempDir(), "XDG_CACHE_HOME="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		b, _ := os.ReadFile(answers)
		t.Fatalf("%v\n%s\n%s", err, out, b)
	}
	f, err := os.Open(answers)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var a struct {
			What  string
			Value json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		got[a.What] = string(a.Value)
	}
	first := regexp.MustCompile(`"21 #(\d+) server/7 ×4"`).FindStringSubmatch(got["hints"])
	if first == nil {
		t.Fatalf("hints is %s", got["hints"])
	}
	step := first[1] // which number it has depends on what the simulator records
	for what, want := range map[string]string{
		"moved": `"23 #`, "lenses": `"43 explore 1–100"`, "hover": `got a request from 11.0.0.1:10001`, "exit": "0",
		"actions": `"Debug at #` + step + ` server/7", "Copy link to #` + step + `", "Show next hit #`, "next": `"step": `, "lens": `"step": `,
		"link": `restep://v1/example.com/machines?test=TestMachines&seed=1&step=` + step + `&build=`,
		"run":  `"result": "pass"`, "after": `"21 #`,
	} {
		if !strings.Contains(got[what], want) {
			t.Errorf("%s is %s, want %s in it", what, got[what], want)
		}
	}
}
