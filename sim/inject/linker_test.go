package inject

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestLinkerWrapsTools(t *testing.T) {
	g := installed(t)
	link, err := buildLinker(context.Background(), g, func(s string) { t.Log(s) })
	if err != nil {
		t.Fatal(err)
	}
	_, id, err := linkerSources(g)
	if err != nil {
		t.Fatal(err)
	}
	version := func(args ...string) string {
		out, err := exec.Command(args[0], args[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	tool := func(name string) string { return filepath.Join(g.Root, "pkg/tool/linux_amd64", name) }
	if got, want := version(link, tool("link"), "-V=full"), "link version "+g.Version+" restep-"+id; got != want {
		t.Errorf("the linker's version is %q, want %q: the build cache would mix it with the ordinary one", got, want)
	}
	if got, want := version(link, tool("compile"), "-V=full"), version(tool("compile"), "-V=full"); got != want {
		t.Errorf("the compiler's version is %q, want %q", got, want)
	}
}

func TestBuildInWorkspace(t *testing.T) {
	dir := writeModule(t, map[string]string{
		"go.work":     "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n",
		"a/go.mod":    "module example.com/a\n\ngo 1.26\n",
		"a/a_test.go": "package a\n\nimport (\n\t\"testing\"\n\n\t\"example.com/b\"\n)\n\nfunc TestX(t *testing.T) { t.Log(b.Small()) }\n",
		"b/go.mod":    "module example.com/b\n\ngo 1.26\n",
		"b/b.go":      "package b\n\nvar x = 1\n\nfunc Small() int { return x }\n",
	})
	bin := buildPlain(t, BuildConfig{Dir: dir, Package: "./a"})
	if bin.ModulePath != "example.com/a" || bin.ModuleDir != filepath.Join(dir, "a") || filepath.Base(bin.Path) != "a.test" {
		t.Errorf("described as %+v", bin)
	}
	out, err := exec.Command(filepath.Join(installed(t).Root, "bin", "go"), "tool", "nm", bin.Path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), " T example.com/b.Small\n") {
		t.Error("b.Small was inlined away: modules of the workspace are not compiled for debugging")
	}
}

// installed is the installation the test runs with.
func installed(t *testing.T) *Goroot {
	t.Helper()
	g, err := FindGoroot(context.Background(), ".", nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
