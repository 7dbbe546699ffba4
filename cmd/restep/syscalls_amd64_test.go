package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var updateReadme = flag.Bool("update-readme", false, "write the list of system calls into README.md")

const (
	readmePath  = "../../README.md"
	syscallsTop = "<!-- restep syscalls: made by go test ./cmd/restep -run TestReadmeSyscalls -update-readme -->\n"
	syscallsEnd = "<!-- end of restep syscalls -->\n"
)

// readmeSyscalls is the table of system calls as README shows it.
func readmeSyscalls() string {
	names := map[string][]string{}
	for _, row := range syscallRows() {
		name := "`" + row.Name + "`"
		if row.Support == "partial" && row.Note != "" {
			name += " (" + row.Note + ")"
		}
		names[row.Support] = append(names[row.Support], name)
	}
	var b strings.Builder
	b.WriteString("| support | system calls |\n|---|---|\n")
	for _, level := range []string{"full", "partial", "missing"} {
		fmt.Fprintf(&b, "| %s, %d | %s |\n", level, len(names[level]), strings.Join(names[level], ", "))
	}
	return b.String()
}

// TestReadmeSyscalls: README lists what the kernel's table says.
func TestReadmeSyscalls(t *testing.T) {
	text, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), syscallsTop)
	table, after, closed := strings.Cut(rest, syscallsEnd)
	if !ok || !closed {
		t.Fatalf("README.md has no place for the table: %s%s", syscallsTop, syscallsEnd)
	}
	want := readmeSyscalls()
	if table == want {
		return
	}
	if !*updateReadme {
		t.Fatal("README.md lists other system calls than the kernel; run: go test ./cmd/restep -run TestReadmeSyscalls -update-readme")
	}
	if err := os.WriteFile(readmePath, []byte(before+syscallsTop+want+syscallsEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
