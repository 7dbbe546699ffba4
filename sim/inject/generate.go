package inject

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// generatorVersion is part of every cache key. Raise it when the same edits
// and files would have to give another overlay.
const generatorVersion = "restep overlay 1"

const (
	sourcePrefix   = "github.com/restep/restep/sim/" // of the packages here
	injectedPrefix = "internal/restep/"              // of their copies below GOROOT/src
)

// Overlay is a set of files, in the user's cache, that the go command is to
// read in place of files of GOROOT.
type Overlay struct {
	Key  string // hash of the content, of the release and of the generator
	Dir  string // holds the files
	File string // the JSON for -overlay
	// Replace maps each path below GOROOT to the file that replaces it.
	Replace map[string]string
}

// Generate writes the overlay of programs under test for an installation.
// The content depends on the installation's files and on this program, never
// on paths, dates or seeds; where it lies depends on the content. Processes
// may generate the same one at once.
func Generate(g *Goroot) (*Overlay, error) {
	return generatePatched(g, func(map[string]string) {})
}

// generatePatched is Generate with a last change of the files.
func generatePatched(g *Goroot, patch func(files map[string]string)) (*Overlay, error) {
	files, err := generateFiles(g)
	if err != nil {
		return nil, fmt.Errorf("patch %s: %w", g.Version, err)
	}
	patch(files)
	return g.store("overlay", files)
}

// generateFiles returns all files of the overlay, by path below GOROOT/src.
func generateFiles(g *Goroot) (map[string]string, error) {
	files, err := g.patch(allEdits())
	if err != nil {
		return nil, err
	}
	if err := g.addFiles(files); err != nil {
		return nil, err
	}
	return files, addInjected(files)
}

// patch applies edits to the files of the installation.
func (g *Goroot) patch(edits []Edit) (map[string]string, error) {
	byFile := map[string][]Edit{}
	for _, e := range edits {
		byFile[e.File] = append(byFile[e.File], e)
	}
	files := map[string]string{}
	for _, name := range sortedKeys(byFile) {
		wanted := byFile[name][:0:0]
		optional := true
		for _, e := range byFile[name] {
			if e.Only == "" || e.Only == g.Release {
				wanted = append(wanted, e)
				optional = optional && e.Optional
			}
		}
		if len(wanted) == 0 {
			continue
		}
		text, err := os.ReadFile(g.src(name))
		if os.IsNotExist(err) && optional {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s, which is to be patched: %w", name, err)
		}
		out, err := applyEdits(g.Release, name, string(text), wanted)
		if err != nil {
			return nil, err
		}
		files[name] = out
	}
	return files, nil
}

// addFiles adds what lies below _goroot.
func (g *Goroot) addFiles(files map[string]string) error {
	const root = "_goroot"
	return fs.WalkDir(addedFiles, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !(strings.HasSuffix(name, ".go") || strings.HasSuffix(name, ".s")) {
			return err
		}
		text, err := addedFiles.ReadFile(name)
		if err != nil {
			return err
		}
		name = strings.TrimPrefix(name, root+"/")
		if _, err := os.Stat(g.src(name)); err == nil {
			return fmt.Errorf("the added file %s exists in %s already: give it another name", name, g.Version)
		}
		files[name] = string(text)
		return nil
	})
}

// addInjected adds the injected packages, with their imports of one another
// renamed.
func addInjected(files map[string]string) error {
	source, err := injectedFiles()
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(source) {
		out, err := renameImports(name, source[name])
		if err != nil {
			return err
		}
		files[injectedPrefix+name] = out
	}
	return nil
}

// renameImports gives the imports of injected packages the paths they have
// below GOROOT/src. Each stays on its line.
func renameImports(name, text string) (string, error) {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, text, parser.ImportsOnly|parser.SkipObjectResolution)
	if err != nil {
		return "", fmt.Errorf("parse injected file: %w", err)
	}
	var out strings.Builder
	at := 0
	for _, spec := range syntax.Imports {
		old, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return "", fmt.Errorf("import of %s: %w", name, err)
		}
		rest, ok := strings.CutPrefix(old, sourcePrefix)
		if !ok {
			if strings.Contains(old, ".") {
				return "", fmt.Errorf("injected file %s imports %s, which is not injected", name, old)
			}
			continue
		}
		pos := fset.Position(spec.Path.Pos()).Offset
		out.WriteString(text[at:pos])
		out.WriteString(strconv.Quote(injectedPrefix + rest))
		at = pos + len(spec.Path.Value)
	}
	out.WriteString(text[at:])
	return out.String(), nil
}

// store puts an overlay into the cache.
func (g *Goroot) store(kind string, files map[string]string) (*Overlay, error) {
	parent, err := cacheDir(kind)
	if err != nil {
		return nil, err
	}
	o := &Overlay{
		Key:     hash(generatorVersion, g.Version, hashFiles(files))[:32],
		Replace: map[string]string{},
	}
	o.Dir = filepath.Join(parent, o.Key)
	if err := storeFiles(o.Dir, files); err != nil {
		return nil, fmt.Errorf("store the patched files: %w", err)
	}
	for name := range files {
		o.Replace[g.src(name)] = filepath.Join(o.Dir, filepath.FromSlash(name))
	}
	o.File, err = storeReplace(kind, o.Replace)
	return o, err
}

// storeReplace writes the JSON of -overlay. Unlike the files it names, it
// holds paths, so it is kept by its own content.
func storeReplace(kind string, replace map[string]string) (string, error) {
	data, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return "", err
	}
	dir, err := cacheDir(kind)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, shortHash(string(data))+".json")
	if old, err := os.ReadFile(file); err == nil && string(old) == string(data) && markUsed(file) == nil {
		return file, nil
	}
	if err := storeFile(file, data); err != nil {
		return "", fmt.Errorf("store the overlay's list: %w", err)
	}
	return file, nil
}
