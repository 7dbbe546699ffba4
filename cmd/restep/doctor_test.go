//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGrades(t *testing.T) {
	for _, test := range []struct {
		f    finding
		want grade
		text string
	}{
		{gradeSpace("/c", diskFail-1), gradeFail, "make room"},
		{gradeSpace("/c", diskWarn-1), gradeWarn, "2047 MB"},
		{gradeSpace("/c", diskWarn), gradeOK, "/c, 2 GB left"},
		{gradeProcesses(processesFail-1, "ulimit -u"), gradeFail, "raise ulimit -u"},
		{gradeProcesses(processesWarn-1, "ulimit -u"), gradeWarn, "-j 1"},
		{gradeProcesses(4000, "ulimit -u"), gradeOK, "4000"},
		{gradeProcesses(math.MaxUint64, "ulimit -u"), gradeOK, "no limit"},
		{gradeMemory(64 << 30), gradeFail, "ulimit -v unlimited"},
		{gradeMemory(70 << 30), gradeWarn, "70 GB"},
		{gradeMemory(math.MaxUint64), gradeOK, "no limit"},
	} {
		if test.f.grade != test.want || !strings.Contains(test.f.text, test.text) {
			t.Errorf("%+v, want %v with %q", test.f, test.want, test.text)
		}
	}
}

// TestReport ends with 1 when a check fails, and not when one only warns.
func TestReport(t *testing.T) {
	check := func(g grade) func(context.Context) finding {
		return func(context.Context) finding { return found(g, "thing", "what\nmore") }
	}
	nothing := func(context.Context) finding { return finding{} }
	var out, errs bytes.Buffer
	u := &ui{out: &out, err: &errs}
	if code := report(t.Context(), u, []func(context.Context) finding{check(gradeOK), nothing, check(gradeWarn)}); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if code := report(t.Context(), u, []func(context.Context) finding{check(gradeFail), check(gradeOK)}); code != exitFailed {
		t.Errorf("exit code %d with a failure", code)
	}
	line := func(g string) string {
		return g + strings.Repeat(" ", 6-len(g)) + "thing     what\n                more\n"
	}
	if want := line("ok") + line("warn") + line("fail") + line("ok"); out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if errs.String() != "restep: 1 check failed\n" {
		t.Errorf("%q", errs.String())
	}
}

func TestCheckCache(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	if f := checkCache(t.Context()); f.grade == gradeFail && !strings.Contains(f.text, "make room") {
		t.Errorf("%+v", f)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "restep")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", file)
	if f := checkCache(t.Context()); f.grade != gradeFail || !strings.Contains(f.text, "set XDG_CACHE_HOME") {
		t.Errorf("%+v", f)
	}
}

func TestCheckGoOfAnotherRelease(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho '{\"GOROOT\":\"/go\",\"GOVERSION\":\"go1.19\",\"GOOS\":\"linux\",\"GOARCH\":\"amd64\"}'\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if f := checkGo(t.Context()); f.grade != gradeFail || !strings.Contains(f.text, "go1.19 is not supported: install one of go1.26") {
		t.Errorf("%+v", f)
	}
	t.Setenv("PATH", t.TempDir())
	if f := checkGo(t.Context()); f.grade != gradeFail || !strings.Contains(f.text, "no go command") {
		t.Errorf("%+v", f)
	}
}
