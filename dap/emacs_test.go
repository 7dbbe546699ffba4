package dap

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// elpa are the folders in which Debian and .ci/emacs.sh have Emacs packages.
var elpa = []string{"/usr/share/emacs/site-lisp/elpa-src", "/usr/local/share/emacs/site-lisp/elpa-src"}

// TestEmacs drives the adapter with dap-mode, by the configuration of README.md.
func TestEmacs(t *testing.T) {
	emacs, err := exec.LookPath("emacs")
	var load []string
	for _, folder := range elpa {
		dirs, _ := filepath.Glob(folder + "/*")
		for _, d := range dirs {
			load = append(load, "-L", d)
		}
	}
	if err != nil || !strings.Contains(strings.Join(load, " "), "/dap-mode-") {
		t.Skip("emacs with dap-mode is not installed: .ci/emacs.sh")
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile("(?s)```elisp\n(.*?)```").FindSubmatch(readme)
	dir := t.TempDir()
	restep := fmt.Sprintf("#!/bin/sh\nexec '%s' %s\n", os.Args[0], testStdio)
	for name, text := range map[string]string{"restep": restep, "config.el": string(config[1])} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	n := firstRequest(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, emacs, append(append([]string{"-Q", "--batch"}, load...), "-l", "testdata/emacs.el")...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "PATH="+dir+":"+os.Getenv("PATH"), "XDG_CACHE_HOME="+cache, "GOPATH="+goEnv(t, "GOPATH"),
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "CONFIG="+filepath.Join(dir, "config.el"), "MODULE="+module, fmt.Sprintf("STEP=%d", n),
		"PROGRAMS="+processFile("."))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := string(out)
	line := lineOf(t, `got a request`)
	for _, want := range []string{
		`(?m)^entry: .*`, fmt.Sprintf(`(?m)^jump: .*server.func1:%d$`, line), `(?m)^value: "11\.0\.0\.1:\d+"$`,
		fmt.Sprintf(`(?m)^next: .*server.func1:%d$`, line+1), fmt.Sprintf(`(?m)^back: .*server.func1:%d$`, line),
		fmt.Sprintf(`(?m)^reverse: .*server:%d$`, lineOf(t, "starting server")), `(?m)^threads: main/\d+ .*; server/\d+ `, `(?m)^end: yes$`,
		`(?m)^process: .*work.Do:13$`, `(?m)^processes: a/1 .*; b/1 `, `(?m)^end of processes: yes$`,
	} {
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	noChildren(t)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
