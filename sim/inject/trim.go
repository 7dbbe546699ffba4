package inject

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The cache keeps binaries and overlays this long, and this many at least; a
// test binary is some 20 MB.
const (
	keepCacheFor = 24 * time.Hour
	keepCacheMin = 20
)

// trimCache removes the binaries and overlays that have not been used for
// long. A run that still has a binary open keeps it.
func trimCache() error {
	for _, kind := range []string{"bin", "out", "overlay", "linker-src", "library"} {
		parent, err := cacheDir(kind)
		if err != nil {
			return err
		}
		if err := trimDir(parent, time.Now().Add(-keepCacheFor), keepCacheMin); err != nil {
			return fmt.Errorf("clean the cache: %w", err)
		}
	}
	return nil
}

// markUsed notes that a file or directory of the cache is in use now. It
// fails if there is none.
func markUsed(path string) error {
	now := time.Now()
	return os.Chtimes(path, now, now)
}

// trimDir removes the entries of a directory that were last used before a
// time, but leaves the newest ones.
func trimDir(parent string, before time.Time, leave int) error {
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) <= leave {
		return err
	}
	used := map[string]time.Time{}
	var names []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // another process removed it
		}
		used[e.Name()] = info.ModTime()
		names = append(names, e.Name())
	}
	slices.SortFunc(names, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, name := range names[min(leave, len(names)):] {
		if used[name].Before(before) {
			if err := os.RemoveAll(filepath.Join(parent, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
