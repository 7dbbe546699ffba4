package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCrossBuild compiles the command and its tests for systems on which it
// reads logs: one of each kind, and in the nightly run all of them, linked.
func TestCrossBuild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library for other systems")
	}
	targets, command := []string{"darwin/arm64", "windows/amd64"}, []string{"vet", "."}
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		targets = append(targets, "darwin/amd64", "windows/arm64", "linux/arm64")
		command = []string{"build", "-o", os.DevNull, "."}
	}
	for _, target := range targets {
		goos, goarch, _ := strings.Cut(target, "/")
		cmd := exec.Command("go", command...)
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOPROXY=off", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("GOOS=%s GOARCH=%s %s, in cmd/restep: %v\n%s\nput what needs linux behind a build tag", goos, goarch, cmd, err, out)
		}
	}
}

func TestWayFrom(t *testing.T) {
	for _, test := range []struct{ goos, goarch, want string }{
		{"darwin", "amd64", "dev container (restep init --devcontainer)"},
		{"darwin", "arm64", "dev container (restep init --devcontainer)"},
		{"windows", "386", "by Remote SSH"},
		{"linux", "riscv64", "use a linux/amd64 computer"},
		{"windows", "amd64", "use WSL"},
	} {
		if got := wayFrom(test.goos, test.goarch); !strings.Contains(got, test.want) || strings.Contains(got, "\n") || strings.HasSuffix(got, ".") {
			t.Errorf("%s/%s: %q, want one sentence with %q", test.goos, test.goarch, got, test.want)
		}
	}
	if !canSimulate("linux", "amd64") || !canSimulate("linux", "arm64") || canSimulate("linux", "386") || canSimulate("darwin", "amd64") {
		t.Error("canSimulate")
	}
}
