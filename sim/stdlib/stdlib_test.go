package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStandardLibrary compares a few packages, all of them in the nightly mode.
func TestStandardLibrary(t *testing.T) {
	names := []string{"container/list", "context", "io", "io/fs", "log/slog"}
	if os.Getenv("RESTEP_NIGHTLY") == "1" {
		names = nil
	}
	var table bytes.Buffer
	ok, err := compare(t.Context(), &table, os.Getenv("RESTEP_STDLIB_KEEP"), names)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Errorf("differences that sim/stdlib/testdata/differ.txt does not explain:\n%s", table.String())
	}
	t.Log("\n" + table.String())
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "differ.txt")
	err := os.WriteFile(file, []byte(`# comment
os TestExec*    exec     starts the go tool  # as it does
os TestStale    exec     passes now
os TestFlaky?   slow     at times
net TestExecB   other    of another package
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readDifferences(file)
	if err != nil {
		t.Fatal(err)
	}
	events := func(text string) outcome {
		o, err := readEvents(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	native := events(`{"Action":"run","Test":"TestA"}
{"Action":"pass","Test":"TestA"}
text of a program
{"Action":"skip","Test":"TestSkipped"}
{"Action":"fail","Test":"TestBroken"}
{"Action":"pass","Test":"TestExecA"}
{"Action":"pass","Test":"TestExecA/sub/deep"}
{"Action":"pass","Test":"TestLost"}
{"Action":"pass","Test":"TestFlaky"}
{"Action":"pass","Test":"TestStale"}
{"Action":"pass"}
`)
	simulated := maps.Clone(native)
	simulated["TestExecA"], simulated["TestExecA/sub/deep"] = "fail", "skip"
	delete(simulated, "TestLost")
	var r report
	r.add(pkg{name: "os"}, native, simulated, list)
	if r.right() {
		t.Error("a lost test is not told")
	}
	var out strings.Builder
	r.print(&out)
	const want = `  native  restep    share  package
       6       3  50.00 %  os
       6       3  50.00 %  all

exec: 2, 33.33 %
  os TestExecA: starts the go tool
  os TestExecA/sub/deep: starts the go tool

not in testdata/differ.txt:
  os TestLost: did not run; see restep test -run '^TestLost$' in GOROOT/src
  os TestStale: passes now: take it out of differ.txt
`
	if out.String() != want {
		t.Errorf("got:\n%swant:\n%s", out.String(), want)
	}
	if err := os.WriteFile(file, []byte("os TestX exec\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readDifferences(file); err == nil {
		t.Error("an entry without a reason is taken")
	}
}
