package inject

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// simModule is the module that package sim is in.
const simModule = "github.com/restep/restep"

// provideSim makes package sim importable where the module under test does
// not have it: there is no line for it in go.mod, or what the line names is
// not on this host. It returns a go.mod to use in place of the user's, which
// is not touched, or "".
func (b *builder) provideSim(ctx context.Context) (gomod string, err error) {
	user := b.goroot.goEnv.GOMOD
	for _, m := range b.modules {
		if m == simModule {
			return "", nil
		}
	}
	text, err := os.ReadFile(user)
	if err != nil {
		return "", fmt.Errorf("read go.mod: %w", err)
	}
	if !bytes.Contains(text, []byte(simModule)) {
		b.askSim = false
		if !b.importsSim(ctx) {
			return "", nil
		}
	} else if b.hasSim(ctx, user) {
		return "", nil
	}
	b.askSim = false // it is our own
	source, err := StoreSim()
	if err != nil {
		return "", err
	}
	parent, err := cacheDir("gomod")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(parent, shortHash(user, string(text), source))
	gomod = filepath.Join(dir, "go.mod")
	if _, err := os.Stat(gomod); err == nil {
		return gomod, markUsed(dir)
	}
	temp, err := os.MkdirTemp(parent, "new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	copied := filepath.Join(temp, "go.mod")
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		return "", err
	}
	_, err = b.run(ctx, "mod", "edit", "-dropreplace="+simModule, "-require="+simModule+"@v0.0.0",
		"-replace="+simModule+"="+source, copied)
	if err != nil {
		return "", fmt.Errorf("make a go.mod with package sim: %w", err)
	}
	return gomod, renameDir(temp, dir)
}

// hasSim reports whether the go.mod's own way to package sim works here.
func (b *builder) hasSim(ctx context.Context, gomod string) bool {
	out, err := b.run(ctx, "mod", "edit", "-json", gomod)
	if err != nil {
		return true // go says better what is wrong with it
	}
	var file struct {
		Replace []struct {
			Old, New struct{ Path, Version string }
		}
	}
	if err := json.Unmarshal(out, &file); err != nil {
		return true
	}
	for _, r := range file.Replace {
		if r.Old.Path != simModule || r.New.Version != "" {
			continue
		}
		dir := r.New.Path
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(gomod), dir)
		}
		_, err := os.Stat(filepath.Join(dir, "sim"))
		return err == nil
	}
	out, err = b.run(ctx, "list", "-m", "-f={{.Dir}}", simModule)
	return err == nil && len(bytes.TrimSpace(out)) > 0
}

// importsSim reports whether the package or its tests import package sim.
func (b *builder) importsSim(ctx context.Context) bool {
	out, err := b.run(ctx, "list", "-e", b.tagsFlag(), "-f={{.Imports}} {{.TestImports}} {{.XTestImports}}", b.Package)
	return err == nil && bytes.Contains(out, []byte(simModule+"/sim"))
}
