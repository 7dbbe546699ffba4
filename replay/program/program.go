package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// Spec says which run is meant.
type Spec struct {
	Dir        string   // where the go command runs; "" is the working directory
	Package    string   // one package, as on go's command line; "" is "."
	Test       string   // "TestX", or "TestX/sub" for one sub-test
	Seed       uint64   // 0 is a seed as any other
	Variant    *uint64  // nil takes that of the newest recorded run, or 0
	Tags       []string // build tags
	BuildFlags []string // further flags of go build
	Env        []string // KEY=value, what the program under test sees besides the fixed ones
	Args       []string // arguments of the program, as after -args
	Flags      []string // further flags of the test binary, "-test.short"
	// Exact asks for a recorded run and no other; see [Exact].
	Exact *Exact
	// Like is the header of a run whose arguments, environment and bounds this
	// one has, too; Env, Args and Flags do not count then.
	Like     *steplog.Header
	GoEnv    []string     // environment of the go command; nil is the process's own
	Version  string       // of the tool
	Progress func(string) // is told what takes long; may be nil
}

// GoFlags are the flags with which a go command sees the files that a build
// of the spec is made from.
func (s *Spec) GoFlags() []string {
	return append([]string{"-tags=" + strings.Join(append([]string{"restep"}, s.Tags...), ",")}, s.BuildFlags...)
}

// Program is a test binary, one of its runs as recorded, and the means to
// repeat that run.
type Program struct {
	Bin    *inject.Binary
	Header steplog.Header
	Log    *steplog.Reader // the recorded run
	Source text.Source
	// Stale says that a recorded log was there, but not of the program as it is:
	// the run was recorded anew. Changed names what is different, one thing each,
	// as far as that is known; it is raw text.
	Stale   bool
	Changed []string
	// RecordedBuild is the build of the recorded log, "" when there was none.
	RecordedBuild string

	then *inputs.Manifest // what the recorded run was made of; nil = not known

	zygote *zygote.Zygote
	stop   func()
	once   sync.Once
}

// ErrNoTest is returned by Load when the package has no such test.
var ErrNoTest = errors.New("no such test")

// Load builds the package and finds or records the run.
func Load(ctx context.Context, spec Spec) (*Program, error) {
	name, run := splitTest(spec.Test)
	if name == "" {
		return nil, fmt.Errorf("which test? give its name: %w", ErrNoTest)
	}
	variant := uint64(0)
	if spec.Variant != nil {
		variant = *spec.Variant
	}
	p := &Program{}
	if err := p.build(ctx, spec, variant); err != nil {
		return nil, err
	}
	old := p.newest(name, spec)
	if old != nil && old.Header().Variant != variant {
		variant = old.Header().Variant
		if err := p.build(ctx, spec, variant); err != nil {
			old.Close()
			return nil, err
		}
	}
	bin := p.Bin
	world := launch.Spec{
		Build: bin.BuildID, Package: bin.ImportPath, Module: bin.ModulePath, Go: bin.GoVersion, GOARCH: bin.GOARCH, Restep: spec.Version,
		Test: name, Run: run, Seed: spec.Seed, Variant: variant, Flags: spec.Flags, Args: spec.Args, Env: spec.Env,
		Memory: launch.Memory,
	}
	p.Header = world.Header()
	if spec.Like != nil {
		p.Header.Args, p.Header.Env, p.Header.Extra = launch.WithoutCover(spec.Like.Args), spec.Like.Env, spec.Like.Extra
	}
	p.find(ctx, spec, old)
	if err := p.checkExact(ctx, spec); err != nil {
		return nil, err
	}
	if err := p.startZygote(ctx); err != nil {
		return nil, err
	}
	if p.Log != nil {
		return p, nil
	}
	if spec.Progress != nil {
		spec.Progress("recording " + spec.Test)
	}
	if err := p.record(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Recorded makes a run ready whose binary and log are there.
func Recorded(ctx context.Context, bin *inject.Binary, log *steplog.Reader) (*Program, error) {
	p := &Program{Bin: bin, Header: log.Header(), Log: log,
		Source: text.Source{Module: bin.ModulePath, ModuleDir: bin.ModuleDir, Package: bin.ImportPath}}
	if p.Header.Build != bin.BuildID {
		return nil, fmt.Errorf("the log is of build %s, the binary is build %s", p.Header.Build, bin.BuildID)
	}
	if err := p.startZygote(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// build builds the test binary that runs of a variant need.
func (p *Program) build(ctx context.Context, spec Spec, variant uint64) (err error) {
	if err := launch.CheckVariant(variant); err != nil {
		return err
	}
	instrument := launch.Instrumented(variant)
	if p.Bin != nil && p.Bin.Instrumented == instrument {
		return nil
	}
	p.Bin, err = inject.Build(ctx, inject.BuildConfig{
		Dir: spec.Dir, Package: spec.Package, Tags: spec.Tags, BuildFlags: spec.BuildFlags,
		Instrument: instrument, Env: spec.GoEnv, Progress: spec.Progress,
	})
	if err == nil && !p.Bin.Here() {
		return fmt.Errorf("the program is built for linux/%s, and a debugger holds those of this computer's CPU only: unset GOARCH", p.Bin.GOARCH)
	}
	if err == nil {
		p.Source = text.Source{Module: p.Bin.ModulePath, ModuleDir: p.Bin.ModuleDir, Package: p.Bin.ImportPath}
	}
	return err
}

// splitTest splits "TestX/sub" into the test and the pattern for -test.run,
// "" for all of the test.
func splitTest(test string) (name, run string) {
	for i := range len(test) {
		if test[i] == '/' {
			return test[:i], "^" + test[:i] + "$" + test[i:]
		}
	}
	return test, ""
}

// sameWorld reports that two headers lead to the same run.
func sameWorld(a, b *steplog.Header) bool {
	x, y := *a, *b
	x.Extra, y.Extra, x.Restep, y.Restep = nil, nil, "", ""
	ex, errX := steplog.EncodeHeader(&x)
	ey, errY := steplog.EncodeHeader(&y)
	return errX == nil && errY == nil && bytes.Equal(ex, ey)
}

// record makes the run once and keeps its log.
func (p *Program) record(ctx context.Context) error {
	c, err := p.startRecording()
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	status, err := c.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("record the run: %w", err)
	}
	b, err := c.Bytes()
	if err != nil {
		return err
	}
	// The log outlives the memory file.
	r, err := steplog.Open(append([]byte(nil), b...))
	if err != nil {
		return fmt.Errorf("read the log of the run: %w", err)
	}
	if r.Steps() == 0 {
		return fmt.Errorf("the run made no step and ended with %s%s", describeStatus(status), quote(p.zygote.Stderr()))
	}
	if !ranTest(r, p.Header.Test) {
		return fmt.Errorf("%w: %s has no test %q\n  restep test -list=. %s lists what it has", ErrNoTest, p.Bin.ImportPath, p.Header.Test, p.Bin.ImportPath)
	}
	p.Log = r
	return nil
}

// Repeat makes the run once more, in a zygote of its own, and returns its log.
func (p *Program) Repeat(ctx context.Context) ([]byte, error) {
	q := &Program{Bin: p.Bin, Header: p.Header}
	if err := q.startZygote(ctx); err != nil {
		return nil, err
	}
	defer q.Close()
	c, err := q.startRecording()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, c.Kill)
	defer stop()
	if _, err := c.Wait(); err != nil {
		return nil, fmt.Errorf("repeat the run: %w", err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	b, err := c.Bytes()
	return append([]byte(nil), b...), err
}

// ranTest looks for the line with which package testing starts a test. An
// example, or a test binary with a TestMain of its own, is believed when the
// program made any step of its own.
func ranTest(r *steplog.Reader, test string) bool {
	c := r.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindTest}})
	for c.Next() {
		t := string(c.Step().Text)
		if len(t) >= len("=== RUN") && t[:len("=== RUN")] == "=== RUN" {
			return true
		}
	}
	none := r.Cursor(steplog.Filter{Text: func(b []byte) bool { return string(b) == "testing: warning: no tests to run\n" }})
	return !none.Next()
}

func quote(s string) string {
	if s == "" {
		return ""
	}
	return ":\n" + s
}

// Close ends all that the program started.
func (p *Program) Close() {
	p.once.Do(func() {
		if p.stop != nil {
			p.stop()
		}
	})
}

// FirstStep is where a debugger stops that was not told where: the first step
// that the user's own code made, else the start of the test, else step 1.
func (p *Program) FirstStep() uint64 {
	c := p.Log.Cursor(steplog.Filter{})
	test := uint64(1)
	for c.Next() {
		s := c.Step()
		if f, ok := p.Source.Place(c.Stack(nil)); ok && strings.HasPrefix(f.File, p.Bin.ModulePath+"/") {
			return s.Number
		}
		if test == 1 && s.Kind == steplog.KindTest {
			test = s.Number
		}
	}
	return test
}

// LastStep is the last step that the user's own code made, else the last one.
func (p *Program) LastStep() uint64 {
	c := p.Log.Cursor(steplog.Filter{})
	for c.Reset(p.Log.Steps() + 1); c.Prev(); {
		if f, ok := p.Source.Place(c.Stack(nil)); ok && strings.HasPrefix(f.File, p.Bin.ModulePath+"/") {
			return c.Step().Number
		}
	}
	return p.Log.Steps()
}

// Stderr is the end of what the simulator itself wrote to standard error, ""
// as long as nothing is wrong.
func (p *Program) Stderr() string { return p.zygote.Stderr() }
