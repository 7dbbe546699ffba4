package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAnnotation(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "repo", "bank", "a,b.go")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "repo"), link); err != nil {
		t.Fatal(err)
	}
	a := &annotation{file: file, line: 84, title: "TestX (seed 7): 1,2", text: []string{"100% wrong", "again  restep test"}}
	for workspace, want := range map[string]string{
		filepath.Join(dir, "repo"): "::error file=bank/a%2Cb.go,line=84,title=TestX (seed 7)%3A 1%2C2::100%25 wrong%0Aagain  restep test",
		link:                       "::error file=bank/a%2Cb.go,line=84,title=TestX (seed 7)%3A 1%2C2::100%25 wrong%0Aagain  restep test",
		filepath.Join(dir, "else"): "::error title=TestX (seed 7)%3A 1%2C2::100%25 wrong%0Aagain  restep test",
		"":                         "::error title=TestX (seed 7)%3A 1%2C2::100%25 wrong%0Aagain  restep test",
	} {
		env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": workspace}
		if got := a.command(func(key string) string { return env[key] }); got != want {
			t.Errorf("%s gives\n%s\nwant\n%s", workspace, got, want)
		}
	}
	if got := a.command(func(string) string { return "" }); got != "" {
		t.Errorf("outside of a job: %s", got)
	}
}
