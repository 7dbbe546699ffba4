//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/sim/inject"
)

// moment is what debug and eval are asked for: a run and a step of it.
type moment struct {
	spec program.Spec
	step uint64 // 0 = the first step of the test's own code
}

// momentFlags are the flags that debug, eval and demo share.
type momentFlags struct {
	set   *flag.FlagSet
	test  string
	seed  uint64
	step  string
	tags  string
	sched string
	point string // -preempt
	env   listFlag
	build listFlag
	short bool
}

// listFlag is a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, " ") }
func (l *listFlag) Set(s string) error { *l = append(*l, s); return nil }

func newMomentFlags(name string) *momentFlags {
	f := &momentFlags{set: flag.NewFlagSet(name, flag.ContinueOnError)}
	f.set.SetOutput(io.Discard)
	f.set.Usage = func() {}
	f.set.StringVar(&f.test, "test", "", "")
	f.set.StringVar(&f.test, "run", "", "")
	f.set.Uint64Var(&f.seed, "seed", 1, "")
	f.set.StringVar(&f.step, "step", "", "")
	f.set.StringVar(&f.tags, "tags", "", "")
	f.set.StringVar(&f.sched, "sched", "", "")
	f.set.StringVar(&f.point, "preempt", "", "")
	f.set.Var(&f.env, "env", "")
	f.set.Var(&f.build, "buildflag", "")
	f.set.BoolVar(&f.short, "short", false, "")
	return f
}

// parse takes flags and arguments in any order, as people type them; what
// follows -- is no flag.
func (f *momentFlags) parse(args []string) (rest []string, err error) {
	for {
		if err := f.set.Parse(args); err != nil {
			return nil, err
		}
		left := f.set.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// moment checks the flags.
func (f *momentFlags) moment(pkg string) (moment, error) {
	m := moment{spec: program.Spec{Package: pkg, Seed: f.seed, Version: version(), BuildFlags: f.build, Env: f.env}}
	m.spec.Test = strings.TrimSuffix(strings.TrimPrefix(f.test, "^"), "$")
	if m.spec.Test == "" {
		return m, errors.New("which test? give -test TestName")
	}
	if strings.ContainsAny(m.spec.Test, `^$|*+?()[]{}\ `) {
		return m, fmt.Errorf("-test takes the name of one test, not the pattern %s", quoteArg(f.test))
	}
	policy, err := launch.ParsePolicy(f.sched, f.point)
	if err != nil {
		return m, err
	}
	variant := policy.Variant()
	m.spec.Variant = &variant
	if f.tags != "" {
		m.spec.Tags = strings.Split(f.tags, ",")
	}
	if f.short {
		m.spec.Flags = []string{"-test.short"}
	}
	for _, kv := range f.env {
		if key, _, ok := strings.Cut(kv, "="); !ok || key == "" {
			return m, fmt.Errorf("-env wants KEY=value, not %s", quoteArg(kv))
		}
	}
	if f.step != "" {
		n, err := strconv.ParseUint(strings.TrimPrefix(f.step, "#"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("-step wants the number of a step, not %s", quoteArg(f.step))
		}
		if n == 0 {
			return m, errors.New("steps are numbered from 1: there is no step #0")
		}
		m.step = n
	}
	return m, nil
}

// opened is a run under Delve, stopped at a step.
type opened struct {
	prog   *program.Program
	target *target.Target
	engine *replay.Engine
}

func (o *opened) close() { o.target.Close() }

// open builds, finds or records the run, and goes to the step.
func (m *moment) open(ctx context.Context, u *ui) (*opened, error) {
	building, built := u.building()
	m.spec.Progress = building
	prog, err := program.Load(ctx, m.spec)
	built()
	if err != nil {
		return nil, err
	}
	if prog.Stale || prog.Changed != nil {
		u.say(staleMessage(prog), append(changeLines(prog.Changed), "steps may have other numbers now")...)
	}
	if m.step == 0 {
		m.step = prog.FirstStep()
	}
	if n := prog.Log.Steps(); m.step > n {
		prog.Close()
		return nil, &replay.RangeError{Step: m.step, Steps: n}
	}
	u.status("going to step #" + strconv.FormatUint(m.step, 10))
	t, err := target.Open(prog)
	if err != nil {
		prog.Close()
		return nil, err
	}
	o := &opened{prog: prog, target: t, engine: replay.NewEngine(prog.Log, t)}
	o.engine.Changed = prog.ChangedSince
	if err := o.engine.Jump(ctx, m.step); err != nil {
		o.close()
		return nil, err
	}
	u.status("")
	return o, nil
}

// staleMessage says why a recorded run was made anew.
func staleMessage(p *program.Program) string {
	switch {
	case p.RecordedBuild != p.Bin.BuildID:
		return "the recorded run is of another build; it was made anew"
	case p.Stale:
		return "what the recorded run has read was changed since; it was made anew"
	}
	return "the recorded run had another environment; it was made anew"
}

// rules are how file names in the binary lead to files.
func (o *opened) rules(ctx context.Context, spec program.Spec) ([]target.Rule, error) {
	deps, err := target.Dependencies(ctx, o.prog.Bin, spec.GoFlags(), spec.GoEnv)
	if err != nil {
		return nil, err
	}
	return target.Rules(o.prog.Bin, deps)
}

// failDebug says why a command that needs a stopped program gave up.
func failDebug(ctx context.Context, u *ui, err error) int {
	u.status("")
	if ctx.Err() != nil {
		return u.fail(exitInterrupt, "interrupted")
	}
	var tool *inject.ToolError
	var attach *target.AttachError
	var out *replay.RangeError
	switch {
	case errors.As(err, &tool):
		u.raw(err.Error())
		return exitFailed
	case errors.As(err, &attach):
		return u.fail(exitFailed, fmt.Sprintf("attach the debugger: %v", attach.Err), attach.Advice)
	case errors.As(err, &out):
		return u.fail(exitFailed, err.Error(), "restep steps lists them")
	case errors.Is(err, inject.ErrNoTests), errors.Is(err, program.ErrNoTest):
		return u.fail(exitFailed, err.Error())
	}
	return u.fail(exitFailed, err.Error())
}

// onePackage takes the package from the arguments, "." when there is none.
func onePackage(rest []string) (string, error) {
	switch len(rest) {
	case 0:
		return ".", nil
	case 1:
		if isTest(rest[0]) {
			return "", fmt.Errorf("%s is a test, not a package; write -test %s", rest[0], rest[0])
		}
		return rest[0], nil
	}
	return "", fmt.Errorf("one package at a time, not %s", quoteArgs(rest))
}
