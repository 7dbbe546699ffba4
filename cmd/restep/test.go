//go:build linux && (amd64 || arm64)

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/inject"
)

// session is one call of restep test.
type session struct {
	u           *ui
	cfg         *testConfig
	sink        sink
	stores      map[string]*runs.Store // by module folder
	failed      bool
	unsupported []unsupportedCall
	profile     *coverFile // of -coverprofile; nil if not wanted
}

// unsupportedCall is a system call that is not simulated and that some run made.
type unsupportedCall struct{ name, place string }

// runTest is restep test.
func runTest(ctx context.Context, u *ui, args []string) int {
	goflags, err := inject.GoFlags(ctx, "")
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return u.fail(exitFailed, "there is no go command; install Go and put it into PATH")
	case err != nil:
		return u.fail(exitFailed, err.Error())
	}
	cfg, err := parseTest(args, goflags)
	if err != nil {
		var refused *refusedFlag
		if errors.As(err, &refused) {
			return u.fail(exitUsage, err.Error())
		}
		return u.fail(exitUsage, err.Error(), "restep help test lists the flags")
	}
	out := bufio.NewWriter(u.out)
	u.out = out
	defer out.Flush()
	s := &session{u: u, cfg: cfg, stores: map[string]*runs.Store{}, sink: &textSink{u}}
	if cfg.json {
		s.sink = &jsonSink{u: u, now: time.Now}
	}
	defer s.close()
	u.status("restep: finding the packages")
	list, err := listPackages(ctx, cfg)
	u.status("")
	switch {
	case ctx.Err() != nil:
		return s.interrupted()
	case err != nil:
		u.raw(err.Error())
		return exitFailed
	case len(list) == 0:
		u.raw("no packages to test")
		return exitFailed
	}
	if s.profile, err = openCover(cfg); err != nil {
		return u.fail(exitFailed, err.Error())
	}
	for _, p := range list {
		s.pkg(ctx, p)
		_ = out.Flush()
		if ctx.Err() != nil {
			return s.interrupted()
		}
		if s.failed && cfg.failFast {
			break
		}
	}
	s.summary()
	if s.failed {
		if !cfg.json {
			u.printf("FAIL\n")
		}
		return exitFailed
	}
	return exitOK
}

func (s *session) interrupted() int {
	s.summary()
	return s.u.fail(exitInterrupt, "interrupted")
}

// summary names what is not simulated but was asked for.
func (s *session) summary() {
	for _, c := range s.unsupported {
		place := ""
		if c.place != "" {
			place = " (called at " + c.place + ")"
		}
		s.u.say(c.name + " is not simulated" + place + "; it returned ENOSYS")
	}
	if err := s.profile.close(); err != nil {
		s.failed = true
		s.u.say("write the coverage profile: " + err.Error())
	}
}

func (s *session) close() {
	for _, store := range s.stores {
		if err := store.Close(); err != nil {
			s.u.say("tidy up the step logs: " + err.Error())
		}
	}
}

// store opens the folder of step logs of a module, once.
func (s *session) store(moduleDir string, std bool) (*runs.Store, error) {
	if store := s.stores[moduleDir]; store != nil {
		return store, nil
	}
	open := runs.Open
	if std {
		open = runs.OpenTemp // nothing is written into GOROOT
	}
	store, err := open(moduleDir)
	if errors.Is(err, runs.ErrReadOnly) {
		reason := err
		if store, err = runs.OpenTemp(moduleDir); err == nil {
			s.u.say(reason.Error(), "step logs go to "+store.Dir())
		}
	}
	if err == nil {
		s.stores[moduleDir] = store
	}
	return store, err
}

// pkg tests one package.
func (s *session) pkg(ctx context.Context, p *goPackage) {
	start := time.Now()
	s.sink.start(p.ImportPath)
	if p.Error != nil {
		pos := ""
		if p.Error.Pos != "" {
			pos = p.Error.Pos + ": "
		}
		s.broken(p, start, "setup failed", pos+p.Error.Err)
		return
	}
	if !p.hasTests() {
		s.untested(ctx, p, start)
		return
	}
	building, built := s.u.building()
	bin, err := inject.Build(ctx, inject.BuildConfig{
		Package: p.ImportPath, Tags: s.cfg.tags, BuildFlags: s.cfg.build, Cover: s.cfg.cover, Vet: s.cfg.vet,
		Instrument: launch.Instrumented(s.cfg.variant), Progress: building,
	})
	built()
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, inject.ErrNoTests):
		s.untested(ctx, p, start)
		return
	case err != nil:
		var tool *inject.ToolError
		text := err.Error()
		if !errors.As(err, &tool) {
			text = "restep: " + text
		}
		s.broken(p, start, "build failed", text)
		return
	}
	store, err := s.store(bin.ModuleDir, p.Standard)
	if err != nil {
		s.broken(p, start, "setup failed", "restep: "+err.Error())
		return
	}
	t := newSubject(s.cfg, bin, store)
	t.begun = start
	t.inputs = takeInputs(ctx, t)
	s.tests(ctx, p, t, time.Now())
}

// untested reports a package that has no tests. With coverage its statements
// count all the same: none of them is run.
func (s *session) untested(ctx context.Context, p *goPackage, start time.Time) {
	if none := untestedCoverage(ctx, s.cfg, p); none != nil {
		s.addCoverage(p.ImportPath, none)
		s.line(p, "\t%s\t\t%s", p.ImportPath, none.describe(nil))
	} else {
		s.line(p, "?   \t%s\t[no test files]", p.ImportPath)
	}
	s.sink.end(p.ImportPath, "skip", time.Since(start))
}

func (s *session) line(p *goPackage, format string, args ...any) {
	s.sink.line(p.ImportPath, "", 0, fmt.Appendf(nil, format, args...))
}

// broken reports a package that did not get as far as its tests.
func (s *session) broken(p *goPackage, start time.Time, what, text string) {
	s.failed = true
	if !strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "restep: ") {
		text = "# " + p.ImportPath + "\n" + text
	}
	s.sink.build(p.ImportPath, text)
	s.line(p, "FAIL\t%s [%s]", p.ImportPath, what)
	s.sink.end(p.ImportPath, "fail", time.Since(start))
}

// tests lists, selects and runs the tests of a package.
func (s *session) tests(ctx context.Context, p *goPackage, t *subject, start time.Time) {
	r := &reporter{subject: t, ctx: ctx, u: s.u, sink: s.sink, pkg: p.ImportPath, arg: p.argument(),
		color: s.u.outTerm && !s.cfg.json, failed: map[string]int{}, soonest: map[string]*soonest{}}
	names, failed, err := listTests(ctx, t)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		s.broken(p, start, "setup failed", "restep: "+err.Error())
		return
	case failed != nil:
		defer failed.discard()
		s.failed = true
		r.current.done = failed
		r.steps(failed)
		r.out("restep: %s failed before its tests: %s", p.ImportPath, firstLine(failed.outcome.Failure.Message))
		s.line(p, "FAIL\t%s\t%.3fs", p.ImportPath, time.Since(start).Seconds())
		s.sink.end(p.ImportPath, "fail", time.Since(start))
		return
	}
	if s.cfg.list != "" {
		s.list(p, names, start)
		return
	}
	chosen, shuffled := s.cfg.choose(names)
	if len(chosen) == 0 {
		s.nothing(p, names, start)
		return
	}
	if shuffled != "" && s.cfg.verbose {
		s.line(p, "-test.shuffle %s", shuffled)
	}
	r.fitBenchmarks(chosen)
	s.runAll(ctx, p, t, r, chosen, start)
	if shuffled != "" && s.failed && !s.cfg.verbose {
		s.u.say("the tests of " + p.ImportPath + " ran in the order of -shuffle=" + shuffled)
	}
}

// list is -list.
func (s *session) list(p *goPackage, names []string, start time.Time) {
	only, _ := parsePattern("list", s.cfg.list) // checked with the flags
	for _, name := range names {
		if only.selects(name) {
			s.line(p, "%s", name)
		}
	}
	s.line(p, "ok  \t%s\t%.3fs", p.ImportPath, time.Since(start).Seconds())
	s.sink.end(p.ImportPath, "pass", time.Since(start))
}

// nothing reports that no test was chosen, as go test does, and says why.
func (s *session) nothing(p *goPackage, names []string, start time.Time) {
	if s.cfg.bench == nil {
		s.line(p, "testing: warning: no tests to run")
	}
	s.line(p, "ok  \t%s\t%.3fs [no tests to run]", p.ImportPath, time.Since(start).Seconds())
	s.sink.end(p.ImportPath, "pass", time.Since(start))
	names = slices.DeleteFunc(names, isBench)
	if len(names) > 0 && s.cfg.runText != "" && s.cfg.bench == nil {
		const limit = 8
		has := strings.Join(names[:min(limit, len(names))], ", ")
		if len(names) > limit {
			has += fmt.Sprintf(" and %d more", len(names)-limit)
		}
		s.u.say("no test of "+p.ImportPath+" matches -run "+quoteArg(s.cfg.runText), "it has "+has)
	}
}

// tally counts the runs of a package.
type tally struct{ done, failed, all uint64 }

func (c *tally) String() string {
	return fmt.Sprintf("explored %d/%d runs, %d failed", c.done, c.all, c.failed)
}

// waitEvery is how often it is said that a run takes its time.
const waitEvery = time.Second

// waits is the line that says which run the next result is of, and for how long
// there has been none.
func (c *tally) waits(j job, since time.Duration) string {
	what := j.test
	if what == "" {
		what = "the list of tests"
	}
	return fmt.Sprintf("%v; waiting for %s, seed %d (%ds)", c, what, j.seed, int(since.Seconds()))
}

// runAll runs the chosen tests with all seeds and prints the package's result.
func (s *session) runAll(ctx context.Context, p *goPackage, t *subject, r *reporter, tests []string, start time.Time) {
	count := tally{all: s.cfg.seeds.count() * uint64(len(tests))}
	s.collect(ctx, t, r, tests, &count)
	s.u.status("")
	real := time.Since(start)
	what := describeTests(tests) + ", " + s.cfg.seeds.describe()
	covered := s.covered(t)
	switch {
	case ctx.Err() != nil:
		s.line(p, "FAIL\t%s\t%.3fs\t(interrupted: %d of %s done, %d failed)", p.ImportPath, real.Seconds(),
			count.done, plural(count.all, "run"), count.failed)
	case count.failed > 0:
		s.failed = true
		r.close()
		s.line(p, "FAIL")
		if covered != "" {
			s.line(p, "%s", covered)
		}
		s.line(p, "FAIL\t%s\t%.3fs\t(%s; %d of %s failed)", p.ImportPath, real.Seconds(), what, count.failed, plural(count.done, "run"))
	default:
		if s.cfg.verbose {
			s.line(p, "PASS")
			if covered != "" {
				s.line(p, "%s", covered)
			}
		}
		if covered != "" {
			covered = "\t" + covered
		}
		s.line(p, "ok  \t%s\t%.3fs%s\t(%s)", p.ImportPath, real.Seconds(), covered, what)
		s.sink.end(p.ImportPath, "pass", real)
		return
	}
	s.sink.end(p.ImportPath, "fail", real)
}

// covered says how much the runs of a package cover, "" if nobody asked or no
// run got that far, and adds it to the profile.
func (s *session) covered(t *subject) string {
	if s.cfg.cover == nil {
		return ""
	}
	s.addCoverage(t.bin.ImportPath, &t.cover)
	return t.cover.describe(s.cfg.cover.Packages)
}

// addCoverage adds the coverage of a package to the profile, if one is wanted.
func (s *session) addCoverage(pkg string, c *coverage) {
	if s.profile == nil {
		return
	}
	if err := s.profile.total.merge(c); err != nil {
		s.u.say("coverage of " + pkg + ": " + err.Error())
	}
}

// collect runs all jobs and reports them in their order.
func (s *session) collect(ctx context.Context, t *subject, r *reporter, tests []string, count *tally) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(uint64(s.cfg.workers), count.all)
	pool := startPool(ctx, t, int(workers), func(yield func(job) bool) {
		var index uint64
		for _, test := range tests {
			for seed := range s.cfg.seeds.all() {
				if !yield(job{index, test, seed}) {
					return
				}
				index++
			}
		}
	})
	waiting := map[uint64]done{}
	var next uint64
	turn := time.Now() // of the run that is reported next
	every := waitEvery
	if s.cfg.verbose {
		every = liveEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var d done
		open := true
		select {
		case d, open = <-pool.done:
		case now := <-tick.C:
			switch j, path := pool.running(next); {
			case path == "":
			case s.cfg.verbose:
				r.live(j, path)
			case now.Sub(turn) >= waitEvery:
				s.u.status(count.waits(j, now.Sub(turn)))
			}
			continue
		}
		if !open {
			break
		}
		waiting[d.index] = d
		for {
			d, ok := waiting[next]
			if !ok || ctx.Err() != nil {
				break
			}
			delete(waiting, next)
			next++
			turn = time.Now()
			s.finished(t, r, &d, count)
			pool.release()
			if count.failed > 0 && s.cfg.failFast {
				cancel()
			}
		}
	}
	for _, d := range waiting {
		d.discard()
	}
}

// finished reports one run and keeps what is to be kept of it.
func (s *session) finished(t *subject, r *reporter, d *done, count *tally) {
	defer d.discard()
	count.done++
	if d.err != nil {
		count.failed++
		s.u.say(fmt.Sprintf("%s with seed %d could not be run: %v", d.test, d.seed, d.err))
		return
	}
	if d.outcome.Result == runs.Fail {
		count.failed++
	}
	if d.cover != "" {
		if err := t.cover.add(d.cover); err != nil {
			s.u.say(fmt.Sprintf("coverage of %s with seed %d: %v", d.test, d.seed, err))
		}
	}
	r.keep = func() { s.keep(t, d) }
	r.run(d)
	s.u.flush()
	s.keep(t, d)
	for _, u := range d.outcome.Unsupported {
		s.note(t, u)
	}
	if count.all > 1 {
		s.u.status(count.String())
	}
}

// keep notes the run in the index and hands its log to the store, once.
func (s *session) keep(t *subject, d *done) {
	if d.noted {
		return
	}
	d.noted = true
	if d.log != nil { // the store cuts the file
		d.log.Close()
		d.log = nil
	}
	spec := t.spec(d.test, d.seed)
	id := strings.Join(slices.Concat([]string{spec.Run}, spec.Flags, spec.Args, spec.Env), "\x00")
	kept, err := t.store.Add(runs.Result{
		Time: time.Now().UTC(), Begun: t.begun.UTC(), Build: spec.Build, Package: spec.Package, Module: spec.Module,
		Test: d.test, Seed: d.seed, Variant: spec.Variant,
		Result: d.outcome.Result, Failure: d.outcome.Failure, Steps: d.outcome.Steps, Checksum: d.outcome.Checksum,
		SimNs: int64(d.outcome.Simulated), RealNs: int64(d.real), Inputs: t.inputs.stored(),
	}, d.path, id)
	if err != nil {
		s.u.say("keep the step log of " + d.test + ": " + err.Error())
	}
	if kept.Log != "" {
		d.path, d.kept = "", t.store.Path(kept.Log)
	}
}

// note remembers a call that is not simulated, once per name.
func (s *session) note(t *subject, u runs.Unsupported) {
	for _, c := range s.unsupported {
		if c.name == u.Name {
			return
		}
	}
	place := ""
	if u.File != "" {
		place = fmt.Sprintf("%s:%d", nearPath(t.src.Path(u.File)), u.Line)
	}
	s.unsupported = append(s.unsupported, unsupportedCall{u.Name, place})
}
