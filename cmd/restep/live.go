//go:build linux && (amd64 || arm64)

package main

import (
	"slices"
	"strings"
	"time"

	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// liveEvery is how often the log of a run is looked at whose steps are printed
// as they come. Nothing tells of a store into a mapped file.
const liveEvery = 100 * time.Millisecond

// live prints what a run has recorded so far, as far as its log can be read
// while it grows. Results of the test wait for the run's end: only then is it
// known whether the run as a whole is fine.
func (r *reporter) live(j job, path string) {
	start := time.Now()
	if start.Before(r.liveAfter) {
		return
	}
	// Opening a long log takes its time: looking shall not take more than a tenth.
	defer func() { r.liveAfter = time.Now().Add(9 * time.Since(start)) }()
	log, err := runs.LoadGrowing(path)
	if err != nil {
		return // it has no header yet, or has just ended
	}
	defer log.Close()
	if !r.current.live {
		r.current = current{live: true}
		r.sink.run(r.pkg, j.test, j.seed)
	}
	d := &done{job: j, log: log}
	r.current.done = d
	// What was there when the log was opened before is complete now: the
	// definitions that a step names are written before it.
	complete := r.current.seen
	r.current.seen = log.Steps()
	if complete > r.current.printed {
		r.stepsUpTo(d, complete)
	}
	r.current.done = nil
	r.u.flush()
}

// stepsUpTo prints the steps that have not been printed yet, up to a number,
// 0 for all.
func (r *reporter) stepsUpTo(d *done, to uint64) {
	c := &r.current
	if c.printer == nil {
		c.printer = text.NewLivePrinter(d.log.Reader, r.src)
		c.printer.Color = r.color
	}
	c.printer.Reopen(d.log.Reader)
	// Boots are asked for always: they say how wide names will be.
	filter := steplog.Filter{From: c.printed + 1, To: to, Kinds: slices.Concat(shown, r.cfg.trace, []steplog.Kind{steplog.KindBoot})}
	for s := range d.log.Forward(filter) {
		if s.Kind == steplog.KindBoot {
			c.printer.FitBoot(s)
		}
		if to != 0 && endsTest(d.test, s) {
			return
		}
		c.printed = s.Number
		if s.Kind == steplog.KindBoot && !slices.Contains(r.cfg.trace, steplog.KindBoot) || !r.wants(s) {
			continue
		}
		if s.Kind != steplog.KindTest {
			c.printer.Fit(s)
		}
		r.step(d, c.printer, s)
	}
	if to != 0 {
		c.printed = to
	}
}

// endsTest reports the step with which package testing gives the result of a
// test.
func endsTest(test string, s *steplog.Step) bool {
	if s.Kind != steplog.KindTest {
		return false
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(s.Text), "\n"), "\n") {
		if m := resultLine.FindStringSubmatch(strings.TrimPrefix(line, "\x16")); m != nil && m[2] == test {
			return true
		}
	}
	return false
}
