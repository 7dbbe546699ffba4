package dap

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve starts a listening adapter.
func serve(t *testing.T, addr string, opt Options) string {
	t.Helper()
	l, err := Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ServeListener(ctx, l, opt, func(err error) { t.Log(err) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		noChildren(t)
	})
	return l.Addr().String()
}

// connect is a client of a listening adapter.
func connect(t *testing.T, network, addr string) *client {
	t.Helper()
	conn, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

func framed(text string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text) }

// TestStrangersGetNothing sends what comes from browsers, scanners and clients
// without a token.
func TestStrangersGetNothing(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", Options{Token: "secret"})
	for name, text := range map[string]string{
		"browser":    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
		"no JSON":    framed("hello"),
		"no message": framed("{}"),
		"too long":   "Content-Length: 999999999\r\n\r\n",
		"threads":    framed(`{"seq":1,"type":"request","command":"threads"}`),
		"unknown":    framed(`{"seq":1,"type":"request","command":"what"}`),
		"restep":     framed(`{"seq":1,"type":"request","command":"restep/steps"}`),
		"bad args":   framed(`{"seq":1,"type":"request","command":"launch","arguments":7,"x":`),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, text)
		_ = conn.SetReadDeadline(time.Now().Add(deadline))
		got, err := io.ReadAll(conn)
		if ne, ok := err.(net.Error); len(got) != 0 || ok && ne.Timeout() {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		conn.Close()
	}
	for _, after := range []string{"threads", "setBreakpoints", commandSteps, "evaluate", "source"} {
		c := connect(t, "tcp", addr)
		c.initialize()
		c.send(after, map[string]any{})
		if m := c.read(); m != nil {
			t.Errorf("%s without a token: %v", after, m)
		}
	}
	for _, command := range []string{"launch", "attach"} {
		c := connect(t, "tcp", addr)
		c.initialize()
		if id, _ := c.fail(command, map[string]any{"token": "wrong", "session": "x", "program": module, "test": "TestMachines"}); id != int(idToken) {
			t.Errorf("%s with a wrong token: %d", command, id)
		}
		if m := c.read(); m != nil {
			t.Errorf("after a wrong token: %v", m)
		}
	}
}

// stranger is what the test binary does for another user: it says how many
// bytes the adapter sends him.
func stranger(where string) {
	network, addr, _ := strings.Cut(where, " ")
	conn, err := net.Dial(network, addr)
	if err != nil {
		fmt.Println("no connection")
		return
	}
	_, _ = io.WriteString(conn, framed(`{"seq":1,"type":"request","command":"initialize","arguments":{"linesStartAt1":true,"columnsStartAt1":true}}`))
	b, _ := io.ReadAll(conn)
	fmt.Println(len(b), "bytes")
}

func TestOtherUsersGetNothing(t *testing.T) {
	table := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0\n" +
		"   1: 0100007F:A2C4 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1\n"
	uid, ok := findUser(bufio.NewScanner(strings.NewReader(table)), netip.MustParseAddrPort("127.0.0.1:41668"), netip.MustParseAddrPort("127.0.0.1:8080"))
	if uid != 1001 || !ok {
		t.Errorf("user %d, %v", uid, ok)
	}
	path := filepath.Join(t.TempDir(), "socket")
	tcp, unix := serve(t, "127.0.0.1:0", Options{Token: "x"}), serve(t, unixPrefix+path, Options{})
	for _, where := range []string{"tcp " + tcp, "unix " + unix} {
		if os.Getuid() != 0 {
			continue // there is nobody else to be; the table above is looked at all the same
		}
		copied := filepath.Join(os.TempDir(), fmt.Sprintf("restep-stranger-%d", os.Getpid()))
		binary, err := os.ReadFile("/proc/self/exe")
		if err == nil {
			err = os.WriteFile(copied, binary, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(copied)
		cmd := exec.Command(copied)
		cmd.Dir, cmd.Env = "/", []string{"RESTEP_TEST_STRANGER=" + where}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		got, err := cmd.Output()
		if text := strings.TrimSpace(string(got)); err != nil || text != "0 bytes" && text != "no connection" {
			t.Errorf("another user at %s: %s, %v", where, got, err)
		}
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close() // as after a crash
	serve(t, unixPrefix+path, Options{})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(unixPrefix + path); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second adapter on the socket: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(unixPrefix + file); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("instead of a file: %v", err)
	}
	c := connect(t, "unix", path)
	c.launch(map[string]any{"stopOnEntry": true})
	if s := c.stop(); s.reason != "entry" {
		t.Errorf("%+v", s)
	}
	c.do("disconnect", nil)
}

func TestReconnect(t *testing.T) {
	addr := serve(t, "127.0.0.1:0", Options{Token: "right"})
	n := firstRequest(t)
	c := connect(t, "tcp", addr)
	c.launch(map[string]any{"token": "right", "reconnect": "mine", "step": n})
	s := c.stop()
	c.conn.Close()
	attach := func(more map[string]any) *client {
		c := connect(t, "tcp", addr)
		c.initialize()
		args := map[string]any{"token": "right", "session": "mine"}
		for k, v := range more {
			args[k] = v
		}
		// The adapter notices the end of the other connection in its own time.
		until := time.Now().Add(deadline)
		for {
			m := c.answer(c.send("attach", args))
			if m.at("success") == true {
				return c
			}
			if time.Now().After(until) || more != nil {
				t.Fatalf("attach: %v", m)
			}
		}
	}
	c = attach(nil)
	c.event("initialized")
	c.breakpoints(lineOf(t, `Fprintf(w, "hello`))
	c.do("configurationDone", nil)
	again := c.stop()
	if again.step != s.step || again.line != s.line || c.eval(again, "@* count") != "main: 100, server: 1" {
		t.Errorf("%+v, before %+v", again, s)
	}
	c.do("continue", map[string]any{"threadId": again.thread})
	if hit := c.stop(); hit.reason != "breakpoint" || c.eval(hit, "count") != "1" {
		t.Errorf("%+v", hit)
	}
	c.do(commandJump, map[string]any{"step": n})
	c.stop()
	if id, _ := c.fail("configurationDone", nil); id != int(idOrder) {
		t.Errorf("configurationDone twice: %d", id)
	}
	// Another time, in the middle of a run; then the end.
	c.do("continue", map[string]any{"threadId": 1})
	c.conn.Close()
	c = attach(nil)
	c.event("initialized")
	c.do("configurationDone", nil)
	c.do("disconnect", map[string]any{"terminateDebuggee": true})
	c = connect(t, "tcp", addr)
	c.initialize()
	if id, text := c.fail("attach", map[string]any{"token": "right", "session": "mine"}); id != int(idArguments) || !strings.Contains(text, "waits") {
		t.Errorf("attach after the end: %d %s", id, text)
	}
	if id, text := c.fail("launch", map[string]any{"token": "right", "program": module, "test": "TestMachines", "step": -1}); id != int(idArguments) {
		t.Errorf("launch with nonsense after it: %d %s", id, text)
	}
}

// nasty are values that no argument should have.
var nasty = []any{
	nil, -1, 0, 1, 1 << 31, 1 << 53, 1<<63 - 1, -(1 << 40), 1.5, true, "", "x", strings.Repeat("(", 2000), "\x00", "💥", []any{}, []any{nil, 7},
	map[string]any{}, map[string]any{"path": "/etc/passwd"}, map[string]any{"path": 3},
}

// oddArguments are arguments that a request of this kind may have: most have
// the type that they should have.
func oddArguments(r *rand.Rand, command string) map[string]any {
	args := map[string]any{"x": 1}
	m, err := newCodec().DecodeMessage(fmt.Appendf(nil, `{"seq": 1, "type": "request", "command": %q, "arguments": {}}`, command))
	if err != nil {
		return args // go-dap does not know it
	}
	field, ok := reflect.TypeOf(m).Elem().FieldByName("Arguments")
	if !ok {
		return args
	}
	of := field.Type
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return args
	}
	for _, f := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		value := nasty[r.IntN(len(nasty))]
		for tries := 0; tries < 20 && !fits(value, f.Type) && r.IntN(20) > 0; tries++ {
			value = nasty[r.IntN(len(nasty))]
		}
		if r.IntN(3) > 0 {
			args[name] = value
		}
	}
	return args
}

// fits tells whether a value can be decoded as a type.
func fits(value any, as reflect.Type) bool {
	b, err := json.Marshal(value)
	return err == nil && json.Unmarshal(b, reflect.New(as).Interface()) == nil
}

// TestRandomRequests asks a session for everything there is, with arguments
// that make no sense: each request gets one answer, and the session lives.
func TestRandomRequests(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var commands []string
	for name := range requestTable {
		switch name {
		case "disconnect", "terminate", "restart", "pause", "launch":
		default:
			commands = append(commands, name)
		}
	}
	slices.Sort(commands)
	c := dial(t, Options{})
	c.launch(map[string]any{"stopOnEntry": true})
	c.stop()
	// Delve answers this one twice, first that it failed: the second must not count.
	c.answer(c.send("dataBreakpointInfo", map[string]any{"variablesReference": 1 << 30, "name": "x"}))
	for i := range 250 {
		command := commands[r.IntN(len(commands))]
		args := oddArguments(r, command)
		m := c.answer(c.send(command, args))
		if id, _ := m.at("body", "error", "id").(float64); int(id) == int(idInternal) || strings.Contains(m.text("message"), "Internal") {
			b, _ := json.Marshal(args)
			t.Fatalf("request %d, %s with %s: %v", i, command, b, m)
		}
		for _, e := range c.log {
			if e.text("event") == "terminated" { // it ran to its end, as it may
				c.do(commandJump, map[string]any{"step": 1})
				break
			}
		}
		c.log = nil
	}
	c.do("disconnect", nil)
	c.wait()
	noChildren(t)
}

// TestHugeNumbers asks for more than anybody can need: no answer takes memory or
// time in proportion to a number of the client's.
func TestHugeNumbers(t *testing.T) {
	n := firstRequest(t)
	c := dial(t, Options{})
	c.launch(map[string]any{"step": n})
	s := c.stop()
	stack := c.do("stackTrace", map[string]any{"threadId": s.thread}).list("body", "stackFrames")
	pc := stack[0].text("instructionPointerReference")
	file := c.do("evaluate", map[string]any{"frameId": s.frame, "expression": "r"}).text("body", "variablesReference")
	for _, huge := range []int64{1 << 31, 1 << 53, math.MaxInt64, -(1 << 40), math.MinInt64} {
		for command, args := range map[string]map[string]any{
			"stackTrace":          {"threadId": s.thread, "startFrame": huge, "levels": huge},
			"disassemble":         {"memoryReference": pc, "instructionOffset": huge, "instructionCount": huge, "offset": huge},
			"readMemory":          {"memoryReference": pc, "offset": huge, "count": huge},
			"variables":           {"variablesReference": json.Number(file), "start": huge, "count": huge},
			"modules":             {"startModule": huge, "moduleCount": huge},
			"completions":         {"text": "r", "line": huge, "column": huge},
			"breakpointLocations": {"source": map[string]any{"path": "x.go"}, "line": huge, "endLine": huge, "column": huge},
			commandSteps:          {"from": max(huge, 0), "count": huge},
			commandThreads:        {"start": huge, "count": huge},
		} {
			m := c.answer(c.send(command, args))
			if id, _ := m.at("body", "error", "id").(float64); int(id) == int(idInternal) || strings.Contains(m.text("message"), "Internal") {
				t.Errorf("%s %d: %v", command, huge, m)
			}
		}
	}
	again := c.do("stackTrace", map[string]any{"threadId": s.thread, "levels": math.MaxInt64}).list("body", "stackFrames")
	if len(again) != len(stack) || len(stack) == 0 {
		t.Errorf("%d frames, then %d", len(stack), len(again))
	}
	if list := c.do("disassemble", map[string]any{"memoryReference": pc, "instructionCount": 4}).list("body", "instructions"); len(list) != 4 {
		t.Errorf("instructions: %v", list)
	}
}

// FuzzSession feeds a session that was not launched anything at all. It must
// end with its connection.
func FuzzSession(f *testing.F) {
	f.Add([]byte(framed(`{"seq":1,"type":"request","command":"initialize","arguments":{"linesStartAt1":true}}`)))
	f.Add([]byte(framed(`{"seq":-9,"type":"request","command":"disconnect"}`) + framed(`{"seq":1e300}`)))
	f.Add([]byte(framed(`{"seq":1,"type":"response","request_seq":99}`) + "Content-Length: 3\r\n\r\nnul"))
	f.Add([]byte(framed(`[[[[`) + strings.Repeat("x", 100)))
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Contains(in, []byte("launch")) {
			return
		}
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		done := make(chan error, 1)
		go func() { done <- Serve(context.Background(), theirs, Options{}) }()
		_, _ = ours.Write(in)
		ours.Close()
		<-done
	})
}

// TestKilledSessions takes the connection away from sessions at any moment.
func TestKilledSessions(t *testing.T) {
	n := 8
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		n = 100
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range n {
		conn, theirs := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- Serve(context.Background(), theirs, Options{}) }()
		go func() {
			for seq, m := range []string{
				`"initialize","arguments":{"linesStartAt1":true,"columnsStartAt1":true}`,
				`"launch","arguments":{"program":"` + module + `","test":"TestMachines","stopOnEntry":true}`,
				`"setBreakpoints","arguments":{"source":{"path":"` + testFile() + `"},"breakpoints":[{"line":21}]}`, `"configurationDone"`,
				`"threads"`, `"continue","arguments":{"threadId":1}`, `"restep/jump","arguments":{"step":40}`,
				`"evaluate","arguments":{"expression":"@* count"}`, `"restep/jump","arguments":{"step":7}`, `"stepBack","arguments":{"threadId":1}`,
				`"restep/lastWrite","arguments":{"expression":"count"}`,
			} {
				if _, err := io.WriteString(conn, framed(fmt.Sprintf(`{"seq":%d,"type":"request","command":%s}`, seq+1, m))); err != nil {
					return
				}
			}
		}()
		in := bufio.NewReader(conn)
		for range r.IntN(12) { // eleven answers come in any case
			if _, err := readFrame(in); err != nil {
				break
			}
		}
		conn.Close()
		select {
		case <-done:
		case <-time.After(deadline):
			t.Fatalf("session %d of seed %d does not end", i, seed)
		}
		if left := children(t); len(left) > 0 && strings.Contains(strings.Join(left, "\n"), "restep.test") {
			t.Fatalf("session %d of seed %d left %q", i, seed, left)
		}
	}
	noChildren(t)
}
