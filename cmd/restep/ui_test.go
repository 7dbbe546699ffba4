package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestWorkLine: the line of a build fits on a terminal, counts the seconds of
// what it is at, and never loses how far it is.
func TestWorkLine(t *testing.T) {
	start := time.Unix(100, 0)
	long := "compiling the standard library, once, and example.com/" + strings.Repeat("ü", 60)
	var w work
	for _, step := range []struct {
		said  string
		after time.Duration
		want  string
	}{
		{"", 0, ""},
		{"compiling x", 0, "restep: compiling x"},
		{"compiling x", 1500 * time.Millisecond, "restep: compiling x (1s)"},
		{"compiling x: 3 of 9 packages", 2 * time.Second, "restep: compiling x: 3 of 9 packages (2s)"},
		{"recording TestX", 5 * time.Second, "restep: recording TestX"},
		{long + ": 3 of 231 packages", 6 * time.Second, "restep: " + long[:len("compiling the standard library, ")]},
		{"", 16 * time.Second, "…: 3 of 231 packages (10s)"},
	} {
		now := start.Add(step.after)
		if step.said != "" {
			w.next(step.said, now)
		}
		got := w.line(now)
		if !strings.Contains(got, step.want) || step.want == "" && got != "" || utf8.RuneCountInString(got) > statusWidth {
			t.Errorf("%q after %v: %q, want %q", step.said, step.after, got, step.want)
		}
	}
}
