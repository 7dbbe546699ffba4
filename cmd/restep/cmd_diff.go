package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/restep/restep/replay/compare"
	"github.com/restep/restep/replay/launch"
	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const diffHelp = `usage: restep diff [flags] A B [package]

Compares two runs and names the first step that differs, with both stacks, and
the choice that fell differently. A run is a seed, a file.steplog, a file.zip
of restep export, or a link (restep://...).

Seeds are runs of one test: that of the newest recorded run, or

  -test TestX      of this test; what is not recorded is made
  -sched -preempt  with this policy, as in restep test
  -package path    of a test in this package (import path)
  -json            one object: a, b, equal, step, field, choice, both steps

Exit code 0 means that all steps are equal, 1 that a step differs or that the
runs cannot be compared.
`

// diffConfig is a parsed command line of restep diff.
type diffConfig struct {
	a, b    string
	test    string
	pkg     string // import path
	arg     string // package on the command line
	json    bool
	variant *uint64
}

func parseDiff(args []string) (*diffConfig, error) {
	c := &diffConfig{}
	flags := flag.NewFlagSet("restep diff", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.test, "test", "", "")
	flags.StringVar(&c.pkg, "package", "", "")
	flags.BoolVar(&c.json, "json", false, "")
	sched := flags.String("sched", "", "")
	preempt := flags.String("preempt", "", "")
	var rest []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	switch len(rest) {
	case 3:
		if c.arg = rest[2]; isTest(c.arg) {
			return nil, fmt.Errorf("%s is a test, not a package; write -test %s", c.arg, c.arg)
		}
		fallthrough
	case 2:
		c.a, c.b = rest[0], rest[1]
	default:
		return nil, fmt.Errorf("which two runs? give two seeds, files or links, not %d", len(rest))
	}
	for _, name := range rest[:2] {
		if isLink(name) {
			if _, err := link.Parse(name); err != nil {
				return nil, err
			}
		}
		if _, err := strconv.ParseUint(name, 10, 64); err != nil && !isRunFile(name) && !isLink(name) {
			return nil, fmt.Errorf("%s is neither a seed nor a .steplog or .zip file nor a link", quoteArg(name))
		}
	}
	if strings.ContainsAny(c.test, `^$|*+?()[]{}\ /`) {
		return nil, fmt.Errorf("-test takes the name of one test, not %s", quoteArg(c.test))
	}
	if *sched != "" || *preempt != "" {
		policy, err := launch.ParsePolicy(*sched, *preempt)
		if err != nil {
			return nil, err
		}
		variant := policy.Variant()
		c.variant = &variant
	}
	return c, nil
}

// runDiff is restep diff.
func runDiff(ctx context.Context, u *ui, args []string) int {
	c, err := parseDiff(args)
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help diff explains the arguments")
	}
	a, b, err := c.open(ctx, u)
	if err != nil {
		var none *noRunError
		if errors.As(err, &none) {
			return u.fail(exitFailed, err.Error(), none.hint())
		}
		return failMake(ctx, u, err)
	}
	defer a.Close()
	defer b.Close()
	for _, rec := range []*recording{a, b} {
		for _, p := range rec.Problems() {
			u.say(text.Escape(p.Error()))
		}
	}
	ha, hb := a.Header(), b.Header()
	if ha.Package != hb.Package || ha.Test != hb.Test {
		return u.fail(exitFailed, fmt.Sprintf("these are runs of two tests: %s of %s and %s of %s", text.Escape(ha.Test),
			text.Escape(ha.Package), text.Escape(hb.Test), text.Escape(hb.Package)), "give two runs of the same test")
	}
	d, err := compare.Find(a.Reader, b.Reader)
	if err != nil {
		return u.fail(exitFailed, "compare the runs: "+text.Escape(err.Error()))
	}
	out := bufio.NewWriter(u.out)
	u.out = out
	defer out.Flush()
	p := &diffPrinter{u: u, a: a, b: b, d: d}
	if c.json {
		p.json()
	} else {
		p.text()
	}
	if d == nil {
		return exitOK
	}
	return exitFailed
}

// open opens both runs.
func (c *diffConfig) open(ctx context.Context, u *ui) (a, b *recording, err error) {
	seedA, errA := strconv.ParseUint(c.a, 10, 64)
	seedB, errB := strconv.ParseUint(c.b, 10, 64)
	if errA == nil && errB == nil {
		return c.openSeeds(ctx, u, seedA, seedB)
	}
	// One that is no seed says which test a seed is of.
	if errA == nil {
		b, a, err = c.openOthers(ctx, u, c.b, c.a)
	} else {
		a, b, err = c.openOthers(ctx, u, c.a, c.b)
	}
	return a, b, err
}

// openOthers opens a file or link, and another one or a seed.
func (c *diffConfig) openOthers(ctx context.Context, u *ui, first, second string) (a, b *recording, err error) {
	if a, err = openNamed(first); err != nil {
		return nil, nil, err
	}
	if seed, bad := strconv.ParseUint(second, 10, 64); bad == nil {
		b, err = c.like(ctx, u, a.Header(), seed)
	} else {
		b, err = openNamed(second)
	}
	if err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// openNamed opens the run of a file or link.
func openNamed(name string) (*recording, error) {
	if !isLink(name) {
		return openFile(name)
	}
	m, err := link.Parse(name)
	if err != nil {
		return nil, err
	}
	return openStored(query(m))
}

// openSeeds opens two recorded runs of one test and one build, or makes them.
func (c *diffConfig) openSeeds(ctx context.Context, u *ui, seedA, seedB uint64) (a, b *recording, err error) {
	q := runs.Query{Package: c.pkg, Test: c.test, Variant: c.variant}
	if c.test == "" {
		newest, err := c.newest(q)
		if err != nil {
			return nil, nil, errors.New("which test? give -test TestName")
		}
		q.Test, q.Package = newest.Test, newest.Package
	}
	for _, seed := range []uint64{seedA, seedB} {
		q.Seed = &seed
		if a, err = openStored(q); err == nil {
			break
		}
	}
	if err != nil || a.stale != "" || c.arg != "" {
		// Nothing to go by, or not what the program is now: both are made.
		if err == nil {
			a.Close()
		}
		return c.make(ctx, u, q, seedA, seedB)
	}
	h := a.Header()
	a.Close()
	if a, err = c.like(ctx, u, h, seedA); err != nil {
		return nil, nil, err
	}
	if b, err = c.like(ctx, u, h, seedB); err != nil {
		a.Close()
		return nil, nil, err
	}
	return a, b, nil
}

// newest is the newest recorded run that a query selects.
func (c *diffConfig) newest(q runs.Query) (runs.Result, error) {
	moduleDir := findModule()
	if moduleDir == "" {
		return runs.Result{}, errNoModule
	}
	store, err := runs.OpenRead(moduleDir)
	if err != nil {
		return runs.Result{}, err
	}
	defer store.Close()
	return store.Find(q)
}

// like opens the run with another seed of the same program in the same world,
// or makes it.
func (c *diffConfig) like(ctx context.Context, u *ui, h steplog.Header, seed uint64) (*recording, error) {
	rec, err := openStored(runs.Query{Build: h.Build, Package: h.Package, Test: h.Test, Seed: &seed, Variant: &h.Variant})
	if err == nil && sameWorld(rec.Header(), h) {
		return rec, nil
	}
	if err == nil {
		rec.Close()
	}
	return makeLike(ctx, u, h, seed)
}

// sameWorld reports runs that differ in nothing but the seed.
func sameWorld(a, b steplog.Header) bool {
	a.Seed, a.Restep, a.Extra = b.Seed, b.Restep, b.Extra
	x, errX := steplog.EncodeHeader(&a)
	y, errY := steplog.EncodeHeader(&b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// diffPrinter prints what a comparison found.
type diffPrinter struct {
	u    *ui
	a, b *recording
	d    *compare.Difference // nil when nothing differs
}

// notes says what the runs do not share besides the seed.
func (p *diffPrinter) notes() []string {
	var notes []string
	a, b := p.a.Header(), p.b.Header()
	if a.Build != b.Build {
		notes = append(notes, "the runs are of two builds: the program itself may be what differs")
	}
	if strings.Join(a.Env, "\x00") != strings.Join(b.Env, "\x00") {
		notes = append(notes, "the environments differ: "+text.Escape(strings.Join(launch.EnvChanges(a.Env, b.Env), "; ")))
	}
	if strings.Join(a.Args, "\x00") != strings.Join(b.Args, "\x00") {
		notes = append(notes, "the arguments of the test binary differ")
	}
	return notes
}

// diffRun is one of the runs as JSON.
type diffRun struct {
	Seed    uint64     `json:"seed"`
	Variant uint64     `json:"variant,omitempty"`
	Build   string     `json:"build"`
	Steps   uint64     `json:"steps"`
	Result  string     `json:"result,omitempty"`
	Value   string     `json:"value,omitempty"` // of the field that differs
	Step    *text.Step `json:"at,omitempty"`    // the step that differs, stack included
	Event   *text.Step `json:"event,omitempty"` // the first that differs in more than its time
}

func (p *diffPrinter) run(rec *recording, s, event *steplog.Step, value string) diffRun {
	h := rec.Header()
	r := diffRun{Seed: h.Seed, Variant: h.Variant, Build: h.Build, Steps: rec.Steps(), Result: resultOf(rec), Value: value}
	if s != nil {
		e := text.Export(rec.Reader, rec.src, s, true)
		r.Step = &e
	}
	if event != nil {
		e := text.Export(rec.Reader, rec.src, event, true)
		r.Event = &e
	}
	return r
}

// resultOf is how a run ended, "" when that is not known.
func resultOf(rec *recording) string {
	if rec.result != nil {
		return rec.result.Result
	}
	return ""
}

func (p *diffPrinter) json() {
	h := p.a.Header()
	out := struct {
		Package string          `json:"package"`
		Test    string          `json:"test"`
		Equal   bool            `json:"equal"`
		Number  uint64          `json:"step,omitempty"`
		Field   string          `json:"field,omitempty"`
		Event   uint64          `json:"event,omitempty"` // first step that differs in more than its time
		Choice  *compare.Choice `json:"choice,omitempty"`
		A       diffRun         `json:"a"`
		B       diffRun         `json:"b"`
		Notes   []string        `json:"notes,omitempty"`
	}{Package: h.Package, Test: h.Test, Equal: p.d == nil, Notes: p.notes()}
	d := p.d
	if d == nil {
		d = &compare.Difference{}
	}
	out.Number, out.Field, out.Event, out.Choice = d.Step, d.Field, d.Event, d.Choice
	out.A, out.B = p.run(p.a, d.StepA, d.EventA, d.A), p.run(p.b, d.StepB, d.EventB, d.B)
	if b, err := json.Marshal(out); err == nil {
		p.u.print(append(b, '\n'))
	}
}
