package inject

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
	"strings"
)

// ErrAnchor is wrapped by the error of an edit whose anchor is missing or
// occurs more than once: the installed release differs from the one the edit
// was written for.
var ErrAnchor = errors.New("anchor does not match")

// change is a resolved edit: bytes [from, to) of the original become text.
type change struct {
	from, to int
	text     string
	edit     *Edit
}

// source is a file of GOROOT/src while edits are resolved on it.
type source struct {
	release string // "go1.26"
	file    string // below GOROOT/src
	text    string
	syntax  *ast.File // nil for assembly
	tokens  *token.File
}

// applyEdits returns text with all edits that hold for the release. It fails
// if an anchor is missing or ambiguous, if two edits overlap, if the number
// of lines would change, or if the result is not valid Go.
func applyEdits(release, file, text string, edits []Edit) (string, error) {
	src := &source{release: release, file: file, text: text}
	if src.isGo() {
		fset := token.NewFileSet()
		syntax, err := parser.ParseFile(fset, file, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return "", fmt.Errorf("parse %s of %s: %w", file, release, err)
		}
		src.syntax, src.tokens = syntax, fset.File(syntax.FileStart)
	}
	var changes []change
	for i := range edits {
		e := &edits[i]
		if err := e.check(); err != nil {
			return "", src.fail(e, err)
		}
		if e.Only != "" && e.Only != release {
			continue
		}
		c, err := src.resolve(e)
		if errors.Is(err, errMissing) && e.Optional {
			continue
		}
		if err != nil {
			return "", src.fail(e, err)
		}
		changes = append(changes, c)
	}
	out, err := src.rewrite(changes)
	if err != nil {
		return "", err
	}
	if a, b := strings.Count(text, "\n"), strings.Count(out, "\n"); a != b {
		return "", fmt.Errorf("edits of %s for %s change the number of lines from %d to %d", file, release, a, b)
	}
	if src.isGo() {
		if _, err := parser.ParseFile(token.NewFileSet(), file, out, parser.SkipObjectResolution); err != nil {
			return "", fmt.Errorf("edits of %s for %s do not give valid Go: %w", file, release, err)
		}
	}
	return out, nil
}

var (
	errMissing = fmt.Errorf("%w: it does not occur", ErrAnchor)
	errDoubled = fmt.Errorf("%w: it occurs more than once", ErrAnchor)
)

func (s *source) isGo() bool { return strings.HasSuffix(s.file, ".go") }

func (s *source) fail(e *Edit, err error) error {
	where := s.file
	switch {
	case e.Func != "":
		where += ", function " + e.Func
	case e.Type != "":
		where += ", type " + e.Type
	}
	anchor := "no anchor"
	if e.Find != "" {
		anchor = fmt.Sprintf("anchor %q", e.Find)
	}
	return fmt.Errorf("edit for %s in %s, %s: %w", s.release, where, anchor, err)
}

// rewrite applies the changes from the end of the file to its start.
func (s *source) rewrite(changes []change) (string, error) {
	sort.SliceStable(changes, func(i, j int) bool {
		a, b := changes[i], changes[j]
		if a.from != b.from {
			return a.from < b.from
		}
		return a.to < b.to // insertions before a replacement that starts there
	})
	var out strings.Builder
	at := 0
	for i, c := range changes {
		if c.from < at {
			return "", s.fail(c.edit, fmt.Errorf("it overlaps the edit with anchor %q", changes[i-1].edit.Find))
		}
		out.WriteString(s.text[at:c.from])
		out.WriteString(c.text)
		at = c.to
	}
	out.WriteString(s.text[at:])
	return out.String(), nil
}

// resolve finds the anchor and gives the text its separators.
func (s *source) resolve(e *Edit) (change, error) {
	lo, hi, decl, err := s.scope(e)
	if err != nil {
		return change{}, err
	}
	if e.Find == "" {
		return s.resolveEnds(e, decl)
	}
	switch strings.Count(s.text[lo:hi], e.Find) {
	case 0:
		return change{}, errMissing
	case 1:
	default:
		return change{}, errDoubled
	}
	from := lo + strings.Index(s.text[lo:hi], e.Find)
	to := from + len(e.Find)
	c := change{from: from, to: to, edit: e}
	lines := strings.Count(e.Find, "\n")
	switch e.Op {
	case Before:
		c.to = from
		c.text = s.separate(e.Text, from, from)
	case After:
		c.from = to
		c.text = s.separate(e.Text, to, to)
	case Replace:
		missing := lines - strings.Count(e.Text, "\n")
		if missing < 0 {
			return change{}, fmt.Errorf("the replacement has %d more line ends than the anchor", -missing)
		}
		c.text = e.Text + strings.Repeat("\n", missing)
	case Delete:
		c.text = strings.Repeat("\n", lines)
	}
	return c, nil
}

// check finds mistakes of the table itself.
func (e *Edit) check() error {
	switch {
	case e.File == "" || e.Why == "":
		return errors.New("an edit needs File and Why")
	case e.Func != "" && e.Type != "":
		return errors.New("an edit has Func or Type, not both")
	case e.Only != "" && !supportedRelease(e.Only):
		return fmt.Errorf("Only is %q, want one of %s", e.Only, strings.Join(releases, ", "))
	case e.Op < Top || e.Op > Delete:
		return fmt.Errorf("unknown Op %d", e.Op)
	case (e.Find == "") != (e.Op == Top || e.Op == End):
		return errors.New("Top and End go without Find, the other operations with it")
	case e.Find == "" && e.Func == "" && e.Type == "":
		return errors.New("an edit without Find needs Func or Type")
	case e.Text == "" && e.Op != Delete && e.Op != Replace:
		return errors.New("there is no Text to insert")
	case e.Text != "" && e.Op == Delete:
		return errors.New("Delete has no Text")
	case e.Op != Replace && strings.Contains(e.Text, "\n"):
		return errors.New("the text has a line end, which would move the lines below it")
	}
	return nil
}

// scope returns the byte range an anchor is looked for in, and the
// declaration it belongs to, if any.
func (s *source) scope(e *Edit) (lo, hi int, decl ast.Node, err error) {
	switch {
	case e.Func == "" && e.Type == "":
		return 0, len(s.text), nil, nil
	case !s.isGo():
		lo, hi, err = s.asmScope(e.Func)
		return lo, hi, nil, err
	}
	for _, d := range s.syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if e.Func != "" && funcName(d) == e.Func {
				if decl != nil {
					return 0, 0, nil, fmt.Errorf("%w: the function is declared twice", ErrAnchor)
				}
				decl = d
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && e.Type != "" && t.Name.Name == e.Type {
					decl = t
				}
			}
		}
	}
	if decl == nil {
		return 0, 0, nil, errMissing
	}
	return s.tokens.Offset(decl.Pos()), s.tokens.Offset(decl.End()), decl, nil
}

// asmScope returns the lines from one TEXT directive to the next.
func (s *source) asmScope(name string) (lo, hi int, err error) {
	const directive = "\nTEXT "
	lo = -1
	for at := 0; ; {
		i := strings.Index(s.text[at:], directive)
		if i < 0 {
			break
		}
		at += i + 1
		line, _, _ := strings.Cut(s.text[at:], "\n")
		if strings.Contains(line, "·"+name+"(") || strings.Contains(line, "·"+name+"<") {
			if lo >= 0 {
				return 0, 0, errDoubled
			}
			lo = at
		}
	}
	if lo < 0 {
		return 0, 0, errMissing
	}
	hi = len(s.text)
	if i := strings.Index(s.text[lo:], directive); i >= 0 {
		hi = lo + i
	}
	return lo, hi, nil
}

// funcName spells a declaration as in Edit.Func, without type parameters.
func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	t, star := d.Recv.List[0].Type, false
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
			continue
		case *ast.StarExpr:
			t, star = x.X, true
			continue
		case *ast.IndexExpr:
			t = x.X
			continue
		case *ast.IndexListExpr:
			t = x.X
			continue
		case *ast.Ident:
			if star {
				return "(*" + x.Name + ")." + d.Name.Name
			}
			return x.Name + "." + d.Name.Name
		}
		return d.Name.Name
	}
}
