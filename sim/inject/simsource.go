package inject

import (
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/restep/restep/sim/inject/internal/simsource"
)

//go:generate go run ./internal/gensim

// simArchive is the public package sim. It is a generated copy, for sim must
// not embed itself: it is compiled into the programs of users.
//
//go:embed sim.txtar
var simArchive string

// SimModule is the path of the module that package sim is in.
const SimModule = simModule

// SimSource returns the source of the public package sim, without tests, as a
// module of its own: files by slash path, go.mod among them.
func SimSource() map[string]string { return simsource.Parse(simArchive) }

// StoreSim writes SimSource below the user's cache and returns the directory,
// to which a module under test can `replace github.com/restep/restep` when
// there is no checkout. Where it lies depends on the content; processes may
// call it at once.
func StoreSim() (dir string, err error) {
	parent, err := cacheDir("sim")
	if err != nil {
		return "", err
	}
	files := SimSource()
	dir = filepath.Join(parent, hashFiles(files)[:32])
	if err := storeFiles(dir, files); err != nil {
		return "", fmt.Errorf("store package sim below the cache: %w", err)
	}
	return dir, nil
}
