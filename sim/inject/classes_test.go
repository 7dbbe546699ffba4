package inject

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sharedImports are the imports of shared packages that lead out of the
// shared set, with the reason why that is harmless.
var sharedImports = map[[2]string]string{
	{"hash", "io"}:    "hash.Hash embeds io.Writer; no variable of io is read",
	{"strings", "io"}: "readers return io.EOF, which holds the same pointer on every machine",
}

func TestSharedPackagesAreClosed(t *testing.T) {
	eachRelease(t, func(t *testing.T, g *Goroot) {
		var roots []string
		for _, c := range packageClasses {
			if c.class == classShared && !strings.HasSuffix(c.path, "/") && c.path != "unsafe" {
				roots = append(roots, c.path)
			}
		}
		cmd := g.command(context.Background(), g.src("."), nil, append([]string{"list", "-deps", "-json=ImportPath,Imports"}, roots...)...)
		cmd.Env = append(cmd.Env, "GOFLAGS=-mod=mod", "GOWORK=off")
		out, err := output(cmd)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
			var p struct {
				ImportPath string
				Imports    []string
			}
			if err := dec.Decode(&p); err != nil {
				t.Fatal(err)
			}
			seen[p.ImportPath] = true
			if classOfPackage(p.ImportPath) != classShared {
				continue
			}
			for _, to := range p.Imports {
				if classOfPackage(to) != classShared && sharedImports[[2]string{p.ImportPath, to}] == "" {
					t.Errorf("shared %s imports %s, which is not shared: its variables would be those of whatever machine runs", p.ImportPath, to)
				}
			}
		}
		for _, root := range roots {
			if !seen[root] {
				t.Errorf("%s of the table does not exist in %s", root, g.Version)
			}
		}
	})
}

func TestInjectedImportsAreShared(t *testing.T) {
	source, err := injectedFiles()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range source {
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if !strings.HasPrefix(path, sourcePrefix) && classOfPackage(path) != classShared {
				t.Errorf("%s imports %s, which is not shared", name, path)
			}
		}
	}
}

func TestSymbolClasses(t *testing.T) {
	for _, test := range []struct {
		symbol, pkg string
		machine     bool
	}{
		{"net/http.DefaultServeMux", "net/http", true},
		{"main..stmp_3", "main", true},
		{"example.com/a/b%2ec.X", "example.com/a/b%2ec", true},
		{"example%2ecom.X", "example%2ecom", true},
		{"example.com/a_test.x", "example.com/a_test", true},
		{"example.com/a..dict.F[example.com/b.T]", "example.com/a", true},
		{"runtime.mheap_", "runtime", false},
		{"runtime/debug.x", "runtime/debug", true},
		{"internal/runtime/maps.x", "internal/runtime/maps", false},
		{"internal/restep/kernel/vfs.x", "internal/restep/kernel/vfs", false},
		{"internal/poll.x", "internal/poll", true},
		{"sync.allPools", "sync", true},
		{"sync.x", "sync", false},
		{"testing.match", "testing", false},
		{"testing/fstest.x", "testing/fstest", true},
		{"vendor/golang.org/x/net/idna.idnaValues", "vendor/golang.org/x/net/idna", false},
		{"vendor/golang.org/x/net/idna.acePrefix", "vendor/golang.org/x/net/idna", true},
		{"go:itab.*os.File,io.Reader", "", false},
		{"go:main.inittasks", "", false},
		{"type:.eq.net/http.Request", "", false},
		{"$f64.3ff0000000000000", "", false},
		{"gclocals·abc", "", false},
		{"masks", "", false},
	} {
		if pkg, machine := symbolPackage(test.symbol), isMachineSymbol(test.symbol); pkg != test.pkg || machine != test.machine {
			t.Errorf("%s: package %q, machine %v, want %q, %v", test.symbol, pkg, machine, test.pkg, test.machine)
		}
	}
}

func TestClassTable(t *testing.T) {
	var paths []string
	for _, c := range packageClasses {
		if c.reason == "" || slices.Contains(paths, c.path) {
			t.Errorf("%s has no reason or occurs twice", c.path)
		}
		paths = append(paths, c.path)
	}
	for _, v := range variableClasses {
		if v.reason == "" || (v.class == classMachine) == (classOfPackage(symbolPackage(v.symbol)) == classMachine) {
			t.Errorf("%s has no reason or the class of its package", v.symbol)
		}
	}
}
