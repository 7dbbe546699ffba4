//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/inject"
)

// The variables of the frame that failed are read by the debugger from the
// failing run, once more, at its failing step. That is done in a process of its
// own, for two reasons: a debugger waits for every child of its process, and
// restep test has others; and whatever happens to it, the tests go on.

// Bounds of what a failure shows.
const (
	localsMax    = 8                // variables
	localsWidth  = 80               // columns of a line
	localsBudget = 6 * time.Second  // for all failures of a package
	localsGrace  = 10 * time.Second // for one, besides the time that its run took
)

// localsRequest is what the process is asked for, as JSON on standard input.
type localsRequest struct {
	Bin  inject.Binary
	Log  string // path of the step log
	Step uint64
}

// localsAnswer is what it prints, as JSON.
type localsAnswer struct {
	Locals []localValue
	More   int    // variables that are not in the list
	Error  string // why there are none
	Advice string
}

// localValue is a variable, on one line.
type localValue struct{ Name, Value string }

// locals prints the variables of the frame that failed: of the first failing
// seed of a test, as long as that does not take long.
func (r *reporter) locals(d *done) {
	f := d.outcome.Failure
	if !r.cfg.locals || !r.bin.Here() || f.Step == 0 || f.File == "" || f.Elsewhere || r.failed[d.test] > 1 || r.reading > localsBudget ||
		d.outcome.OutOfMemory || d.outcome.Damage != nil || d.log == nil {
		return
	}
	r.keep() // editors need not wait for what follows
	if d.kept == "" {
		return
	}
	r.u.flush()
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.ctx, localsGrace+4*d.real)
	defer cancel()
	a := askLocals(ctx, &localsRequest{Bin: *r.bin, Log: d.kept, Step: f.Step})
	r.reading += time.Since(start)
	if a.Advice != "" {
		r.reading = 2 * localsBudget // it will not be otherwise the next time
	}
	if r.ctx.Err() != nil {
		return
	}
	for _, line := range a.lines() {
		r.out("%s", line)
	}
}

// lines renders an answer.
func (a *localsAnswer) lines() []string {
	var lines []string
	head := "  locals "
	add := func(s string) {
		lines = append(lines, string(cutWidth([]byte(head+text.Escape(s)), localsWidth)))
		head = "         "
	}
	if a.Error != "" { // in full: one may want to copy it
		lines = append(lines, head+"not read: "+text.Escape(a.Error))
		if a.Advice != "" {
			lines = append(lines, "         "+text.Escape(a.Advice))
		}
		return lines
	}
	for _, v := range a.Locals {
		add(v.Name + " = " + v.Value)
	}
	if a.More > 0 {
		add(fmt.Sprintf("and %d more", a.More))
	}
	return lines
}

// askLocals starts the process that reads the variables.
func askLocals(ctx context.Context, q *localsRequest) *localsAnswer {
	q.Bin.Layout = nil // large, and not needed
	in, err := json.Marshal(q)
	if err != nil {
		return &localsAnswer{Error: err.Error()}
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", localsCommand)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin = bytes.NewReader(in)
	cmd.WaitDelay = time.Second
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	a := &localsAnswer{}
	switch {
	case ctx.Err() != nil:
		return &localsAnswer{Error: "going to the step once more takes too long"}
	case err == nil && json.Unmarshal(out.Bytes(), a) == nil:
		return a
	}
	why := firstLine(errs.String())
	if why == "" {
		why = fmt.Sprint(err)
	}
	return &localsAnswer{Error: why}
}

// runLocals is the process.
func runLocals(ctx context.Context) int {
	// Without the tests there is nobody to read for.
	if _, _, errno := syscall.Syscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0); errno != 0 {
		return exitFailed
	}
	var q localsRequest
	if err := json.NewDecoder(os.Stdin).Decode(&q); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitUsage
	}
	a, err := q.read(ctx)
	if err != nil {
		a = &localsAnswer{Error: err.Error()}
		var attach *target.AttachError
		if errors.As(err, &attach) {
			a.Error, a.Advice = "this host does not let the debugger attach", attach.Advice
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
		return exitFailed
	}
	return exitOK
}

// read goes to the step and reads the variables there.
func (q *localsRequest) read(ctx context.Context) (*localsAnswer, error) {
	log, err := runs.Load(q.Log)
	if err != nil {
		return nil, err
	}
	prog, err := program.Recorded(ctx, &q.Bin, log.Reader)
	if err != nil {
		return nil, err
	}
	t, err := target.Open(prog)
	if err != nil {
		prog.Close()
		return nil, err
	}
	defer t.Close()
	if err := replay.NewEngine(log.Reader, t).Jump(ctx, q.Step); err != nil {
		return nil, err
	}
	frames, err := t.Frames(-1)
	if err != nil {
		return nil, err
	}
	frame, ok := t.UserFrame(frames)
	if !ok {
		return &localsAnswer{}, nil
	}
	names, _, err := t.Locals(-1, frame.Index)
	if err != nil {
		return nil, err
	}
	return readLocals(t, frame.Index, names), nil
}

// readLocals reads the variables worth a line.
func readLocals(t *target.Target, frame int, names []target.Name) *localsAnswer {
	a := &localsAnswer{}
	for _, n := range names {
		if boring(n) {
			continue
		}
		if len(a.Locals) == localsMax {
			a.More++
			continue
		}
		v, err := t.Eval(frame, n.Name)
		if err != nil {
			continue // optimised away, or not alive here
		}
		if strings.HasPrefix(n.Type, "*") {
			// What it points to says more than where.
			if to, err := t.Eval(frame, "*"+n.Name); err == nil {
				v.Value = "*" + to.Value
			}
		}
		a.Locals = append(a.Locals, localValue{n.Name, oneLine(v.Value)})
	}
	return a
}

// oneLine joins the lines of Delve's form of a value and shortens its types.
func oneLine(value string) string {
	var b []byte
	for line := range strings.Lines(value) {
		line = strings.Trim(line, " \t\n")
		if rest, ok := strings.CutSuffix(line, ",}"); ok {
			line = rest + "}"
		}
		switch {
		case strings.HasPrefix(line, "}"):
			b = bytes.TrimSuffix(b, []byte(","))
		case len(b) > 0 && b[len(b)-1] != '{':
			b = append(b, ' ')
		}
		if b = append(b, line...); len(b) > 8*localsWidth {
			break
		}
	}
	return shortTypes(string(b))
}

// longPath is what stands before the last element of an import path.
var longPath = regexp.MustCompile(`(?:[\w.~-]+/)+([\w~-]+\.)`)

// quotedPointer is how Delve writes a pointer it has not followed.
var quotedPointer = regexp.MustCompile(`\("([^"]*)"\)\(0x`)

// quotedPath is how it writes a path that is no identifier.
var quotedPath = regexp.MustCompile(`"(?:[\w.~-]+/)+([\w~-]+)"\.`)

// shortTypes leaves of the paths in types their last elements, as source does.
// What is within string literals stays.
func shortTypes(s string) string {
	var b strings.Builder
	s = quotedPath.ReplaceAllString(quotedPointer.ReplaceAllString(s, "($1)(0x"), "$1.")
	for s != "" {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			i = len(s)
		}
		b.WriteString(longPath.ReplaceAllString(s[:i], "$1"))
		s = s[i:]
		end := min(1, len(s))
		for end < len(s) && s[end] != '"' {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(s))
		b.WriteString(s[:end])
		s = s[end:]
	}
	return b.String()
}

// boring reports variables whose fields say nothing about a failure.
func boring(n target.Name) bool {
	for _, prefix := range []string{"*testing.", "testing.", "context.", "*sync.", "sync.", "func("} {
		if strings.HasPrefix(n.Type, prefix) {
			return true
		}
	}
	return n.Name == "_"
}
