package conform

import (
	"strings"
	"syscall"
	"testing"
)

// fuzzTree is made on both kernels; its links lead down or sideways, so that a
// path whose text stays below the root does so on the disk, too.
var fuzzTree = [][]string{
	{"mkdir", "d"}, {"mkdir", "d/e"}, {"creat", "f", "d/f"}, {"creat", "g", "d/e/g"}, {"symlink", "d", "l"},
	{"symlink", "d/e", "m"}, {"symlink", "f", "d/s"}, {"symlink", "loop", "loop"}, {"symlink", "nowhere", "dangling"},
	{"symlink", "l/", "k"}, {"symlink", "d//e/.", "n"}, {"symlink", "d/f/", "bad"},
}

// FuzzPath walks a path on both kernels, in every way that leaves the tree as
// it was, and compares the answers.
func FuzzPath(f *testing.F) {
	if syscall.Geteuid() != 0 {
		f.Skip("permissions differ from root's")
	}
	for _, s := range []string{
		"", ".", "d/e/g", "l/e/../f", "m/g/", "loop", "loop/x", "dangling/", "k/e", "n/../f", "bad", "d/s/", "d//e///g",
		"d/f/..", strings.Repeat("d/../", 40) + "l", strings.Repeat("x", 256), strings.Repeat("d/e/../../", 500) + "d", "l/l", "\xff",
	} {
		f.Add(s)
	}
	root := f.TempDir()
	var real, sim *Env
	f.Fuzz(func(t *testing.T, path string) {
		if strings.ContainsAny(path, "\x00") || strings.HasPrefix(path, "/") || strings.Contains(path, "$ROOT") || !staysBelow(path) {
			t.Skip("another root, or no path")
		}
		if real == nil {
			if err := syscall.Chdir(root); err != nil {
				t.Fatal(err)
			}
			real, sim = NewEnv(linux{}, root), NewEnv(newSimulated(t), "/work")
			for _, words := range fuzzTree {
				same(t, real, sim, words...)
			}
		}
		for _, words := range [][]string{
			{"stat", path}, {"lstat", path}, {"readlink", path}, {"access", path, "X_OK"}, {"open", "o", path, "O_RDONLY"},
			{"open", "p", path, "O_PATH|O_NOFOLLOW"}, {"open", "q", path, "O_RDONLY|O_CREAT|O_EXCL|O_NOFOLLOW"},
			{"statx", "cwd", path, "AT_SYMLINK_NOFOLLOW"}, {"faccessat2", "cwd", path, "F_OK", "AT_SYMLINK_NOFOLLOW"},
			{"truncate", path, "0"}, {"chdir", path}, {"chdir", "$ROOT"},
		} {
			answer := same(t, real, sim, words...)
			if words[0] != "open" || answer != "ok" {
				continue
			}
			same(t, real, sim, "fstat", words[1])
			same(t, real, sim, "close", words[1])
			if words[1] == "q" {
				same(t, real, sim, "unlink", path)
			}
		}
		if same(t, real, sim, "mkdir", path) == "ok" {
			same(t, real, sim, "rename", path, "d/moved")
			same(t, real, sim, "rmdir", "d/moved")
			same(t, real, sim, "rmdir", path)
		}
	})
}

// same runs a line on both kernels; their answers must be equal.
func same(t *testing.T, real, sim *Env, words ...string) string {
	t.Helper()
	want, err := real.Run(words)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sim.Run(words)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%q: linux answers %s, the simulation %s", words, want, got)
	}
	return want
}

// staysBelow reports whether no part of a path leads above where it starts.
func staysBelow(path string) bool {
	depth := 0
	for _, part := range strings.Split(path, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return false
			}
		default:
			depth++
		}
	}
	return true
}
