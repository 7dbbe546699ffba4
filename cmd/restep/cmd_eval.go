//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/restep/restep/dap/target"
)

const evalHelp = `usage: restep eval -test TestX [-seed N] [-step N] [-json] EXPR [package]

Prints the value of an expression at a step of a run, in the frame of your
own code. Package variables are those of the machine that made the step.
The expression is one of Delve's: locals, fields, indexes, slices, calls of
len and cap, type conversions; -- ends the flags. Before one, @server means the
package variables of machine server and @* those of every machine;
count(@* COND), any(@* COND) and all(@* COND) are values.

flags:
  -test TestX    the test, or TestX/sub
  -seed N        the seed of the run (1)
  -step N        the step; without it the first one of the test's own code
  -json          one object: expr, type, value, step, machine, goroutine, func,
                 path, line; machines behind an @
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
	// Machines has a value for each machine that an @ in the expression means.
	Machines []evalMachine `json:"machines,omitempty"`
}

// evalMachine is what the expression is on one machine.
type evalMachine struct {
	Machine string `json:"machine"`
	target.Value
	Off   bool   `json:"off,omitempty"`
	Error string `json:"error,omitempty"`
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

// setValues takes one value, or one for each machine that the expression is
// about.
func (r *evalResult) setValues(values []target.MachineValue) {
	if len(values) == 1 && values[0].Machine == "" {
		r.Value = values[0].Value
		return
	}
	for i, v := range values {
		one := evalMachine{Machine: v.Machine, Value: v.Value, Off: v.Off}
		if v.Err != nil {
			one.Error = v.Err.Error()
		}
		r.Machines = append(r.Machines, one)
		text := v.Value.Value
		switch {
		case v.Off:
			text = "off"
		case v.Err != nil:
			text = one.Error
		}
		if i > 0 {
			r.Value.Value += "\n"
		}
		if len(values) > 1 || strings.HasPrefix(strings.TrimSpace(r.Expr), "@*") {
			text = v.Machine + ": " + text
		}
		r.Value.Value += text
		r.Type = v.Type
	}
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
	scope := target.Scope{Goroutine: -1, Frame: user.Index}
	for _, m := range o.prog.Log.Machines() {
		scope.Labels = append(scope.Labels, target.Label{ID: uint32(m.ID), Name: m.Label})
	}
	values, err := o.target.EvalMachines(scope, expr)
	if err == nil {
		r.setValues(values)
		return r, nil
	}
	if !ok {
		return nil, fmt.Errorf("%w at step #%d\n  no code of yours made this step, so there are no local variables;\n  "+
			"name package variables in full, as in \"example.com/bank\".total", err, step)
	}
	return nil, fmt.Errorf("%w at step #%d, in %s (%s:%d)", err, step, user.Func, o.prog.Source.Name(user.File), user.Line)
}
