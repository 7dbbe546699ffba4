package main

import (
	"encoding/json"
	"strings"
	"time"
)

// sink is where the output of tests goes: as text or as JSON events.
type sink interface {
	// start and end frame one package; result is pass, fail or skip.
	start(pkg string)
	end(pkg, result string, real time.Duration)
	// build is what the go command said of a package that does not build.
	build(pkg, text string)
	// run and ran frame one run.
	run(pkg, test string, seed uint64)
	ran(pkg, test string, seed uint64, result string, real, simulated time.Duration)
	// sub is the start or end of a sub-test: run, pause, cont, pass, fail, skip.
	sub(pkg, test string, seed uint64, action string, simulated time.Duration)
	// line prints a line without its newline. test "" is the package itself.
	line(pkg, test string, seed uint64, line []byte)
}

// textSink prints as go test does.
type textSink struct{ u *ui }

func (s *textSink) start(string)                                                     {}
func (s *textSink) build(_, text string)                                             { s.u.raw(text) }
func (s *textSink) end(string, string, time.Duration)                                {}
func (s *textSink) run(string, string, uint64)                                       {}
func (s *textSink) ran(string, string, uint64, string, time.Duration, time.Duration) {}
func (s *textSink) sub(string, string, uint64, string, time.Duration)                {}
func (s *textSink) line(_, _ string, _ uint64, line []byte)                          { s.u.print(append(line, '\n')) }

// event is one event of go test -json (go doc test2json), with Seed and
// Simulated added.
type event struct {
	Time      time.Time
	Action    string
	Package   string
	Test      string   `json:",omitempty"`
	Seed      *uint64  `json:",omitempty"`
	Elapsed   *float64 `json:",omitempty"` // real seconds; for sub-tests simulated ones
	Simulated *float64 `json:",omitempty"` // simulated seconds
	Output    *string  `json:",omitempty"`
	// FailedBuild is the ImportPath of the buildEvents that tell why.
	FailedBuild string `json:",omitempty"`
}

// buildEvent is one event of go build -json (go help buildjson).
type buildEvent struct {
	ImportPath string
	Action     string
	Output     string `json:",omitempty"`
}

// jsonSink prints one event a line.
type jsonSink struct {
	u           *ui
	now         func() time.Time
	failedBuild string // of the current package
}

func (s *jsonSink) emit(e event) {
	e.Time = s.now()
	s.write(e)
}

func (s *jsonSink) write(e any) {
	b, err := json.Marshal(e)
	if err != nil {
		return // only floats can fail, and these are finite
	}
	s.u.print(append(b, '\n'))
}

func seconds(d time.Duration) *float64 {
	f := d.Seconds()
	return &f
}

func (s *jsonSink) start(pkg string) {
	s.failedBuild = ""
	s.emit(event{Action: "start", Package: pkg})
}

func (s *jsonSink) end(pkg, result string, real time.Duration) {
	s.emit(event{Action: result, Package: pkg, Elapsed: seconds(real), FailedBuild: s.failedBuild})
}

// build names the package as go test does: it is the one with its tests.
func (s *jsonSink) build(pkg, text string) {
	s.failedBuild = pkg + " [" + pkg + ".test]"
	for line := range strings.Lines(text) {
		s.write(buildEvent{ImportPath: s.failedBuild, Action: "build-output", Output: strings.TrimSuffix(line, "\n") + "\n"})
	}
	s.write(buildEvent{ImportPath: s.failedBuild, Action: "build-fail"})
}

func (s *jsonSink) run(pkg, test string, seed uint64) {
	s.emit(event{Action: "run", Package: pkg, Test: test, Seed: &seed})
}

func (s *jsonSink) ran(pkg, test string, seed uint64, result string, real, simulated time.Duration) {
	s.emit(event{Action: result, Package: pkg, Test: test, Seed: &seed, Elapsed: seconds(real), Simulated: seconds(simulated)})
}

func (s *jsonSink) sub(pkg, test string, seed uint64, action string, simulated time.Duration) {
	e := event{Action: action, Package: pkg, Test: test, Seed: &seed}
	if action != "run" && action != "pause" && action != "cont" {
		e.Elapsed, e.Simulated = seconds(simulated), seconds(simulated)
	}
	s.emit(e)
}

func (s *jsonSink) line(pkg, test string, seed uint64, line []byte) {
	out := string(line) + "\n"
	e := event{Action: "output", Package: pkg, Test: test, Output: &out}
	if test != "" {
		e.Seed = &seed
	}
	s.emit(e)
}
