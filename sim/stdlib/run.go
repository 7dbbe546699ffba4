package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// outcome is how tests ended, "pass", "fail" or "skip", by name; "" for the
// package.
type outcome map[string]string

// passed are the names of the tests that passed.
func (o outcome) passed() []string {
	names := slices.DeleteFunc(sorted(o), func(name string) bool { return name == "" || o[name] != "pass" })
	return names
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// runner runs test commands.
type runner struct {
	goroot string
	restep string // the command
	keep   string // folder for what they print, "" = nowhere
}

func (r *runner) output(ctx context.Context, dir string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// both runs the tests of a package in both ways.
func (r *runner) both(ctx context.Context, p pkg) (native, simulated outcome, err error) {
	flags := []string{"-json", "-short", "-count=1", "-vet=off"} // short ones leave the Internet alone
	if len(p.without) > 0 {
		flags = append(flags, "-skip=^("+strings.Join(p.without, "|")+")$")
	}
	native, err = r.tests(ctx, p.name, "native", append(append([]string{"go", "test"}, flags...), p.name))
	if err != nil {
		return nil, nil, err
	}
	flags = append(flags, "-locals=false")
	simulated, err = r.tests(ctx, p.name, "restep", append(append([]string{r.restep, "test"}, flags...), p.name))
	return native, simulated, err
}

// tests runs one command and reads its events. A failing test is no error; no
// test at all is one.
func (r *runner) tests(ctx context.Context, name, side string, command []string) (outcome, error) {
	var errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = filepath.Join(r.goroot, "src")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if r.keep != "" {
		if err := os.MkdirAll(r.keep, 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(r.keep, strings.ReplaceAll(name, "/", "_")+"."+side+".json"), out, 0o644); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	result, readErr := readEvents(bytes.NewReader(out))
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		return nil, err
	case readErr != nil:
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), readErr, errOut.Bytes())
	case len(result) == 0:
		return nil, fmt.Errorf("%s: no test\n%s", strings.Join(command, " "), errOut.Bytes())
	}
	return result, nil
}

// readEvents reads the events of go test -json.
func readEvents(from io.Reader) (outcome, error) {
	result := outcome{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Test string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // a line of a program that writes around package testing
		}
		switch e.Action {
		case "pass", "fail", "skip":
			result[e.Test] = e.Action
		}
	}
	return result, lines.Err()
}

// pkg is a line of packages.txt.
type pkg struct {
	name    string
	without []string // tests that start the go tool, left out on both sides
}

// readPackages reads the packages: a line has an import path, then the tests
// left out. # starts a comment.
func readPackages(file string) (list []pkg, err error) {
	err = readLines(file, func(fields []string, _ string) error {
		list = append(list, pkg{name: fields[0], without: fields[1:]})
		return nil
	})
	return list, err
}

// difference is a line of differ.txt.
type difference struct {
	pkg, test     string // test may be a pattern of path.Match, and stands for its subtests
	class, reason string
	sometimes     bool // the test may pass, too
}

// readDifferences reads the differences: package, test, class, and the reason
// in the rest of the line. A ? behind the test means that it may pass, too.
func readDifferences(file string) (list []difference, err error) {
	err = readLines(file, func(fields []string, line string) error {
		if len(fields) < 4 {
			return fmt.Errorf("%q: package, test, class and a reason are wanted", line)
		}
		test, sometimes := strings.CutSuffix(fields[1], "?")
		list = append(list, difference{fields[0], test, fields[2], strings.Join(fields[3:], " "), sometimes})
		return nil
	})
	return list, err
}

func readLines(file string, line func(fields []string, line string) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for l := range strings.Lines(string(text)) {
		l, _, _ = strings.Cut(l, "#")
		if fields := strings.Fields(l); len(fields) > 0 {
			if err := line(fields, strings.TrimSpace(l)); err != nil {
				return fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
		}
	}
	return nil
}

// find returns the index of the entry that a test falls under, -1 for none.
func find(list []difference, pkg, test string) int {
	for i, d := range list {
		if d.pkg != pkg {
			continue
		}
		for name := test; ; {
			if ok, err := path.Match(d.test, name); ok && err == nil {
				return i
			}
			slash := strings.LastIndexByte(name, '/')
			if slash < 0 {
				break
			}
			name = name[:slash]
		}
	}
	return -1
}
