package hits

import (
	"slices"
	"time"

	"github.com/restep/restep/lsp/source"
	"github.com/restep/restep/replay/runs"
)

// Test names a test of a module.
type Test struct{ Package, Name string }

// State is what is known of a module's runs at one moment.
type State struct {
	Module source.Module
	// Runs are the newest of each test that has its log, newest first.
	Runs []*Run
	// Failing are the runs, each with its Failure, that failed and that no later run of the same test,
	// seed and variant followed; newest first.
	Failing []runs.Result
	ran     map[Test]bool
	bases   map[baseKey]*Base
}

// Base returns a file as it was in a build, nil when that is not known.
func (s *State) Base(build, file string) *Base { return s.bases[baseKey{build, file}] }

// Ran reports whether a test has ever been run.
func (s *State) Ran(t Test) bool { return s.ran[t] }

// Failures returns the failing runs of a test, newest first.
func (s *State) Failures(t Test) []runs.Result {
	var list []runs.Result
	for _, r := range s.Failing {
		if r.Package == t.Package && r.Test == t.Name {
			list = append(list, r)
		}
	}
	return list
}

// summary is what the index says: which runs matter.
type summary struct {
	newest  []dated // of each test, with a log; newest first
	failing []dated
	ran     map[Test]bool
}

// dated is a run and a moment before which its build was finished.
type dated struct {
	runs.Result
	built time.Time
}

const maxFailing = 2000

// summarize goes through an index, oldest run first.
func summarize(all []runs.Result) summary {
	type seedKey struct {
		Test
		seed, variant uint64
	}
	s := summary{ran: map[Test]bool{}}
	last := map[seedKey]int{}
	logged := map[Test]int{}
	starts := invocations(all)
	for i, r := range all {
		t := Test{r.Package, r.Test}
		s.ran[t] = true
		last[seedKey{t, r.Seed, r.Variant}] = i
		if r.Log != "" {
			logged[t] = i
		}
	}
	for i, r := range slices.Backward(all) {
		t := Test{r.Package, r.Test}
		if at, ok := logged[t]; ok && at == i {
			s.newest = append(s.newest, dated{r, starts[i]})
		}
		if r.Result == runs.Fail && r.Failure != nil && last[seedKey{t, r.Seed, r.Variant}] == i && len(s.failing) < maxFailing {
			s.failing = append(s.failing, dated{r, starts[i]})
		}
	}
	return s
}

// pause is real time that must lie between two runs before they are taken for
// those of two commands: asking go for the packages alone takes longer.
const pause = 100 * time.Millisecond

// invocations returns for each run when the first run of the same command and
// build began. Before that the build was finished, so a file that was changed
// later is not what ran.
func invocations(all []runs.Result) []time.Time {
	type chain struct{ start, end time.Time }
	open := map[string]*chain{} // by build
	starts := make([]time.Time, len(all))
	for i, r := range all {
		began := r.Time.Add(-time.Duration(max(0, r.RealNs)))
		c := open[r.Build]
		if c == nil || began.After(c.end.Add(pause)) {
			c = &chain{began, r.Time}
			open[r.Build] = c
		}
		if began.Before(c.start) {
			c.start = began
		}
		if r.Time.After(c.end) {
			c.end = r.Time
		}
		starts[i] = c.start
	}
	return starts
}
