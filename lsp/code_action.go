package lsp

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
)

// Kinds of code actions. What restep offers on a line is of a kind of its own,
// that editors list behind the usual ones.
const (
	quickFix   = protocol.CodeActionKind("quickfix")
	restepKind = protocol.CodeActionKind("restep")
)

// actionFunc returns the actions of one sort for a range.
type actionFunc func(a *actionContext) []protocol.CodeAction

// actionSorts are what there are actions for; the numbers are their order.
var actionSorts = map[string]struct {
	order  int
	kind   protocol.CodeActionKind
	action actionFunc
}{
	"failures": {1, quickFix, failureActions},
	"hits":     {2, restepKind, hitActions},
	"tests":    {3, restepKind, testActions},
}

// actionContext is what actions are made of.
type actionContext struct {
	*lensContext
	server      *server
	states      []*hits.State
	from, to    int // lines, from 1 as Go counts
	diagnostics []protocol.Diagnostic
}

// CodeAction returns what can be done about the steps, the failures and the
// tests of a range: what lenses do, for editors that have none, and links.
func (s *server) CodeAction(ctx context.Context, params *protocol.CodeActionParams) ([]protocol.CommandOrCodeAction, error) {
	snap := s.snapshotOf(ctx)
	list := []protocol.CommandOrCodeAction{}
	d := snap.document(params.TextDocument.URI)
	if d == nil || !d.inModule {
		return list, nil
	}
	a := &actionContext{server: s, states: s.runsOf(ctx, snap, d), diagnostics: params.Context.Diagnostics}
	a.lensContext = &lensContext{document: d, snap: snap, state: d.homeOf(a.states), sim: func() bool { return s.reaches(d) }}
	a.from = d.text.GoLineAt(d.text.Offset(position(params.Range.Start), snap.encoding))
	a.to = d.text.GoLineAt(d.text.Offset(position(params.Range.End), snap.encoding))
	sorts := slices.SortedFunc(maps.Keys(actionSorts), func(x, y string) int { return cmp.Compare(actionSorts[x].order, actionSorts[y].order) })
	for _, name := range sorts {
		sort := actionSorts[name]
		// Editors ask by themselves wherever the cursor goes, to show a bulb: only
		// errors are worth one.
		byItself := params.Context.TriggerKind == protocol.CodeActionTriggerKindAutomatic
		if !asked(params.Context.Only, sort.kind) || byItself && sort.kind != quickFix {
			continue
		}
		for _, action := range sort.action(a) {
			if snap.features.actionLiterals {
				action.Kind = &sort.kind
				list = append(list, &action)
			} else {
				list = append(list, &action.Command)
			}
		}
	}
	return list, ctx.Err()
}

// asked reports whether a client wants a kind: kinds are a hierarchy.
func asked(only []protocol.CodeActionKind, kind protocol.CodeActionKind) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(k protocol.CodeActionKind) bool {
		return k == "" || k == kind || strings.HasPrefix(string(kind), string(k)+".")
	})
}

// action makes an action that runs a command.
func (a *actionContext) action(title, command string, args arguments) protocol.CodeAction {
	args.URI = string(a.uri)
	return protocol.CodeAction{Title: title, Command: protocol.Command{Title: title, Command: command, Arguments: args.list()}}
}

// linkTo is the link to a step of a run.
func linkTo(r *runs.Result, step uint64) string {
	return moment.Moment{Build: r.Build, Package: r.Package, Test: r.Test, Seed: r.Seed, Variant: r.Variant, Step: step}.String()
}

// failureActions go to the steps that show what failed at the range.
func failureActions(a *actionContext) (list []protocol.CodeAction) {
	for _, state := range a.states {
		for _, f := range failures(state) {
			if !slices.Contains(a.names, f.key.file) {
				continue
			}
			line, ok := a.failingLine(state, f.key, f.runs)
			if !ok || line < a.from || line > a.to {
				continue
			}
			r := f.runs[0]
			args := arguments{Package: r.Package, Test: r.Test, Seed: seed(r.Seed), Step: number(r.Failure.Step)}
			of := label(r.Test) + " seed " + strconv.FormatUint(r.Seed, 10)
			debug := a.action("Debug "+of+" at "+stepText(r.Failure.Step), goToStep, args)
			yes := true
			debug.IsPreferred = &yes
			args.Step = 0
			again := a.action("Run "+of+" again", runTest, args)
			own := diagnostic(a.document, line, a.snap, f.runs)
			for _, d := range a.diagnostics {
				if d.Range == own.Range && d.Message == own.Message {
					debug.Diagnostics, again.Diagnostics = []protocol.Diagnostic{d}, []protocol.Diagnostic{d}
				}
			}
			if r.Failure.Step > 0 {
				list = append(list, debug)
			}
			list = append(list, again)
		}
	}
	return list
}

// maxActionLines bounds for how many lines of a selection there are actions.
const maxActionLines = 3

// hitActions go to the step that a line shows, to the next one, and link to it.
func hitActions(a *actionContext) (list []protocol.CodeAction) {
	view, lines := a.join(a.states), 0
	for i := range view.places {
		p := &view.places[i]
		if p.line < a.from || p.line > a.to || p.stale || lines == maxActionLines {
			continue
		}
		lines++
		n, count := a.server.selection(p), len(p.hits.Hits)
		args := func(n int) arguments {
			return arguments{Package: p.run.Package, Test: p.run.Test, Seed: seed(p.run.Seed), Step: number(p.hits.Hits[n].Step), Line: p.line}
		}
		step := stepText(p.hits.Hits[n].Step)
		who := label(p.run.Who(p.hits.Hits[n].Machine, p.hits.Hits[n].Goroutine))
		list = append(list, a.action("Debug at "+step+" "+who, goToStep, args(n)))
		link := args(n)
		link.Link = linkTo(&p.run.Result, p.hits.Hits[n].Step)
		list = append(list, a.action("Copy link to "+step, copyLink, link))
		if count > 1 {
			next, previous := (n+1)%count, (n+count-1)%count
			list = append(list, a.action("Show next hit "+stepText(p.hits.Hits[next].Step), nextHit, args(next)),
				a.action("Show previous hit "+stepText(p.hits.Hits[previous].Step), previousHit, args(previous)))
		}
	}
	return list
}

// testActions do what the lenses of a test do.
func testActions(a *actionContext) (list []protocol.CodeAction) {
	for _, t := range a.parsed().Tests {
		if line := a.text.GoLineAt(t.Start); line >= a.from && line <= a.to && a.wanted(&t) {
			list = append(list, a.testActions(&t)...)
		}
	}
	return list
}

func (a *actionContext) testActions(t *source.Test) []protocol.CodeAction {
	args := arguments{Package: a.pkg(), Test: t.Name}
	with := func(edit func(*arguments)) arguments {
		c := args
		edit(&c)
		return c
	}
	list := []protocol.CodeAction{
		a.action("Run "+t.Name+" with seed 1", runTest, with(func(c *arguments) { c.Seed = seed(1) })),
		a.action("Run "+t.Name+" with another seed", runTestWithSeed, args),
		a.action("Explore "+t.Name+" with seeds 1–100", explore, with(func(c *arguments) { c.Seeds = exploredSeeds })),
	}
	if a.state == nil {
		return list
	}
	failed := a.state.Failures(a.test(t))
	if len(failed) == 0 {
		return list
	}
	r := failed[0]
	of := t.Name + " seed " + strconv.FormatUint(r.Seed, 10) + " at " + stepText(r.Failure.Step)
	at := with(func(c *arguments) { c.Seed, c.Step = seed(r.Seed), number(r.Failure.Step) })
	link := at
	link.Link = linkTo(&r, r.Failure.Step)
	return append(list, a.action("Debug "+of, goToStep, at), a.action("Copy link to "+of, copyLink, link))
}
