//go:build linux && amd64

package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustParse(t *testing.T, args ...string) *testConfig {
	t.Helper()
	c, err := parseTest(args)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return c
}

func TestParseTest(t *testing.T) {
	c := mustParse(t, "-v", "./a", "-run", "X", "./b", "-test.short", "-timeout=3s", "-seeds=1-3", "-env=A=1", "--env=B=", "-tags=x,y",
		"-mod=mod", "-p", "2", "-count", "2", "-args", "-v", "./c")
	if !slices.Equal(c.packages, []string{"./a", "./b"}) || !slices.Equal(c.args, []string{"-v", "./c"}) {
		t.Errorf("%q %q", c.packages, c.args)
	}
	if !c.verbose || !c.short || c.timeout != 3*time.Second || c.seeds.count() != 3 || c.count != 2 || !c.run.selects("TestX") {
		t.Errorf("%+v", c)
	}
	if got := strings.Join(c.repeat, " "); got != "-env=A=1 -env=B= -mod=mod -short -tags=x,y" {
		t.Errorf("flags to repeat: %s", got)
	}
	if !slices.Equal(c.build, []string{"-mod=mod", "-p=2"}) || !slices.Equal(c.flags, []string{"-test.short=true"}) {
		t.Errorf("%q %q", c.build, c.flags)
	}
	c = mustParse(t)
	if !slices.Equal(c.packages, []string{"."}) || c.timeout != 2*time.Minute || c.seeds.describe() != "seed 1" || c.workers < 1 {
		t.Errorf("%+v", c)
	}
	if c = mustParse(t, "-race=false", "-json"); !c.verbose {
		t.Error("-json shows everything")
	}
}

func TestNotSupportedFlags(t *testing.T) {
	for name, why := range notSupported {
		if same, ok := strings.CutPrefix(why, "="); ok {
			why = notSupported[same]
		}
		_, err := parseTest([]string{"-" + name, "x"})
		var refused *refusedFlag
		if !errors.As(err, &refused) || err.Error() != "-"+name+": "+why || why == "" {
			t.Errorf("-%s: %v", name, err)
		}
	}
}

func TestQuoteArgs(t *testing.T) {
	if got := quoteArgs([]string{"-run", "^X$", "a'b", "", "-env=A=1", "./x"}); got != `-run '^X$' 'a'\''b' '' -env=A=1 ./x` {
		t.Error(got)
	}
}

func TestStatusLine(t *testing.T) {
	var out, err strings.Builder
	u := &ui{out: &out, err: &err, errTerm: true}
	u.status("explored 1/2 runs\x1b")
	u.printf("line\n")
	u.status("")
	if out.String() != "line\n" || err.String() != `explored 1/2 runs\x1b`+"\r"+strings.Repeat(" ", 21)+"\r" {
		t.Errorf("%q %q", out.String(), err.String())
	}
	err.Reset()
	u.errTerm = false
	u.status("explored 1/2 runs")
	if err.String() != "" {
		t.Errorf("not on a terminal: %q", err.String())
	}
}
