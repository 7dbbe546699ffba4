//go:build linux

package lsp

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
)

// unpack writes the files of an archive, last changed an hour ago, and returns
// their folder.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		write(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	return dir
}

// lineOf is the line, from 0, that has a text.
func lineOf(t *testing.T, content, text string) uint32 {
	t.Helper()
	before, _, ok := strings.Cut(content, text)
	if !ok {
		t.Fatalf("%q is not in\n%s", text, content)
	}
	return uint32(strings.Count(before, "\n"))
}

// openDisk opens a file as it is on disk.
func (c *client) openDisk(t *testing.T, name string) (id protocol.TextDocumentIdentifier, content string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return c.open(t, name, string(b)), string(b)
}

// hinted waits until the line of a file that has a text has one hint.
func (c *client) hinted(t *testing.T, name, text, want string) {
	t.Helper()
	id, content := c.openDisk(t, name)
	line := lineOf(t, content, text)
	c.after(t, func() bool {
		h := c.hints(t, id)[line]
		return len(h) == 1 && strings.Contains(h[0], want)
	})
}

const workspace = `
-- go.work --
go 1.26

use (
	./a
	./b
	./other
)
-- a/go.mod --
module example.com/a

go 1.26

require example.com/c v1.2.3

replace example.com/c => ../c
-- a/a.go --
package a
-- a/a_test.go --
package a_test

import (
	"log"
	"testing"

	"example.com/a/sub"
	"example.com/b/deep"
	"example.com/c"
)

func TestA(t *testing.T) {
	log.Print("in a")
	deep.B()
	c.C()
	sub.D()
}
-- a/sub/sub.go --
package sub

import "log"

func D() {
	log.Print("in sub")
}
-- a/sub/sub_test.go --
//go:build special

package sub

import "testing"

func TestSpecial(t *testing.T) {
	t.Log("special")
}
-- b/go.mod --
module example.com/b

go 1.26
-- b/deep/b.go --
package deep

import "log"

func B() {
	log.Print("in b")
}
-- c/go.mod --
module example.com/c

go 1.26
-- c/c.go --
package c

import "log"

func C() {
	log.Print("in c")
}
-- other/go.mod --
module example.com/other

go 1.26
-- other/other_test.go --
package other

import (
	"testing"

	"example.com/b/deep"
)

func TestOther(t *testing.T) {
	deep.B()
	t.Error("broken")
}
`

// TestRealWorkspace: in a workspace of go a run of one module shows its steps in
// the files of the others, and in those of a module that is replaced by a
// folder; lenses go to the test they are of.
func TestRealWorkspace(t *testing.T) {
	if testing.Short() {
		t.Skip("builds restep and tests")
	}
	restep, err := restepBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, workspace)
	file := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	c, _ := startReal(t, restep, file("go.work")) // the folder is no module itself
	run := func(name, test string, flags ...string) {
		t.Helper()
		p := &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny(`{"buildFlags":["` + strings.Join(flags, `","`) + `"]}`)}
		if err := c.DidChangeConfiguration(c.ctx, p); err != nil {
			t.Fatal(err)
		}
		out, err := c.execute(runTest, arguments{URI: string(uri.File(file(name))), Test: test})
		if err != nil || strings.Contains(out, `"error"`) {
			t.Fatalf("%s: %s, %v", test, out, err)
		}
	}
	run("a/a_test.go", "TestA", "-v")
	c.hinted(t, file("a/a_test.go"), `log.Print("in a")`, " main/2")
	c.hinted(t, file("b/deep/b.go"), `log.Print`, " main/2")
	c.hinted(t, file("c/c.go"), `log.Print`, " main/2")
	c.hinted(t, file("a/sub/sub.go"), `log.Print`, " main/2")
	c.hinted(t, file("a/a_test.go"), `deep.B()`, " main/2") // the place that is printed
	run("a/sub/sub_test.go", "TestSpecial", "-tags=special")
	c.hinted(t, file("a/sub/sub_test.go"), `t.Log`, " main/2")

	// The newest run of any module is the one of a line, and its lens leads there.
	run("other/other_test.go", "TestOther", "-v")
	id, content := c.openDisk(t, file("b/deep/b.go"))
	at := lineOf(t, content, "log.Print")
	var lens protocol.Command
	c.after(t, func() bool {
		l := c.lenses(t, id)[at]
		if len(l) == 1 {
			lens = l[0]
		}
		return len(l) == 1 && strings.Contains(string(lens.Arguments[0]), `"package":"example.com/other"`)
	})
	out, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: lens.Command, Arguments: lens.Arguments})
	if err != nil || !strings.Contains(string(out), `"program":"`+file("other")+`"`) {
		t.Errorf("the lens %+v answers %s, %v", lens, out, err)
	}
	u := uri.File(file("other/other_test.go")) // which is not open
	c.until(t, "an error in a file that is not open", func() bool { return len(c.diagnostics[u]) == 1 })
	c.finish(t)
}

// finish ends a client in order.
func (c *client) finish(t *testing.T) {
	t.Helper()
	if err := c.Shutdown(c.ctx); err != nil {
		t.Error(err)
	}
	if err := c.Exit(c.ctx); err != nil {
		t.Error(err)
	}
}

// TestRealVendor: a module with a vendor folder shows its own lines, also those
// for which a vendored package logs, and nothing in the vendored files.
func TestRealVendor(t *testing.T) {
	if testing.Short() {
		t.Skip("builds restep and a test")
	}
	restep, err := restepBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, `
-- go.mod --
module example.com/m

go 1.26

require example.com/lib v1.0.0
-- m_test.go --
package m

import (
	"testing"

	"example.com/lib"
)

func TestM(t *testing.T) {
	lib.Say("hello")
}
-- vendor/modules.txt --
# example.com/lib v1.0.0
## explicit; go 1.26
example.com/lib
-- vendor/example.com/lib/lib.go --
package lib

import "log"

func Say(s string) {
	log.Print(s)
}
`)
	run := exec.Command(restep, "test", ".")
	run.Dir = dir
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := start(t, dir, nil)
	c.hinted(t, filepath.Join(dir, "m_test.go"), "lib.Say", " main/2")
	id, _ := c.openDisk(t, filepath.Join(dir, "vendor", "example.com", "lib", "lib.go"))
	if h := c.hints(t, id); len(h) != 0 {
		t.Errorf("hints %v in a vendored file", h)
	}
}

// TestSymlinks: whichever way a file was opened, it has its steps and errors,
// and what is run is below the folder that the user opened.
func TestSymlinks(t *testing.T) {
	dir, file, content := module(t)
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 1, Result: runs.Fail,
		Failure: &runs.Failure{Message: "x", File: "example.com/m/m_test.go", Line: 4, Step: 1}}
	record(t, dir, &r, func(l *logtest.Log) { l.Add(passEvent) })
	away := t.TempDir()
	folder, single := filepath.Join(away, "folder"), filepath.Join(away, "single_test.go")
	for link, to := range map[string]string{folder: dir, single: file} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	through := filepath.Join(folder, "m_test.go")
	for _, x := range []struct{ name, workspace, open, dir, diagnosed string }{
		{"as it is", dir, file, dir, file},
		{"folder by a link", folder, through, folder, through},
		{"folder by a link, file not open", folder, "", "", through},
		{"folder and file each by another way", dir, through, folder, through},
		{"file by a link", away, single, dir, single},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := start(t, x.workspace, nil)
			if x.open != "" {
				id := c.open(t, x.open, content)
				c.after(t, func() bool { return len(c.hints(t, id)[3]) == 1 })
				got, err := c.execute(debugTest, arguments{URI: string(id.URI), Test: "TestPass"})
				if err != nil || !strings.Contains(got, `"program":"`+x.dir+`"`) {
					t.Errorf("debug answers %s, %v", got, err)
				}
			}
			c.until(t, "an error", func() bool { return len(c.diagnostics[uri.File(x.diagnosed)]) == 1 })
		})
	}
}

// TestNestedModules: modules below the folder of the workspace are found before
// any of their files is opened, and each has its own runs.
func TestNestedModules(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/outer\n")
	inner := filepath.Join(dir, "tools", "inner")
	file := filepath.Join(inner, "m_test.go")
	write(t, filepath.Join(inner, "go.mod"), "module example.com/m\n")
	write(t, file, "package m\n\nfunc TestPass(t *testing.T) {\n\tt.Log(1)\n}\n")
	r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 1, Result: runs.Fail,
		Failure: &runs.Failure{Message: "x", File: "example.com/m/m_test.go", Line: 4, Step: 1}}
	record(t, inner, &r, func(l *logtest.Log) { l.Add(passEvent) })
	c := start(t, dir, nil)
	c.until(t, "an error", func() bool { return len(c.diagnostics[uri.File(file)]) == 1 })
	c.hinted(t, file, "t.Log", "#1 main/2")
}
