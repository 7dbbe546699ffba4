package programs

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/sim/steplog"
)

// surroundings are what a run must not depend on. Each changes the process
// that starts the zygote.
var surroundings = []struct {
	name string
	set  func(t *testing.T)
}{
	{"as it is", func(*testing.T) {}},
	{"no environment", func(t *testing.T) { clearEnv(t) }},
	{"200 more variables", func(t *testing.T) {
		for i := range 200 {
			t.Setenv(fmt.Sprintf("RESTEP_TEST_%d", i), strings.Repeat("x", i))
		}
	}},
	{"GOGC", func(t *testing.T) { t.Setenv("GOGC", "400") }},
	{"GOGC off", func(t *testing.T) { t.Setenv("GOGC", "off"); t.Setenv("GOMEMLIMIT", "64MiB") }},
	{"GODEBUG", func(t *testing.T) { t.Setenv("GODEBUG", "cpu.aes=off,gctrace=1,randautoseed=0") }},
	{"GOMAXPROCS", func(t *testing.T) { t.Setenv("GOMAXPROCS", "7") }},
	{"TZ", func(t *testing.T) { t.Setenv("TZ", "Asia/Tokyo"); t.Setenv("LANG", "ja_JP.UTF-8") }},
	{"user", func(t *testing.T) { t.Setenv("USER", "somebody"); t.Setenv("HOME", t.TempDir()) }},
	{"cwd", func(t *testing.T) { t.Chdir("/") }},
	{"one core", func(t *testing.T) {
		var set unix.CPUSet
		set.Set(0)
		setAffinity(t, &set)
	}},
}

func clearEnv(t *testing.T) {
	for _, kv := range os.Environ() {
		key, value, _ := strings.Cut(kv, "=")
		t.Setenv(key, value) // to have it back
		os.Unsetenv(key)
	}
}

func setAffinity(t *testing.T, set *unix.CPUSet) {
	runtime.LockOSThread()
	var old unix.CPUSet
	if err := unix.SchedGetaffinity(0, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.SchedSetaffinity(0, set); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.SchedSetaffinity(0, &old)
		runtime.UnlockOSThread()
	})
}

// TestSameEverywhere: one program and one seed give the same step log, byte
// for byte, whatever surrounds the process, in a fresh zygote and in one that
// has run other seeds before.
func TestSameEverywhere(t *testing.T) {
	b := build(t, "storm")
	const seed = 7
	reference := simulate(t, start(t, b), "TestStorm", seed)
	reference.passes(t)
	if reference.Steps() < 1000 {
		t.Fatalf("only %d steps", reference.Steps())
	}
	rounds := 9
	if os.Getenv("RESTEP_NIGHTLY") != "" {
		rounds = 90
	}
	for _, s := range surroundings {
		t.Run(s.name, func(t *testing.T) {
			s.set(t)
			z := start(t, b)
			for i := range rounds {
				if i == rounds/2 {
					simulate(t, z, "TestStorm", seed+1)
				}
				compare(t, reference, simulate(t, z, "TestStorm", seed))
			}
		})
	}
}

// compare fails the test at the first step that differs.
func compare(t *testing.T, want, got run) {
	t.Helper()
	if bytes.Equal(want.log, got.log) {
		return
	}
	d, err := steplog.Diff(want.Reader, got.Reader)
	if err != nil || d == nil {
		t.Fatalf("the logs differ, but no step does (%v): %d and %d bytes", err, len(want.log), len(got.log))
	}
	t.Fatalf("the runs differ first at step %d: %+v", d.Step, d)
}

// TestSeedsDiffer: a hundred seeds give a hundred runs.
func TestSeedsDiffer(t *testing.T) {
	z := start(t, build(t, "storm"))
	seen := map[uint32]uint64{}
	for seed := uint64(1); seed <= 100; seed++ {
		r := simulate(t, z, "TestStorm", seed)
		r.passes(t)
		last, err := r.Step(r.Steps())
		if err != nil {
			t.Fatal(err)
		}
		if other, dup := seen[last.Checksum]; dup {
			t.Errorf("seeds %d and %d give the same run", other, seed)
		}
		seen[last.Checksum] = seed
	}
}

// TestEveryProgramRepeats: the other programs give the same log twice, too.
func TestEveryProgramRepeats(t *testing.T) {
	for dir, tests := range map[string][]string{
		"globals": {"TestOwn", "TestFinalizers"},
		"ends":    {"TestMachineEnds", "TestDeadlock", "TestStop", "TestCrashWaits", "TestThreads"},
	} {
		z := start(t, build(t, dir))
		for _, test := range tests {
			t.Run(test, func(t *testing.T) {
				for seed := uint64(1); seed <= 3; seed++ {
					compare(t, simulate(t, z, test, seed), simulate(t, z, test, seed))
				}
			})
		}
	}
}
