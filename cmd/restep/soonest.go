//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"slices"

	"github.com/restep/restep/replay/runs"
)

const (
	briefFailures = 20 // failing seeds of a test that are shown in short
	listedSeeds   = 12 // ranges of failing seeds that are listed
)

// soonest is the failing run of a test with the fewest steps before it failed,
// and what all failing runs of the test have in common.
type soonest struct {
	seed  uint64
	step  uint64 // 0: no run has a step that failed
	order int    // of tests, by their first failure
	seeds seedSet
	ways  map[string]bool // messages with their places that have been shown
	brief int             // runs that were shown in short
}

// noteFailure remembers a run that failed.
func (r *reporter) noteFailure(d *done) {
	best := r.soonest[d.test]
	step := d.outcome.Failure.Step
	if best == nil {
		best = &soonest{seed: d.seed, step: step, order: len(r.soonest), ways: map[string]bool{}}
		r.soonest[d.test] = best
	}
	if step != 0 && (best.step == 0 || step < best.step) {
		best.seed, best.step = d.seed, step
	}
	if n := len(best.seeds); n > 0 && best.seeds[n-1].to+1 == d.seed {
		best.seeds[n-1].to = d.seed
	} else {
		best.seeds = append(best.seeds, seedRange{d.seed, d.seed})
	}
	if r.failed[d.test] <= fullFailures {
		best.ways[r.way(d)] = true
	}
}

// way is how a run failed: all runs that failed with the same words at the same
// place did so in the same way.
func (r *reporter) way(d *done) string {
	f := d.outcome.Failure
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, firstLine(f.Message))
}

// brief shows a run that failed in two lines, if no run of its test has failed
// like this before; close names its seed in any case.
func (r *reporter) brief(d *done) {
	all := r.soonest[d.test]
	way := r.way(d)
	if all.ways[way] || all.brief == briefFailures {
		return
	}
	all.ways[way] = true
	all.brief++
	r.result(d)
	r.out("  %s%s", firstLine(d.outcome.Failure.Message), r.briefPlace(d.outcome.Failure))
}

// briefPlace is the place of a failure in short: step, file and line.
func (r *reporter) briefPlace(f *runs.Failure) string {
	if f.Step == 0 {
		return ""
	}
	if f.File == "" {
		return fmt.Sprintf(" (step %d)", f.Step)
	}
	return fmt.Sprintf(" (step %d, %s:%d)", f.Step, r.file(f), f.Line)
}

// close prints, for tests that failed with more seeds than are shown at
// length, which they are and the one to look at, so that the last lines say it.
func (r *reporter) close() {
	tests := make([]string, 0, len(r.soonest))
	for test := range r.soonest {
		if r.failed[test] > fullFailures && !r.cfg.verbose {
			tests = append(tests, test)
		}
	}
	slices.SortFunc(tests, func(a, b string) int { return r.soonest[a].order - r.soonest[b].order })
	for _, test := range tests {
		best := r.soonest[test]
		head := fmt.Sprintf("restep: %s failed %d times, soonest with seed %d", test, r.failed[test], best.seed)
		if best.step != 0 {
			head += fmt.Sprintf(" at step %d", best.step)
		}
		r.say(head)
		r.say("  seeds  " + best.seeds.list(listedSeeds))
		again, look := r.commands(test, best.seed, best.step)
		r.say("  again  " + again)
		if look != "" {
			r.say("  look   " + look)
		}
	}
}

// say prints a line of the package.
func (r *reporter) say(line string) { r.sink.line(r.pkg, "", 0, []byte(line)) }
