package program

import (
	"context"
	"fmt"
	"strings"

	"github.com/restep/restep/replay/inputs"
	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// Exact asks for one recorded run: where the program is not the one that made
// it, Load fails with a *ChangedError instead of recording the run anew.
type Exact struct {
	Build  string           // build id that the run is of; "" = any
	Log    *steplog.Reader  // the run; nil for the newest one that is stored
	Inputs *inputs.Manifest // what it was made of; nil = what is stored, if anything
}

// ChangedError says that the program, or what it reads, is not what the run
// that was asked for was made of.
type ChangedError struct {
	Build   string   // build id of the run
	Now     string   // and of the program as it is
	Changed []string // what is different, one thing each, raw; nil = not known
}

func (e *ChangedError) Error() string {
	if e.Build != e.Now {
		return fmt.Sprintf("the run is of build %s, and this program is build %s", e.Build, e.Now)
	}
	return "the run was made with other files or in another environment than there are now"
}

// checkExact fails when another run than the one asked for would be shown.
func (p *Program) checkExact(ctx context.Context, spec Spec) error {
	want := spec.Exact
	switch {
	case want == nil:
		return nil
	case want.Build != "" && want.Build != p.Bin.BuildID:
		if p.Changed == nil {
			p.Changed = p.changes(ctx, spec)
		}
		return &ChangedError{Build: want.Build, Now: p.Bin.BuildID, Changed: p.Changed}
	case p.Stale || p.Log == nil && p.Changed != nil:
		return &ChangedError{Build: p.Bin.BuildID, Now: p.Bin.BuildID, Changed: p.Changed}
	}
	return nil
}

// find takes the recorded run, if there is one and it is of this build. If not
// it leaves what to record in the header.
func (p *Program) find(ctx context.Context, spec Spec, old *runs.Log) {
	if old == nil {
		return
	}
	h := old.Header()
	p.RecordedBuild = h.Build
	asked := p.Header
	if spec.Like == nil && spec.Env == nil && spec.Args == nil && spec.Flags == nil && len(h.Args) > 0 && !strings.Contains(spec.Test, "/") {
		// The run that the user has seen, with the flags it had then.
		asked.Args, asked.Env, asked.Extra = h.Args, h.Env, h.Extra
	}
	if p.Stale = h.Build != asked.Build; p.Stale {
		asked.Args = launch.WithoutCover(asked.Args)
		p.Changed = p.changes(ctx, spec)
	} else if p.Changed = p.changedData(old.Reader); p.Changed != nil {
		p.Stale = true
	}
	p.Header = asked
	if !p.Stale && sameWorld(&h, &asked) {
		// The mapping stays until the process ends: whoever reads the log
		// must not fault after Close.
		p.Header, p.Log = h, old.Reader
		return
	}
	if !p.Stale {
		p.Changed = launch.EnvChanges(h.Env, asked.Env)
	}
	old.Close()
}

// newest opens the newest log of the run that is stored and not damaged, or
// the one that is asked for.
func (p *Program) newest(test string, spec Spec) *runs.Log {
	log, then := p.open(test, spec)
	p.then = then
	if log == nil {
		return nil
	}
	h := log.Header()
	if log.Steps() == 0 || len(log.Problems()) > 0 || h.Seed != spec.Seed ||
		spec.Variant != nil && h.Variant != *spec.Variant || launch.CheckVariant(h.Variant) != nil ||
		h.Package != p.Bin.ImportPath || h.Module != p.Bin.ModulePath || h.Test != test {
		log.Close()
		return nil
	}
	return log
}

// open finds a log and what its run was made of.
func (p *Program) open(test string, spec Spec) (log *runs.Log, then *inputs.Manifest) {
	build := ""
	if want := spec.Exact; want != nil {
		if want.Log != nil {
			return &runs.Log{Reader: want.Log}, want.Inputs
		}
		build = want.Build
	}
	store, err := runs.OpenRead(p.Bin.ModuleDir)
	if err != nil {
		return nil, nil
	}
	defer store.Close()
	found, err := store.Find(runs.Query{
		Build: build, Package: p.Bin.ImportPath, Test: test, Seed: &spec.Seed, Variant: spec.Variant, NeedLog: true,
	})
	var list []byte
	switch {
	case err == nil:
		list, err = store.Inputs(found.Inputs)
	case build != "":
		list, err = store.InputsOf(build)
	}
	if err == nil {
		then, _ = inputs.Decode(list) // nil for a damaged one: nothing is known
	}
	if found.Log != "" {
		log, _ = store.Load(found.Log)
	}
	return log, then
}

// inputsSpec says of what the program's manifest is taken.
func (p *Program) inputsSpec(spec Spec) *inputs.Spec {
	return InputsSpec(p.Bin, spec.Version, spec.Tags, spec.BuildFlags, spec.GoEnv)
}

// changes names what is different from what the recorded run was made of, nil
// when that is not known.
func (p *Program) changes(ctx context.Context, spec Spec) []string {
	if p.then == nil {
		return nil
	}
	now, err := inputs.Take(ctx, p.inputsSpec(spec))
	if err != nil {
		return nil
	}
	list := inputs.Changes(p.then, now)
	if len(list) == 0 {
		list = []string{"no file of the program; so restep itself, the toolchain, or the environment of the go command"}
	}
	return list
}

// changedData names what is different among the files that the recorded run
// looked at, beside the program.
func (p *Program) changedData(log *steplog.Reader) []string {
	if p.then == nil {
		return nil
	}
	now := &inputs.Manifest{}
	if err := inputs.TakeData(InputsSpec(p.Bin, "", nil, nil, nil), now); err != nil {
		return nil
	}
	return inputs.ChangedData(p.then, now, log)
}

// ChangedSince names the files that the run looked at and that have changed
// since it was recorded.
func (p *Program) ChangedSince() []string { return p.changedData(p.Log) }
