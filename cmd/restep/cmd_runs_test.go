package main

import (
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/replay/runs"
)

// TestRunsTable: a screen too narrow for the paths of the logs does without.
func TestRunsTable(t *testing.T) {
	store, err := runs.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	list := []runs.Result{{
		Test: "TestX", Package: "example.com/m", Module: "example.com/m", Seed: 7, Result: runs.Fail, Steps: 42,
		Time: time.Unix(1, 0), Log: "TestX-7-0123456789abcdef.steplog",
	}}
	all := string(runsTable(store, list, 0))
	head, _, _ := strings.Cut(all, "\n")
	if !strings.HasSuffix(all, ".steplog\n") || !strings.HasSuffix(head, "  log") {
		t.Errorf("without a screen:\n%s", all)
	}
	row := strings.Split(all, "\n")[1]
	if wide := string(runsTable(store, list, len(row))); wide != all {
		t.Errorf("on a screen of %d columns:\n%s", len(row), wide)
	}
	narrow := string(runsTable(store, list, len(row)-1))
	if strings.Contains(narrow, "log") || !strings.HasSuffix(narrow, "  7  fail       42\n") {
		t.Errorf("on a screen of %d columns:\n%s", len(row)-1, narrow)
	}
}
