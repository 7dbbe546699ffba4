package lsp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
)

// lensFunc returns the lenses of one kind for a test.
type lensFunc func(l *lensContext, t *source.Test) []protocol.CodeLens

// testLenses are the kinds of lenses on tests; the numbers are their order.
var testLenses = map[string]struct {
	order int
	lens  lensFunc
}{
	"run":         {1, runLens},
	"runWithSeed": {2, runWithSeedLens},
	"explore":     {3, exploreLens},
	"debug":       {4, debugLens},
	"failure":     {5, failureLens},
}

// lensHits and lensStale are the kinds of lenses on other lines.
const (
	lensHits  = "hits"
	lensStale = "stale"
)

// lensContext is what lenses are made of.
type lensContext struct {
	*document
	snap  *snapshot
	state *hits.State // of the document's module; nil when nothing was run
	sim   func() bool // its tests can reach package sim
}

// CodeLens returns the lenses of a document, by line and then in their order.
func (s *server) CodeLens(ctx context.Context, params *protocol.CodeLensParams) ([]protocol.CodeLens, error) {
	snap := s.snapshotOf(ctx)
	lenses := []protocol.CodeLens{}
	d := snap.document(params.TextDocument.URI)
	if d == nil || !d.inModule {
		return lenses, nil
	}
	states := s.runsOf(ctx, snap, d)
	l := &lensContext{document: d, snap: snap, state: d.homeOf(states), sim: sync.OnceValue(func() bool { return s.reaches(d) })}
	for _, t := range d.parsed().Tests {
		if !l.wanted(&t) {
			continue
		}
		kinds := make([]string, 0, len(testLenses))
		for kind := range testLenses {
			if on(snap.config.lenses, kind) {
				kinds = append(kinds, kind)
			}
		}
		slices.SortFunc(kinds, func(a, b string) int { return cmp.Compare(testLenses[a].order, testLenses[b].order) })
		for _, kind := range kinds {
			lenses = append(lenses, testLenses[kind].lens(l, &t)...)
		}
	}
	if len(states) > 0 {
		view := d.join(states)
		if on(snap.config.lenses, lensHits) {
			lenses = append(lenses, s.hitLenses(l, view)...)
		}
		if view.hidden != nil && on(snap.config.lenses, lensStale) {
			lenses = append(lenses, staleLens(l, view.hidden))
		}
	}
	slices.SortStableFunc(lenses, func(a, b protocol.CodeLens) int { return cmp.Compare(a.Range.Start.Line, b.Range.Start.Line) })
	return lenses, ctx.Err()
}

// wanted reports whether a test gets lenses.
func (l *lensContext) wanted(t *source.Test) bool {
	switch l.snap.config.tests {
	case testsOff:
		return false
	case testsAll:
		return true
	}
	return l.state != nil && l.state.Ran(l.test(t)) || l.sim()
}

// reaches reports whether a document's tests can reach package sim.
func (s *server) reaches(d *document) bool {
	if !strings.HasSuffix(d.path, "_test.go") {
		return false
	}
	return s.reach.File(d.homes[0], d.names[0], d.parsed())
}

// homeOf returns the runs of the document's own module, nil for none.
func (d *document) homeOf(states []*hits.State) *hits.State {
	for _, state := range states {
		if state.Module.Dir == d.homes[0].Dir {
			return state
		}
	}
	return nil
}

// test names a test as runs do.
func (d *document) test(t *source.Test) hits.Test {
	pkg := d.pkg()
	return hits.Test{Package: pkg, Name: t.Name}
}

// lens makes a lens on a test's name.
func (l *lensContext) lens(t *source.Test, title, command string, args arguments) protocol.CodeLens {
	args.URI, args.Package, args.Test = string(l.uri), l.pkg(), t.Name
	return protocol.CodeLens{
		Range:   l.span(t.Start, t.End, l.snap.encoding),
		Command: protocol.Command{Title: title, Command: command, Arguments: args.list()},
	}
}

func seed(n uint64) *number { return (*number)(&n) }

func runLens(l *lensContext, t *source.Test) []protocol.CodeLens {
	return []protocol.CodeLens{l.lens(t, "run seed 1", runTest, arguments{Seed: seed(1)})}
}

func runWithSeedLens(l *lensContext, t *source.Test) []protocol.CodeLens {
	return []protocol.CodeLens{l.lens(t, "run with seed…", runTestWithSeed, arguments{})}
}

// exploredSeeds are those of the lens; a command may ask for others.
const exploredSeeds = "1-100"

func exploreLens(l *lensContext, t *source.Test) []protocol.CodeLens {
	return []protocol.CodeLens{l.lens(t, "explore 1–100", explore, arguments{Seeds: exploredSeeds})}
}

// debugLens debugs the seed that failed last, if one did.
func debugLens(l *lensContext, t *source.Test) []protocol.CodeLens {
	args := arguments{Seed: seed(1)}
	if l.state != nil {
		if failed := l.state.Failures(l.test(t)); len(failed) > 0 {
			args.Seed = seed(failed[0].Seed)
		}
	}
	return []protocol.CodeLens{l.lens(t, "debug", debugTest, args)}
}

// failureLens reads "#412 seed 37 ✗" and goes to the step that shows the
// failure.
func failureLens(l *lensContext, t *source.Test) []protocol.CodeLens {
	if l.state == nil {
		return nil
	}
	failed := l.state.Failures(l.test(t))
	if len(failed) == 0 {
		return nil
	}
	r := failed[0]
	title := fmt.Sprintf("#%d seed %d ✗", r.Failure.Step, r.Seed)
	if n := len(failed); n > 1 {
		title += " and " + strconv.Itoa(n-1) + " more"
	}
	return []protocol.CodeLens{l.lens(t, title, goToStep, arguments{Seed: seed(r.Seed), Step: number(r.Failure.Step)})}
}

// hitLenses are "◀ #104 server/21 ▶" on lines that made steps, without the
// arrows on those that made one. They go round, so that no lens moves away
// from under the pointer.
func (s *server) hitLenses(l *lensContext, view *view) []protocol.CodeLens {
	lenses := make([]protocol.CodeLens, 0, 3*len(view.places))
	encoder := argumentEncoder{document: l.document}
	for i := range view.places {
		p := &view.places[i]
		if p.stale {
			continue
		}
		n := s.selection(p)
		at := l.lineSpan(p.line, l.snap.encoding)
		add := func(title, command string, n int) {
			lenses = append(lenses, protocol.CodeLens{Range: at, Command: protocol.Command{
				Title: title, Command: command, Arguments: encoder.list(p, p.hits.Hits[n].Step),
			}})
		}
		h, count := p.hits.Hits[n], len(p.hits.Hits)
		title := stepText(h.Step) + " " + label(p.run.Who(h.Machine, h.Goroutine))
		if p.hits.Kind == hits.Machine {
			title = stepText(h.Step) + " " + p.hits.Event + " " + label(p.run.Who(h.Machine, 0))
		}
		if count == 1 {
			add(title, goToStep, n)
			continue
		}
		add("◀", previousHit, (n+count-1)%count)
		add(title, goToStep, n)
		add("▶", nextHit, (n+1)%count)
	}
	return lenses
}

// staleLens stands in the first line of a file whose steps are not shown
// because it is not known what the file was when they were recorded.
func staleLens(l *lensContext, run *hits.Run) protocol.CodeLens {
	args := arguments{URI: string(l.uri), Package: run.Package, Test: run.Test, Seed: seed(run.Seed)}
	title := fmt.Sprintf("changed since %s ran with seed %d: run it again for step numbers", label(run.Test), run.Seed)
	return protocol.CodeLens{
		Range:   l.span(0, 0, l.snap.encoding),
		Command: protocol.Command{Title: title, Command: runTest, Arguments: args.list()},
	}
}
