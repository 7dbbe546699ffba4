//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// job is one (test, seed).
type job struct {
	index uint64
	test  string
	seed  uint64
}

// done is a job that has run.
type done struct {
	job
	outcome runs.Outcome
	real    time.Duration
	path    string    // of the log, taken from the store
	log     *runs.Log // nil unless somebody wants to see it
	note    string    // what the simulator itself printed
	noted   bool      // it is in the index
	kept    string    // path of the log in the store, "" if it is not there
	cover   string    // coverage profile, "" when the run wrote none
	err     error     // the run could not be made
}

// subject is what the jobs of one package have in common.
type subject struct {
	cfg    *testConfig
	bin    *inject.Binary
	store  *runs.Store
	src    text.Source
	begun  time.Time // when the build began
	inputs *pendingInputs
	cover  coverage // of the runs that have been reported
}

func newSubject(cfg *testConfig, bin *inject.Binary, store *runs.Store) *subject {
	return &subject{cfg: cfg, bin: bin, store: store,
		src: text.Source{Module: bin.ModulePath, ModuleDir: bin.ModuleDir, Package: bin.ImportPath, FullPath: cfg.fullPath}}
}

func (t *subject) spec(test string, seed uint64) launch.Spec {
	return launch.Spec{
		Build: t.bin.BuildID, Package: t.bin.ImportPath, Module: t.bin.ModulePath, Go: t.bin.GoVersion,
		GOARCH: t.bin.GOARCH, Restep: version(), Test: test, Run: t.cfg.only(test), Seed: seed, Variant: t.cfg.variant,
		Cover: t.cfg.cover != nil, Flags: t.cfg.flags, Args: t.cfg.args, Env: t.cfg.env,
		Memory: t.cfg.memory,
	}
}

// pool runs the jobs of one package on several zygotes.
type pool struct {
	*subject
	ctx  context.Context
	jobs chan job
	done chan done
	room chan struct{} // bounds jobs that are done but not reported

	mu   sync.Mutex
	logs map[uint64]*worker // by index of the job that it runs
}

// running returns a job that is being run and the path of its log, "" when it
// is not.
func (p *pool) running(index uint64) (job, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.logs[index]; w != nil {
		return w.now, w.path
	}
	return job{}, ""
}

// startPool starts to run jobs in their order. Results come in any order; call
// release for each one that has been dealt with. The channel is closed when all jobs
// are done or the context is over.
func startPool(ctx context.Context, t *subject, workers int, jobs func(yield func(job) bool)) *pool {
	p := &pool{subject: t, ctx: ctx, jobs: make(chan job), done: make(chan done), room: make(chan struct{}, 4*workers+16),
		logs: map[uint64]*worker{}}
	go func() {
		defer close(p.jobs)
		for j := range jobs {
			select {
			case p.room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			select {
			case p.jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(p.work)
	}
	go func() {
		wg.Wait()
		close(p.done)
	}()
	return p
}

// release makes room for one more job.
func (p *pool) release() { <-p.room }

// work is one worker: a zygote and its runs, one after the other.
func (p *pool) work() {
	w := &worker{subject: p.subject, pool: p}
	defer w.close()
	for j := range p.jobs {
		d := w.job(p.ctx, j)
		if p.ctx.Err() != nil {
			d.discard() // it may have been killed because we end
			return
		}
		p.done <- d
	}
}

// discard lets go of what a job holds.
func (d *done) discard() {
	if d.log != nil {
		d.log.Close()
		d.log = nil
	}
	if d.path != "" {
		_ = os.Remove(d.path)
		d.path = ""
	}
}

// worker owns one zygote, which it starts when it is first needed.
type worker struct {
	*subject
	z    *zygote.Zygote
	pool *pool // nil for one that works alone
	now  job   // guarded by pool.mu, like path
	path string
	mute bool // runs of a job after its first are for comparing only
}

// runs notes which log the first run of a job writes.
func (w *worker) runs(j job, path string) {
	if w.pool == nil || w.mute {
		return
	}
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	w.now, w.path = j, path
	w.pool.logs[j.index] = w
}

// rests takes that back.
func (w *worker) rests(j job) {
	if w.pool == nil {
		return
	}
	w.pool.mu.Lock()
	defer w.pool.mu.Unlock()
	delete(w.pool.logs, j.index)
}

func (w *worker) close() {
	if w.z != nil {
		w.z.Close()
		w.z = nil
	}
}

// job runs a test with a seed, as often as -count says, and compares.
func (w *worker) job(ctx context.Context, j job) done {
	spec := w.spec(j.test, j.seed)
	header := spec.Header()
	w.mute = false
	first := w.run(ctx, &header, j)
	w.rests(j)
	w.mute = true
	for n := 2; n <= w.cfg.count && first.err == nil && ctx.Err() == nil; n++ {
		again := w.run(ctx, &header, j)
		if again.err == nil {
			compareRuns(&first, &again, n)
		}
		first.real += again.real
		again.discard()
	}
	if first.log != nil && first.outcome.Result != runs.Fail && !w.cfg.verbose && !isBench(j.test) {
		first.log.Close()
		first.log = nil
	}
	return first
}

// compareRuns makes the first of two runs of the same seed fail when they are
// not the same: that is a bug of the simulator or something it cannot see.
func compareRuns(first, again *done, n int) {
	if again.outcome.Steps == first.outcome.Steps && again.outcome.Checksum == first.outcome.Checksum {
		return
	}
	f := &runs.Failure{Message: fmt.Sprintf("run %d of the same seed is not the same: %d steps instead of %d",
		n, again.outcome.Steps, first.outcome.Steps)}
	if d, err := steplog.Diff(first.log.Reader, again.log.Reader); err == nil && d != nil {
		f.Message = fmt.Sprintf("run %d of the same seed is not the same: %v", n, d)
		f.Step = min(d.Step, first.log.Steps())
		if s, err := first.log.Step(f.Step); err == nil {
			f.TimeNs, f.Goroutine = s.TimeNs, s.Goroutine
			m, _ := first.log.Machine(s.Machine)
			f.Machine = m.Label
		}
	}
	first.outcome.Result, first.outcome.Failure = runs.Fail, f
}

// run makes one run. The log of the result is open.
func (w *worker) run(ctx context.Context, header *steplog.Header, j job) done {
	d := done{job: j}
	block, err := steplog.EncodeHeader(header)
	if err != nil {
		d.err = err
		return d
	}
	if d.path, d.err = w.store.NewLog(block); d.err != nil {
		return d
	}
	w.runs(j, d.path)
	export := ""
	if w.cfg.cover != nil && header.Test != "" {
		export = d.path + ".cover"
	}
	ending, real, err := w.fork(ctx, header, d.path, export)
	d.real, d.err, d.note = real, err, ending.Problem
	if export != "" {
		d.takeCover(export)
	}
	if d.err == nil {
		d.err = w.store.Trim(d.path) // or most of what is read are zeroes
	}
	if d.err == nil {
		d.log, d.err = runs.Load(d.path)
	}
	if d.err != nil {
		d.discard()
		return d
	}
	d.outcome = runs.Judge(d.log.Reader, w.src, ending)
	if d.outcome.OutOfMemory {
		d.note = "" // the runtime's stacks; the failing step has machine, place and stack
	}
	return d
}

// takeCover reads the coverage profile that a run has written, if it did, and
// removes it.
func (d *done) takeCover(path string) {
	b, err := os.ReadFile(path)
	if err == nil {
		d.cover, err = string(b), os.Remove(path)
	}
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("coverage of the run: %w", err)
	}
}

// quitGrace is the real time that a run has to say what it is busy with.
const quitGrace = 3 * time.Second

// fork lets the zygote make the run and waits for its end.
func (w *worker) fork(ctx context.Context, header *steplog.Header, path, export string) (e runs.Ending, real time.Duration, err error) {
	if w.z == nil {
		w.z, err = zygote.Start(ctx, zygote.Config{
			Binary: w.bin.Path, Layout: w.bin.LayoutPath, Memory: w.cfg.memory, Exec: w.cfg.runner(w.bin),
		})
		if err != nil {
			return e, 0, err
		}
	}
	request, err := launch.Request(header, w.bin.ModuleDir, path)
	if err != nil {
		return e, 0, err
	}
	request.Export = export
	before := w.z.Stderr()
	start := time.Now()
	child, err := w.z.Run(request)
	if err != nil {
		w.close()
		return e, 0, err
	}
	var timedOut atomic.Bool
	if w.cfg.timeout > 0 {
		timer := time.AfterFunc(w.cfg.timeout, func() {
			timedOut.Store(true)
			child.Quit()
		})
		defer timer.Stop()
		killer := time.AfterFunc(w.cfg.timeout+quitGrace, child.Kill)
		defer killer.Stop()
	}
	defer context.AfterFunc(ctx, child.Kill)()
	status, err := child.Wait()
	if err != nil {
		w.close()
		return e, 0, err
	}
	e.ExitCode, e.Memory = status.ExitStatus(), w.cfg.memory
	if status.Signaled() {
		e.ExitCode, e.Signal = 0, unix.SignalName(status.Signal())
	}
	if timedOut.Load() && (status.Signaled() || e.ExitCode == zygote.BusyExit) {
		e.TimedOut = w.cfg.timeout
	}
	e.Problem = strings.TrimSpace(strings.TrimPrefix(w.z.Stderr(), before))
	return e, time.Since(start), nil
}

// listTests runs the binary once to learn the names of its tests, in the order
// in which go test runs them. failed is the run when it did not get that far.
func listTests(ctx context.Context, t *subject) (names []string, failed *done, err error) {
	w := worker{subject: t}
	defer w.close()
	spec := t.spec("", t.cfg.seeds[0].from)
	header := spec.ListHeader()
	d := w.run(ctx, &header, job{seed: spec.Seed})
	if d.err != nil {
		return nil, nil, d.err
	}
	if d.outcome.Result == runs.Fail {
		return nil, &d, nil
	}
	defer d.discard()
	for s := range d.log.Forward(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}) {
		name := strings.TrimSuffix(string(s.Text), "\n")
		// A TestMain may print what looks like a name; ask who printed it.
		if isTestName(name) && slices.ContainsFunc(d.log.Stack(s.StackID, nil), func(f steplog.Frame) bool {
			return f.Func == "testing.listTests"
		}) {
			names = append(names, name)
		}
	}
	return names, nil, nil
}

// isTestName reports names that package testing takes for tests, benchmarks,
// fuzz targets and examples.
func isTestName(s string) bool {
	for _, prefix := range []string{"Test", benchPrefix, "Fuzz", "Example"} {
		rest, ok := strings.CutPrefix(s, prefix)
		if ok && utf8.ValidString(s) && !strings.ContainsAny(rest, " \t/:.,;()[]{}<>\"'`!?=+-*&|^%$#@~\\") &&
			(rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}
