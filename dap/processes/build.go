package processes

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// program is a built binary with its place in the workspace.
type program struct {
	path string
	dir  string // of its package, where go test runs tests
}

// buildAll builds what the processes run into a folder, each program once.
func buildAll(ctx context.Context, cfg *Config, out string, say func(string)) ([]program, error) {
	built := map[string]program{}
	list := make([]program, len(cfg.Processes))
	for i := range cfg.Processes {
		p := &cfg.Processes[i]
		dir, pkg, err := cfg.locate(p)
		if err != nil {
			return nil, fmt.Errorf("process %s: %w", p.Name, err)
		}
		flags := slices.Concat(cfg.BuildFlags, p.BuildFlags)
		if cfg.BuildTags != "" {
			flags = append(flags, "-tags="+cfg.BuildTags)
		}
		key := fmt.Sprintf("%q %q %v %q", dir, pkg, p.Test != "", flags)
		if _, ok := built[key]; !ok {
			say("Building " + p.Name)
			path := filepath.Join(out, p.Name+"-"+strconv.Itoa(i))
			home, err := build(ctx, path, dir, pkg, p.Test != "", flags)
			if err != nil {
				return nil, fmt.Errorf("build process %s: %w", p.Name, err)
			}
			built[key] = program{path, home}
		}
		list[i] = built[key]
	}
	return list, nil
}

// locate says in which folder the go command is asked for which package.
func (c *Config) locate(p *Process) (dir, pkg string, err error) {
	at := below(c.Cwd, p.Program)
	switch info, err := os.Stat(at); {
	case err == nil && info.IsDir():
		return at, ".", nil
	case err == nil && strings.HasSuffix(at, ".go"):
		return filepath.Dir(at), ".", nil
	case err == nil:
		return "", "", fmt.Errorf("%s is no folder and no Go file: programs are built from the workspace", at)
	case filepath.IsAbs(p.Program) || strings.HasPrefix(p.Program, "."):
		return "", "", fmt.Errorf("there is no program %s", at)
	}
	return c.Cwd, p.Program, nil
}

// build makes one binary. The packages of the workspace are compiled so that
// all variables can be seen, the others as always.
func build(ctx context.Context, path, dir, pkg string, test bool, flags []string) (home string, err error) {
	listed, err := run(ctx, dir, "list", slices.Concat(flags, []string{"-f", "{{.Name}}\n{{.Dir}}", pkg}))
	if err != nil {
		return "", err
	}
	name, home, _ := strings.Cut(strings.TrimSpace(listed), "\n")
	if name != "main" && !test {
		return "", fmt.Errorf("package %s in %s is no program: it is package %s; for its tests give \"test\"", pkg, home, name)
	}
	args := []string{"-o", path, "-trimpath=false"}
	verb := "build"
	if test {
		verb, args = "test", append(args, "-c", "-vet=off")
	}
	if !slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(strings.TrimLeft(f, "-"), "gcflags") }) {
		modules, err := run(ctx, dir, "list", []string{"-m", "-f", "{{.Path}}"})
		if err != nil {
			return "", err
		}
		for _, m := range strings.Fields(modules) {
			args = append(args, "-gcflags="+m+"/...=-N -l")
		}
	}
	if _, err = run(ctx, dir, verb, slices.Concat(args, flags, []string{pkg})); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("package %s has no tests", pkg)
	}
	return home, nil
}

// run runs the go command and returns what it prints.
func run(ctx context.Context, dir, verb string, args []string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{verb}, args...)...)
	cmd.Dir = dir
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("go %s in %s: %w\n%s", verb, dir, err, strings.TrimSpace(problem.String()))
	}
	return out.String(), nil
}
