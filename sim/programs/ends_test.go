package programs

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

func TestMachineEnds(t *testing.T) {
	r := simulate(t, start(t, build(t, "ends")), "TestMachineEnds", 1)
	r.passes(t)
	var got []string
	for s := range r.Forward(steplog.Filter{Kinds: []steplog.Kind{steplog.KindPanic, steplog.KindExit}}) {
		m, _ := r.Machine(s.Machine)
		code, _ := s.Field(steplog.TagExitCode)
		got = append(got, strings.TrimSpace(m.Label+" "+s.Kind.String()+" "+string(rune('0'+code.Int()))+" "+string(s.Message())))
	}
	want := []string{
		"panic panic 2 boom",
		"goroutine panic 2 err 1",
		"nil panic 2 runtime error: invalid memory address or nil pointer dereference",
		"fatal exit 1",
		"exit exit 3",
		"unlock panic 2 fatal error",
		"map panic 2 assignment to entry in nil map",
		"return exit 0",
		"goexit exit 0",
		"overflow panic 2 stack overflow",
	}
	if !slices.Equal(got, want) {
		t.Errorf("machines ended\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	text := strings.Join(r.lines(steplog.KindLog), "\n")
	for _, line := range []string{
		"panic: panic: boom", "goroutine: panic: err 1", "fatal: gone", "unlock: fatal error: sync: unlock of unlocked mutex",
		"map: deferred calls run at a panic", "return: builtin 42", "main: main goes on", "overflow: fatal error: stack overflow",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no log line %q in\n%s", line, text)
		}
	}
}

func TestMainEnds(t *testing.T) {
	z := start(t, build(t, "ends"))
	for _, c := range []struct {
		test string
		exit int
		kind steplog.Kind
		text string
	}{
		{"TestMainPanics", 2, steplog.KindLog, "main: panic: main boom"},
		{"TestMainExits", 7, 0, ""},
		{"TestDeadlock", 2, steplog.KindDeadlock, "all goroutines are asleep"},
		{"TestTimeout", 2, steplog.KindTimeout, "timed out in simulated time"},
		{"TestBusyForEver", 2, steplog.KindTimeout, "timed out in simulated time"},
	} {
		t.Run(c.test, func(t *testing.T) {
			r := simulate(t, z, c.test, 1)
			if r.status.ExitStatus() != c.exit {
				t.Errorf("exit %d, want %d", r.status.ExitStatus(), c.exit)
			}
			if text := strings.Join(r.lines(c.kind), "\n"); !strings.Contains(text, c.text) {
				t.Errorf("no %q in\n%s", c.text, text)
			}
			last, err := r.Step(r.Steps())
			if err != nil || last.Kind != steplog.KindEnd {
				t.Errorf("the last step is %v (%v), want end", last.Kind, err)
			}
		})
	}
}

// A deadlock report names every goroutine with its machine and what it waits
// for.
func TestDeadlockReport(t *testing.T) {
	r := simulate(t, start(t, build(t, "ends")), "TestDeadlock", 1)
	text := strings.Join(r.lines(steplog.KindLog), "\n")
	for _, line := range []string{
		"machine main, goroutine 1 [chan receive]:", "machine main, goroutine 2 [chan receive]:",
		"machine other, goroutine 3 [select (no cases)]:", "ends.TestDeadlock(", "ends_test.go:",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

func TestEndsThatPass(t *testing.T) {
	z := start(t, build(t, "ends"))
	for _, test := range []string{"TestSpin", "TestStop", "TestThreads", "TestCrashWaits", "TestBusyWaits", "TestBusyOthers", "TestBusyWork", "TestProfiles"} {
		t.Run(test, func(t *testing.T) {
			for seed := range uint64(5) {
				simulate(t, z, test, seed+1).passes(t)
			}
		})
	}
}

// Lost updates through two uncontended sections of a mutex, and through Load
// and Store of an atomic, are found within 100 seeds.
func TestLostUpdates(t *testing.T) {
	z := start(t, build(t, "ends"))
	for _, test := range []string{"TestLostMutex", "TestLostAtomic"} {
		t.Run(test, func(t *testing.T) {
			found := 0
			for seed := range uint64(100) {
				if simulate(t, z, test, seed+1).status.ExitStatus() != 0 {
					found++
				}
			}
			if found == 0 || found > 80 {
				t.Errorf("%d of 100 seeds lose an update", found)
			}
			t.Logf("%d of 100 seeds lose an update", found)
		})
	}
}

// A run that never yields tells on request which goroutine runs, and ends.
func TestBusy(t *testing.T) {
	z := start(t, build(t, "ends"))
	path := newLog(t, "TestBusy", 1, 0)
	child, err := z.Run(request("TestBusy", 1, path))
	if err != nil {
		t.Fatal(err)
	}
	for busy := false; !busy; { // until the log has the line
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		busy = bytes.Contains(b, []byte("busy now"))
	}
	child.Quit()
	status, err := child.Wait()
	if err != nil || status.ExitStatus() != zygote.BusyExit {
		t.Errorf("exit %d, %v", status.ExitStatus(), err)
	}
	for _, line := range []string{"machine main, goroutine 2 runs:", "ends.TestBusy(", "ends_test.go:"} {
		if !strings.Contains(z.Stderr(), line) {
			t.Errorf("no %q in\n%s", line, z.Stderr())
		}
	}
}
