package sim_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"
	"testing"
)

// injectedPackages are compiled into the program under test, where they run
// inside its scheduler. What ordinary Go may do would there enter the very
// scheduler it serves, or let two runs of one seed differ.
var injectedPackages = []string{"sim/kernel/...", "sim/sched", "sim/steplog"}

// injectedExceptions are what injected code may do all the same, as
// "package function or variable: finding", with the reason.
var injectedExceptions = map[string]string{
	"sim/kernel linked: changes a package variable": "what the runtime calls by plain pointers finds its kernel there; " +
		"set once, before the program starts",
}

func TestInjectedCode(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		t.Run(goarch, func(t *testing.T) { checkInjected(t, goarch) })
	}
}

func checkInjected(t *testing.T, goarch string) {
	tr := repository(t)
	c := newChecker(tr.fset, goarch)
	for _, f := range tr.gos {
		if !f.test && matches(injectedPackages, f.dir()) {
			c.add(f)
		}
	}
	found, err := c.check()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, f := range found {
		key := f.pkg + " " + f.where + ": " + f.what
		used[key] = true
		if injectedExceptions[key] == "" {
			t.Errorf("%s: %s (%s)", tr.pos(f.pos), f.what, f.where)
		}
	}
	for key := range injectedExceptions {
		if !used[key] {
			t.Errorf("the exception %q is about nothing: remove it", key)
		}
	}
	if len(c.packages) < 7 {
		t.Errorf("only %d injected packages were found", len(c.packages))
	}
}

// finding is one thing that injected code must not do.
type finding struct {
	pkg, where, what string
	pos              token.Pos
}

// checker type-checks injected packages and looks at each function.
type checker struct {
	fset     *token.FileSet
	goarch   string
	files    map[string][]*ast.File // by package
	packages map[string]*types.Package
	std      types.Importer
	info     types.Info
	found    []finding

	pkg   string // being looked at
	where string // function or variable being looked at
}

func newChecker(fset *token.FileSet, goarch string) *checker {
	return &checker{
		fset: fset, goarch: goarch, files: map[string][]*ast.File{}, packages: map[string]*types.Package{},
		std: importer.ForCompiler(fset, "source", nil),
		info: types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
			Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		},
	}
}

// add takes a file that is built for Linux on the CPU.
func (c *checker) add(f *goFile) {
	target := build.Context{GOOS: "linux", GOARCH: c.goarch, Compiler: "gc", OpenFile: build.Default.OpenFile}
	if ok, err := target.MatchFile("../"+f.dir(), path.Base(f.path)); path.Base(f.path) != "embed.go" && err == nil && ok {
		c.files[f.dir()] = append(c.files[f.dir()], f.syntax)
	}
}

func (c *checker) check() ([]finding, error) {
	dirs := make([]string, 0, len(c.files))
	for dir := range c.files {
		dirs = append(dirs, dir)
	}
	slices.Sort(dirs)
	for _, dir := range dirs {
		if _, err := c.Import(modulePath + "/" + dir); err != nil {
			return nil, fmt.Errorf("type-check %s: %w", dir, err)
		}
		c.pkg = dir
		for _, file := range c.files[dir] {
			c.file(file)
		}
	}
	return c.found, nil
}

// Import implements types.Importer: injected packages from their syntax, so
// that their types are seen, others by way of the go command.
func (c *checker) Import(p string) (*types.Package, error) {
	dir, own := strings.CutPrefix(p, modulePath+"/")
	if !own {
		return c.std.Import(p)
	}
	if pkg := c.packages[dir]; pkg != nil {
		return pkg, nil
	}
	if len(c.files[dir]) == 0 {
		return nil, fmt.Errorf("%s is not injected", p)
	}
	config := types.Config{Importer: c, Sizes: types.SizesFor("gc", c.goarch)}
	pkg, err := config.Check(p, c.fset, c.files[dir], &c.info)
	c.packages[dir] = pkg
	return pkg, err
}

func (c *checker) report(n ast.Node, what string) {
	c.found = append(c.found, finding{c.pkg, c.where, what, n.Pos()})
}

func (c *checker) file(file *ast.File) {
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			c.where = f.Name.Name
			if f.Recv == nil && f.Name.Name == "init" {
				c.report(f, "is an init function")
			}
			ast.Inspect(f, c.statement)
			continue
		}
		c.where = "package level"
		ast.Inspect(decl, c.node)
	}
}

// statement looks at nodes of function bodies.
func (c *checker) statement(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			for _, to := range n.Lhs {
				c.change(to)
			}
		}
	case *ast.IncDecStmt:
		c.change(n.X)
	case *ast.RangeStmt:
		c.ranged(n)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			c.change(n.X) // what has the address may write
		}
	case *ast.SelectorExpr:
		c.method(n)
	case *ast.DeferStmt:
		c.report(n, "defers")
	case *ast.GoStmt:
		c.report(n, "starts a goroutine")
	case *ast.SelectStmt:
		c.report(n, "selects on channels")
	case *ast.SendStmt:
		c.report(n, "sends on a channel")
	}
	return c.node(n)
}

func (c *checker) ranged(n *ast.RangeStmt) {
	if n.Tok == token.ASSIGN {
		for _, to := range []ast.Expr{n.Key, n.Value} {
			if to != nil {
				c.change(to)
			}
		}
	}
	switch under(c.info.TypeOf(n.X)).(type) {
	case *types.Map:
		c.report(n, "ranges over a map")
	case *types.Chan:
		c.report(n, "receives from a channel")
	}
}

// method takes the call of a pointer's method on a variable for a change of
// the variable.
func (c *checker) method(n *ast.SelectorExpr) {
	s := c.info.Selections[n]
	if s == nil || s.Kind() != types.MethodVal {
		return
	}
	_, pointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
	if _, already := under(s.Recv()).(*types.Pointer); pointer && !already {
		c.change(n.X)
	}
}

// node looks at nodes anywhere.
func (c *checker) node(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ChanType:
		c.report(n, "uses a channel type")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			c.report(n, "receives from a channel")
		}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "recover" {
			c.report(n, "recovers")
		}
	case ast.Expr:
	default:
		return true
	}
	if e, ok := n.(ast.Expr); ok && isFloat(c.info.TypeOf(e)) {
		c.report(n, "uses a floating-point number")
		return false
	}
	return true
}

// change reports an expression that is assigned to when it lies in a package
// variable, directly or behind the slices, maps and pointers it holds.
func (c *checker) change(e ast.Expr) {
	for {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.SelectorExpr:
			if c.info.Selections[x] == nil { // a package's name
				e = x.Sel
				continue
			}
			e = x.X
		case *ast.Ident:
			v, ok := c.info.Uses[x].(*types.Var)
			if ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
				old := c.where
				c.where = v.Name()
				c.report(x, "changes a package variable")
				c.where = old
			}
			return
		default:
			return
		}
	}
}

func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

func isFloat(t types.Type) bool {
	b, ok := under(t).(*types.Basic)
	return ok && b.Info()&(types.IsFloat|types.IsComplex) != 0
}

// TestInjectedChecker gives the checker one of each thing it looks for.
func TestInjectedChecker(t *testing.T) {
	const head = "package waitq\n\nvar v struct{ n int; a [2]int; m map[int]int; p *int }\n\n" +
		"type s struct{}\n\nfunc (*s) set() {}\nfunc (s) get() {}\n\nvar w s\n\n"
	for _, test := range []struct{ code, want string }{
		{"func f() { x := v; x.n = 1; w.get() }", ""},
		{"func f(m map[int]int) { m[1] = 2; for i := range 3 { _ = i } }", ""},
		{"func init() {}", "is an init function"},
		{"func f() { go f() }", "starts a goroutine"},
		{"func f() { defer f() }", "defers"},
		{"func f() { recover() }", "recovers"},
		{"func f() { select {} }", "selects on channels"},
		{"type c chan int", "uses a channel type"},
		{"func f(c interface{ x() <-chan int }) { <-c.x() }", "uses a channel type,receives from a channel"},
		{"func f(m map[int]int) { for range m {} }", "ranges over a map"},
		{"type mm map[int]int\nfunc f(m mm) { for range m {} }", "ranges over a map"},
		{"func f(n int) int { return int(float64(n) * 1.5) }", "uses a floating-point number"},
		{"func f() { v.n = 1 }", "changes a package variable"},
		{"func f() { v.a[0]++ }", "changes a package variable"},
		{"func f() { v.m[0] = 1 }", "changes a package variable"},
		{"func f() { *v.p += 1 }", "changes a package variable"},
		{"func f() *int { return &v.n }", "changes a package variable"},
		{"func f() { w.set() }", "changes a package variable"},
		{"func f() { for v.n = range 3 {} }", "changes a package variable"},
	} {
		c := newChecker(token.NewFileSet(), "amd64")
		syntax, err := parser.ParseFile(c.fset, "f.go", head+test.code+"\n", parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		c.files["sim/kernel/waitq"] = []*ast.File{syntax}
		found, err := c.check()
		if err != nil {
			t.Errorf("%s: %v", test.code, err)
			continue
		}
		var got []string
		for _, f := range found {
			got = append(got, f.what)
		}
		if strings.Join(got, ",") != test.want {
			t.Errorf("%s: %q, want %q", test.code, got, test.want)
		}
	}
}
