package inject

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// cacheDir returns a directory below the user's cache, for this user only.
func cacheDir(elem ...string) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w; set XDG_CACHE_HOME or HOME", err)
	}
	root := filepath.Join(base, "restep")
	dir := filepath.Join(append([]string{root}, elem...)...)
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		err = makePrivate(root)
	}
	if err != nil {
		return "", fmt.Errorf("make the cache directory: %w; set XDG_CACHE_HOME to a place of your own that can be written", err)
	}
	return dir, nil
}

// hash hashes strings so that no two lists give the same input.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		_, _ = io.WriteString(h, p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func shortHash(parts ...string) string { return hash(parts...)[:16] }

// hashFiles is the content key of files, by name and text.
func hashFiles(files map[string]string) string {
	parts := make([]string, 0, 2*len(files))
	for _, name := range sortedKeys(files) {
		parts = append(parts, name, files[name])
	}
	return hash(parts...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// storeFiles makes a directory with the files, all or nothing: two processes
// may do it at once, and one that dies leaves no half of it behind.
func storeFiles(dir string, files map[string]string) error {
	if markUsed(dir) == nil {
		return nil
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for _, name := range sortedKeys(files) {
		path := filepath.Join(temp, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(files[name]), 0o600); err != nil {
			return err
		}
	}
	return renameDir(temp, dir)
}

// renameDir puts a finished directory into place unless another process was
// first; both have the same content then.
func renameDir(temp, dir string) error {
	err := os.Rename(temp, dir)
	if err != nil {
		if _, statErr := os.Stat(dir); statErr == nil {
			return nil
		}
	}
	return err
}

// storeFile writes a file, all or nothing.
func storeFile(path string, data []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if _, err := temp.Write(data); err != nil {
		_ = temp.Close()
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}
