package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/restep/restep/sim/inject"
)

// vendored reports a module whose vendor folder go uses.
func (m *initModule) vendored() bool {
	return isFile(filepath.Join(m.dir, "vendor", "modules.txt"))
}

// vendorDir is where the module of package sim is in the vendor folder.
func (m *initModule) vendorDir() string {
	return filepath.Join(m.dir, "vendor", filepath.FromSlash(inject.SimModule))
}

// addVendor puts package sim into the vendor folder, if there is one, as `go
// mod vendor` would once a test imports it. That command itself would need
// every other module at hand, and would leave the package out as long as
// nobody imports it.
func (m *initModule) addVendor(ctx context.Context) error {
	if !m.vendored() {
		return nil
	}
	mod, err := m.vendorModule(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(m.vendorDir()); err != nil {
		return fmt.Errorf("write the vendor folder: %w", err)
	}
	var packages []string
	for name, text := range inject.SimSource() {
		if !strings.Contains(name, "/") {
			continue // go.mod is not vendored
		}
		file := filepath.Join(m.vendorDir(), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("write the vendor folder: %w", err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the vendor folder: %w", err)
		}
		packages = append(packages, inject.SimModule+"/"+path.Dir(name))
	}
	slices.Sort(packages)
	list := filepath.Join(m.dir, "vendor", "modules.txt")
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	return os.WriteFile(list, mod.addTo(text, slices.Compact(packages)), 0o644)
}

// vendorModule is what modules.txt says of a module.
type vendorModule struct {
	Path, Version, GoVersion string
	Replace                  *struct{ Path, Version string }
}

// vendorModule reads from go.mod which module package sim is of now. A release
// is in the module cache then, so that go knows its go line.
func (m *initModule) vendorModule(ctx context.Context) (*vendorModule, error) {
	file, err := readGoMod(ctx, m.gomod)
	if err != nil {
		return nil, err
	}
	mod := &vendorModule{Path: inject.SimModule}
	for _, r := range file.Require {
		if r.Path == mod.Path {
			mod.Version = r.Version
		}
	}
	for _, r := range file.Replace {
		if r.Old.Path == mod.Path {
			mod.Replace = &struct{ Path, Version string }{r.New.Path, r.New.Version}
			own, err := readGoMod(ctx, filepath.Join(m.source, "go.mod"))
			if err != nil {
				return nil, err
			}
			mod.GoVersion = own.Go
			return mod, nil
		}
	}
	out, err := goOutput(ctx, m.dir, []string{"GOWORK=off"}, "list", "-mod=readonly", "-m", "-f", "{{.GoVersion}}", mod.Path)
	mod.GoVersion = strings.TrimSpace(string(out))
	return mod, err
}

// addTo returns a modules.txt with the module in it, in the place of one that
// was there. The form is that of cmd/go/internal/modcmd/vendor.go: modules in
// the order of their paths, each followed by its packages, and at the end the
// replacements that hold for all versions of a module, in the order of go.mod,
// where addReplace has put ours last.
func (v *vendorModule) addTo(text []byte, packages []string) []byte {
	var block, last string
	head := "# " + v.Path + " " + v.Version
	if v.Replace != nil {
		to := strings.TrimSpace(v.Replace.Path + " " + v.Replace.Version)
		head += " => " + to
		last = "# " + v.Path + " => " + to + "\n"
	}
	block = head + "\n## explicit"
	if v.GoVersion != "" {
		block += "; go " + v.GoVersion
	}
	block += "\n" + strings.Join(packages, "\n") + "\n"
	var out bytes.Buffer
	done, skip := false, false
	put := func() {
		if !done {
			out.WriteString(block)
			done = true
		}
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "#" {
			if skip = fields[1] == v.Path; skip {
				continue
			}
			if wildcard := len(fields) >= 3 && fields[2] == "=>"; wildcard || fields[1] > v.Path {
				put()
			}
		}
		if !skip {
			out.WriteString(line)
		}
	}
	put()
	out.WriteString(last)
	return out.Bytes()
}
