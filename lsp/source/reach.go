package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// SimPackage is the package that makes a test one of the simulation.
const SimPackage = "github.com/restep/restep/sim"

// Reach finds out which test files can reach package sim: they import it, or
// a package that does, of the same module, its workspace, its vendor folder or
// the module cache, or they name something that a file of their own package
// declares which does. It remembers files until they
// change. The zero Reach is ready.
type Reach struct {
	mu    sync.Mutex
	files map[string]*known
}

// known is a file as it was when it was parsed.
type known struct {
	size  int64
	mtime time.Time
	file  *File
}

// maxPackages bounds how many packages one question looks at.
const maxPackages = 2000

// File reports whether a test file of a module can reach package sim. open is
// its content in the editor.
func (r *Reach) File(m Module, name string, open *File) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files == nil || len(r.files) > 20_000 {
		r.files = map[string]*known{}
	}
	s := search{Reach: r, roots: m.Roots(), packages: map[string]bool{}}
	dir := filepath.Dir(name)
	files := s.parse(dir, true)
	files[name] = open
	for n, f := range files {
		if f.Package != open.Package {
			delete(files, n)
		}
	}
	return s.reaching(files)[name]
}

// search answers one question.
type search struct {
	*Reach
	roots    Roots
	packages map[string]bool // import path: reaches; false while it is looked at
}

// parse returns the Go files of a folder by name.
func (s *search) parse(dir string, tests bool) map[string]*File {
	files := map[string]*File{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return files
	}
	for _, e := range entries {
		n := e.Name()
		if !strings.HasSuffix(n, ".go") || strings.HasPrefix(n, "_") || strings.HasPrefix(n, ".") ||
			!tests && strings.HasSuffix(n, "_test.go") {
			continue
		}
		n = filepath.Join(dir, n)
		if f := s.load(n); f != nil {
			files[n] = f
		}
	}
	return files
}

func (s *search) load(name string) *File {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if k := s.files[name]; k != nil && k.size == info.Size() && k.mtime.Equal(info.ModTime()) {
		return k.file
	}
	content, err := readFile(name, maxFile)
	if err != nil {
		return nil
	}
	k := &known{info.Size(), info.ModTime(), Parse(name, content)}
	s.files[name] = k
	return k.file
}

// reaching returns which files of one package reach sim.
func (s *search) reaching(files map[string]*File) map[string]bool {
	reach := map[string]bool{}
	for n, f := range files {
		reach[n] = slices.ContainsFunc(f.Imports, s.imports)
	}
	for again := true; again; {
		again = false
		for n, f := range files {
			if reach[n] {
				continue
			}
			for other, o := range files {
				if reach[other] && slices.ContainsFunc(o.Declares, func(d string) bool { return f.Mentions[d] && d != "_" && d != "init" }) {
					reach[n], again = true, true
					break
				}
			}
		}
	}
	return reach
}

// imports reports whether an imported package is sim or reaches it.
func (s *search) imports(path string) bool {
	if path == SimPackage || strings.HasPrefix(path, SimPackage+"/") {
		return true
	}
	if known, ok := s.packages[path]; ok || len(s.packages) >= maxPackages {
		return known
	}
	s.packages[path] = false
	dir := s.roots.folder(path)
	if dir == "" {
		return false
	}
	for _, f := range s.parse(dir, false) {
		if slices.ContainsFunc(f.Imports, s.imports) {
			s.packages[path] = true
			return true
		}
	}
	return false
}
