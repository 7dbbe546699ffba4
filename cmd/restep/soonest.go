//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"slices"
)

// soonest is the failing run of a test with the fewest steps before it failed.
type soonest struct {
	seed  uint64
	step  uint64 // 0: no run has a step that failed
	order int    // of tests, by their first failure
}

// noteFailure remembers a run that failed if no run of its test failed sooner.
func (r *reporter) noteFailure(d *done) {
	best, ok := r.soonest[d.test]
	if !ok {
		best.order = len(r.soonest)
	}
	if step := d.outcome.Failure.Step; !ok || step != 0 && (best.step == 0 || step < best.step) {
		best.seed, best.step = d.seed, step
	}
	r.soonest[d.test] = best
}

// close prints, for tests that failed with more seeds than are shown at
// length, the one to look at, so that the last lines say it.
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
		again, look := r.commands(test, best.seed, best.step)
		r.say("  again  " + again)
		if look != "" {
			r.say("  look   " + look)
		}
	}
}

// say prints a line of the package.
func (r *reporter) say(line string) { r.sink.line(r.pkg, "", 0, []byte(line)) }
