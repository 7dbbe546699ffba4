//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		name           string
		profiles       []string
		describe, want string
	}{
		{"sums", []string{
			"mode: count\nm/b.go:1.2,3.4 2 5\nm/a.go:10.1,10.9 1 0\n",
			"mode: count\nm/b.go:1.2,3.4 2 6\nm/a.go:10.1,10.9 1 0\nm/a.go:9.1,9.9 1 1\n",
		}, "coverage: 75.0% of statements in ./..., x", "mode: count\nm/a.go:9.1,9.9 1 1\nm/a.go:10.1,10.9 1 0\nm/b.go:1.2,3.4 2 11\n"},
		{"union", []string{
			"mode: set\nC:/m/a.go:1.2,3.4 1 1\nC:/m/a.go:4.1,5.1 2 0\n", "mode: set\nC:/m/a.go:1.2,3.4 1 0\nC:/m/a.go:4.1,5.1 2 1\n",
		}, "coverage: 100.0% of statements in ./..., x", "mode: set\nC:/m/a.go:1.2,3.4 1 1\nC:/m/a.go:4.1,5.1 2 1\n"},
		{"empty", []string{"mode: atomic\n"}, "coverage: [no statements]", "mode: atomic\n"},
		{"no profile", nil, "", "mode: \n"},
	} {
		var cov coverage
		for _, p := range c.profiles {
			if err := cov.add(p); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if got := cov.describe([]string{"./...", "x"}); got != c.describe {
			t.Errorf("%s: %s", c.name, got)
		}
		var b strings.Builder
		if err := cov.write(&b); err != nil || b.String() != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, b.String())
		}
	}
}

func TestDamagedProfile(t *testing.T) {
	good := "mode: set\nm/a.go:1.2,3.4 5 1\n"
	for _, bad := range []string{
		"", "x", "x\n", good[:len(good)-1], good + "\n", good + "m/a.go:1.2,3.4 5\n", good + "m/a.go:1.2,3.4 5 -1\n",
		good + ":1.2,3.4 5 1\n", good + "m/a.go 1.2,3.4 5 1\n", good + "m/a.go:1.2,3.4 5 1 6\n", strings.Replace(good, "set", "count", 1),
	} {
		var cov coverage
		if err := cov.add(good); err != nil {
			t.Fatal(err)
		}
		before := len(cov.blocks)
		if err := cov.add(bad); !errors.Is(err, errProfile) || len(cov.blocks) != before {
			t.Errorf("%q: %v, %d blocks", bad, err, len(cov.blocks))
		}
	}
}

func TestCoverFlags(t *testing.T) {
	for _, c := range []struct {
		args, repeat string
		packages     []string
	}{
		{"-cover", "-covermode=set", nil},
		{"-cover=false -coverprofile=x", "-covermode=set", nil},
		{"-test.covermode=atomic", "-covermode=atomic", nil},
		{"-coverpkg=./...,net/url", "-covermode=set -coverpkg=./...,net/url", []string{"./...", "net/url"}},
	} {
		cfg := mustParse(t, strings.Fields(c.args)...)
		if cfg.cover == nil || !slices.Equal(cfg.cover.Packages, c.packages) || strings.Join(cfg.repeat, " ") != c.repeat {
			t.Errorf("%s: %+v %q", c.args, cfg.cover, cfg.repeat)
		}
	}
	if cfg := mustParse(t, "-cover=false"); cfg.cover != nil || len(cfg.repeat) > 0 {
		t.Errorf("%+v", cfg)
	}
}
