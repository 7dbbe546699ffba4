//go:build linux && (amd64 || arm64)

package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim/inject"
)

func mustParse(t *testing.T, args ...string) *testConfig {
	t.Helper()
	c, err := parseTest(args, nil)
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
	if got := strings.Join(c.repeat, " "); got != "-env=A=1 -env=B= -mod=mod -short -tags=x,y -timeout=3s" {
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
		_, err := parseTest([]string{"-" + name, "x"}, nil)
		var refused *refusedFlag
		if !errors.As(err, &refused) || err.Error() != "-"+name+": "+why || why == "" {
			t.Errorf("-%s: %v", name, err)
		}
	}
}

// TestFlagsOfGo: each flag that the installed Go documents for its tests does
// what it does there or says in one sentence why not.
func TestFlagsOfGo(t *testing.T) {
	flagLine := regexp.MustCompile(`(?m)^\t-([a-zA-Z]+)( .*)?$`)
	c := &testConfig{}
	known := c.flagSet(&flagText{})
	found := 0
	for _, topic := range []string{"testflag", "build", "test"} {
		text, err := exec.Command("go", "help", topic).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range flagLine.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "args" {
				continue // no flag: it ends them
			}
			if found++; known.Lookup(m[1]) == nil {
				t.Errorf("go help %s has -%s: add it to the flags of restep test, or to those it refuses", topic, m[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d flags found in what go help prints", found)
	}
}

func TestGoflags(t *testing.T) {
	c, err := parseTest([]string{"-short=false", "-run=Y"}, []string{"-tags=a,b", "-short", "-v", "-run=X", "-p=1", "--test.count=3"})
	if err != nil || c.short || !c.verbose || c.runText != "Y" || c.count != 3 || !slices.Equal(c.listTags, []string{"a", "b"}) || len(c.build)+len(c.tags) > 0 {
		t.Errorf("%v %+v", err, c)
	}
	c, err = parseTest([]string{"-tags=c"}, []string{"-tags=a,b"})
	if err != nil || !slices.Equal(c.listTags, []string{"c"}) {
		t.Errorf("%v %+v", err, c)
	}
	if _, err = parseTest(nil, []string{"-timeout=x"}); err == nil || !strings.HasPrefix(err.Error(), "GOFLAGS: -timeout=x: ") {
		t.Error(err)
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]uint64{
		"0": 0, "67108864": 64 << 20, "67108865B": 64<<20 + 1, "512MiB": 512 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40, "4095TiB": 4095 << 40,
	} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%s: %d %v", s, got, err)
		}
	}
	for _, s := range []string{"", "GiB", "-1", "1", "63MiB", "1.5GiB", "1 GiB", "2GB", "9999999999TiB", "18446744073709551615"} {
		if got, err := parseSize(s); err == nil {
			t.Errorf("%q: %d", s, got)
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

// TestHelp: what a command says of itself fits a terminal, and names each flag
// that parseTest knows by itself.
func TestHelp(t *testing.T) {
	for _, c := range commands() {
		for line := range strings.Lines(overview() + c.help) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 79 || strings.Contains(line, "\t") {
				t.Errorf("restep help %s: %d columns: %s", c.name, n, line)
			}
		}
	}
	c := &testConfig{}
	c.flagSet(&flagText{}).VisitAll(func(f *flag.Flag) {
		_, refused := notSupported[f.Name]
		if !refused && !slices.Contains(buildValues, f.Name) && !slices.Contains(buildBools, f.Name) && !strings.Contains(testHelp, "-"+f.Name) {
			t.Errorf("restep help test does not name -%s", f.Name)
		}
	})
}

func TestExecFlag(t *testing.T) {
	c := mustParse(t, "-exec", "qemu-aarch64 -cpu 'max'")
	if !slices.Equal(c.exec, []string{"qemu-aarch64", "-cpu", "max"}) || !slices.Contains(c.repeat, "-exec=qemu-aarch64 -cpu 'max'") {
		t.Errorf("exec %q, to repeat %q", c.exec, c.repeat)
	}
	other, here := &inject.Binary{GOARCH: "other"}, &inject.Binary{GOARCH: runtime.GOARCH}
	if got := c.runner(here); !slices.Equal(got, c.exec) {
		t.Errorf("-exec counts for this computer's binaries, too: %q", got)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "go_linux_other_exec")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	c = mustParse(t)
	if got := c.runner(other); !slices.Equal(got, []string{path}) {
		t.Errorf("another CPU's binary is run by %q", got)
	}
	if got := c.runner(here); got != nil {
		t.Errorf("this computer's binary is run by %q", got)
	}
}
