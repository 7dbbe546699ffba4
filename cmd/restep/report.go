//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/replay/launch"
	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const (
	tailLines    = 60 // steps of a failing run that are shown without -v
	fullFailures = 3  // failing seeds of a test that are shown at length
)

// reporter prints the runs of one package.
type reporter struct {
	*subject
	ctx     context.Context
	u       *ui
	sink    sink
	pkg     string // import path
	arg     string // the package on a command line
	color   bool
	failed  map[string]int      // failing runs by test
	soonest map[string]*soonest // of them the one to look at
	reading time.Duration       // real time that reading variables took
	keep    func()              // puts the run that is reported into the store
	bench   benchOutput
	line    []byte
	current current

	liveAfter time.Time // when a log that grows may be opened again
}

// current is the run whose output is printed.
type current struct {
	done    *done
	judged  bool          // the line with its result has been printed
	live    bool          // some of it was printed while it ran
	printed uint64        // number of the last step that was dealt with
	seen    uint64        // steps that there were when its log was last opened
	printer *text.Printer // nil unless everything is printed in turn
}

// shown are the kinds of steps that are printed without -simtrace.
var shown = []steplog.Kind{
	steplog.KindLog, steplog.KindTest, steplog.KindMark, steplog.KindPanic, steplog.KindExit,
	steplog.KindDeadlock, steplog.KindTimeout, steplog.KindUnsupported,
}

// wants reports whether a step of the kinds asked for is worth a line: machines
// that end well are not, nor what a single run covers.
func (r *reporter) wants(s *steplog.Step) bool {
	if s.Kind == steplog.KindLog && r.isCoverage(s) {
		return false
	}
	if s.Kind != steplog.KindExit || slices.Contains(r.cfg.trace, steplog.KindExit) {
		return true
	}
	code, _ := s.Field(steplog.TagExitCode)
	return code.Int() != 0
}

// isCoverage reports the line in which package testing says how much a single
// run covers; the package has one for all of them.
func (r *reporter) isCoverage(s *steplog.Step) bool {
	return r.cfg.cover != nil && bytes.HasPrefix(s.Text, []byte("coverage: ")) &&
		slices.ContainsFunc(r.current.done.log.Stack(s.StackID, nil), func(f steplog.Frame) bool {
			return f.Func == "testing.coverReport"
		})
}

// run prints one run if it is worth it.
func (r *reporter) run(d *done) {
	failed := d.outcome.Result == runs.Fail
	if failed {
		r.failed[d.test]++
		r.noteFailure(d)
	}
	if !failed && !r.cfg.verbose {
		if isBench(d.test) {
			r.benchmark(d)
		}
		return
	}
	if !r.current.live {
		r.current = current{}
		r.sink.run(r.pkg, d.test, d.seed)
	}
	r.current.done = d
	if failed && !r.cfg.verbose && r.failed[d.test] > fullFailures {
		r.brief(d)
	} else {
		r.steps(d)
		if !r.current.judged {
			r.result(d)
		}
		if failed {
			r.explain(d)
		}
	}
	r.sink.ran(r.pkg, d.test, d.seed, d.outcome.Result, d.real, d.outcome.Simulated)
	r.current.live = false
}

// benchmark prints the result of a benchmark, and nothing else of it.
func (r *reporter) benchmark(d *done) {
	r.current.done = d
	for s := range d.log.Forward(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}) {
		if r.isBenchOutput(d, s) {
			r.benchLines(d, s)
		}
	}
}

// out prints a line that belongs to the current run.
func (r *reporter) out(format string, args ...any) {
	r.outOf(r.current.done.test, format, args...)
}

// outOf prints a line that belongs to a sub-test of the current run.
func (r *reporter) outOf(test, format string, args ...any) {
	r.sink.line(r.pkg, test, r.current.done.seed, fmt.Appendf(nil, format, args...))
}

// result prints the line with the result of a run that has none, because it
// did not get there or because it is shown in short.
func (r *reporter) result(d *done) {
	seed := ""
	if !r.current.judged && r.failed[d.test] > fullFailures && !r.cfg.verbose {
		seed = fmt.Sprintf(" (seed %d)", d.seed)
	}
	r.out("--- %s: %s%s (%.2fs simulated)", strings.ToUpper(d.outcome.Result), d.test, seed, d.outcome.Simulated.Seconds())
}

// steps prints the steps of a run: the last ones of one that failed, or, with
// -v, all of which none has been printed yet.
func (r *reporter) steps(d *done) {
	if r.cfg.verbose {
		r.stepsUpTo(d, 0)
	} else {
		r.lastSteps(d)
	}
	if d.outcome.Damage != nil {
		r.out("restep: %s", text.Escape(d.outcome.Damage.Error()))
	}
	if d.note != "" {
		for line := range strings.Lines(d.note) {
			r.out("restep: simulator: %s", text.Escape(strings.TrimSuffix(line, "\n")))
		}
	}
}

// lastSteps prints the end of a run that failed.
func (r *reporter) lastSteps(d *done) {
	filter := steplog.Filter{Kinds: slices.Concat(shown, r.cfg.trace)}
	filter.From = r.tail(d, filter)
	p := text.NewPrinter(d.log.Reader, r.src)
	p.Color = r.color
	for s := range d.log.Forward(filter) {
		if s.Kind != steplog.KindTest && r.wants(s) {
			p.Fit(s)
		}
	}
	for s := range d.log.Forward(filter) {
		if r.wants(s) {
			r.step(d, p, s)
		}
	}
}

// step prints one step.
func (r *reporter) step(d *done, p *text.Printer, s *steplog.Step) {
	switch {
	case s.Kind == steplog.KindTest:
		r.testLines(d, s)
	case r.isBenchOutput(d, s):
		r.benchLines(d, s)
	default:
		r.line = p.Append(r.line[:0], s)
		for line := range bytes.Lines(r.line) {
			r.sink.line(r.pkg, d.test, d.seed, bytes.TrimSuffix(line, []byte("\n")))
		}
	}
}

// tail returns the number of the step from which on a failing run is shown,
// and says what is left out.
func (r *reporter) tail(d *done, filter steplog.Filter) uint64 {
	from, n := uint64(0), 0
	for s := range d.log.Backward(filter) {
		if !r.wants(s) {
			continue
		}
		if n++; n > tailLines {
			if d.test == "" { // the run that lists the tests; its log is not kept
				r.out("  ... earlier lines are left out")
				return from
			}
			r.out("=== RUN   %s (seed %d)", d.test, d.seed)
			r.out("  ... earlier lines are left out; all: %s", r.command("restep steps", "-kind=log,test", "-seed="+strconv.FormatUint(d.seed, 10), d.test))
			return from
		}
		from = s.Number
	}
	return 0
}

// resultLine is a line of package testing with a test's result.
var resultLine = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (.*) \(([0-9.]+)s\)$`)

// startLine is a line that says that a test starts, waits or goes on.
var startLine = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) +(.*)$`)

// testLines prints what package testing itself printed.
func (r *reporter) testLines(d *done, s *steplog.Step) {
	all := strings.TrimSuffix(string(s.Text), "\n")
	for line := range strings.SplitSeq(all, "\n") {
		line = text.Escape(strings.TrimPrefix(line, "\x16"))
		if m := startLine.FindStringSubmatch(line); m != nil {
			r.startLine(d, line, m[1], m[2])
			continue
		}
		if m := resultLine.FindStringSubmatch(line); m != nil {
			r.resultLine(d, m[1], m[2], m[3])
			continue
		}
		if m := benchResultLine.FindStringSubmatch(line); m != nil && isBench(d.test) {
			r.benchResult(d, m[1], m[2])
			continue
		}
		if line != "PASS" && line != "FAIL" {
			r.out("%s", line)
		}
	}
}

func (r *reporter) startLine(d *done, line, what, name string) {
	switch {
	case what == "NAME":
		return // says whose output follows; steps say it themselves
	case name == d.test && what == "RUN":
		r.out("=== RUN   %s (seed %d)", name, d.seed)
		return
	case name != d.test:
		r.sink.sub(r.pkg, name, d.seed, strings.ToLower(what), 0)
	}
	r.outOf(name, "%s", line)
}

// resultLine prints the result of a test or, indented, of a sub-test.
func (r *reporter) resultLine(d *done, result, name, secs string) {
	if name == d.test {
		// A test can be fine and its run not: a machine panicked.
		result = strings.ToUpper(d.outcome.Result)
		r.current.judged = true
	}
	indent := strings.Repeat("    ", strings.Count(name, "/"))
	r.outOf(name, "%s--- %s: %s (%ss simulated)", indent, r.paintResult(result), name, secs)
	if name != d.test {
		f, _ := strconv.ParseFloat(secs, 64)
		r.sink.sub(r.pkg, name, d.seed, strings.ToLower(result), time.Duration(f*float64(time.Second)))
	}
}

func (r *reporter) paintResult(result string) string {
	if !r.color {
		return result
	}
	switch result {
	case "PASS":
		return "\x1b[32mPASS\x1b[0m"
	case "FAIL":
		return "\x1b[31mFAIL\x1b[0m"
	}
	return result
}

// explain prints why a run failed, where, when, and how to be there again.
func (r *reporter) explain(d *done) {
	f := d.outcome.Failure
	r.out("restep: %s failed: %s", d.test, firstLine(f.Message))
	if place := r.place(f); place != "" {
		r.out("  at     %s", place)
	}
	if f.Step != 0 {
		at := time.Unix(0, f.TimeNs).UTC()
		r.out("  when   step %d, %s (t=%.3fs), seed %d", f.Step, at.Format("15:04:05.000"), at.Sub(launch.Start()).Seconds(), d.seed)
	}
	r.locals(d)
	r.unsupported(d)
	again, look := r.commands(d.test, d.seed, f.Step)
	r.out("  again  %s", again)
	if look != "" {
		r.out("  look   %s", look)
	}
	m := link.Moment{Build: r.bin.BuildID, Package: r.pkg, Test: d.test, Seed: d.seed, Variant: r.cfg.variant, Step: f.Step}
	r.out("  link   %s", m)
	if r.failed[d.test] == 1 {
		r.annotate(d, again, m.String())
	}
}

// commands are what repeats a run, and what goes to a step of it: "" without a
// step, and for a program of another CPU, which no debugger here can hold.
func (r *reporter) commands(test string, seed, step uint64) (again, look string) {
	number := strconv.FormatUint(seed, 10)
	again = r.command("restep test", append(r.cfg.again(test), "-seed="+number)...)
	if step != 0 && r.bin.Here() {
		look = r.command("restep debug", "-test", test, "-seed", number, "-step", strconv.FormatUint(step, 10))
	}
	return again, look
}

// annotate tells GitHub Actions of a failure, where this is such a job. Events
// of -json have no place for it; standard error is read there, too.
func (r *reporter) annotate(d *done, again, moment string) {
	f := d.outcome.Failure
	a := annotation{line: f.Line, title: fmt.Sprintf("%s (seed %d)", d.test, d.seed),
		text: []string{firstLine(f.Message), "again  " + again, "link   " + moment}}
	if f.File != "" {
		a.file = r.src.Path(f.File)
		if !filepath.IsAbs(a.file) {
			a.file = ""
		}
	}
	line := a.command(os.Getenv)
	switch {
	case line == "":
	case r.cfg.json:
		r.u.raw(line)
	default:
		r.u.print([]byte(line + "\n"))
	}
}

// place says where a failure is: file:line, machine, goroutine.
func (r *reporter) place(f *runs.Failure) string {
	var parts []string
	if f.File != "" {
		parts = append(parts, r.file(f)+":"+strconv.Itoa(f.Line))
	}
	if f.Machine != "" {
		who := "machine " + text.Escape(f.Machine)
		if f.Goroutine != 0 {
			who += ", goroutine " + strconv.FormatUint(uint64(f.Goroutine), 10)
		}
		parts = append(parts, who)
	}
	return strings.Join(parts, "  ")
}

// unsupported names the first system call of a failing run that is not
// simulated: it is often the reason.
func (r *reporter) unsupported(d *done) {
	if len(d.outcome.Unsupported) == 0 {
		return
	}
	u, more := d.outcome.Unsupported[0], ""
	if n := len(d.outcome.Unsupported) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	r.out("  note   %s is not simulated; it returned ENOSYS at step %d%s", text.Escape(u.Name), u.Step, more)
}

// file is the path of the file of a failure.
func (r *reporter) file(f *runs.Failure) string {
	path := r.src.Path(f.File)
	if !r.cfg.fullPath {
		path = nearPath(path)
	}
	return text.Escape(path)
}

// command is a command line about this package that can be copied.
func (r *reporter) command(name string, args ...string) string {
	words := slices.Clone(args)
	switch name {
	case "restep test":
		words = append(append(words, r.cfg.repeat...), r.arg)
		if len(r.cfg.args) > 0 {
			words = append(append(words, "-args"), r.cfg.args...)
		}
	case "restep debug":
		for _, f := range r.cfg.repeat {
			switch flag, _, _ := strings.Cut(f, "="); flag {
			case "-short", "-tags", "-env", "-sched", "-preempt":
				words = append(words, f)
			case "-skip", "-parallel", "-benchtime", "-benchmem", "-memory", "-timeout", "-vet", "-exec": // the recorded run has them
			default:
				words = append(words, "-buildflag="+f)
			}
		}
		words = append(words, r.arg)
	}
	line := name + " " + quoteArgs(words)
	if name == "restep test" && !r.bin.Here() {
		return "GOARCH=" + r.bin.GOARCH + " " + line
	}
	return line
}
