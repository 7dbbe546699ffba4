//go:build unix

package inject

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCachePrivate: nobody else can put a binary where ours are run from.
func TestCachePrivate(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", base)
	root := filepath.Join(base, "restep")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := cacheDir("bin"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{root, filepath.Join(root, "bin")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v %v", dir, info.Mode(), err)
		}
	}
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	if err := os.Chown(root, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if dir, err := cacheDir("bin"); err == nil {
		t.Errorf("%s of another user is used", dir)
	}
}

// TestKeepBinary: a binary is found by its content, and what lies in its place
// is verified.
func TestKeepBinary(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	path := filepath.Join(t.TempDir(), "x.test")
	put := func(name, text string) {
		t.Helper()
		_ = os.Remove(name)
		if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	keep := func(want string) string {
		t.Helper()
		kept, err := keepBinary(path)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(kept); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v; want %q", kept, b, err, want)
		}
		return kept
	}
	put(path, "one")
	one := keep("one")
	put(path, "two")
	if two := keep("two"); two == one {
		t.Error("two binaries have one place")
	}
	put(path, "one")
	if again := keep("one"); again != one {
		t.Errorf("%s, then %s", one, again)
	}
	put(one, "something else")
	keep("one")
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/sh", one); err != nil {
		t.Fatal(err)
	}
	keep("one")
}
