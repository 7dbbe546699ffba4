//go:build linux && (amd64 || arm64)

package main

import (
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		pattern  string
		selected string // of TestA, TestAB, TestC
		skipped  string
		onlyA    string
	}{
		{"", "TestA TestAB TestC", "", "^TestA$"},
		{"A", "TestA TestAB", "TestA TestAB", "^TestA$"},
		{"^TestA$", "TestA", "TestA", "^TestA$"},
		{"TestA$|C", "TestA TestC", "TestA TestC", "^TestA$"},
		{"TestA/x y/^z$", "TestA TestAB", "", "^TestA$/x y/^z$"},
		{"TestA/x|TestA/y|C/z", "TestA TestAB TestC", "", "^TestA$/x|^TestA$/y"},
		{"TestA/x|TestA", "TestA TestAB", "TestA TestAB", "^TestA$"},
		{"Test(A|C)/[/|]", "TestA TestAB TestC", "", "^TestA$/[/|]"},
		{`Test\|A`, "", "", "^TestA$"},
		{"/sub", "TestA TestAB TestC", "", "^TestA$/sub"},
	} {
		p, err := parsePattern("run", test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var selected, skipped []string
		for _, name := range []string{"TestA", "TestAB", "TestC"} {
			if p.selects(name) {
				selected = append(selected, name)
			}
			if p.skips(name) {
				skipped = append(skipped, name)
			}
		}
		if got := strings.Join(selected, " "); got != test.selected {
			t.Errorf("-run %q selects %q, want %q", test.pattern, got, test.selected)
		}
		if got := strings.Join(skipped, " "); got != test.skipped {
			t.Errorf("-skip %q leaves out %q, want %q", test.pattern, got, test.skipped)
		}
		if got := p.only("TestA"); got != test.onlyA {
			t.Errorf("-run %q for TestA is %q, want %q", test.pattern, got, test.onlyA)
		}
	}
	if _, err := parsePattern("skip", "a/["); err == nil || !strings.HasPrefix(err.Error(), `-skip: element "["`) {
		t.Errorf("%v", err)
	}
}

func TestIsTestName(t *testing.T) {
	for name, want := range map[string]bool{
		"TestX": true, "Test": true, "Test_x": true, "Test1": true, "TestÄ": true, "FuzzX": true, "ExampleT_M": true, "Example": true,
		"BenchmarkX": true, "Testx": false, "Benchmarkx": false, "Test X": false, "Testing 1 2 3": false, "ok": false, "": false, "Test.X": false,
	} {
		if got := isTestName(name); got != want {
			t.Errorf("isTestName(%q) = %v", name, got)
		}
	}
}
