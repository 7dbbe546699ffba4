//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// recorded is a run with one log line.
func recorded(t *testing.T, line string) done {
	t.Helper()
	l := logtest.New(t, steplog.Header{Seed: 1, Test: "TestX"})
	l.Add(logtest.Event{Kind: steplog.KindBoot, Machine: 1, Text: "main"})
	l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: line})
	l.Add(logtest.Event{Kind: steplog.KindEnd, Machine: 1})
	path := filepath.Join(t.TempDir(), "x.steplog")
	if err := os.WriteFile(path, l.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := runs.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	last, err := log.Step(log.Steps())
	if err != nil {
		t.Fatal(err)
	}
	return done{log: log, outcome: runs.Outcome{Result: runs.Pass, Steps: log.Steps(), Checksum: last.Checksum}}
}

func TestCompareRuns(t *testing.T) {
	a, b, c := recorded(t, "one"), recorded(t, "one"), recorded(t, "two")
	compareRuns(&a, &b, 2)
	if a.outcome.Result != runs.Pass {
		t.Errorf("equal runs: %+v", a.outcome.Failure)
	}
	compareRuns(&a, &c, 3)
	f := a.outcome.Failure
	if a.outcome.Result != runs.Fail || f.Step != 2 || f.Machine != "main" ||
		!strings.HasPrefix(f.Message, `run 3 of the same seed is not the same: step 2: text differs: "one" and "two"`) {
		t.Errorf("%s %+v", a.outcome.Result, f)
	}
}

// TestTallyWaits: the line names the run and fits on a terminal with a name that
// is no longer than most.
func TestTallyWaits(t *testing.T) {
	c := &tally{done: 2, failed: 1, all: 3}
	if got, want := c.waits(job{2, "TestSpin", 7}, 12900*time.Millisecond),
		"explored 2/3 runs, 1 failed; waiting for TestSpin, seed 7 (12s)"; got != want || len(got) > statusWidth {
		t.Errorf("%s, want %s", got, want)
	}
}
