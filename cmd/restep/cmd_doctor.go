package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/inject"
)

const doctorHelp = `usage: restep doctor

Checks what restep needs of this computer and of the module in this folder,
one line each: "ok"; "warn" for what works with a loss; "fail" for what keeps
tests from running, or from being debugged. Exit code 1 when something fails.
`

// grade is how a check ended.
type grade int

const (
	gradeOK grade = iota
	gradeWarn
	gradeFail
)

func (g grade) String() string { return [...]string{"ok", "warn", "fail"}[g] }

// finding is what one check found.
type finding struct {
	grade grade
	name  string // of the check, one word
	text  string // what is there, or what is wrong and what to do
}

func found(g grade, name, format string, args ...any) finding {
	return finding{g, name, fmt.Sprintf(format, args...)}
}

// runDoctor is restep doctor.
func runDoctor(ctx context.Context, u *ui, args []string) int {
	if len(args) > 0 {
		return u.fail(exitUsage, "doctor takes no arguments")
	}
	return report(ctx, u, slices.Concat(commonChecks, systemChecks(), moduleChecks))
}

// report runs the checks and prints each finding at once: some take a while.
func report(ctx context.Context, u *ui, checks []func(context.Context) finding) int {
	failed := 0
	for _, check := range checks {
		if ctx.Err() != nil {
			return u.fail(exitInterrupt, "interrupted")
		}
		f := check(ctx)
		if f.name == "" {
			continue // it is about something that is not here
		}
		if f.grade == gradeFail {
			failed++
		}
		u.printf("%-5s %-9s %s\n", f.grade, f.name, strings.ReplaceAll(f.text, "\n", "\n"+strings.Repeat(" ", 16)))
	}
	if failed > 0 {
		return u.fail(exitFailed, plural(failed, "check")+" failed")
	}
	return exitOK
}

// commonChecks are those of every system.
var commonChecks = []func(context.Context) finding{checkHost, checkGo, checkCache}

// moduleChecks are about the module in this folder.
var moduleChecks = []func(context.Context) finding{checkRuns, checkSimPackage}

func checkHost(context.Context) finding {
	if canSimulate(runtime.GOOS, runtime.GOARCH) {
		return found(gradeOK, "host", "%s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return found(gradeFail, "host", "%s/%s cannot simulate, but read logs (restep steps, runs, lsp)\n%s", runtime.GOOS, runtime.GOARCH, wayToLinux())
}

// checkGo asks for the installation that builds tests here. Where it cannot
// be used there is a reason in the error.
func checkGo(ctx context.Context) finding {
	if !canSimulate(runtime.GOOS, runtime.GOARCH) {
		return finding{}
	}
	g, err := inject.FindGoroot(ctx, "", nil)
	if err != nil {
		return found(gradeFail, "go", "%v", err)
	}
	if _, err := os.Stat(filepath.Join(g.Root, "src", "cmd", "link", "main.go")); err != nil {
		return found(gradeFail, "go", "%s lacks the source of the linker (%v): install the full Go distribution", g.Root, err)
	}
	return found(gradeOK, "go", "%s in %s", g.Version, g.Root)
}

// checkCache makes sure that files can be written and run where test binaries
// are kept.
func checkCache(ctx context.Context) finding {
	base, err := os.UserCacheDir()
	if err != nil {
		return found(gradeFail, "cache", "%v; set XDG_CACHE_HOME or HOME", err)
	}
	dir := filepath.Join(base, "restep")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return found(gradeFail, "cache", "%v; set XDG_CACHE_HOME to a place that can be written", err)
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return found(gradeFail, "cache", "%v; set XDG_CACHE_HOME to a place that can be written", err)
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	if err != nil {
		return found(gradeFail, "cache", "%v", err)
	}
	return gradeDisk(dir)
}

// Space that the cache needs: the patched linker, the standard library built
// twice and some test binaries take about 1 GB.
const (
	diskFail = 500 << 20
	diskWarn = 2 << 30
)

// gradeSpace judges the free space below the cache, in bytes.
func gradeSpace(dir string, free uint64) finding {
	switch {
	case free < diskFail:
		return found(gradeFail, "cache", "%s has %d MB left, builds need about 1 GB: make room, or set XDG_CACHE_HOME and GOCACHE", dir, free>>20)
	case free < diskWarn:
		return found(gradeWarn, "cache", "%s has only %d MB left; builds need about 1 GB", dir, free>>20)
	}
	return found(gradeOK, "cache", "%s, %d GB left", dir, free>>30)
}

// checkRuns looks whether step logs can be kept in the module.
func checkRuns(context.Context) finding {
	moduleDir := findModule()
	if moduleDir == "" {
		return finding{}
	}
	dir := filepath.Join(moduleDir, runs.Dir)
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		return found(gradeWarn, "runs", "%s is not a folder, so step logs go to %s; remove it", dir, os.TempDir())
	}
	probe := dir
	if _, err := os.Stat(dir); err != nil {
		probe = moduleDir
	}
	f, err := os.CreateTemp(probe, ".restep-doctor-")
	if err != nil {
		return found(gradeWarn, "runs", "%s cannot be written, so step logs go to %s", probe, os.TempDir())
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return found(gradeWarn, "runs", "%v", err)
	}
	return found(gradeOK, "runs", "step logs go to %s", nearPath(dir))
}

// checkSimPackage looks whether the module can import package sim, and the one
// that this binary knows.
func checkSimPackage(ctx context.Context) finding {
	if findModule() == "" {
		return finding{}
	}
	dir, version, err := findSim(ctx, "")
	if err != nil {
		return found(gradeOK, "sim", "tests run as they are; to import package sim: restep init")
	}
	if err := inject.CheckSim(dir, version); err != nil {
		return found(gradeFail, "sim", "%v", err)
	}
	return found(gradeOK, "sim", "API %d from %s", inject.OwnSimAPI(), dir)
}
