package inject

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// simPackage is what a test imports.
const simPackage = simModule + "/sim"

// apiFile is the file of package sim that holds its API number.
const apiFile = "api.go"

// SimAPI returns the API number of the package sim whose source is in dir: 0
// for one from before there were numbers. The error wraps fs.ErrNotExist when
// there is no package.
func SimAPI(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, apiFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, "sim.go")); err != nil {
			return 0, fmt.Errorf("read the API number of package sim: %w", err)
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the API number of package sim: %w", err)
	}
	return parseAPI(text)
}

// OwnSimAPI returns the API number of this binary.
func OwnSimAPI() int {
	n, err := parseAPI([]byte(SimSource()["sim/"+apiFile]))
	if err != nil {
		panic("the embedded package sim is damaged: " + err.Error()) // a test reads it
	}
	return n
}

// parseAPI finds `const API = 1` in a file.
func parseAPI(text []byte) (int, error) {
	file, err := parser.ParseFile(token.NewFileSet(), apiFile, text, 0)
	if err != nil {
		return 0, fmt.Errorf("read the API number of package sim: %w", err)
	}
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok || len(spec.Names) != 1 || spec.Names[0].Name != "API" || len(spec.Values) != 1 {
				continue
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				return strconv.Atoi(lit.Value)
			}
		}
	}
	return 0, errors.New("package sim has no number in its " + apiFile)
}

// SimAPIError says that the program under test has another package sim than
// this binary can simulate.
type SimAPIError struct {
	Dir        string // of the package's source
	Have, Want int
	Fix        string // the command that makes them match
}

func (e *SimAPIError) Error() string {
	return fmt.Sprintf("package sim in %s has API %d, this restep has API %d; run: %s", e.Dir, e.Have, e.Want, e.Fix)
}

// CheckSim compares a package sim with this binary. version is that of its
// module, "" where a folder stands for it. The error is a *SimAPIError when
// they do not fit.
func CheckSim(dir, version string) error {
	have, err := SimAPI(dir)
	if err != nil {
		return err
	}
	want := OwnSimAPI()
	if have == want {
		return nil
	}
	e := &SimAPIError{Dir: dir, Have: have, Want: want, Fix: "restep init"}
	root := filepath.Dir(dir)
	switch {
	case version != "" && have > want:
		e.Fix = "go install " + simModule + "/cmd/restep@" + version
	case version != "" || madeByInit(root):
	case isCheckout(root):
		e.Fix = joinQuoted([]string{"go", "-C", root, "install", "./cmd/restep"})
	default: // init does not undo what the user has chosen
		e.Fix = "go mod edit -dropreplace=" + simModule + " && restep init"
	}
	return e
}

// isCheckout reports a folder from which restep can be installed.
func isCheckout(root string) bool {
	_, err := os.Stat(filepath.Join(root, "cmd", "restep"))
	return err == nil
}

// madeByInit reports the folders in which restep init puts package sim: below
// the cache and below a vendor folder.
func madeByInit(root string) bool {
	cache, err := os.UserCacheDir()
	return err == nil && inside(filepath.Join(cache, "restep", "sim"), root) ||
		strings.HasSuffix(filepath.ToSlash(root), "/vendor/"+simModule)
}

// checkSim is CheckSim for the package that the go command listed; nil when
// there is none.
func (b *builder) checkSim(sim *listedPackage) error {
	if sim == nil || sim.Dir == "" {
		return nil
	}
	version := ""
	if m := sim.Module; m != nil && m.Replace == nil {
		version = m.Version
	}
	return CheckSim(sim.Dir, version)
}

// checkLinkedSim is checkSim for a finished binary: a package sim that does
// not fit but that this binary has nothing of does no harm.
func (b *builder) checkLinkedSim(path string, sim *listedPackage) error {
	err := b.checkSim(sim)
	if err == nil {
		return nil
	}
	// Names of functions are in the binary as they are. Its build information
	// does not list what only test files import.
	text, readErr := os.ReadFile(path)
	if readErr == nil && !bytes.Contains(text, []byte(simPackage+".")) {
		return nil
	}
	return err
}

// mentionsSim reports tool errors that a package sim of another API may cause.
func mentionsSim(err error) bool {
	var tool *ToolError
	return errors.As(err, &tool) && (strings.Contains(tool.Stderr, simPackage) || strings.Contains(tool.Stderr, "restepSim"))
}
