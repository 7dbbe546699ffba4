package source

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Root is a module whose files lie in a folder that a user edits.
type Root struct {
	Module
	// Replaced modules are recorded with their version behind the path; Version
	// is the one that is replaced, "" = each.
	Replaced bool
	Version  string
}

// Roots are the modules whose sources a build of a module takes from folders of
// the user: the module itself, the other modules of its workspace, and those
// that are replaced by a folder. The first one is the module itself.
type Roots []Root

// Roots finds them without asking the go command.
func (m Module) Roots() Roots {
	roots := Roots{{Module: m}}
	work := m.workFile()
	for _, file := range []string{filepath.Join(m.Dir, "go.mod"), work} {
		if file == "" {
			continue
		}
		for _, words := range directives(file) {
			if root, ok := localRoot(filepath.Dir(file), words); ok && root.Dir != m.Dir && len(roots) < maxNested {
				roots = append(roots, root)
			}
		}
	}
	return roots
}

// localRoot reads a line that names a module in a folder: "use DIR", or
// "replace PATH [VERSION] => DIR".
func localRoot(dir string, words []string) (r Root, ok bool) {
	folder := ""
	switch arrow := slices.Index(words, "=>"); {
	case words[0] == "use" && len(words) == 2:
		folder = words[1]
	case words[0] == "replace" && (arrow == 2 || arrow == 3) && len(words) == arrow+2 && isFolder(words[arrow+1]):
		folder, r.Path, r.Replaced = words[arrow+1], words[1], true
		if arrow == 3 {
			r.Version = words[2]
		}
	default:
		return r, false
	}
	if folder = filepath.FromSlash(folder); !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	r.Dir = Real(filepath.Clean(folder))
	if !r.Replaced {
		r.Path = modulePath(filepath.Join(r.Dir, "go.mod"))
	}
	return r, r.Path != ""
}

// isFolder tells the folder of a replace line from a module path, as go does.
func isFolder(s string) bool {
	return s == "." || s == ".." || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || filepath.IsAbs(filepath.FromSlash(s))
}

// workFile returns the go.work that a build of the module uses, "" for none: a
// workspace without the module is not its own.
func (m Module) workFile() string {
	name := os.Getenv("GOWORK")
	if name == "off" {
		return ""
	}
	for dir := m.Dir; name == ""; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "go.work")); err == nil && info.Mode().IsRegular() {
			name = filepath.Join(dir, "go.work")
		} else if dir == filepath.Dir(dir) {
			return ""
		}
	}
	for _, words := range directives(name) {
		if r, ok := localRoot(filepath.Dir(name), words); ok && !r.Replaced && r.Dir == m.Dir {
			return name
		}
	}
	return ""
}

// Members returns the modules of the workspace besides the first one.
func (rs Roots) Members() (list []Module) {
	for _, r := range rs[1:] {
		if !r.Replaced {
			list = append(list, r.Module)
		}
	}
	return list
}

// File returns the path on this host of a file under the name that a build with
// -trimpath records: the import path of its package and its base name, where
// that is not of a main module with the version behind the module's path. ok is
// false for files that are of none of the roots.
func (rs Roots) File(recorded string) (name string, ok bool) {
	best := ""
	for _, r := range rs {
		rest, match := strings.CutPrefix(recorded, r.Path)
		version := ""
		if match && r.Replaced {
			if rest, match = strings.CutPrefix(rest, "@"); match {
				version, rest, match = strings.Cut(rest, "/")
				match = match && (r.Version == "" || r.Version == version)
			}
		} else if match {
			rest, match = strings.CutPrefix(rest, "/")
		}
		if match && !strings.Contains(rest, "@") && len(r.Path) >= len(best) && filepath.IsLocal(filepath.FromSlash(rest)) {
			best, name, ok = r.Path, filepath.Join(r.Dir, filepath.FromSlash(rest)), true
		}
	}
	return name, ok
}

// folder returns where the sources of a package are, "" when that is not known.
func (rs Roots) folder(pkg string) string {
	best, dir := "", ""
	for _, r := range rs {
		if d, ok := r.Folder(pkg); ok && len(r.Path) >= len(best) {
			best, dir = r.Path, d
		}
	}
	if first, _, _ := strings.Cut(pkg, "/"); dir != "" || !strings.Contains(first, ".") {
		return dir // without a dot: of the standard library
	}
	if rest := filepath.FromSlash(pkg); filepath.IsLocal(rest) {
		for _, vendor := range []string{rs[0].Dir, filepath.Dir(rs[0].workFile())} {
			d := filepath.Join(vendor, "vendor", rest)
			if info, err := os.Stat(d); err == nil && info.IsDir() {
				return d
			}
		}
	}
	return rs.cached(pkg)
}

// cached returns the folder of a package in the module cache if its module
// requires package sim's; no other one can reach it.
func (rs Roots) cached(pkg string) string {
	best, dir := "", ""
	for _, words := range directives(filepath.Join(rs[0].Dir, "go.mod")) {
		if words[0] != "require" || len(words) != 3 || len(words[1]) < len(best) {
			continue
		}
		m := Module{filepath.Join(moduleCache(), filepath.FromSlash(escapeModule(words[1])+"@"+escapeModule(words[2]))), words[1]}
		if d, ok := m.Folder(pkg); ok && filepath.IsLocal(filepath.FromSlash(words[1])) && requiresSim(m.Dir) {
			best, dir = words[1], d
		}
	}
	return dir
}

func requiresSim(dir string) bool {
	for _, words := range directives(filepath.Join(dir, "go.mod")) {
		if words[0] == "require" && len(words) == 3 && strings.HasPrefix(SimPackage, words[1]+"/") {
			return true
		}
	}
	return false
}

// moduleCache is go env GOMODCACHE, as far as the environment tells.
func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	list := filepath.SplitList(build.Default.GOPATH)
	if len(list) == 0 {
		return ""
	}
	return filepath.Join(list[0], "pkg", "mod")
}

// escapeModule is how the cache writes upper-case letters. Go modules
// reference, "Module cache".
func escapeModule(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}
