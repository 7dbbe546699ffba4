package sim_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The tests of this package that are about the repository share one reading
// of it: deps_test.go (who imports whom), injected_test.go (what injected
// code must not do) and tidy_test.go (sizes, wording, layout).

const modulePath = "github.com/restep/restep"

// tree is the repository as it is on disk. Paths are slash-separated and
// relative to its root.
type tree struct {
	root  string // on this machine
	fset  *token.FileSet
	texts map[string]string // every file that is no binary
	gos   []*goFile         // every .go file outside of testdata, by path
}

type goFile struct {
	path   string
	syntax *ast.File
	test   bool
}

// dir is the package's path below the module: "sim/kernel", "" for the root.
func (f *goFile) dir() string {
	if d := path.Dir(f.path); d != "." {
		return d
	}
	return ""
}

// ignored reports whether the go command takes no notice of a file's folder.
func (f *goFile) ignored() bool {
	return strings.HasPrefix(f.path, "_") || strings.Contains(f.path, "/_")
}

// nested reports whether a file belongs to a module of its own, below this one.
func (tr *tree) nested(f *goFile) bool {
	for dir := f.dir(); dir != "" && dir != "."; dir = path.Dir(dir) {
		if _, ok := tr.texts[dir+"/go.mod"]; ok {
			return true
		}
	}
	return false
}

// pos says where a node is, for messages.
func (tr *tree) pos(p token.Pos) string {
	at := tr.fset.Position(p)
	return at.Filename + ":" + strconv.Itoa(at.Line)
}

// repository returns the tree, read once for all tests.
func repository(t *testing.T) *tree {
	t.Helper()
	tr, err := readTree()
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

var readTree = sync.OnceValues(func() (*tree, error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return nil, err
	}
	tr := &tree{root: root, fset: token.NewFileSet(), texts: map[string]string{}}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", ".restep", "node_modules", "dist", "out"}, d.Name()) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return tr.add(name)
	})
	return tr, err
})

func (tr *tree) add(name string) error {
	rel, err := filepath.Rel(tr.root, name)
	if err != nil {
		return err
	}
	rel = filepath.ToSlash(rel)
	text, err := os.ReadFile(name)
	if err != nil || strings.Contains(string(text[:min(len(text), 8000)]), "\x00") {
		return err
	}
	tr.texts[rel] = string(text)
	if path.Ext(rel) != ".go" || inTestdata(rel) {
		return nil
	}
	syntax, err := parser.ParseFile(tr.fset, rel, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	tr.gos = append(tr.gos, &goFile{path: rel, syntax: syntax, test: strings.HasSuffix(rel, "_test.go")})
	return nil
}

func inTestdata(rel string) bool {
	return strings.HasPrefix(rel, "testdata/") || strings.Contains(rel, "/testdata/")
}
