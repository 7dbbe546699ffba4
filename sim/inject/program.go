package inject

import (
	"context"
	"debug/elf"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Programs that a test starts as processes: calls of sim.Program name packages
// main of the user's modules. A binary has one main, so for this build the
// overlay gives such a package another name, and its main an exported one; a
// file that the package under test gets imports it and tells package sim. Which
// packages only a program needs is asked of go list: their init functions run
// in its processes alone, and in these no others.

// program is one package main that a test starts.
type program struct {
	path string   // as sim.Program names it, "./cmd/tool"
	dir  string   // where it is
	pkg  string   // import path
	deps []string // import paths of all that it is made of, itself included
}

// Names in the files that the overlay adds.
const (
	programPackage  = "restepprogram"
	programFileName = "restep_program.go"
	linkFileName    = "restep_programs_test.go"
)

// findPrograms reads which programs the tests of a package start.
func (b *builder) findPrograms(ctx context.Context) error {
	dir := filepath.Join(b.Dir, b.Package)
	if filepath.IsAbs(b.Package) {
		dir = b.Package
	} else if !strings.HasPrefix(b.Package, ".") {
		out, err := b.run(ctx, "list", "-e", b.tagsFlag(), "-f={{.Dir}}", b.Package)
		if dir = strings.TrimSpace(string(out)); err != nil || dir == "" {
			return nil // the build says what is wrong
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return err
	}
	b.packageDir = dir
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "sim.Program(") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, text, 0)
		if err != nil {
			continue // the compiler says it better
		}
		b.linkPackage = f.Name.Name
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !isSimProgram(call.Fun) {
				return true
			}
			name, ok := call.Args[1].(*ast.BasicLit)
			if !ok || name.Kind != token.STRING {
				err = fmt.Errorf("%s: the second argument of sim.Program must be a string literal, the folder of a package main",
					fset.Position(call.Pos()))
				return false
			}
			p, _ := strconv.Unquote(name.Value)
			if !slices.ContainsFunc(b.programs, func(o *program) bool { return o.path == p }) {
				b.programs = append(b.programs, &program{path: p, dir: filepath.Join(dir, filepath.FromSlash(p))})
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func isSimProgram(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Program" {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "sim"
}

// addPrograms puts the programs into the overlay: what to replace is added to
// extra.
func (b *builder) addPrograms(ctx context.Context, extra map[string]string) error {
	if err := b.findPrograms(ctx); err != nil || len(b.programs) == 0 {
		return err
	}
	files := map[string]string{} // by path from the folder in the cache
	place := map[string]string{} // what each stands for
	var imports, links strings.Builder
	for i, p := range b.programs {
		if filepath.Clean(p.dir) == filepath.Clean(b.packageDir) {
			return fmt.Errorf("sim.Program(%q): a test starts its own package by os.Args[0]", p.path)
		}
		args := append([]string{"list", b.tagsFlag(), "-overlay=" + b.withoutFile, "-f={{.Name}} {{.ImportPath}}"}, b.flags.flags...)
		out, err := b.run(ctx, append(args, p.dir)...)
		if err != nil {
			return err
		}
		name, pkg, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if name != "main" {
			return fmt.Errorf("sim.Program(%q): %s is package %s, want a package main", p.path, p.dir, name)
		}
		p.pkg = pkg
		if err := p.rename(i, files, place); err != nil {
			return err
		}
		fmt.Fprintf(&imports, "\tp%d %q\n", i, pkg)
		fmt.Fprintf(&links, "\tsim.LinkProgram(%d, %q, p%d.RestepMain)\n", i+1, p.path, i)
	}
	files[linkFileName] = "// Made by restep for this build.\n\npackage " + b.linkPackage + "\n\nimport (\n\t\"" + simPackage + "\"\n" +
		imports.String() + ")\n\nfunc init() {\n" + links.String() + "}\n"
	place[linkFileName] = filepath.Join(b.packageDir, linkFileName)
	var key []string
	for _, name := range sortedKeys(files) {
		key = append(key, name, place[name], files[name])
	}
	dir, err := cacheDir("programs", shortHash(key...))
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(files) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := storeFile(to, []byte(files[name])); err != nil {
			return err
		}
		extra[place[name]] = to
	}
	return markUsed(dir)
}

// rename adds the files of program number i under another package name.
func (p *program) rename(i int, files, place map[string]string) error {
	list, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
	if err != nil {
		return err
	}
	add := func(base, text string) {
		name := path.Join(strconv.Itoa(i), base)
		files[name], place[name] = text, filepath.Join(p.dir, base)
	}
	for _, file := range list {
		base := filepath.Base(file)
		if strings.HasSuffix(base, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, text, parser.PackageClauseOnly)
		if err != nil || f.Name.Name != "main" {
			continue
		}
		at := fset.Position(f.Name.Pos()).Offset
		add(base, string(text[:at])+programPackage+string(text[at+len("main"):]))
	}
	add(programFileName, "// Made by restep for this build.\n\npackage "+programPackage+"\n\n// RestepMain is main.\nfunc RestepMain() { main() }\n")
	return nil
}

// programDeps asks go what the programs and the tests without them are made of.
func (b *builder) programDeps(ctx context.Context) (tests []string, err error) {
	deps := func(overlay string, args ...string) ([]string, error) {
		args = append(append([]string{"list", "-deps", b.tagsFlag(), "-overlay=" + overlay, "-f={{.ImportPath}}"}, b.flags.flags...), args...)
		out, err := b.run(ctx, args...)
		if err != nil {
			return nil, err
		}
		var list []string
		for line := range strings.Lines(string(out)) {
			pkg, _, _ := strings.Cut(strings.TrimSpace(line), " ") // "p [q.test]"
			list = append(list, symbolPath(pkg))
		}
		return list, nil
	}
	for _, p := range b.programs {
		if p.deps, err = deps(b.file, p.pkg); err != nil {
			return nil, err
		}
	}
	return deps(b.withoutFile, "-test", b.Package)
}

// symbolPath is an import path as symbols spell it
// (cmd/internal/objabi.PathToPrefix).
func symbolPath(pkg string) string {
	slash := strings.LastIndexByte(pkg, '/')
	var out strings.Builder
	for i := range len(pkg) {
		switch c := pkg[i]; {
		case c <= ' ', c == '.' && i > slash, c == '%', c == '"', c >= 0x7f:
			fmt.Fprintf(&out, "%%%02x", c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// addPrograms finds the init tasks of the programs in a binary.
func (l *Layout) addPrograms(file string, programs []*program, tests []string) error {
	f, err := elf.Open(file)
	if err != nil {
		return fmt.Errorf("open the binary: %w", err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("read the symbols of %s: %w", file, err)
	}
	tasks := map[string]uint64{}
	for _, s := range symbols {
		if pkg, ok := strings.CutSuffix(s.Name, "..inittask"); ok {
			tasks[pkg] = s.Value
		}
	}
	for _, p := range programs {
		var runs []uint64
		for _, pkg := range p.deps {
			addr, ok := tasks[pkg]
			if !ok {
				continue
			}
			runs = append(runs, addr)
			if !slices.Contains(tests, pkg) && !slices.Contains(l.ProgramOnly, addr) {
				l.ProgramOnly = append(l.ProgramOnly, addr)
			}
		}
		l.ProgramInits = append(l.ProgramInits, runs)
	}
	return nil
}
