package source

import (
	"os"
	"path/filepath"
	"testing"
)

// tree writes files and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := Real(t.TempDir())
	for name, content := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRoots(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.work":             "go 1.26\nuse ./a // first\nuse (\n\t\"./b\"\n\t./far/c\n)\nreplace example.com/w => ./w\n",
		"a/go.mod":            "module example.com/a\nreplace (\n\texample.com/r v1.0.0 => ../r\n\texample.com/x => example.com/y v1.2.3\n)\n",
		"b/go.mod":            "module example.com/a/b\n",
		"far/c/go.mod":        "module example.com/a/c\n",
		"alone/go.mod":        "module example.com/alone\n",
		"alone/nested/go.mod": "module example.com/nested\n",
	})
	a, _ := FindModule(filepath.Join(dir, "a"))
	alone, _ := FindModule(filepath.Join(dir, "alone"))
	for _, c := range []struct {
		module         Module
		recorded, want string
	}{
		{a, "example.com/a/x.go", "a/x.go"},
		{a, "example.com/a/sub/x.go", "a/sub/x.go"},
		{a, "example.com/a/b/x.go", "b/x.go"}, // the longer path has it
		{a, "example.com/a/c/d/x.go", "far/c/d/x.go"},
		{a, "example.com/r@v1.0.0/x.go", "r/x.go"},
		{a, "example.com/r@v1.0.1/x.go", ""},
		{a, "example.com/r/x.go", ""},
		{a, "example.com/w@v0.0.0-2020/sub/x.go", "w/sub/x.go"},
		{a, "example.com/x@v1.0.0/x.go", ""},
		{a, "example.com/a@v1.0.0/x.go", ""},
		{a, "example.com/aa/x.go", ""},
		{a, "example.com/a/../../etc/passwd", ""},
		{a, "log/log.go", ""},
		{alone, "example.com/alone/x.go", "alone/x.go"},
		{alone, "example.com/a/x.go", ""}, // a workspace that does not name the module
	} {
		want := ""
		if c.want != "" {
			want = filepath.Join(dir, filepath.FromSlash(c.want))
		}
		if got, ok := c.module.Roots().File(c.recorded); got != want || ok != (want != "") {
			t.Errorf("%s: %s is %q, want %q", c.module.Path, c.recorded, got, want)
		}
	}
	t.Setenv("GOWORK", "off")
	if n := len(a.Roots()); n != 2 {
		t.Errorf("%d roots without the workspace, want 2", n)
	}
	if n := len(Modules(t.Context(), dir)); n != 5 {
		t.Errorf("%d modules below the folder, want 5", n)
	}
	if n := len(Modules(t.Context(), filepath.Join(dir, "alone"))); n != 1 {
		t.Errorf("%d modules below a module, want 1", n)
	}
}

// TestReachModules: a test reaches package sim through other modules.
func TestReachModules(t *testing.T) {
	imports := func(path string) string { return "package p\n\nimport _ \"" + path + "\"\n" }
	dir := tree(t, map[string]string{
		"go.work": "use (\n\t./m\n\t./member\n)\n",
		"m/go.mod": "module m\nrequire (\n\texample.com/Cached v1.0.0\n\texample.com/light v1.0.0\n)\n" +
			"replace example.com/replaced => ../replaced\n",
		"m/x_test.go":                                      "package m\n",
		"m/vendor/example.com/vendored/p/p.go":             imports(SimPackage),
		"m/own/p.go":                                       imports("example.com/replaced/p"),
		"member/go.mod":                                    "module member",
		"member/p/p.go":                                    imports("m/own"),
		"replaced/go.mod":                                  "module example.com/replaced",
		"replaced/p/p.go":                                  imports(SimPackage),
		"cache/example.com/!cached@v1.0.0/go.mod":          "module example.com/Cached\nrequire github.com/restep/restep v0.1.0\n",
		"cache/example.com/!cached@v1.0.0/p/p.go":          imports(SimPackage),
		"cache/example.com/light@v1.0.0/go.mod":            "module example.com/light\n",
		"cache/example.com/light@v1.0.0/p/p.go":            imports("example.com/light/q"),
		"cache/example.com/light@v1.0.0/q/unparsed_too.go": "package q",
	})
	t.Setenv("GOMODCACHE", filepath.Join(dir, "cache"))
	m, _ := FindModule(filepath.Join(dir, "m"))
	name := filepath.Join(m.Dir, "x_test.go")
	for path, want := range map[string]bool{
		"m/own": true, "member/p": true, "example.com/replaced/p": true, "example.com/vendored/p": true,
		"example.com/Cached/p": true, "example.com/light/p": false, "log/slog": false, "example.com/unknown": false,
	} {
		if got := new(Reach).File(m, name, Parse(name, imports(path))); got != want {
			t.Errorf("a test that imports %s reaches sim: %v", path, got)
		}
	}
}
