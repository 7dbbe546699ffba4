package source

import (
	"context"
	"io"
	"iter"
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
	for _, words := range directives(name) {
		if words[0] == "module" && len(words) == 2 {
			return words[1]
		}
	}
	return ""
}

// Real returns a path without symbolic links, as far as it exists.
func Real(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	if dir := filepath.Dir(name); dir != name {
		return filepath.Join(Real(dir), filepath.Base(name))
	}
	return name
}

// Real returns the module with a folder without symbolic links.
func (m Module) Real() Module { return Module{Real(m.Dir), m.Path} }

// Limits of Modules.
const (
	maxNested  = 200
	maxFolders = 20_000
	maxDepth   = 6
)

// Modules returns the modules below a folder, which may be in none or in one
// itself. It goes a few levels deep, and not where go does not go either. It
// ends early with the context.
func Modules(ctx context.Context, folder string) []Module {
	var found []Module
	type level struct {
		dir   string
		depth int
	}
	queue := []level{{folder, 0}}
	for n := 0; n < len(queue) && n < maxFolders && len(found) < maxNested && ctx.Err() == nil; n++ {
		at := queue[n]
		entries, err := os.ReadDir(at.dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			name := e.Name()
			switch {
			case name == "go.mod" && at.depth > 0 && e.Type().IsRegular():
				if m, ok := FindModule(at.dir); ok {
					found = append(found, m)
				}
			case e.IsDir() && at.depth < maxDepth && name[0] != '.' && name[0] != '_' &&
				name != "vendor" && name != "testdata" && name != "node_modules":
				queue = append(queue, level{filepath.Join(at.dir, name), at.depth + 1})
			}
		}
	}
	return found
}

// directives goes through the lines of a go.mod or go.work: each is a verb and
// its arguments, also those in a block. Go modules reference, "Lexical elements".
func directives(name string) iter.Seq2[int, []string] {
	return func(yield func(int, []string) bool) {
		content, err := readFile(name, 1<<20)
		if err != nil {
			return
		}
		block, n := "", 0
		for line := range strings.Lines(content) {
			n++
			words := lexWords(line)
			switch {
			case len(words) == 0:
				continue
			case block != "" && words[0] == ")":
				block = ""
				continue
			case block != "":
				words = append([]string{block}, words...)
			case len(words) == 2 && words[1] == "(":
				block = words[0]
				continue
			}
			if !yield(n, words) {
				return
			}
		}
	}
}

// lexWords splits a line of a go.mod at white space and before a comment;
// strings in quotes are one word.
func lexWords(line string) (words []string) {
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, "//") {
			return words
		}
		if quote := line[0]; quote == '"' || quote == '`' {
			word, rest, ok := strings.Cut(line[1:], line[:1])
			if !ok {
				return words
			}
			words, line = append(words, word), rest
			continue
		}
		end := strings.IndexAny(line, " \t\r\n")
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
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
