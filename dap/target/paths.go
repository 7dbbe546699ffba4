package target

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"debug/buildinfo"

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
// modCache is GOMODCACHE.
func Rules(bin *inject.Binary, modCache string) ([]Rule, error) {
	rules, err := addedRules(bin.OverlayDir)
	if err != nil {
		return nil, err
	}
	deps, err := moduleRules(bin, modCache)
	if err != nil {
		return nil, err
	}
	rules = append(rules, deps...)
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

// moduleRules maps the modules that the binary was built from.
func moduleRules(bin *inject.Binary, modCache string) ([]Rule, error) {
	info, err := buildinfo.ReadFile(bin.Path)
	if err != nil {
		return nil, fmt.Errorf("read what the test binary was built from: %w", err)
	}
	var rules []Rule
	for _, d := range info.Deps {
		used, name := d, d.Path
		if d.Version != "" {
			name += "@" + d.Version
		}
		if d.Replace != nil {
			used = d.Replace
		}
		dir := ""
		switch {
		case filepath.IsAbs(used.Path):
			dir = used.Path
		case strings.HasPrefix(used.Path, "."):
			dir = filepath.Join(bin.ModuleDir, filepath.FromSlash(used.Path))
		default:
			dir = filepath.Join(modCache, filepath.FromSlash(escapeModule(used.Path))+"@"+escapeModule(used.Version))
		}
		rules = append(rules, Rule{name, dir})
	}
	// Longer names first: a module may lie in the folder of another one.
	slices.SortStableFunc(rules, func(a, b Rule) int { return len(b.Binary) - len(a.Binary) })
	return rules, nil
}

// escapeModule is the module cache's way of writing upper case letters:
// golang.org/ref/mod, "Module cache".
func escapeModule(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// HostPath returns where a file of the debug information is on this host, the
// name itself when no rule fits.
func HostPath(rules []Rule, file string) string {
	for _, r := range rules {
		if r.Binary == "" {
			if !filepath.IsAbs(file) && strings.Contains(file, "/") {
				return filepath.Join(r.Host, filepath.FromSlash(file))
			}
			continue
		}
		rest, ok := strings.CutPrefix(file, r.Binary)
		if ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(r.Host, filepath.FromSlash(rest))
		}
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
