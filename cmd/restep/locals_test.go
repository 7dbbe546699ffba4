//go:build linux && (amd64 || arm64)

package main

import (
	"strings"
	"testing"
)

func TestOneLine(t *testing.T) {
	for value, want := range map[string]string{
		"7":               "7",
		`"a  b \" c/d.e"`: `"a  b \" c/d.e"`,
		"*example.com/bank.account {\n\tid: 1,\n\tname: \"x/y.z\",\n}": `*bank.account {id: 1, name: "x/y.z"}`,
		"*{\n\ts: \"bad thing\",}":                                     `*{s: "bad thing"}`,
		`("*example.com/a/v2/bank.account")(0x1e)`:                     `(*bank.account)(0x1e)`,
		`[]*github.com/x/y-z.T len: 1, cap: 1, [nil]`:                  `[]*y-z.T len: 1, cap: 1, [nil]`,
		`(*"internal/poll".FD)(0x1)`:                                   `(*poll.FD)(0x1)`,
		`"unfinished`:                                                  `"unfinished`,
	} {
		if got := oneLine(value); got != want {
			t.Errorf("%s\ngives %s\nwant  %s", value, got, want)
		}
	}
}

func TestLocalsLines(t *testing.T) {
	a := &localsAnswer{Locals: []localValue{{"x", strings.Repeat("é", 200)}, {"y", "\x1b[31m"}}, More: 2}
	lines := a.lines()
	if len(lines) != 3 || len([]rune(lines[0])) != localsWidth || strings.ContainsRune(lines[1], 0x1b) || lines[2] != "         and 2 more" {
		t.Errorf("%q", lines)
	}
	a = &localsAnswer{Error: "this host does not let the debugger attach", Advice: strings.Repeat("run sudo ", 20) + "x"}
	if lines = a.lines(); len(lines) != 2 || lines[0] != "  locals not read: this host does not let the debugger attach" ||
		!strings.HasSuffix(lines[1], "sudo x") {
		t.Errorf("%q", lines)
	}
	if lines = (&localsAnswer{}).lines(); len(lines) != 0 {
		t.Errorf("%q", lines)
	}
}
