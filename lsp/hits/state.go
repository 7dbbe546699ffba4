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
	Roots  source.Roots // whose files the module's tests are built from
	// Runs are one of each test that has its log: the one that Prefer named,
	// else the newest. Preferred ones come first, then newest first.
	Runs []*Run
	// Wished is how many of Runs are preferred ones.
	Wished int
	// Failing are the runs, each with its Failure, that failed and that no later run of the same test,
	// seed and variant followed; newest first.
	Failing []runs.Result
	ran     map[Test]bool
	bases   map[baseKey]*Base
}

// Base returns a file, by its path, as it was in a build, nil when that is not known.
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
	shown   []dated // of each test, with a log; in the order of State.Runs
	wished  int     // how many of shown are preferred
	failing []dated
	ran     map[Test]bool
}

// dated is a run and a moment such that a file that was changed before it, and
// not since, is what was built.
type dated struct {
	runs.Result
	built time.Time
}

const maxFailing = 2000

// preference is a run that a user wants to see rather than the newest of its
// test.
type preference struct {
	seed uint64
	at   time.Time // when he said so: runs that end later count again
}

// summarize goes through an index, oldest run first.
func summarize(all []runs.Result, preferred map[Test]preference) summary {
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
	wished := map[int]bool{}
	var wishes []bool // by shown
	for t, p := range preferred {
		at := -1
		for i, r := range all {
			if (Test{r.Package, r.Test}) == t {
				if r.Time.After(p.at) {
					at = -1
					break
				}
				if r.Log != "" && r.Seed == p.seed {
					at = i
				}
			}
		}
		if at >= 0 {
			logged[t] = at
			wished[at] = true
		}
	}
	for i, r := range slices.Backward(all) {
		t := Test{r.Package, r.Test}
		if at, ok := logged[t]; ok && at == i {
			s.shown = append(s.shown, dated{r, starts[i]})
			wishes = append(wishes, wished[i])
		}
		if r.Result == runs.Fail && r.Failure != nil && last[seedKey{t, r.Seed, r.Variant}] == i && len(s.failing) < maxFailing {
			s.failing = append(s.failing, dated{r, starts[i]})
		}
	}
	var first, rest []dated
	for i, r := range s.shown {
		if wishes[i] {
			first = append(first, r)
		} else {
			rest = append(rest, r)
		}
	}
	s.shown, s.wished = append(first, rest...), len(first)
	return s
}

// pause is real time that must lie between two runs before they are taken for
// those of two commands: asking go for the packages alone takes longer.
const pause = 100 * time.Millisecond

// invocations returns for each run a moment after which no file was read that
// went into its binary: when the build began. For runs of a restep that did
// not note that it is when the first run of the same command and build began.
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
		if !r.Begun.IsZero() && r.Begun.Before(c.start) {
			starts[i] = r.Begun
		}
	}
	return starts
}
