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
	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
)

// TestLive: wherever a run was when its log was looked at, what is printed of
// it is the same in the end.
func TestLive(t *testing.T) {
	l := logtest.New(t, steplog.Header{Seed: 1, Test: "TestX", Package: "example.com/m", Module: "example.com/m"})
	l.Machine(steplog.Machine{ID: 3, Label: "replica-1"})
	stack := []steplog.Frame{{Func: "example.com/m.TestX", File: "example.com/m/x_test.go", Line: 7}}
	var logs [][]byte // as they were after each step
	add := func(e logtest.Event) {
		l.Add(e)
		logs = append(logs, l.Growing())
	}
	test := func(text string) { add(logtest.Event{Kind: steplog.KindTest, Machine: 1, Text: text}) }
	log := func(machine steplog.MachineID, text string) {
		add(logtest.Event{Kind: steplog.KindLog, Machine: machine, Goroutine: 12, Text: text, Stack: stack})
	}
	add(logtest.Event{Kind: steplog.KindBoot, Machine: 1, Text: "main"})
	test("=== RUN   TestX\n")
	log(1, "one")
	add(logtest.Event{Kind: steplog.KindBoot, Machine: 3, Text: "replica-1"})
	log(3, "two\nlines")
	test("=== RUN   TestX/sub\n")
	log(1, strings.Repeat("long ", 20_000)) // more than a block
	test("    --- PASS: TestX/sub (1.00s)\n")
	test("--- PASS: TestX (1.00s)\n")
	log(1, "afterwards")
	add(logtest.Event{Kind: steplog.KindEnd, Machine: 1})
	l.Close()
	last := len(logs) - 1

	cfg := mustParse(t, "-v")
	bin := &inject.Binary{ModulePath: "example.com/m", ImportPath: "example.com/m"}
	path := filepath.Join(t.TempDir(), "x.steplog")
	print := func(looks ...int) string {
		var out strings.Builder
		u := &ui{out: &out, err: &out}
		r := &reporter{subject: newSubject(cfg, bin, nil), u: u, sink: &textSink{u}, pkg: "example.com/m", failed: map[string]int{}, soonest: map[string]*soonest{}}
		j := job{test: "TestX", seed: 1}
		for _, n := range looks {
			if err := os.WriteFile(path, logs[n], 0o644); err != nil {
				t.Fatal(err)
			}
			r.liveAfter = time.Time{}
			r.live(j, path)
		}
		if err := os.WriteFile(path, logs[last], 0o644); err != nil {
			t.Fatal(err)
		}
		d := &done{job: j, outcome: runs.Outcome{Result: runs.Pass}}
		var err error
		if d.log, err = runs.Load(path); err != nil {
			t.Fatal(err)
		}
		defer d.log.Close()
		r.run(d)
		return out.String()
	}
	want := print()
	if n := strings.Count(want, "\n"); n != 9 || strings.Count(want, "--- PASS: TestX (") != 1 || !strings.Contains(want, " 3 main/12  00:00") {
		t.Fatalf("%d lines:\n%.2000s", n, want)
	}
	for n := range logs {
		for m := n; m <= last; m++ {
			if got := print(n, m, m, last); got != want {
				t.Fatalf("looked at after %d and %d steps:\n%.2000s\nwant\n%.2000s", n+1, m+1, got, want)
			}
		}
	}
}
