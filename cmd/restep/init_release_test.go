package main

import (
	"archive/zip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/restep/restep/sim/inject"
)

// fakeProxy is a module proxy in a folder; go help goproxy.
type fakeProxy struct {
	t   *testing.T
	dir string
}

// add publishes a module version with one package in it.
func (p *fakeProxy) add(path, version, gomod, file, text string) {
	p.t.Helper()
	dir := filepath.Join(p.dir, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	write(version+".info", fmt.Sprintf(`{"Version":%q,"Time":"2026-01-01T00:00:00Z"}`, version))
	write(version+".mod", gomod)
	f, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, text := range map[string]string{"go.mod": gomod, file: text} {
		w, err := z.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// TestAddRelease adds released modules: one that fits, one that would move a
// dependency, one that wants a newer go line, one that nobody has.
func TestAddRelease(t *testing.T) {
	proxy := &fakeProxy{t, t.TempDir()}
	t.Setenv("GOPROXY", "file://"+filepath.ToSlash(proxy.dir))
	t.Setenv("GOSUMDB", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOWORK", "off")
	const dep, sim = "example.com/dep", inject.SimModule
	proxy.add(dep, "v1.0.0", "module "+dep+"\n", "dep.go", "package dep\n")
	proxy.add(dep, "v1.1.0", "module "+dep+"\n", "dep.go", "package dep\n")
	const api = "package sim\n\nconst API = 1\n"
	proxy.add(sim, "v1.0.0", "module "+sim+"\n\ngo 1.18\n\nrequire "+dep+" v1.0.0\n", "sim/api.go", api)
	proxy.add(sim, "v1.1.0", "module "+sim+"\n\ngo 1.18\n\nrequire "+dep+" v1.1.0\n", "sim/api.go", api)
	proxy.add(sim, "v1.2.0", "module "+sim+"\n\ngo 1.25\n", "sim/api.go", api)

	const before = "module example.com/user\n\ngo 1.24\n\nrequire " + dep + " v1.0.0\n"
	dir := t.TempDir()
	m := &initModule{gomod: filepath.Join(dir, "go.mod"), dir: dir}
	for _, test := range []struct{ version, why, after string }{
		{"v1.1.0", "v1.1.0 would change example.com/dep v1.0.0 to v1.1.0", before},
		{"v1.2.0", "v1.2.0 would change the go line from 1.24 to 1.25", before},
		{"v1.3.0", "v1.3.0 cannot be downloaded here", before},
		{"v1.0.0", "", "module example.com/user\n\ngo 1.24\n\nrequire (\n\t" + dep + " v1.0.0\n\t" + sim + " v1.0.0\n)\n"},
	} {
		for name, text := range map[string]string{
			"go.mod": before, "go.sum": "", "a.go": "package user\n\nimport _ \"" + dep + "\"\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := goOutput(t.Context(), dir, nil, "mod", "download", "all"); err != nil {
			t.Fatal(err)
		}
		why, err := m.addRelease(t.Context(), test.version)
		if err != nil || why != test.why {
			t.Errorf("%s: %q, %v; want %q", test.version, why, err, test.why)
		}
		if got, err := os.ReadFile(m.gomod); string(got) != test.after {
			t.Errorf("%s: go.mod is\n%s(%v) want\n%s", test.version, got, err, test.after)
		}
		sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
		if err != nil || strings.Contains(string(sum), sim+" ") != (why == "") {
			t.Errorf("%s: go.sum is\n%s(%v)", test.version, sum, err)
		}
		if why == "" {
			if err := m.verify(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestIsRelease(t *testing.T) {
	for v, want := range map[string]bool{
		"v1.2.3": true, "v0.0.0-20261121232341-c5a1e2c8d1f0": true, "v1.0.0-rc.1": true,
		"devel": false, "(devel)": false, "v0.0.0-20261121232341-c5a1e2c8d1f0+dirty": false, "v1.2": false, "": false,
	} {
		if isRelease(v) != want {
			t.Errorf("isRelease(%q) is %v", v, !want)
		}
	}
}

func TestNewDevcontainer(t *testing.T) {
	c := newDevcontainer("go1.27.3", "v1.2.3")
	if c.Image != "golang:1.27" || c.PostCreate != "go install github.com/restep/restep/cmd/restep@v1.2.3" {
		t.Errorf("%+v", c)
	}
	if c := newDevcontainer("go1.26", "devel"); c.Image != "golang:1.26" || c.PostCreate != "" {
		t.Errorf("%+v", c)
	}
}
