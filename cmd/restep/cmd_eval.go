//go:build linux && amd64

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/restep/restep/dap/target"
)

const evalHelp = `usage: restep eval -test TestX [-seed N] [-step N] [-json] EXPR [package]

Prints the value of an expression at a step of a run, in the frame of your
own code. Package variables are those of the machine that made the step.
The expression is one of Delve's: locals, fields, indexes, slices, calls of
len and cap, type conversions; -- ends the flags.

flags:
  -test TestX    the test, or TestX/sub
  -seed N        the seed of the run (1)
  -step N        the step; without it the first one of the test's own code
  -json          one object: expr, type, value, step, machine, goroutine, func,
                 path, line
  -short, -sched, -preempt, -tags, -env, -buildflag
                 as in restep debug
`

// evalResult is what eval -json prints.
type evalResult struct {
	Expr string `json:"expr"`
	target.Value
	Step      uint64 `json:"step"`
	Machine   string `json:"machine"`
	Goroutine int64  `json:"goroutine"`
	Func      string `json:"func,omitempty"`
	Path      string `json:"path,omitempty"`
	Line      int    `json:"line,omitempty"`
}

func runEval(ctx context.Context, u *ui, args []string) int {
	f := newMomentFlags("eval")
	asJSON := f.set.Bool("json", false, "")
	rest, err := f.parse(args)
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help eval explains the flags")
	}
	if len(rest) == 0 {
		return u.fail(exitUsage, "which expression?", "restep eval -test TestX -step N EXPR [package]")
	}
	pkg, err := onePackage(rest[1:])
	if err != nil {
		return u.fail(exitUsage, err.Error(), "quote an expression that has spaces")
	}
	m, err := f.moment(pkg)
	if err != nil {
		return u.fail(exitUsage, err.Error())
	}
	o, err := m.open(ctx, u)
	if err != nil {
		return failDebug(ctx, u, err)
	}
	defer o.close()
	r, err := o.eval(m.step, rest[0])
	if err != nil {
		return failDebug(ctx, u, err)
	}
	if *asJSON {
		b, err := json.Marshal(r)
		if err != nil {
			return failDebug(ctx, u, err)
		}
		u.printf("%s\n", b)
		return exitOK
	}
	u.print(append(escapeLines(r.Value.Value), '\n'))
	return exitOK
}

// eval evaluates in the user's frame of the step the program is at.
func (o *opened) eval(step uint64, expr string) (*evalResult, error) {
	state, err := o.target.State()
	if err != nil {
		return nil, err
	}
	frames, err := o.target.Frames(-1)
	if err != nil {
		return nil, err
	}
	r := &evalResult{Expr: expr, Step: step, Goroutine: state.Goroutine}
	if s, err := o.prog.Log.Step(step); err == nil {
		if m, ok := o.prog.Log.Machine(s.Machine); ok {
			r.Machine = m.Label
		}
	}
	user, ok := o.target.UserFrame(frames)
	if ok {
		r.Func, r.Path, r.Line = user.Func, o.prog.Source.Path(user.File), user.Line
	}
	if r.Value, err = o.target.Eval(user.Index, expr); err == nil {
		return r, nil
	}
	if !ok {
		return nil, fmt.Errorf("%w at step #%d; no code of yours made this step, so there are no local variables; "+
			"name package variables in full, as in \"example.com/bank\".total", err, step)
	}
	return nil, fmt.Errorf("%w at step #%d, in %s (%s:%d)", err, step, user.Func, o.prog.Source.Name(user.File), user.Line)
}
