package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// anyEvent is an event of a test or of a build, strict in its fields.
type anyEvent struct {
	Time, Action, Package, Test, Output, ImportPath, FailedBuild string
	Seed                                                         *uint64
	Elapsed, Simulated                                           *float64
}

// checkEvents checks a stream of events against what go doc test2json and go
// help buildjson promise to those who read it, and against what gotestsum
// relies on. It returns how many events of each action there were.
func checkEvents(stream string) (counts map[string]int, err error) {
	counts = map[string]int{}
	packages := map[string]*packageState{}
	builds := map[string]bool{} // that failed
	in := bufio.NewScanner(strings.NewReader(stream))
	for line := 1; in.Scan(); line++ {
		bad := func(format string, args ...any) error {
			return fmt.Errorf("line %d: %s: %s", line, fmt.Sprintf(format, args...), in.Text())
		}
		var e anyEvent
		dec := json.NewDecoder(strings.NewReader(in.Text()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			return nil, bad("%v", err)
		}
		counts[e.Action]++
		if e.ImportPath != "" {
			if e.Package != "" || e.Action != "build-output" && e.Action != "build-fail" || (e.Action == "build-output") != strings.HasSuffix(e.Output, "\n") {
				return nil, bad("no event of a build")
			}
			builds[e.ImportPath] = builds[e.ImportPath] || e.Action == "build-fail"
			continue
		}
		p := packages[e.Package]
		if e.Time == "" || e.Package == "" || (e.Action == "start") != (p == nil) {
			return nil, bad("a package starts once, before all else")
		}
		if p == nil {
			packages[e.Package] = &packageState{running: map[string]bool{}}
			continue
		}
		if err := p.event(&e, builds); err != nil {
			return nil, bad("%v", err)
		}
	}
	for name, p := range packages {
		if !p.ended {
			return nil, fmt.Errorf("package %s has no result", name)
		}
	}
	return counts, in.Err()
}

// packageState is what the events so far say of a package.
type packageState struct {
	running map[string]bool // tests, by name
	ended   bool
}

// event checks an event of the package that is not its first. builds are the
// builds that failed.
func (p *packageState) event(e *anyEvent, builds map[string]bool) error {
	over := slices.Contains([]string{"pass", "fail", "skip"}, e.Action)
	switch {
	case p.ended:
		return errors.New("the package has ended")
	case e.Test != "" && e.Seed == nil, e.Test == "" && e.Seed != nil:
		return errors.New("a seed belongs to a test")
	case e.Action == "output":
		if !strings.HasSuffix(e.Output, "\n") || e.Test != "" && !p.running[e.Test] {
			return errors.New("output of a test that does not run, or half a line")
		}
	case e.Action == "run":
		if p.running[e.Test] {
			return errors.New("the test runs already")
		}
		p.running[e.Test] = true
	case e.Action == "pause", e.Action == "cont", e.Action == "bench":
		if !p.running[e.Test] {
			return errors.New("the test does not run")
		}
	case over && e.Test != "":
		if !p.running[e.Test] || e.Elapsed == nil {
			return errors.New("the test does not run, or took no time")
		}
		delete(p.running, e.Test)
	case over:
		if e.Elapsed == nil || e.FailedBuild != "" && !builds[e.FailedBuild] {
			return errors.New("no time, or a build that did not fail")
		}
		p.ended = true
		for name := range p.running {
			return fmt.Errorf("%s has no result", name)
		}
	default:
		return errors.New("unknown action")
	}
	return nil
}

// scriptEvents is "events file action=count...": the file holds well-formed
// events, and so many of each action.
func scriptEvents(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: events file action=count...")
	}
	counts, err := checkEvents(ts.ReadFile(args[0]))
	ts.Check(err)
	for _, want := range args[1:] {
		action, n, _ := strings.Cut(want, "=")
		if got := fmt.Sprint(counts[action]); got != n {
			ts.Fatalf("%s events of action %s, want %s", got, action, n)
		}
	}
}
