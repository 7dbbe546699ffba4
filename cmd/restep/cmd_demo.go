//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
)

const demoHelp = `usage: restep demo

Builds a small test of a web server and its client on two simulated machines,
runs it, and goes to steps of the run, forwards and backwards.
`

//go:embed testdata/cases/machines/machines_test.go
var demoTest string

const demoModule = `module example.org/machines

go 1.26

require github.com/restep/restep v0.0.0

replace github.com/restep/restep => %s
`

func runDemo(ctx context.Context, u *ui, args []string) int {
	if len(args) > 0 {
		return u.fail(exitUsage, "demo takes no arguments")
	}
	dir, err := demoFolder()
	if err != nil {
		return failDebug(ctx, u, err)
	}
	defer os.RemoveAll(dir)
	u.say("preparing the demo")
	m := moment{spec: program.Spec{Dir: dir, Test: "TestMachines", Seed: 1, Version: version()}}
	o, err := m.open(ctx, u)
	if err != nil {
		return failDebug(ctx, u, err)
	}
	defer o.close()
	u.printf("\nA server on machine server, its client on machine main; seed 1.\nThe log of the run, which has %s:\n\n", plural(o.prog.Log.Steps(), "step"))
	printLog(u, o)
	hits := logSteps(o.prog.Log, "got a request")
	if len(hits) < 2 {
		return u.fail(exitFailed, fmt.Sprintf("the run has %s \"got a request\"; something is wrong with this build of restep", plural(len(hits), "step")))
	}
	first, last := hits[0], hits[len(hits)-1]
	for _, at := range []struct {
		step uint64
		what string
	}{{first, "The first request"}, {last, "On to the last one"}, {first, "And back to the first"}} {
		start := time.Now()
		if err := o.engine.Jump(ctx, at.step); err != nil {
			return failDebug(ctx, u, err)
		}
		u.printf("\n%s, step #%d (%d ms):\n\n", at.what, at.step, time.Since(start).Milliseconds())
		if err := o.show(u, at.step, "r.RemoteAddr", "count"); err != nil {
			return failDebug(ctx, u, err)
		}
	}
	u.printf("\nIn a module of yours: restep test -v ., then\nrestep debug -test TestX -seed 1 -step N .\n")
	return exitOK
}

// demoFolder writes the demo's module.
func demoFolder() (dir string, err error) {
	sim, err := inject.StoreSim()
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "restep-demo-"); err != nil {
		return "", fmt.Errorf("a folder for the demo: %w; set TMPDIR", err)
	}
	for name, content := range map[string]string{
		"go.mod": fmt.Sprintf(demoModule, sim), "machines_test.go": demoTest,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			os.RemoveAll(dir)
			return "", fmt.Errorf("write the demo: %w", err)
		}
	}
	return dir, nil
}

// printLog prints the log lines of the run.
func printLog(u *ui, o *opened) {
	kinds := steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}
	p := text.NewPrinter(o.prog.Log, o.prog.Source)
	for c := o.prog.Log.Cursor(kinds); c.Next(); {
		p.Fit(c.Step())
	}
	var b []byte
	for c := o.prog.Log.Cursor(kinds); c.Next(); {
		b = p.Append(b, c.Step())
	}
	u.print(b)
}

// show prints the step, the user's frame and some values.
func (o *opened) show(u *ui, step uint64, exprs ...string) error {
	u.print(stepLine(o, step))
	frames, err := o.target.Frames(-1)
	if err != nil {
		return err
	}
	if f, ok := o.target.UserFrame(frames); ok {
		u.printf("\n  %s\n", text.Escape(f.Func))
		u.print(excerpt(o.prog.Source.Path(f.File), f.Line, 2))
	}
	u.printf("\n")
	for _, expr := range exprs {
		r, err := o.eval(step, expr)
		if err != nil {
			return err
		}
		u.printf("  %s = %s\n", expr, escapeLines(r.Value.Value))
	}
	return nil
}

// excerpt returns the lines around one of a file, with an arrow at it; nothing
// when the file cannot be read.
func excerpt(path string, line, around int) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var b []byte
	s := bufio.NewScanner(f)
	for n := 1; s.Scan() && n <= line+around; n++ {
		if n < line-around {
			continue
		}
		mark := "  "
		if n == line {
			mark = "=>"
		}
		b = fmt.Appendf(b, "  %s %4d  %s\n", mark, n, text.Escape(strings.ReplaceAll(s.Text(), "\t", "    ")))
	}
	return b
}
