package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/restep/restep/sim/inject"
)

// downloadTimeout is how long go may look for a release. A network that drops
// packets must not keep the user waiting: there is another way.
const downloadTimeout = 30 * time.Second

// isRelease reports versions that a module proxy can have: not those of a
// working copy, "devel" or "v0.0.0-…+dirty".
func isRelease(v string) bool {
	return regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(v)
}

// addRelease adds the released module to go.mod and go.sum. why says what is
// against it; go.mod is as it was then. All is tried on copies first.
func (m *initModule) addRelease(ctx context.Context, version string) (why string, err error) {
	temp, err := os.MkdirTemp("", "restep-init-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	tryMod, trySum := filepath.Join(temp, "go.mod"), filepath.Join(temp, "go.sum")
	sum := filepath.Join(m.dir, "go.sum")
	if err := copyFile(tryMod, m.gomod); err != nil {
		return "", err
	}
	if err := copyFile(trySum, sum); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	before, err := m.versions(ctx, "-mod=readonly")
	if err != nil {
		return "the versions of this module's dependencies cannot be listed here", nil
	}
	try := []string{"-mod=mod", "-modfile=" + tryMod}
	if _, err := goOutput(ctx, m.dir, nil, "mod", "edit", "-dropreplace="+inject.SimModule,
		"-require="+inject.SimModule+"@"+version, tryMod); err != nil {
		return "", err
	}
	list := append(append([]string{"list"}, try...), "-find", simPackage)
	if _, err := goOutput(ctx, m.dir, []string{"GOWORK=off"}, list...); err != nil {
		return version + " cannot be downloaded here", nil
	}
	after, err := m.versions(ctx, try...)
	if err != nil {
		return version + " cannot be downloaded here", nil
	}
	if moved := movedVersion(before, after); moved != "" {
		return version + " would change " + moved, nil
	}
	oldGo, err := readGoMod(ctx, m.gomod)
	if err != nil {
		return "", err
	}
	newGo, err := readGoMod(ctx, tryMod)
	if err != nil {
		return "", err
	}
	if oldGo.Go != newGo.Go {
		return fmt.Sprintf("%s would change the go line from %s to %s", version, oldGo.Go, newGo.Go), nil
	}
	return "", errors.Join(copyFile(m.gomod, tryMod), copyFile(sum, trySum))
}

// versions lists the modules of the build, "path" to "version", with what
// replaces them.
func (m *initModule) versions(ctx context.Context, flags ...string) (map[string]string, error) {
	args := append(append([]string{"list"}, flags...), "-m", "-f",
		"{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}}", "all")
	out, err := goOutput(ctx, m.dir, []string{"GOWORK=off"}, args...)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[path] = version
	}
	return all, nil
}

// movedVersion names a module whose version is another one afterwards, "" when
// there is none. Modules that are new do not count.
func movedVersion(before, after map[string]string) string {
	first := ""
	for path, old := range before {
		now, there := after[path]
		if path == inject.SimModule || there && now == old || first != "" && first < path {
			continue
		}
		first = path
	}
	if first == "" {
		return ""
	}
	return first + " " + before[first] + " to " + after[first]
}

// copyFile overwrites a file, and keeps its mode if it is there.
func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
