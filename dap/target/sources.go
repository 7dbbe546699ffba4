package target

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/restep/restep/sim/inject"
)

// Sources returns the files of the user's module, as recorded.
func (t *Target) Sources() ([]string, error) {
	list, err := t.dbg.Sources("^" + regexp.QuoteMeta(t.prog.Bin.ModulePath+"/"))
	if err != nil {
		return nil, fmt.Errorf("list the source files: %w", err)
	}
	return list, nil
}

// maxLines bounds the lines that Lines looks at.
const maxLines = 100_000

// Lines returns the lines of a file, from first to last, on which a breakpoint
// can be, in order. The file is named as recorded.
func (t *Target) Lines(file string, first, last int) ([]int, error) {
	if first < 1 || last-first >= maxLines {
		return nil, fmt.Errorf("lines %d to %d: at most %d from line 1 on", first, last, maxLines)
	}
	all := make([]int, 0, last-first+1)
	for n := range last - first + 1 {
		all = append(all, first+n)
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if grp == nil || grp.Selected == nil {
		return nil, errors.New("there is no program")
	}
	found := grp.Selected.BinInfo().AllPCsForFileLines(file, all)
	return slices.DeleteFunc(all, func(l int) bool { return len(found[l]) == 0 }), nil
}

// Module is one Go module that the program was built from.
type Module struct {
	Path    string
	Version string // "" in the workspace, Go's for the standard library
	Dir     string // on this host, "" when it is not known
	Main    bool
}

// Modules returns the main module, its dependencies and the standard library,
// which is named std.
func Modules(bin *inject.Binary, deps []Dependency) []Module {
	list := []Module{{Path: bin.ModulePath, Dir: bin.ModuleDir, Main: true}}
	for _, d := range deps {
		dir := d.Dir
		if d.Package != "" {
			dir = strings.TrimSuffix(dir, filepath.FromSlash(d.Package))
		}
		if m := (Module{Path: d.Module, Version: d.Version, Dir: dir}); !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list[1:], func(a, b Module) int { return strings.Compare(a.Path, b.Path) })
	return append(list, Module{Path: "std", Version: bin.GoVersion, Dir: filepath.Join(bin.Goroot, "src")})
}
