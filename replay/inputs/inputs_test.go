package inputs

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/sim/steplog"
)

// module writes a module and returns its folder.
func module(t *testing.T) string {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                   "module example.com/m\n\ngo 1.26\n",
		"bank/bank.go":             "package bank\n\nimport _ \"example.com/m/ledger\"\n",
		"bank/bank_test.go":        "package bank\n",
		"bank/x_test.go":           "package bank_test\n\nimport _ \"embed\"\n\n//go:embed in.txt\nvar s string\n",
		"bank/in.txt":              "embedded",
		"bank/testdata/a.txt":      "a",
		"bank/testdata/deep/b.txt": "b",
		"bank/other/c.txt":         "not ours",
		"testdata/shared.txt":      "shared",
		"testdata/x/deep.go":       "package x",
		"ledger/ledger.go":         "package ledger\n",
		"unused/unused.go":         "package unused\n",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func spec(dir string) *Spec {
	return &Spec{Build: "ab", Go: "go1.26.8", Restep: "devel", Package: "example.com/m/bank", Module: "example.com/m",
		ModuleDir: dir, PackageDir: filepath.Join(dir, "bank")}
}

func take(t *testing.T, s *Spec) *Manifest {
	m, err := Take(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = Decode(b); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTake(t *testing.T) {
	m := take(t, spec(module(t)))
	sources := slices.Sorted(maps.Keys(m.Sources))
	if got, want := strings.Join(sources, " "), "example.com/m/bank/bank.go example.com/m/bank/bank_test.go "+
		"example.com/m/bank/in.txt example.com/m/bank/x_test.go example.com/m/ledger/ledger.go"; got != want {
		t.Errorf("sources %s\nwant    %s", got, want)
	}
	data := slices.Sorted(maps.Keys(m.Data))
	if got, want := strings.Join(data, " "), "example.com/m/bank/in.txt example.com/m/bank/testdata/a.txt "+
		"example.com/m/bank/testdata/deep/b.txt example.com/m/testdata/shared.txt example.com/m/testdata/x/deep.go"; got != want {
		t.Errorf("data %s\nwant %s", got, want)
	}
}

func TestChanges(t *testing.T) {
	dir := module(t)
	then := take(t, spec(dir))
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ledger/ledger.go", "package ledger // edited\n")
	write("ledger/new.go", "package ledger\n")
	write("unused/unused.go", "package unused // edited\n")
	if err := os.Remove(filepath.Join(dir, "bank", "bank_test.go")); err != nil {
		t.Fatal(err)
	}
	s := spec(dir)
	s.Go, s.Flags = "go1.27.3", []string{"-tags=x"}
	want := []string{
		"Go is go1.27.3 now and was go1.26.8", "the build flags are -tags=x now and were none",
		"example.com/m/bank/bank_test.go is gone", "example.com/m/ledger/ledger.go was changed", "example.com/m/ledger/new.go is new",
	}
	if got := Changes(then, take(t, s)); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	old, now := &Manifest{Modules: map[string]string{"a": "v1", "b": "v1"}}, &Manifest{Modules: map[string]string{"a": "v2", "c": "v1"}}
	want = []string{"module a is v2 now and was v1", "module b v1 is not used any more", "module c v1 is new"}
	if got := Changes(old, now); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestChangesFolded: a package that is new is one line, edited files are not.
func TestChangesFolded(t *testing.T) {
	files := func(sum string, names ...string) map[string]string {
		m := map[string]string{}
		for _, n := range names {
			m[n] = sum
		}
		return m
	}
	then := &Manifest{Sources: files("1", "m/a.go", "m/b.go", "m/c.go", "m/d.go", "n/gone.go")}
	now := &Manifest{Sources: files("2", "m/a.go", "m/b.go", "m/c.go", "m/d.go", "s/1.go", "s/2.go", "s/3.go", "s/4.go", "t/1.go", "t/2.go", "t/3.go")}
	want := []string{"m/a.go was changed", "m/b.go was changed", "m/c.go was changed", "m/d.go was changed", "n/gone.go is gone",
		"s/1.go and 3 more files there: each is new", "t/1.go is new", "t/2.go is new", "t/3.go is new"}
	if got := Changes(then, now); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

// TestChangedData: a file counts when the run asked for it, a new one when it
// listed its folder.
func TestChangedData(t *testing.T) {
	then := &Manifest{Data: map[string]string{"m/testdata/a.txt": "1", "m/testdata/b.txt": "1", "m/testdata/d/c.txt": "1"}}
	now := &Manifest{Data: map[string]string{"m/testdata/a.txt": "2", "m/testdata/b.txt": "2", "m/testdata/d/n.txt": "1"}}
	l := logtest.New(t, steplog.Header{})
	for _, text := range []string{`openat "testdata/a.txt" O_RDONLY`, `renameat "x" "y"`, `openat "/src/m/testdata/d" O_RDONLY`, `openat "half`} {
		l.Add(logtest.Event{Kind: steplog.KindSyscall, Machine: 1, Goroutine: 1, Text: text})
	}
	want := []string{"m/testdata/a.txt was changed", "m/testdata/d/c.txt is gone", "m/testdata/d/n.txt is new"}
	if got := ChangedData(then, now, l.Reader()); !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]string{
		"":             "unexpected end",
		`{"format":9}`: "version 9",
		`{"format":"1`: "unexpected end",
		`{"format":1}`: "",
		`{"format":1,"data":{"` + strings.Repeat("x", maxName+1) + `":""}}`: "too long",
	} {
		_, err := Decode([]byte(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}
