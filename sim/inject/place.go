package inject

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// This file knows where a statement, a field or a declaration needs a
// semicolon when it is put on a line that already has something on it.

// resolveEnds resolves Top and End: right behind the opening brace, or right
// before the closing one.
func (s *source) resolveEnds(e *Edit, decl ast.Node) (change, error) {
	var open, shut token.Pos
	var last ast.Node
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Body == nil {
			return change{}, errors.New("the function has no body")
		}
		open, shut = d.Body.Lbrace, d.Body.Rbrace
		if n := len(d.Body.List); n > 0 {
			last = d.Body.List[n-1]
		}
	case *ast.TypeSpec:
		t, ok := d.Type.(*ast.StructType)
		if !ok {
			return change{}, errors.New("the type is no struct")
		}
		open, shut = t.Fields.Opening, t.Fields.Closing
		if n := len(t.Fields.List); n > 0 {
			last = t.Fields.List[n-1]
		}
	default:
		return change{}, errors.New("an assembly file has no braces: give an anchor")
	}
	text := strings.Trim(e.Text, " \t;")
	if e.Op == Top {
		at := s.tokens.Offset(open) + 1
		return change{from: at, to: at, text: " " + text + ";", edit: e}, nil
	}
	at := s.tokens.Offset(shut)
	if last != nil && !strings.Contains(s.text[s.tokens.Offset(last.End()):at], "\n") {
		text = "; " + text
	}
	return change{from: at, to: at, text: text + " ", edit: e}, nil
}

// separate gives an inserted text the semicolons that its place calls for. A
// text that is not a list of whole statements, fields or declarations, or
// that does not stand between two of them, stays as it is.
func (s *source) separate(text string, from, to int) string {
	if !s.isGo() || strings.HasPrefix(strings.TrimSpace(text), ";") || strings.HasSuffix(strings.TrimSpace(text), ";") {
		return text
	}
	p := place{source: s, from: from, to: to}
	ast.Inspect(s.syntax, p.visit)
	if p.whole == nil || !p.whole(text) {
		return text
	}
	switch {
	case p.behind:
		return "; " + text
	case p.ahead:
		return text + "; "
	case p.opening:
		return " " + text + ";"
	}
	return text
}

// place describes an offset relative to the lists of statements, fields and
// declarations around it.
type place struct {
	*source
	from, to int
	ahead    bool // an element of a list starts here
	behind   bool // an element of a list ends here
	opening  bool // the brace that opens a list ends here
	whole    func(text string) bool
}

func (p *place) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.File:
		for _, d := range n.Decls {
			p.element(d.Pos(), d.End(), wholeDecls)
		}
	case *ast.BlockStmt:
		p.open(n.Lbrace, wholeStmts)
		p.stmts(n.List)
	case *ast.CaseClause:
		p.open(n.Colon, wholeStmts)
		p.stmts(n.Body)
	case *ast.CommClause:
		p.open(n.Colon, wholeStmts)
		p.stmts(n.Body)
	case *ast.StructType:
		p.open(n.Fields.Opening, wholeFields)
		for _, f := range n.Fields.List {
			p.element(f.Pos(), f.End(), wholeFields)
		}
	case *ast.GenDecl:
		if n.Lparen.IsValid() {
			whole := func(text string) bool { return wholeSpecs(n.Tok, text) }
			p.open(n.Lparen, whole)
			for _, spec := range n.Specs {
				p.element(spec.Pos(), spec.End(), whole)
			}
		}
	}
	return true
}

func (p *place) stmts(list []ast.Stmt) {
	for _, stmt := range list {
		p.element(stmt.Pos(), stmt.End(), wholeStmts)
	}
}

func (p *place) open(brace token.Pos, whole func(string) bool) {
	if brace.IsValid() && p.tokens.Offset(brace)+1 == p.from {
		p.opening, p.whole = true, whole
	}
}

func (p *place) element(pos, end token.Pos, whole func(string) bool) {
	if p.tokens.Offset(pos) == p.to {
		p.ahead, p.whole = true, whole
	}
	if p.tokens.Offset(end) == p.from {
		p.behind, p.whole = true, whole
	}
}

func wholeStmts(text string) bool  { return parses("package p; func _() {\n" + text + "\n}") }
func wholeFields(text string) bool { return parses("package p; type _ struct {\n" + text + "\n}") }
func wholeDecls(text string) bool  { return parses("package p;\n" + text + "\n") }

func wholeSpecs(tok token.Token, text string) bool {
	return parses("package p;\n" + tok.String() + " (\n" + text + "\n)")
}

func parses(text string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	return err == nil
}
