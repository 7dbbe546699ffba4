package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme: the table takes the place of the one before it, and nothing else
// of the page changes.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	path := filepath.Join(root, "sim", "README.md")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"first", "second"} {
		if err := (&bench{root: root}).writeReadme(host, [][]string{{"what", "restep"}, {"---", "---"}, {"sleep", "1 ns"}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), tableStart)
	_, after, _ := strings.Cut(rest, tableEnd)
	const table = "second:\n\n| what | restep |\n| --- | --- |\n| sleep | 1 ns |\n"
	if want := before + tableStart + table + tableEnd + after; string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
