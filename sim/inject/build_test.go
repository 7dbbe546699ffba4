package inject

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plainOverlay patches nothing: what is tested is the linker and the build.
func plainOverlay(g *Goroot) (*Overlay, error) { return g.store("overlay", map[string]string{}) }

// writeModule makes a module from file names and texts and returns its
// directory.
func writeModule(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func tryBuild(t *testing.T, cfg BuildConfig) (*Binary, error) {
	t.Helper()
	cfg.Progress = func(s string) { t.Log(s) }
	return (&builder{BuildConfig: cfg, generate: plainOverlay}).build(context.Background())
}

func buildPlain(t *testing.T, cfg BuildConfig) *Binary {
	t.Helper()
	bin, err := tryBuild(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

const webTest = `package web

import (
	"net/http"
	"testing"
)

type T struct{ N int }

var table = []int{0, 0, 0}
var config = &T{N: 1}
var flag byte

func init() { flag = 3 }

func small() byte { return flag }

func TestX(t *testing.T) {
	t.Log(http.DefaultServeMux != nil, table, config, small())
}
`

func webModule(t *testing.T) string {
	return writeModule(t, map[string]string{
		"go.mod":      "module example.com/web // a comment\n\ngo 1.26\n",
		"web_test.go": webTest,
	})
}

func TestBuildDescribesBinary(t *testing.T) {
	dir := webModule(t)
	bin := buildPlain(t, BuildConfig{Dir: dir})
	if bin.ImportPath != "example.com/web" || bin.ModulePath != "example.com/web" || bin.ModuleDir != dir || bin.PackageDir != dir {
		t.Errorf("described as %+v", bin)
	}
	if id, err := buildID(bin.Path); err != nil || id != bin.BuildID || len(id) != 32 {
		t.Errorf("build id %s, file has %s, %v", bin.BuildID, id, err)
	}
	text, err := os.ReadFile(bin.Path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(dir)) {
		t.Error("the binary holds the path of its source, so the same source elsewhere would be another program")
	}
	f, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if symbolNamed(t, f, "example.com/web.small").Size == 0 {
		t.Error("web.small was inlined away: -l is missing")
	}
	again := buildPlain(t, BuildConfig{Dir: dir})
	if again.Path != bin.Path {
		t.Errorf("built again: %s, at first %s", again.Path, bin.Path)
	}
	if layout, err := os.ReadFile(bin.LayoutPath); err != nil || !bytes.Equal(layout, bin.Layout.Encode()) {
		t.Errorf("layout file differs: %v", err)
	}
}

func TestBuildSamePlaceIndependent(t *testing.T) {
	a, b := buildPlain(t, BuildConfig{Dir: webModule(t)}), buildPlain(t, BuildConfig{Dir: webModule(t)})
	if a.BuildID != b.BuildID {
		t.Errorf("the same source in two folders gives builds %s and %s", a.BuildID, b.BuildID)
	}
}

func TestBuildTagsAndUserOverlay(t *testing.T) {
	dir := writeModule(t, map[string]string{
		"go.mod": "module example.com/tags\n\ngo 1.26\n",
		"a.go":   "package tags\n\nvar Name = \"plain\"\n",
		"b.go":   "package tags\n\nvar Name = \"overlaid\"\nvar Overlaid int\n",
		"a_test.go": "//go:build restep && mine && !theirs\n\npackage tags\n\nimport \"testing\"\n\n" +
			"func TestX(t *testing.T) { t.Log(Name, Overlaid) }\n",
	})
	// b.go takes a.go's place and is empty itself.
	list, _ := json.Marshal(map[string]any{"Replace": map[string]string{"a.go": filepath.Join(dir, "b.go"), "b.go": ""}})
	if err := os.WriteFile(filepath.Join(dir, "over.json"), list, 0o644); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "GOFLAGS=-tags=theirs '-overlay=over.json' -vet=off")
	bin := buildPlain(t, BuildConfig{Dir: dir, Tags: []string{"mine"}, Env: env})
	f, err := elf.Open(bin.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if symbolNamed(t, f, "example.com/tags.Overlaid").Size != 8 {
		t.Error("the user's overlay was not merged")
	}
	if symbolNamed(t, f, "example.com/tags.TestX").Size == 0 {
		t.Error("the test is missing: tags were not set")
	}
}

func TestBuildErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		cfg   BuildConfig
		want  []string
		is    error
	}{
		{"no tests", map[string]string{"go.mod": "module m\n", "a.go": "package m\n"}, BuildConfig{}, []string{"no test files"}, ErrNoTests},
		{"compile error", map[string]string{"go.mod": "module m\n", "a_test.go": "package m\n\nvar x int = \"\"\n"}, BuildConfig{},
			[]string{"# m", "./a_test.go:3:13: cannot use"}, nil},
		{"no module", map[string]string{"a_test.go": "package m\n"}, BuildConfig{}, []string{"no go.mod in", "go mod init"}, nil},
		{"race", map[string]string{"go.mod": "module m\n", "a_test.go": "package m\n"}, BuildConfig{BuildFlags: []string{"-race"}},
			[]string{"-race cannot be used with restep"}, nil},
		{"other system", map[string]string{"go.mod": "module m\n"}, BuildConfig{Env: append(os.Environ(), "GOARCH=riscv64")},
			[]string{"GOARCH=riscv64 is not supported"}, nil},
		{"cgo", map[string]string{
			"go.mod": "module m\n", "a_test.go": "package m\n\nimport \"m/c\"\n\nvar _ = c.X\n",
			"c/c.go": "package c\n\nimport \"C\"\n\nvar X C.int\n",
		}, BuildConfig{}, []string{"restep: m/c needs cgo"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.Dir = writeModule(t, test.files)
			_, err := tryBuild(t, test.cfg)
			if err == nil {
				t.Fatal("no error")
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error %v is not %v", err, test.is)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestSplitQuoted(t *testing.T) {
	for in, want := range map[string][]string{
		"":                         nil,
		" -a  -b ":                 {"-a", "-b"},
		`'-tags=a b' "-ldflags=x"`: {"-tags=a b", "-ldflags=x"},
		`-x='a`:                    {"-x='a"}, // a quote amid a field is a letter
	} {
		got, err := SplitQuoted(in)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("SplitQuoted(%q) = %q, %v, want %q", in, got, err, want)
		}
		if back, err := SplitQuoted(joinQuoted(got)); err != nil || !slices.Equal(back, got) {
			t.Errorf("joined and split again: %q, %v", back, err)
		}
	}
	if _, err := SplitQuoted("'a"); err == nil {
		t.Error("an open quote gives no error")
	}
}

func TestSplitFlags(t *testing.T) {
	u, err := splitFlags("-tags=a,b -mod=mod -vet=all -o=x", []string{"-overlay", "o.json", "-vet", "off", "-trimpath", "-ldflags", "-X m.v=1"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(u.goflags, []string{"-mod=mod"}) || !slices.Equal(u.flags, []string{"-ldflags", "-X m.v=1"}) ||
		!slices.Equal(u.tags, []string{"a", "b"}) || u.overlay != "o.json" {
		t.Errorf("got %+v", u)
	}
}

// symbolNamed returns a symbol, or the zero one.
func symbolNamed(t *testing.T, f *elf.File, name string) elf.Symbol {
	t.Helper()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == name })
	if i < 0 {
		return elf.Symbol{}
	}
	return symbols[i]
}
