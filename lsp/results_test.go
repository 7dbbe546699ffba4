package lsp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// module makes a module with one test.
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

// passEvent is the log line of TestPass.
var passEvent = logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 2, Text: "x",
	Stack: []steplog.Frame{{Func: "example.com/m.TestPass", File: "example.com/m/m_test.go", Line: 4}}}

func recordPass(t testing.TB, dir string, seed uint64) {
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: seed, Result: runs.Pass}
	record(t, dir, &r, func(l *logtest.Log) {
		for range seed {
			l.Add(passEvent)
		}
	})
}

// TestResultsAppear: a run that ends while the editor is open is announced and
// shown.
func TestResultsAppear(t *testing.T) {
	dir, file, content := module(t)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	if h := c.hints(t, id); len(h) != 0 {
		t.Fatalf("hints %v before any run", h)
	}
	for seed := uint64(1); seed < 4; seed++ {
		recordPass(t, dir, seed)
		want := []string{"", "#1 main/2", "#1 main/2 ×2", "#1 main/2 ×3"}[seed]
		c.after(t, func() bool { h := c.hints(t, id)[3]; return len(h) == 1 && h[0] == want })
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
