package sim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// The tests here give the checks of tidy_test.go what they are to find.

func TestWordingFinds(t *testing.T) {
	for _, test := range []struct {
		line string
		want int
	}{
		{"// TODO(#12): later", 0},
		{"// TODO: later", 1},
		{"x := 1 // FIXME", 1},
		{`home := "/root"`, 0},
		{`open("/home/someone/x")`, 1},
		{"see https://example.org/root/home/x", 0},
		{"GOPROXY=https://proxy.golang." + "org", 1},
		{"x := 1 ", 1},
	} {
		if got := badWording("x.go", test.line+"\n"); len(got) != test.want {
			t.Errorf("%q: %q, want %d", test.line, got, test.want)
		}
	}
}

func TestSyntaxChecksFind(t *testing.T) {
	const code = `package p

import "time"

// Documented is.
type Documented struct {
	Field int
	Other int // documented
}

func Bare() {
	time.Sleep(1) // sim:ok it waits for nothing
	time.Sleep(2) // sim:ok
	_ = []int{
		1,
		2,
	}
}

// Group is documented.
const (
	A = 1
	B = 2
)

const C = 3
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p_test.go", code, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, decl := range file.Decls {
		for _, id := range undocumented(decl) {
			names = append(names, id.Name)
		}
		if d, ok := decl.(*ast.FuncDecl); ok {
			if n := functionLines(fset, d); n != 5 { // 8, three of them in the table
				t.Errorf("%s has %d lines", d.Name.Name, n)
			}
		}
	}
	if got := strings.Join(names, " "); got != "Field Bare C" {
		t.Errorf("undocumented: %s", got)
	}
	var bad []int
	for _, pos := range sleeps(file) {
		if !allowed(fset, file, pos) {
			bad = append(bad, fset.Position(pos).Line)
		}
	}
	if len(bad) != 1 || bad[0] != 13 {
		t.Errorf("sleeps that are not allowed: lines %v", bad)
	}
}
