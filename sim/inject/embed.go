package inject

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// addedFiles are whole files that GOROOT/src gets, by their path there.
//
//go:embed all:_goroot
var addedFiles embed.FS

// injectedTree is a tree of packages that are compiled into the program under
// test: its folder below sim/ here and below internal/restep/ there. Each
// embeds itself in its embed.go, because go:embed reaches only downwards.
type injectedTree struct {
	dir    string
	source embed.FS
}

// embeddingFile is the file of an injected package that is not injected: it
// imports embed.
const embeddingFile = "embed.go"

// injectedFiles returns the source that is injected, without tests, by its
// path below sim/.
func injectedFiles() (map[string]string, error) {
	files := map[string]string{}
	for _, tree := range injectedTrees {
		err := fs.WalkDir(tree.source, ".", func(name string, d fs.DirEntry, err error) error {
			base := path.Base(name)
			if err != nil || d.IsDir() || base == embeddingFile || strings.HasSuffix(base, "_test.go") {
				return err
			}
			text, err := tree.source.ReadFile(name)
			files[path.Join(tree.dir, name)] = string(text)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the embedded source of sim/%s: %w", tree.dir, err)
		}
	}
	return files, nil
}
