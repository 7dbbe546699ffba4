package target

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/restep/restep/sim/inject"
)

// Rule says that files whose name in the debug information starts with Binary
// are below Host on this computer. An empty Binary stands for all relative
// names. The name must end, or go on with a slash, behind Binary.
type Rule struct{ Binary, Host string }

// Rules returns how file names in the binary, which is built with -trimpath,
// lead to files on this host. Earlier rules win, in both directions.
//
//	example.org/bank/transfer.go       -> module folder
//	github.com/x/y@v1.2.3/z.go         -> module cache, or the folder that replaces it
//	internal/restep/kernel/net.go,
//	runtime/restep_kernel.go           -> files that restep added, in its cache
//	net/http/server.go                 -> GOROOT/src
//
// deps are what Dependencies answers.
func Rules(bin *inject.Binary, deps []Dependency) ([]Rule, error) {
	rules, err := addedRules(bin.OverlayDir)
	if err != nil {
		return nil, err
	}
	for i := range deps {
		rules = append(rules, Rule{deps[i].name(), deps[i].Dir})
	}
	if bin.ModulePath != "" {
		rules = append(rules, Rule{bin.ModulePath, bin.ModuleDir})
		// Editors may know the folder by the name without symbolic links.
		if real, err := filepath.EvalSymlinks(bin.ModuleDir); err == nil && real != bin.ModuleDir {
			rules = append(rules, Rule{bin.ModulePath, real})
		}
	}
	return append(rules, Rule{"", filepath.Join(bin.Goroot, "src")}), nil
}

// addedRules finds the files below GOROOT that only exist in the overlay.
// Patched files have the lines of the original, which is shown instead.
func addedRules(overlay string) ([]Rule, error) {
	rules := []Rule{{"internal/restep", filepath.Join(overlay, "internal", "restep")}}
	err := filepath.WalkDir(overlay, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), "restep") {
			return err
		}
		rel, err := filepath.Rel(overlay, path)
		if err == nil && !strings.HasPrefix(rel, "internal/restep/") {
			rules = append(rules, Rule{filepath.ToSlash(rel), path})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files that restep added to the runtime: %w", err)
	}
	return rules, nil
}

// Dependency is a package, or all packages of a module, that the program was
// built from.
type Dependency struct {
	Module  string // module path
	Version string // "" for a module of the workspace
	Package string // path of the package below the module, "" for the module as a whole
	Dir     string
}

// name is how debug information calls it.
func (d *Dependency) name() string {
	name := d.Module
	if d.Version != "" {
		name += "@" + d.Version
	}
	return name + d.Package
}

// dependencyFormat makes go list print a line for each package of a module:
// import path, folder, module, version, folder of the module.
const dependencyFormat = "{{with .Module}}{{$.ImportPath}}\t{{$.Dir}}\t{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}"

// Dependencies asks the go command where the packages of a test binary come
// from. The binary does not say: go leaves what only tests import out of its
// build information. flags are those of go build; extra is the environment of
// the go command, nil for the process's own.
func Dependencies(ctx context.Context, bin *inject.Binary, flags, extra []string) ([]Dependency, error) {
	args := append([]string{"list", "-e", "-deps", "-test", "-f", dependencyFormat}, flags...)
	cmd := exec.CommandContext(ctx, filepath.Join(bin.Goroot, "bin", "go"), append(args, bin.ImportPath)...)
	cmd.Dir, cmd.Env = bin.PackageDir, extra
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list where the packages of %s come from: %w", bin.ImportPath, err)
	}
	return parseDependencies(string(out), bin.ModulePath), nil
}

func parseDependencies(out, own string) []Dependency {
	var list []Dependency
	seen := map[string]bool{}
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 || f[2] == own {
			continue
		}
		path, _, _ := strings.Cut(f[0], " ") // without [tested package]
		d := Dependency{Module: f[2], Version: f[3], Dir: f[4]}
		if d.Dir == "" { // vendored
			d.Package, d.Dir = strings.TrimPrefix(path, d.Module), f[1]
		}
		if name := d.name(); d.Dir != "" && !seen[name] {
			seen[name] = true
			list = append(list, d)
		}
	}
	// Longer names first: a module may lie in the folder of another one.
	slices.SortStableFunc(list, func(a, b Dependency) int { return len(b.name()) - len(a.name()) })
	return list
}

// HostPath returns where a file of the debug information is on this host, the
// name itself when no rule fits. It never leads out of the folder of a rule.
func HostPath(rules []Rule, file string) string {
	for _, r := range rules {
		if r.Binary == "" {
			if strings.Contains(file, "/") && filepath.IsLocal(filepath.FromSlash(file)) {
				return filepath.Join(r.Host, filepath.FromSlash(file))
			}
			continue
		}
		rest, ok := strings.CutPrefix(file, r.Binary)
		if ok && (rest == "" || rest[0] == '/' && filepath.IsLocal(filepath.FromSlash(rest[1:]))) {
			return filepath.Join(r.Host, filepath.FromSlash(rest))
		}
	}
	if file != "" && !filepath.IsAbs(file) && !filepath.IsLocal(filepath.FromSlash(file)) {
		return path.Base(file)
	}
	return file
}

// BinaryPath is the inverse of HostPath.
func BinaryPath(rules []Rule, path string) string {
	for _, r := range rules {
		rest, ok := strings.CutPrefix(path, r.Host)
		if !ok || rest != "" && rest[0] != filepath.Separator {
			continue
		}
		rest = filepath.ToSlash(rest)
		if r.Binary == "" {
			return strings.TrimPrefix(rest, "/")
		}
		return r.Binary + rest
	}
	return path
}
