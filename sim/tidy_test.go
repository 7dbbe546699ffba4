package sim_test

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Sizes beyond which a reader loses the thread.
const (
	fileLinesMax     = 600
	functionLinesMax = 70 // without the tables in it
	lineLengthMax    = 160
)

// topLevel is all that the root of the repository holds, beside dotfiles.
var topLevel = []string{
	"lsp", "dap", "replay", "sim", "extension", "cmd",
	"go.mod", "go.sum", "package.json", "package-lock.json", "README.md", "LICENSE",
	"node_modules", "restep", // git ignores them: what npm and go build ./cmd/restep leave
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(repository(t).root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s does not belong at the top of the repository: move it into one of %s", e.Name(), strings.Join(topLevel[:6], ", "))
		}
	}
}

// sourceExtensions are of files whose size counts.
var sourceExtensions = []string{".go", ".s", ".ts", ".js", ".mjs"}

// generated files are as long as they are.
func generated(text string) bool {
	return strings.Contains(text[:min(len(text), 500)], "DO NOT EDIT")
}

// oneLiners are files whose tables hold what has to stay on one line.
func oneLiners(name string) bool {
	return strings.HasPrefix(name, "sim/inject/edits_") // an edit keeps the number of lines
}

func TestSizes(t *testing.T) {
	tr := repository(t)
	for name, text := range tr.texts {
		if !slices.Contains(sourceExtensions, path.Ext(name)) || inTestdata(name) || generated(text) {
			continue
		}
		if n := strings.Count(text, "\n"); n > fileLinesMax {
			t.Errorf("%s has %d lines, more than %d: split it by subject", name, n, fileLinesMax)
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > lineLengthMax && !oneLiners(name) {
				t.Errorf("%s:%d has %d characters, more than %d: break it", name, number, n, lineLengthMax)
			}
		}
	}
	for _, f := range tr.gos {
		if generated(tr.texts[f.path]) {
			continue
		}
		for _, decl := range f.syntax.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok {
				if n := functionLines(tr.fset, d); n > functionLinesMax {
					t.Errorf("%s: %s has %d lines, more than %d: split it", tr.pos(d.Pos()), d.Name.Name, n, functionLinesMax)
				}
			}
		}
	}
}

// functionLines counts the lines of a function without those of the tables
// in it.
func functionLines(fset *token.FileSet, d *ast.FuncDecl) int {
	span := func(n ast.Node) int { return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line }
	n := span(d) + 1
	ast.Inspect(d, func(node ast.Node) bool {
		lit, ok := node.(*ast.CompositeLit)
		if !ok {
			return true
		}
		switch lit.Type.(type) {
		case *ast.ArrayType, *ast.MapType:
			n -= span(lit)
			return false
		}
		return true
	})
	return n
}

func TestGofmt(t *testing.T) {
	for _, f := range repository(t).gos {
		text := repository(t).texts[f.path]
		if out, err := format.Source([]byte(text)); err != nil || string(out) != text {
			t.Errorf("%s is not formatted (%v): gofmt -w %s", f.path, err, f.path)
		}
	}
}

// TestPackageDocs asks each package for its job and its limits.
func TestPackageDocs(t *testing.T) {
	tr := repository(t)
	docs := map[string]string{}
	for _, f := range tr.gos {
		if f.test || f.ignored() {
			continue
		}
		docs[f.dir()] += "" // known
		if f.syntax.Doc == nil {
			continue
		}
		if docs[f.dir()] != "" {
			t.Errorf("%s: package %s is documented a second time: keep one", f.path, f.dir())
		}
		docs[f.dir()] += f.syntax.Doc.Text()
		want := "Package " + f.syntax.Name.Name + " "
		if f.syntax.Name.Name == "main" {
			want = "Command " + path.Base(f.dir()) + " "
		}
		if !strings.HasPrefix(docs[f.dir()], want) {
			t.Errorf("%s: the comment of the package does not begin with %q", f.path, want)
		}
	}
	for dir, doc := range docs {
		if !strings.Contains(doc, "import") {
			t.Errorf("package %s has no doc comment that says its job, what it does not do, what it may import and must never know", dir)
		}
	}
}

// TestPublicAPIDocumented is about package sim, which users read.
func TestPublicAPIDocumented(t *testing.T) {
	tr := repository(t)
	count := 0
	for _, f := range tr.gos {
		if f.dir() != "sim" || f.test {
			continue
		}
		for _, decl := range f.syntax.Decls {
			for _, id := range undocumented(decl) {
				t.Errorf("%s: %s is exported and has no comment", tr.pos(id.Pos()), id.Name)
			}
			count++
		}
	}
	if count == 0 {
		t.Error("package sim was not found")
	}
}

// undocumented returns the exported names of a declaration without a comment
// of their own or of their group.
func undocumented(decl ast.Decl) (names []*ast.Ident) {
	add := func(documented bool, ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() && !documented {
				names = append(names, id)
			}
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		add(d.Doc != nil, d.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				add(d.Doc != nil || s.Doc != nil || s.Comment != nil, s.Names...)
			case *ast.TypeSpec:
				add(d.Doc != nil || s.Doc != nil, s.Name)
				if st, ok := s.Type.(*ast.StructType); ok {
					for _, field := range st.Fields.List {
						add(field.Doc != nil || field.Comment != nil, field.Names...)
					}
				}
			}
		}
	}
	return names
}

var (
	todo      = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	todoIssue = regexp.MustCompile(`\b(TODO|FIXME|XXX)\(#\d+\)`)
	// machinePath is of folders in which people keep checkouts and caches,
	// placeholder of those that only examples speak of.
	placeholder = regexp.MustCompile(`^/home/(u|me|user|gopher)$`)
	machinePath = regexp.MustCompile(`(?:^|[\s"'` + "`" + `=(:>,])(/(?:home|Users|root|work|workspace|builds?|mnt|opt)/[\w.-]+)`)
	registry    = regexp.MustCompile(`\b(?:proxy\.golang\.org|sum\.golang\.org|goproxy\.\w+|registry\.[\w.-]+\.\w{2,}|npmmirror\.com)\b`)
)

// wordingExceptions are files that must hold what is banned, with the reason.
var wordingExceptions = map[string]string{
	"LICENSE":                "a text of others",
	"sim/tidy_test.go":       "it names what it looks for",
	"sim/tidy_check_test.go": "it holds examples of what is banned",
	"package-lock.json":      "npm writes it",
	"go.sum":                 "go writes it",
}

func TestWording(t *testing.T) {
	for name, text := range repository(t).texts {
		if wordingExceptions[name] != "" {
			continue
		}
		for _, found := range badWording(name, text) {
			t.Error(found)
		}
	}
}

func badWording(name, text string) (found []string) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		report := func(what, remedy string) {
			found = append(found, fmt.Sprintf("%s:%d: %q: %s", name, number, what, remedy))
		}
		if slices.Contains(sourceExtensions, path.Ext(name)) {
			if m := todo.FindString(line); m != "" && strings.Contains(line, "//") && !todoIssue.MatchString(line) {
				report(m, "name the issue, as TODO(#12)")
			}
		}
		if m := machinePath.FindStringSubmatch(line); m != nil && !placeholder.MatchString(m[1]) {
			report(m[1], "a path of one machine: use a relative one, or t.TempDir")
		}
		if m := registry.FindString(line); m != "" {
			report(m, "the host of a registry: leave that to the user's settings")
		}
		if strings.HasSuffix(strings.TrimRight(line, "\n"), " ") && slices.Contains(sourceExtensions, path.Ext(name)) {
			report("trailing space", "remove it")
		}
	}
	return found
}

// TestNoSleeps: a test waits for an event, never for time to pass. Programs
// under test may sleep: their time is simulated.
func TestNoSleeps(t *testing.T) {
	tr := repository(t)
	for _, f := range tr.gos {
		if !f.test {
			continue
		}
		for _, pos := range sleeps(f.syntax) {
			if !allowed(tr.fset, f.syntax, pos) {
				t.Errorf("%s: time.Sleep: wait for an event, or say why in a comment on the line: // sim:ok reason", tr.pos(pos))
			}
		}
	}
}

func sleeps(file *ast.File) (at []token.Pos) {
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
			if id, ok := s.X.(*ast.Ident); ok && id.Name == "time" {
				at = append(at, s.Pos())
			}
		}
		return true
	})
	return at
}

// allowed reports whether the line has a comment "sim:ok reason".
func allowed(fset *token.FileSet, file *ast.File, pos token.Pos) bool {
	for _, group := range file.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(c.Text, "// sim:ok ")
			if ok && strings.TrimSpace(rest) != "" && fset.Position(c.Pos()).Line == fset.Position(pos).Line {
				return true
			}
		}
	}
	return false
}
