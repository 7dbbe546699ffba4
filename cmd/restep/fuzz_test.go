//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzSeeds: a list of seeds is what its text says, or an error of one line.
func FuzzSeeds(f *testing.F) {
	for _, s := range []string{"1", "1,2,5-10", "18446744073709551615", "0-18446744073709551615", "5-2", "1,,2", "-", "+1", "1e3", "0x1", "\x1b[31m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := parseSeeds(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("error %q", err)
			}
			return
		}
		var text []string
		for _, r := range set {
			if r.from > r.to {
				t.Fatalf("%q: %d-%d", s, r.from, r.to)
			}
			text = append(text, fmt.Sprintf("%d-%d", r.from, r.to))
		}
		again, err := parseSeeds(strings.Join(text, ","))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(set) || set.count() == 0 {
			t.Fatalf("%q: %v, then %v %v", s, set, again, err)
		}
		n := uint64(0)
		for range set.all() {
			if n++; n == 100 {
				break
			}
		}
		if n != min(100, set.count()) {
			t.Fatalf("%q: %d seeds, counted %d", s, n, set.count())
		}
	})
}

// FuzzPattern: what selects a test also runs it: the pattern that the binary
// gets matches the test, level by level, as the user's pattern does.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"TestX", "^TestX$/a|b", "X/[/]", "(a|b)/c", "a\\|b", "X/(", "[", "|", "/", "Test X", "日本"} {
		f.Add(s, "TestX")
	}
	f.Fuzz(func(t *testing.T, s, test string) {
		if !utf8.ValidString(s) || !isTestName(test) {
			return
		}
		p, err := parsePattern("run", s)
		if err != nil {
			return
		}
		only := p.only(test)
		back, err := parsePattern("run", only)
		if err != nil {
			t.Fatalf("%q: %q: %v", s, only, err)
		}
		if !back.selects(test) {
			t.Fatalf("%q: %q does not run %s", s, only, test)
		}
		if back.selects(test + "Y") {
			t.Fatalf("%q: %q runs more than %s", s, only, test)
		}
		if p.skips(test) && !p.selects(test) {
			t.Fatalf("%q skips what it does not match", s)
		}
	})
}

// FuzzSteps: the filter of restep steps is a filter or an error, whatever the
// arguments; nothing else comes of them.
func FuzzSteps(f *testing.F) {
	for _, s := range []string{"-kind=log,send TestX", "-from=#3 -to 9 x.steplog", "-machine a,b -grep (",
		"-seed=-1", "TestX/sub", "-n 99999999999999999999", "..", "-json -stacks"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseSteps(strings.Fields(s))
		if err != nil {
			return
		}
		if strings.Contains(c.what, "/") && !strings.HasSuffix(c.what, ".steplog") || c.what == ".." {
			t.Fatalf("%q names %q", s, c.what)
		}
		for _, k := range c.filter.Kinds {
			if k.String() == "" {
				t.Fatalf("%q: kind %d", s, k)
			}
		}
		if c.grep != nil {
			if _, err := regexp.Compile(c.grep.String()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
