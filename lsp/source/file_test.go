package source

import (
	"os"
	"path/filepath"
	"testing"
)

const program = `package m // line 1

import "log"

type T struct{ f func() }

func (t *T) Method(args ...any) {
	log.Print(args...)
	go func() {
		log.Print("x",
			1)
	}()
}

func (g G[K, V]) Get() { log.Print(1) }

var v = func() int { log.Print(2); return 1 }()

func broken( {
`

func TestFile(t *testing.T) {
	f := Parse("m.go", program)
	for _, c := range []struct {
		line   int
		symbol string
		want   bool
	}{
		{8, "example.com/m.(*T).Method", true},
		{10, "example.com/m.(*T).Method.func1", true},
		{8, "example.com/m.(*T).Method-fm", true},
		{8, "example.com/m.(*T).Methodical", false},
		{8, "example.com/m.T.Method", false},
		{15, "example.com/m.G[...].Get", true},
		{15, "example.com/m.Get", false},
		{17, "example.com/m.init.func1", true},
		{17, "example.com/m.glob..func1", true},
		{17, "example.com/m.other", false},
		{8, "nonsense", false},
	} {
		if got := f.InFunc(c.line, c.symbol); got != c.want {
			t.Errorf("line %d in %s is %v", c.line, c.symbol, got)
		}
	}
	for line, want := range map[int]bool{7: false, 8: true, 10: true, 11: true, 12: true, 5: false} {
		if f.HasCall(line) != want {
			t.Errorf("line %d has a call: %v", line, !want)
		}
	}
	if !f.HasGo(9) || f.HasGo(8) || f.HasGo(10) {
		t.Error("the go statement is not in line 9")
	}
	if !f.Wraps(8) || f.Wraps(10) || f.Wraps(15) {
		t.Error("only line 8 passes on what its function got")
	}
}

func TestModule(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("// c\nmodule \"example.com/m\" // x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, ok := FindModule(sub)
	if !ok || m.Dir != dir || m.Path != "example.com/m" {
		t.Fatalf("found %+v, %v", m, ok)
	}
	if p := m.Package(sub); p != "example.com/m/a/b" {
		t.Errorf("package %s", p)
	}
	if p := m.Package(filepath.Dir(dir)); p != "" {
		t.Errorf("a folder above is package %s", p)
	}
	for pkg, want := range map[string]string{"example.com/m": dir, "example.com/m/a/b": sub, "example.com/mm": "", "example.com/m/../x": ""} {
		if got, ok := m.Folder(pkg); got != want || ok != (want != "") {
			t.Errorf("folder of %s is %s", pkg, got)
		}
	}
}
