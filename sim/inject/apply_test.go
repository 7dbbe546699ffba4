package inject

import (
	"errors"
	"strings"
	"testing"
)

const applySource = `package p

import (
	"fmt"
)

type T struct {
	a int
	b string // last
}

type one struct{ a int }

type empty struct{}

func f(x int) int {
	if x := x + 1; x > 1 {
		fmt.Println(x)
	}
	switch x {
	case 1:
		return 2
	}
	return x
}

func (t *T) Lock() { t.a = 1 }

func (t T) String() string {
	return "long" +
		"er" +
		"text"
}

func (p *G[X]) get() int { return 1 }

type G[X any] struct{ x X }

func last() {
	return
}
`

func TestApplyEdits(t *testing.T) {
	for _, test := range []struct {
		name string
		edit Edit
		old  string // text that becomes
		new  string
	}{
		{"top of a function", Edit{Func: "f", Text: "if on { return 1 }"}, "int {\n\tif x :=", "int { if on { return 1 };\n\tif x :="},
		{"top, one line", Edit{Func: "(*T).Lock", Text: "hook();"}, "{ t.a = 1 }", "{ hook(); t.a = 1 }"},
		{"end, one line", Edit{Func: "(*T).Lock", Op: End, Text: "hook()"}, "{ t.a = 1 }", "{ t.a = 1 ; hook() }"},
		{"end, own line", Edit{Func: "last", Op: End, Text: "hook()"}, "return\n}\n", "return\nhook() }\n"},
		{"top of a struct", Edit{Type: "T", Text: "m int"}, "T struct {\n", "T struct { m int;\n"},
		{"end of a struct with a comment", Edit{Type: "T", Op: End, Text: "m int"}, "// last\n}", "// last\nm int }"},
		{"end of a struct on one line", Edit{Type: "one", Op: End, Text: "m int"}, "struct{ a int }", "struct{ a int ; m int }"},
		{"end of an empty struct", Edit{Type: "empty", Op: End, Text: "m int"}, "empty struct{}", "empty struct{m int }"},
		{"before a statement", Edit{Func: "f", Find: "fmt.Println(x)", Op: Before, Text: "hook()"}, "fmt.Println(x)", "hook(); fmt.Println(x)"},
		{"after a statement", Edit{Func: "f", Find: "fmt.Println(x)", Op: After, Text: "hook()"}, "fmt.Println(x)", "fmt.Println(x); hook()"},
		{"before a statement, half of one", Edit{Func: "f", Find: "if x :=", Op: Before, Text: "if on {} else "}, "if x :=", "if on {} else if x :="},
		{"after a case", Edit{Func: "f", Find: "case 1:", Op: After, Text: "hook()"}, "case 1:\n", "case 1: hook();\n"},
		{"after an opening brace", Edit{Func: "f", Find: "x > 1 {", Op: After, Text: "hook()"}, "x > 1 {", "x > 1 { hook();"},
		{"inside an expression", Edit{Func: "f", Find: "x > 1", Op: Before, Text: "!on && "}, "x > 1", "!on && x > 1"},
		{"before a field", Edit{Type: "T", Find: "b string", Op: Before, Text: "m int"}, "b string", "m int; b string"},
		{"after a field", Edit{Type: "T", Find: "a int", Op: After, Text: "m int"}, "a int\n\tb", "a int; m int\n\tb"},
		{"import", Edit{Find: "import (", Op: After, Text: `"os"`}, "import (\n", "import ( \"os\";\n"},
		{"own semicolon", Edit{Find: `"fmt"`, Op: After, Text: `; "os"`}, `"fmt"`, `"fmt"; "os"`},
		{"declaration", Edit{Find: "func last()", Op: Before, Text: "var hooked int"}, "func last()", "var hooked int; func last()"},
		{"replace", Edit{Func: "f", Find: "return x", Op: Replace, Text: "return -x"}, "return x\n", "return -x\n"},
		{"replace lines by one", Edit{Func: "T.String", Find: "\"long\" +\n\t\t\"er\" +\n\t\t\"text\"", Op: Replace, Text: `""`},
			"\"long\" +\n\t\t\"er\" +\n\t\t\"text\"", "\"\"\n\n"},
		{"delete lines", Edit{Func: "f", Find: "switch x {\n\tcase 1:\n\t\treturn 2\n\t}", Op: Delete}, "switch x {\n\tcase 1:\n\t\treturn 2\n\t}", "\n\n\n"},
		{"generic receiver", Edit{Func: "(*G).get", Find: "return 1", Op: Replace, Text: "return 2"}, "{ return 1 }", "{ return 2 }"},
		{"other release", Edit{Func: "f", Find: "nowhere", Op: Delete, Only: "go1.27"}, "", ""},
		{"optional anchor", Edit{Func: "f", Find: "nowhere", Op: Delete, Optional: true}, "", ""},
		{"optional function", Edit{Func: "nobody", Text: "hook()", Optional: true}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.edit.File, test.edit.Why = "p/p.go", "test"
			if n := strings.Count(applySource, test.old); test.old != "" && n != 1 {
				t.Fatalf("the test's own text occurs %d times", n)
			}
			got, err := applyEdits("go1.26", "p/p.go", applySource, []Edit{test.edit})
			want := applySource
			if test.old != "" {
				want = strings.Replace(applySource, test.old, test.new, 1)
			}
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if strings.Count(got, "\n") != strings.Count(applySource, "\n") {
				t.Error("the number of lines changed")
			}
		})
	}
}

func TestApplyErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		edits []Edit
		want  string // in the error
		is    error
	}{
		{"missing anchor", []Edit{{Func: "f", Find: "nowhere", Op: Delete}},
			`edit for go1.26 in p/p.go, function f, anchor "nowhere": anchor does not match: it does not occur`, ErrAnchor},
		{"doubled anchor", []Edit{{Func: "f", Find: "return ", Op: Delete}},
			`edit for go1.26 in p/p.go, function f, anchor "return ": anchor does not match: it occurs more than once`, ErrAnchor},
		{"optional and doubled", []Edit{{Func: "f", Find: "return ", Op: Delete, Optional: true}}, "more than once", ErrAnchor},
		{"missing function", []Edit{{Func: "(*T).Unlock", Text: "x"}}, "function (*T).Unlock, no anchor", ErrAnchor},
		{"missing type", []Edit{{Type: "U", Text: "x int"}}, "type U, no anchor", ErrAnchor},
		{"anchor in another function", []Edit{{Func: "last", Find: "fmt", Op: Delete}}, "it does not occur", ErrAnchor},
		{"line end in an insertion", []Edit{{Func: "f", Text: "a()\nb()"}}, "has a line end", nil},
		{"too many lines", []Edit{{Func: "f", Find: "return x", Op: Replace, Text: "a()\nreturn x"}}, "1 more line ends", nil},
		{"overlap", []Edit{
			{Func: "f", Find: "fmt.Println", Op: Replace, Text: "a"},
			{Func: "f", Find: "Println(x)", Op: Replace, Text: "b"},
		}, `overlaps the edit with anchor "fmt.Println"`, nil},
		{"not Go any more", []Edit{{Func: "f", Find: "return x", Op: Replace, Text: "return )"}}, "do not give valid Go", nil},
		{"Top with an anchor", []Edit{{Func: "f", Find: "return x", Text: "a()"}}, "go without Find", nil},
		{"Before without an anchor", []Edit{{Func: "f", Op: Before, Text: "a()"}}, "go without Find", nil},
		{"nothing", []Edit{{Text: "a()"}}, "needs Func or Type", nil},
		{"no text", []Edit{{Func: "f"}}, "no Text", nil},
		{"unknown release", []Edit{{Func: "f", Text: "a()", Only: "1.26"}}, `Only is "1.26"`, nil},
		{"two scopes", []Edit{{Type: "G", Func: "f", Text: "a()"}}, "not both", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.edits {
				test.edits[i].File, test.edits[i].Why = "p/p.go", "test"
			}
			_, err := applyEdits("go1.26", "p/p.go", applySource, test.edits)
			if err == nil || !strings.Contains(err.Error(), test.want) || (test.is != nil && !errors.Is(err, test.is)) {
				t.Errorf("got error %v, want %q and %v", err, test.want, test.is)
			}
		})
	}
}

func TestApplySeveral(t *testing.T) {
	edits := []Edit{
		{Func: "f", Find: "return x", Op: Before, Text: "a()"},
		{Func: "f", Find: "return x", Op: Before, Text: "b()"},
		{Func: "f", Find: "return x", Op: Replace, Text: "return 3"},
		{Func: "f", Text: "c()"},
		{Type: "T", Op: End, Text: "m int"},
	}
	for i := range edits {
		edits[i].File, edits[i].Why = "p/p.go", "test"
	}
	got, err := applyEdits("go1.26", "p/p.go", applySource, edits)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\ta(); b(); return 3\n", "func f(x int) int { c();\n", "// last\nm int }"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

const asmSource = `#include "textflag.h"

TEXT ·first(SB),NOSPLIT,$0-0
	MOVQ $1, AX
	RET

TEXT ·second<ABIInternal>(SB),NOSPLIT,$0-0
	MOVQ $1, AX
	RET
`

func TestApplyAssembly(t *testing.T) {
	edit := Edit{File: "p/p.s", Func: "second", Find: "MOVQ $1, AX", Op: Replace, Text: "MOVQ $2, AX", Why: "test"}
	got, err := applyEdits("go1.26", "p/p.s", asmSource, []Edit{edit})
	if err != nil {
		t.Fatal(err)
	}
	if i := strings.Index(got, "$2"); i < strings.Index(got, "second") || strings.Count(got, "$1,") != 1 {
		t.Errorf("the wrong function was edited:\n%s", got)
	}
	edit.Func = "" // the whole file
	if _, err := applyEdits("go1.26", "p/p.s", asmSource, []Edit{edit}); !errors.Is(err, ErrAnchor) {
		t.Errorf("a doubled anchor gives %v", err)
	}
}
