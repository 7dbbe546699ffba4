//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/restep/restep/sim/inject"
)

// goPackage is what is needed of `go list -json`.
type goPackage struct {
	ImportPath   string
	Dir          string
	Standard     bool
	Module       *struct{ Path, Dir string }
	TestGoFiles  []string
	XTestGoFiles []string
	Error        *struct{ Pos, Err string }
	DepsErrors   []*struct{ Pos, Err string }
}

func (p *goPackage) hasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// listPackages asks the go command what the patterns stand for. The packages
// come in the order of their import paths.
func listPackages(ctx context.Context, c *testConfig) ([]*goPackage, error) {
	args := []string{"list", "-e", "-json=ImportPath,Dir,Standard,Module,TestGoFiles,XTestGoFiles,Error",
		"-tags=" + strings.Join(append([]string{inject.BuildTag}, c.listTags...), ",")}
	for _, f := range c.build {
		if name, _, _ := strings.Cut(f[1:], "="); name == "mod" || name == "modfile" || name == "overlay" {
			args = append(args, f)
		}
	}
	cmd := exec.CommandContext(ctx, "go", append(append(args, "--"), c.packages...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("there is no go command; install Go and put it into PATH")
		}
		if text := strings.TrimSpace(stderr.String()); text != "" {
			return nil, errors.New(text)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	var list []*goPackage
	for dec := json.NewDecoder(&stdout); dec.More(); {
		p := new(goPackage)
		if err := dec.Decode(p); err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		list = append(list, p)
	}
	if text := strings.TrimSpace(stderr.String()); text != "" && len(list) == 0 {
		return nil, errors.New(text)
	}
	slices.SortStableFunc(list, func(a, b *goPackage) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	return list, nil
}

// argument is how the package is written on a command line from the working
// directory.
func (p *goPackage) argument() string {
	wd, err := os.Getwd()
	if err != nil {
		return p.ImportPath
	}
	rel, err := filepath.Rel(wd, p.Dir)
	if err != nil || !filepath.IsLocal(rel) || p.Module == nil || p.Module.Dir == "" {
		return p.ImportPath
	}
	if inModule, err := filepath.Rel(p.Module.Dir, wd); err != nil || !filepath.IsLocal(inModule) {
		return p.ImportPath
	}
	if rel == "." {
		return "."
	}
	return "./" + filepath.ToSlash(rel)
}
