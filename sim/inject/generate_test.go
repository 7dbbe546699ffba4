package inject

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// eachRelease runs a test with an installation of each supported release. One
// that is not there, and cannot be fetched, is skipped by name.
func eachRelease(t *testing.T, test func(t *testing.T, g *Goroot)) {
	for _, version := range []string{"go1.26.8", "go1.27.3"} {
		t.Run(version, func(t *testing.T) {
			// go test sets GOROOT to its own release.
			env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOROOT=") })
			g, err := FindGoroot(context.Background(), t.TempDir(), append(env, "GOTOOLCHAIN="+version))
			if err != nil {
				t.Skipf("%s is not installed: %v", version, err)
			}
			if g.Version != version || g.Release != version[:6] {
				t.Fatalf("found %s, release %s", g.Version, g.Release)
			}
			test(t, g)
		})
	}
}

func TestGenerate(t *testing.T) {
	eachRelease(t, func(t *testing.T, g *Goroot) {
		if inside(g.goEnv.GOMODCACHE, g.Root) {
			t.Errorf("GOROOT %s is below the module cache, where go refuses overlays", g.Root)
		}
		files, err := generateFiles(g)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			old, err := os.ReadFile(g.src(name))
			if err == nil && strings.Count(string(old), "\n") != strings.Count(text, "\n") {
				t.Errorf("%s: the number of lines changed", name)
			}
			if strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s is a test", name)
			}
			if strings.HasPrefix(name, injectedPrefix) && strings.Contains(text, "\t\""+sourcePrefix) {
				t.Errorf("%s imports the ordinary copy of an injected package", name)
			}
		}
		if _, _, err := linkerSources(g); err != nil {
			t.Error(err)
		}
	})
}

// TestInjectedSourceComplete compares what is injected with the folders: a
// new folder that the patterns of go:embed do not reach would be left out.
func TestInjectedSourceComplete(t *testing.T) {
	source, err := injectedFiles()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, tree := range injectedTrees {
		err := filepath.WalkDir(filepath.Join("..", tree.dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			base := filepath.Base(path)
			if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") || base == embeddingFile {
				return nil
			}
			found++
			text, err := os.ReadFile(path)
			if source[strings.TrimPrefix(filepath.ToSlash(path), "../")] != string(text) {
				t.Errorf("%s is not embedded: extend the patterns in sim/%s/%s", path, tree.dir, embeddingFile)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 || found != len(source) {
		t.Errorf("%d files are injected, %d are in the folders", len(source), found)
	}
}

func TestRenameImports(t *testing.T) {
	const in = "package p // github.com/restep/restep/sim/kernel\n\nimport (\n\t\"sort\"\n\n\tx \"github.com/restep/restep/sim/kernel/abi\"\n)\n\n" +
		"import \"github.com/restep/restep/sim/sched\"\n\nvar s = \"github.com/restep/restep/sim/sched\"\n"
	got, err := renameImports("p.go", in)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(in, `x "github.com/restep/restep/sim/kernel/abi"`, `x "internal/restep/kernel/abi"`, 1)
	want = strings.Replace(want, `import "github.com/restep/restep/sim/sched"`, `import "internal/restep/sched"`, 1)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := renameImports("p.go", "package p\n\nimport \"golang.org/x/sys/unix\"\n"); err == nil {
		t.Error("an import that is not injected gives no error")
	}
}

// generateEnv makes a process of this test generate an overlay and end.
const generateEnv = "RESTEP_TEST_GENERATE"

func TestMain(m *testing.M) {
	if os.Getenv(generateEnv) == "" {
		os.Exit(m.Run())
	}
	g, err := FindGoroot(context.Background(), ".", nil)
	if err == nil {
		var o *Overlay
		if o, err = Generate(g); err == nil {
			_, _ = os.Stdout.WriteString(o.File)
			return
		}
	}
	_, _ = os.Stderr.WriteString(err.Error())
	os.Exit(1)
}

func TestGenerateAtOnce(t *testing.T) {
	cache := t.TempDir()
	const processes = 4
	var cmds []*exec.Cmd
	var outs [processes]strings.Builder
	for i := range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), generateEnv+"=1", "XDG_CACHE_HOME="+cache)
		cmd.Stdout, cmd.Stderr = &outs[i], os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if outs[i].String() != outs[0].String() {
			t.Errorf("one process made %s, another %s", outs[0].String(), outs[i].String())
		}
	}
	err := filepath.WalkDir(filepath.Join(cache, "restep"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: others can read it", path, info.Mode())
		}
		if strings.HasPrefix(d.Name(), ".new-") {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestCachePlace(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	dir, err := cacheDir("a", "b")
	if err != nil || dir != filepath.Join(cache, "restep", "a", "b") {
		t.Errorf("cache is %s, %v", dir, err)
	}
	if err := os.WriteFile(filepath.Join(cache, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(cache, "file"))
	if _, err := cacheDir("a"); err == nil || !strings.Contains(err.Error(), "set XDG_CACHE_HOME") {
		t.Errorf("a cache that cannot be made gives %v", err)
	}
}

func TestTrimDir(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	now := info.ModTime()
	for i, name := range []string{"a", "b", "c", "d"} { // d is the oldest
		at := now.AddDate(0, 0, -i)
		if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := trimDir(dir, now.AddDate(0, 0, -2), 1); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if !slices.Equal(left, []string{"a", "b", "c"}) {
		t.Errorf("left %v, want a, b and c: d is older than the limit", left)
	}
	if err := trimDir(dir, now.AddDate(0, 0, 1), 2); err != nil {
		t.Fatal(err)
	}
	if entries, _ = os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("%d entries left, want the 2 newest", len(entries))
	}
}

func TestReleaseOf(t *testing.T) {
	for in, want := range map[string]string{
		"go1.26.8": "go1.26", "go1.27rc1": "go1.27", "go1.26.8 X:nocoverageredesign": "go1.26", "devel go1.28-abc": "devel go1.28-abc",
	} {
		if got := releaseOf(in); got != want {
			t.Errorf("releaseOf(%q) = %q, want %q", in, got, want)
		}
	}
	_, err := newGoroot(goEnv{GOVERSION: "go1.25.1", GOOS: "linux", GOARCH: "amd64"})
	if err == nil || !strings.Contains(err.Error(), "go1.25.1 is not supported: install one of go1.26, go1.27") {
		t.Errorf("an old release gives %v", err)
	}
	_, err = newGoroot(goEnv{GOVERSION: "go1.26.8", GOROOT: t.TempDir(), GOOS: "linux", GOARCH: "amd64", GOHOSTOS: "linux", GOHOSTARCH: "amd64"})
	if err == nil || !strings.Contains(err.Error(), "has no source") {
		t.Errorf("a GOROOT without source gives %v", err)
	}
}
