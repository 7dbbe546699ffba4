//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/restep/restep/replay/launch"
	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/replay/text"
)

const replayHelp = `usage: restep replay [-step N] [flags] link | file.zip | file.steplog

Opens the debugger's terminal at the step that a link (restep://..., the last
line of a failure) names, or at the failing step of an archive that restep
export made. The module has to be here, and has to be what the run was made of:
if it is not, nothing is shown, and what has changed is named.

flags:
  -step N        another step of the same run
  -short -tags -env -buildflag
                 as the run was made, where it is not recorded here; as in
                 restep debug
`

// runReplay is restep replay.
func runReplay(ctx context.Context, u *ui, args []string) int {
	f := newMomentFlags("replay")
	rest, err := f.parse(args)
	switch {
	case err != nil:
		return u.fail(exitUsage, err.Error(), "restep help replay explains the flags")
	case len(rest) != 1:
		return u.fail(exitUsage, "which step? give one link or file", "restep help replay explains the arguments")
	case f.test != "" || f.sched != "" || f.point != "":
		return u.fail(exitUsage, "the link says which test and policy", "restep debug -test TestX opens another one")
	}
	m, exact, err := replayTarget(rest[0])
	if err != nil {
		code := exitFailed
		if !isRunFile(rest[0]) {
			code = exitUsage
		}
		return u.fail(code, text.Escape(err.Error()), "a link is the last line of a failure: restep://v1/PACKAGE?test=TestX&seed=1&step=1")
	}
	if f.step == "" && m.Step != 0 {
		f.step = strconv.FormatUint(m.Step, 10)
	}
	pkg, hints := findPackage(m.Package)
	if pkg == "" {
		return u.fail(exitFailed, "the step is one of package "+text.Escape(m.Package)+", which is not here", hints...)
	}
	f.test, f.seed = m.Test, m.Seed
	want, err := f.moment(pkg)
	if err == nil {
		err = launch.CheckVariant(m.Variant)
	}
	if err != nil {
		return u.fail(exitUsage, text.Escape(err.Error()))
	}
	want.spec.Variant, want.spec.Exact = &m.Variant, exact
	code, err := want.terminal(ctx, u)
	if err == nil {
		return code
	}
	var changed *program.ChangedError
	if !errors.As(err, &changed) {
		return failDebug(ctx, u, err)
	}
	return u.fail(exitFailed, changed.Error(), changedHints(changed, m, pkg, f)...)
}

// replayTarget reads the argument.
func replayTarget(arg string) (link.Moment, *program.Exact, error) {
	if !isRunFile(arg) {
		m, err := link.Parse(arg)
		return m, &program.Exact{Build: m.Build}, err
	}
	rec, err := openFile(arg)
	if err != nil {
		return link.Moment{}, nil, err
	}
	if p := rec.Problems(); len(p) > 0 {
		return link.Moment{}, nil, fmt.Errorf("%s: %w", arg, p[0])
	}
	if rec.Steps() == 0 {
		return link.Moment{}, nil, fmt.Errorf("%s: the run has no steps", arg)
	}
	m := momentOf(rec)
	return m, &program.Exact{Build: m.Build, Log: rec.Reader, Inputs: rec.inputs}, nil
}

// findPackage is a package of the module here, as an argument of the go
// command. "" and what to do when the module is not here.
func findPackage(pkg string) (arg string, hints []string) {
	dir := findModule()
	if dir == "" {
		return "", []string{"there is no go.mod here or above: go to the module that has " + text.Escape(pkg)}
	}
	module := modulePath(dir)
	if rel, ok := strings.CutPrefix(pkg, module); ok && module != "" && (rel == "" || rel[0] == '/') {
		if info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(rel))); err == nil && info.IsDir() {
			return pkg, nil
		}
	}
	if goWork(dir) {
		return pkg, nil // of another module of the workspace; the go command knows
	}
	return "", []string{"the module here is " + text.Escape(module) + ", in " + nearPath(dir), "go to the module that has " + text.Escape(pkg)}
}

// goWork reports a workspace here or above.
func goWork(dir string) bool {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return false
		}
		dir = parent
	}
}

const maxChanges = 12 // that are named

// changedHints say what has changed and which command goes on.
func changedHints(e *program.ChangedError, m link.Moment, pkg string, f *momentFlags) []string {
	hints := changeLines(e.Changed)
	if e.Changed == nil {
		hints = append(hints, "what is different is not known: the run is not recorded here")
	}
	hints = append(hints, "bring that back (git stash, git checkout), build flags included, and try again")
	words := []string{"restep", "debug", "-test", m.Test, "-seed", strconv.FormatUint(m.Seed, 10)}
	if f.step != "" {
		words = append(words, "-step", f.step)
	}
	words = append(append(words, launch.PolicyFlags(m.Variant)...), f.world()...)
	words = append(words, pkg)
	return append(hints, quoteArgs(words), "opens the step with this number of the program as it is, which may be another one")
}

// world are the flags about how the program is built and started.
func (f *momentFlags) world() []string {
	var words []string
	if f.short {
		words = append(words, "-short")
	}
	if f.tags != "" {
		words = append(words, "-tags", f.tags)
	}
	for _, kv := range f.env {
		words = append(words, "-env", kv)
	}
	for _, flag := range f.build {
		words = append(words, "-buildflag="+flag)
	}
	return words
}

// changeLines are the changes, so many of them as are worth a line.
func changeLines(changed []string) []string {
	var lines []string
	for i, c := range changed {
		if i == maxChanges {
			lines = append(lines, fmt.Sprintf("and %d more", len(changed)-i))
			break
		}
		lines = append(lines, c)
	}
	return lines
}

// terminal opens the moment in Delve's terminal and returns its exit code.
func (m *moment) terminal(ctx context.Context, u *ui) (int, error) {
	o, err := m.open(ctx, u)
	if err != nil {
		return 0, err
	}
	defer o.close()
	u.print(stepLine(o, m.step))
	rules, err := o.rules(ctx, m.spec)
	if err != nil {
		return 0, err
	}
	if !u.outTerm {
		os.Setenv("TERM", "dumb") // Delve's terminal asks this alone whether to colour
	}
	return o.target.Terminal(ctx, o.engine, rules)
}
