//go:build linux && (amd64 || arm64)

package main

import (
	"context"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const debugHelp = `usage: restep debug -test TestX [-seed N] [-step N] [flags] [package]

Opens Delve's terminal at a step of a run, in the frame of your own code.
Without -step it stops at the first step that the test itself makes.

In the terminal, beside Delve's own commands:
  jump N     go to step N, forwards or backwards
  back       go back a line; rev step, rev stepout: into and out of calls
  rc         go back to the last hit of a breakpoint
  lastwrite EXPR         go back to where a variable got its value
  where      which step of which run this is
  machines   the machines of the run, * the one that is stopped
  steps      the steps around this one; steps 20 kind=log machine=server grep=x
  print @server count    a package variable of another machine; @* of all
  next       goes on from the step in your own code
  exit       ends the program and the terminal
All of them work after the end of the program, too.

flags:
  -test TestX    the test, or TestX/sub
  -seed N        the seed of the run (1)
  -step N        the step to stop at
  -short -sched -preempt
                 as in restep test
  -tags a,b      build tags
  -env K=V       what the program sees in its environment; may be repeated
  -buildflag F   a further flag of go build; may be repeated
`

func runDebug(ctx context.Context, u *ui, args []string) int {
	f := newMomentFlags("debug")
	rest, err := f.parse(args)
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help debug explains the flags")
	}
	pkg, err := onePackage(rest)
	if err != nil {
		return u.fail(exitUsage, err.Error())
	}
	m, err := f.moment(pkg)
	if err != nil {
		return u.fail(exitUsage, err.Error())
	}
	code, err := m.terminal(ctx, u)
	if err != nil {
		return failDebug(ctx, u, err)
	}
	return code
}

// stepLine renders a step as restep steps does.
func stepLine(o *opened, n uint64) []byte {
	s, err := o.prog.Log.Step(n)
	if err != nil {
		return nil
	}
	p := text.NewPrinter(o.prog.Log, o.prog.Source)
	return p.Append(nil, &s)
}

// logSteps returns the numbers of the log steps whose message starts with a
// text.
func logSteps(r *steplog.Reader, prefix string) []uint64 {
	var list []uint64
	c := r.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}})
	for c.Next() {
		if m := c.Step().Message(); len(m) >= len(prefix) && string(m[:len(prefix)]) == prefix {
			list = append(list, c.Step().Number)
		}
	}
	return list
}
