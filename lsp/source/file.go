package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Test is a test, fuzz target or example, which restep test can run by name.
type Test struct {
	Name       string
	Start, End int // offsets of the name in its declaration
}

// File is what the language server wants to know of a Go file.
type File struct {
	Package string // name in the package clause
	Imports []string
	Tests   []Test // in the order of the file; none unless it is a _test.go file
	// Declares and Mentions are names: of the top level, and of all identifiers.
	Declares []string
	Mentions map[string]bool
	funcs    []function
	calls    map[int]bool      // lines with a part of a call
	passes   map[int][]passing // calls, by the lines of their begin and parenthesis
	gos      map[int]bool      // lines with a part of a go statement
}

// maxFile is the size in bytes of a file that is still parsed.
const maxFile = 8 << 20

// Parse reads a file. What does not compile is left out; name is used to tell
// test files only.
func Parse(name, content string) *File {
	f := &File{Mentions: map[string]bool{}, calls: map[int]bool{}, gos: map[int]bool{}, passes: map[int][]passing{}}
	if len(content) > maxFile {
		return f
	}
	fset := token.NewFileSet()
	tree, _ := parser.ParseFile(fset, "", content, parser.SkipObjectResolution|parser.AllErrors)
	if tree == nil {
		return f
	}
	p := pass{f, fset.File(tree.FileStart)}
	if p.file == nil {
		return f
	}
	if tree.Name != nil {
		f.Package = tree.Name.Name
	}
	for _, spec := range tree.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			f.Imports = append(f.Imports, path)
		}
	}
	for _, d := range tree.Decls {
		p.declaration(d, strings.HasSuffix(name, "_test.go"))
	}
	ast.Inspect(tree, p.visit)
	return f
}

// pass is one walk over a syntax tree.
type pass struct {
	*File
	file *token.File
}

// line is the line of a position in this very text: a //line directive does
// not count.
func (p *pass) line(pos token.Pos) int {
	if !pos.IsValid() || int(pos) < p.file.Base() || int(pos) > p.file.Base()+p.file.Size() {
		return 0
	}
	return p.file.PositionFor(pos, false).Line
}

func (p *pass) declaration(d ast.Decl, tests bool) {
	switch d := d.(type) {
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				p.Declares = append(p.Declares, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					p.Declares = append(p.Declares, n.Name)
				}
			}
		}
	case *ast.FuncDecl:
		p.funcs = append(p.funcs, p.newFunction(funcName(d), d, d.Type, d.Body))
		if d.Recv == nil {
			p.Declares = append(p.Declares, d.Name.Name)
		}
		if tests && d.Recv == nil && d.Body != nil && isTest(d) {
			start := p.file.Offset(d.Name.Pos())
			p.Tests = append(p.Tests, Test{d.Name.Name, start, start + len(d.Name.Name)})
		}
	}
}

// funcName is the name of a function in a symbol table, behind its package.
func funcName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) != 1 {
		return d.Name.Name
	}
	typ, pointer := d.Recv.List[0].Type, false
	for {
		switch t := typ.(type) {
		case *ast.ParenExpr:
			typ = t.X
		case *ast.StarExpr:
			typ, pointer = t.X, true
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			if pointer {
				return "(*" + t.Name + ")." + d.Name.Name
			}
			return t.Name + "." + d.Name.Name
		default:
			return d.Name.Name
		}
	}
}

// isTest reports functions that package testing would run: a name that does
// not go on in lower case, and the one parameter of its kind.
func isTest(d *ast.FuncDecl) bool {
	if d.Type.TypeParams != nil || d.Type.Results != nil {
		return false
	}
	for prefix, param := range map[string]string{"Test": "T", "Fuzz": "F", "Example": ""} {
		rest, ok := strings.CutPrefix(d.Name.Name, prefix)
		if !ok {
			continue
		}
		if r, _ := utf8.DecodeRuneInString(rest); rest != "" && unicode.IsLower(r) {
			return false
		}
		fields := d.Type.Params.List
		if param == "" {
			return len(fields) == 0
		}
		if len(fields) != 1 || len(fields[0].Names) > 1 {
			return false
		}
		star, ok := fields[0].Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		switch x := star.X.(type) {
		case *ast.SelectorExpr:
			return x.Sel.Name == param
		case *ast.Ident: // import . "testing"
			return x.Name == param
		}
	}
	return false
}

// visit notes the lines of calls and go statements, and names.
func (p *pass) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		p.mark(p.calls, n.Pos(), n.Lparen)
		p.mark(p.calls, n.Rparen, n.Rparen)
		for _, a := range n.Args {
			p.mark(p.calls, a.Pos(), a.Pos())
		}
		c := p.passing(n)
		p.passes[c.line] = append(p.passes[c.line], c)
		if begin := p.line(n.Pos()); begin != c.line {
			p.passes[begin] = append(p.passes[begin], c)
		}
	case *ast.FuncLit:
		p.funcs = append(p.funcs, p.newFunction("", n, n.Type, n.Body))
	case *ast.GoStmt:
		p.mark(p.gos, n.Pos(), n.Pos())
		p.mark(p.gos, n.Call.Lparen, n.Call.Rparen)
	case *ast.Ident:
		p.Mentions[n.Name] = true
	}
	return true
}

func (p *pass) mark(set map[int]bool, from, to token.Pos) {
	for line := p.line(from); line > 0 && line <= p.line(to); line++ {
		set[line] = true
	}
}

// HasCall reports whether a call may be recorded at a line: its function, its
// parentheses or an argument is there.
func (f *File) HasCall(line int) bool { return f.calls[line] }

// HasGo reports whether a go statement may be recorded at a line.
func (f *File) HasGo(line int) bool { return f.gos[line] }

// InFunc reports whether a line is within the function that a symbol names,
// such as "example.com/m.(*T).Run.func1". Without a function around the line
// the symbol must be one of a variable's initialisation.
func (f *File) InFunc(line int, symbol string) bool {
	_, name, ok := strings.Cut(symbol[strings.LastIndexByte(symbol, '/')+1:], ".")
	if !ok {
		return false
	}
	name = stripTypeArguments(name)
	for _, fn := range f.funcs {
		if fn.name == "" || line < fn.from || line > fn.to {
			continue
		}
		rest, ok := strings.CutPrefix(name, fn.name)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '-') // closures, init.0, method values
	}
	return name == "init" || strings.HasPrefix(name, "init.") || strings.HasPrefix(name, "glob.")
}

// stripTypeArguments takes what is in brackets out of a symbol.
func stripTypeArguments(name string) string {
	if !strings.Contains(name, "[") {
		return name
	}
	var b strings.Builder
	depth := 0
	for _, r := range name {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}
