package inject

import (
	"bytes"
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
)

// releases are the Go releases that the edits are written for.
var releases = []string{"go1.26", "go1.27"}

func supportedRelease(release string) bool { return slices.Contains(releases, release) }

// Goroot is the Go installation a program is built with.
type Goroot struct {
	Root    string // directory with src/ and bin/, never below the module cache
	Version string // "go1.26.8"
	Release string // "go1.26"
	goEnv   goEnv
}

// goEnv is what `go env` tells in the directory of a build.
type goEnv struct {
	GOROOT, GOVERSION, GOOS, GOARCH    string
	GOHOSTOS, GOHOSTARCH               string
	GOMODCACHE, GOFLAGS, GOMOD, GOWORK string
	GOCACHE                            string
}

// FindGoroot asks the go command that builds dir which installation that is,
// following go.mod's toolchain line and GOTOOLCHAIN. env is the environment
// of the command, nil for the process's own; a relative dir is relative to
// the working directory.
func FindGoroot(ctx context.Context, dir string, env []string) (*Goroot, error) {
	var e goEnv
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOROOT", "GOVERSION", "GOOS", "GOARCH",
		"GOHOSTOS", "GOHOSTARCH", "GOMODCACHE", "GOFLAGS", "GOMOD", "GOWORK", "GOCACHE")
	cmd.Dir, cmd.Env = dir, env
	out, err := output(cmd)
	if err != nil {
		return nil, fmt.Errorf("ask go for its environment in %s: %w", dir, err)
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return nil, fmt.Errorf("read the output of go env: %w", err)
	}
	return newGoroot(e)
}

// Supported reports whether test binaries for the system can be simulated.
func Supported(goos, goarch string) bool {
	return goos == "linux" && (goarch == "amd64" || goarch == "arm64")
}

// newGoroot checks that the installation can be patched.
func newGoroot(e goEnv) (*Goroot, error) {
	g := &Goroot{Root: e.GOROOT, Version: e.GOVERSION, Release: releaseOf(e.GOVERSION), goEnv: e}
	switch {
	case !supportedRelease(g.Release):
		return nil, fmt.Errorf("%s is not supported: install one of %s, or set GOTOOLCHAIN to one",
			e.GOVERSION, strings.Join(releases, ", "))
	case !Supported(e.GOOS, e.GOARCH):
		return nil, fmt.Errorf("GOOS=%s GOARCH=%s is not supported: only linux/amd64 and linux/arm64 can be simulated; "+
			"unset GOOS and GOARCH, or run on such a machine", e.GOOS, e.GOARCH)
	case !Supported(e.GOHOSTOS, e.GOHOSTARCH):
		return nil, fmt.Errorf("this is a %s/%s system: simulations run only on linux/amd64 and linux/arm64", e.GOHOSTOS, e.GOHOSTARCH)
	}
	if _, err := os.Stat(filepath.Join(g.Root, "src/runtime/proc.go")); err != nil {
		return nil, fmt.Errorf("the Go installation %s has no source (%v): install the full Go distribution", g.Root, err)
	}
	if inside(e.GOMODCACHE, g.Root) {
		link, err := linkGoroot(g.Root, g.Version)
		if err != nil {
			return nil, fmt.Errorf("link the toolchain %s of the module cache: %w", g.Version, err)
		}
		g.Root = link
	}
	return g, nil
}

// releaseOf cuts "go1.26.8" and "go1.26rc1 X:foo" to "go1.26".
func releaseOf(version string) string {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return version
	}
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	return "go1." + rest[:n]
}

func inside(parent, path string) bool {
	if parent == "" {
		return false
	}
	rel, err := filepath.Rel(parent, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// linkGoroot makes a symbolic link to a toolchain that lies in the module
// cache, because the go command refuses overlays of files below it.
func linkGoroot(root, version string) (string, error) {
	dir, err := cacheDir("goroot", version+"-"+shortHash(root))
	if err != nil {
		return "", err
	}
	link := filepath.Join(dir, "go")
	if to, err := os.Readlink(link); err == nil && to == root {
		return link, nil
	}
	temp := filepath.Join(dir, fmt.Sprintf("go.%d", os.Getpid()))
	_ = os.Remove(temp)
	if err := os.Symlink(root, temp); err != nil {
		return "", err
	}
	return link, os.Rename(temp, link)
}

// underRoot turns a path below the toolchain in the module cache into one
// below the link to it.
func (g *Goroot) underRoot(path string) string {
	if rest, ok := strings.CutPrefix(path, g.goEnv.GOROOT+"/"); ok {
		return filepath.Join(g.Root, rest)
	}
	return path
}

// src returns the path of a file below GOROOT/src.
func (g *Goroot) src(file string) string {
	return filepath.Join(g.Root, "src", filepath.FromSlash(file))
}

const noCgo = "CGO_ENABLED=0"

// command returns a go command of exactly this installation. env overrides
// entries of base.
func (g *Goroot) command(ctx context.Context, dir string, base []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(g.Root, "bin", "go"), args...)
	cmd.Dir = dir
	if base == nil {
		base = os.Environ()
	}
	cmd.Env = append(slices.Clip(base), "GOROOT="+g.Root, "GOTOOLCHAIN=local", noCgo, "GOOS=linux", "GOARCH="+g.goEnv.GOARCH)
	return cmd
}

// ToolError is a failed run of the go command; its text is what the command
// printed.
type ToolError struct {
	Args   []string
	Stderr string // what it printed, usually to standard error
	Err    error  // of os/exec
}

func (e *ToolError) Error() string {
	text := strings.TrimRight(e.Stderr, "\n")
	if text == "" {
		return fmt.Sprintf("%s: %v", strings.Join(e.Args[:min(2, len(e.Args))], " "), e.Err)
	}
	return text
}

func (e *ToolError) Unwrap() error { return e.Err }

// output runs cmd and returns its standard output; a failure is a ToolError.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout = &stdout
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go removes its work then
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("no go command: install Go and put it into PATH: %w", err)
		}
		if stderr.Len() == 0 {
			stderr = stdout
		}
		return nil, &ToolError{Args: cmd.Args, Stderr: stderr.String(), Err: err}
	}
	return stdout.Bytes(), nil
}
