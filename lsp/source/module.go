package source

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Module is a Go module on this host.
type Module struct {
	Dir  string // absolute, clean
	Path string
}

// FindModule returns the module that a folder is in. ok is false when there is
// no go.mod in it or above.
func FindModule(dir string) (m Module, ok bool) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && info.Mode().IsRegular() {
			m = Module{dir, modulePath(filepath.Join(dir, "go.mod"))}
			return m, m.Path != ""
		}
		if dir == filepath.Dir(dir) {
			return m, false
		}
	}
}

// modulePath reads the module line of a go.mod, "" when there is none.
func modulePath(name string) string {
	b, err := readFile(name, 1<<20)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(b) {
		line, _, _ = strings.Cut(line, "//")
		if f := strings.Fields(line); len(f) == 2 && f[0] == "module" {
			return strings.Trim(f[1], "\"`")
		}
	}
	return ""
}

// readFile reads at most limit bytes of a file.
func readFile(name string, limit int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	return string(b), err
}

// Package returns the import path of a folder of the module, "" when it is not
// below it.
func (m Module) Package(dir string) string {
	rel, err := filepath.Rel(m.Dir, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return ""
	}
	return path.Join(m.Path, filepath.ToSlash(rel))
}

// Recorded returns the name under which a build with -trimpath records a file
// of the module, "" when it is not below it.
func (m Module) Recorded(name string) string { return m.Package(name) }

// Folder is the inverse of Package. ok is false for a path of another module.
func (m Module) Folder(pkg string) (dir string, ok bool) {
	if pkg == m.Path {
		return m.Dir, true
	}
	rest, ok := strings.CutPrefix(pkg, m.Path+"/")
	if rest = filepath.FromSlash(rest); !ok || !filepath.IsLocal(rest) {
		return "", false
	}
	return filepath.Join(m.Dir, rest), true
}
