package source

import (
	"strings"
	"testing"
)

// FuzzParse reads anything as a Go file: what it says is within the file.
func FuzzParse(f *testing.F) {
	f.Add(program)
	f.Add("package m\n//line x.go:7\nfunc TestA(t *T) { go f(a...) }\n")
	f.Add("//go:build a && !(b || c)\n\npackage m; func (T[A, B]) M(s ...string) { log.Print(s[1:].x...) }")
	f.Fuzz(func(t *testing.T, content string) {
		file := Parse("x_test.go", content)
		lines := NewText(content).GoLines()
		for _, test := range file.Tests {
			if test.Start < 0 || test.End > len(content) || content[test.Start:test.End] != test.Name {
				t.Fatalf("test %+v of %q", test, content)
			}
		}
		for n := range lines + 2 {
			inside := n >= 1 && n <= lines
			if !inside && (file.HasCall(n) || file.HasGo(n)) {
				t.Fatalf("line %d of %d has a call", n, lines)
			}
			file.Wraps(n)
			file.InFunc(n, "m.(*T[...]).M.func1")
		}
		if line, tags := Constraint(content); line == "" && len(tags) > 0 || line != "" && !strings.Contains(content, line) {
			t.Fatalf("constraint %q with %q of %q", line, tags, content)
		}
	})
}

// FuzzCompareLines: what is exact has the same text, and no line is two.
func FuzzCompareLines(f *testing.F) {
	f.Add("a\nb\nb\nc", "b\nx\nb\nc\nc")
	f.Add("", "\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		old, now := strings.Split(before, "\n"), strings.Split(after, "\n")
		m := CompareLines(old, now)
		taken := map[int]bool{}
		for i := range old {
			n, exact, ok := m.Line(i + 1)
			if !ok {
				continue
			}
			if n < 1 || n > len(now) || taken[n] || exact && old[i] != now[n-1] {
				t.Fatalf("line %d of %q is line %d of %q (exact: %v)", i+1, before, n, after, exact)
			}
			taken[n] = true
		}
	})
}
