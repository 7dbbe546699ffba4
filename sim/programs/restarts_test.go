package programs

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim/zygote"
)

// nightly says that the long versions of tests are wanted.
func nightly() bool { return os.Getenv("RESTEP_NIGHTLY") != "" }

// Crashes and restarts without end take no memory, whatever the goroutines of
// the machine wait on, and nothing of a machine that is off does anything.
func TestRestarts(t *testing.T) {
	few, many := 100, 1000
	if nightly() {
		few, many = 1000, 10_000
	}
	z := start(t, build(t, "restarts"))
	first := restarts(t, z, "TestRestarts", few, 0)
	last := restarts(t, z, "TestRestarts", many, 0)
	t.Logf("peak of resident memory: %d KB after %d rounds, %d KB after %d", first, few, last, many)
	if last > first*11/10+2048 {
		t.Errorf("memory grows: %d KB after %d rounds, %d KB after %d", first, few, last, many)
	}
}

// Removed machines give back what they had, their numbers too: a run has more of
// them than can be at a time.
func TestRemoves(t *testing.T) {
	few, many := 500, 4500
	if nightly() {
		few, many = 1000, 10_000
	}
	z := start(t, build(t, "restarts"))
	first := restarts(t, z, "TestRemoves", few, 0)
	last := restarts(t, z, "TestRemoves", many, 0)
	t.Logf("peak of resident memory: %d KB after %d machines, %d KB after %d", first, few, last, many)
	if last > first*11/10+2048 {
		t.Errorf("memory grows: %d KB after %d machines, %d KB after %d", first, few, last, many)
	}
}

// The same holds when the collector checks its own marking, clobbers what it
// frees and runs at random moments.
func TestRestartsUnderChecks(t *testing.T) {
	rounds := 50
	if nightly() {
		rounds = 1000
	}
	z := start(t, build(t, "restarts"))
	for _, check := range []zygote.Check{zygote.CheckGC, zygote.CheckCollect, zygote.CheckGC | zygote.CheckCollect} {
		t.Logf("check %d: %d KB after %d rounds", check, restarts(t, z, "TestRestarts", rounds, check), rounds)
	}
}

// restarts returns the peak of resident memory of a run, in KB.
func restarts(t *testing.T, z *zygote.Zygote, test string, rounds int, check zygote.Check) (peak int) {
	t.Helper()
	r := request(test, 1, "")
	r.Env = append(r.Env, "ROUNDS="+strconv.Itoa(rounds))
	r.Check = check
	child, err := z.Run(r)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(30*time.Minute, child.Kill)
	defer limit.Stop()
	ended := make(chan struct{})
	measured := make(chan int)
	go func() { measured <- watchMemory(child.Pid, ended) }()
	status, err := child.Wait()
	close(ended)
	peak = <-measured
	if err != nil {
		t.Fatal(err)
	}
	if status.ExitStatus() != 0 || status.Signaled() || z.Stderr() != "" {
		t.Fatalf("exit %d, %v after %d rounds, check %d; to see why:\nrestep test -v -env ROUNDS=%d -run %s ./testdata/restarts\n%s",
			status.ExitStatus(), status.Signal(), rounds, check, rounds, test, z.Stderr())
	}
	if peak == 0 {
		t.Fatal("the run was over before its memory could be read")
	}
	return peak
}

// watchMemory reads VmHWM, the peak of resident memory, of a process until it
// has ended (proc_pid_status(5)). The peak never falls, so that the last
// reading misses what the last milliseconds added and nothing else.
func watchMemory(pid int, ended <-chan struct{}) (peak int) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if n, ok := memoryPeak(pid); ok {
			peak = n
		}
		select {
		case <-ended:
			return peak
		case <-tick.C:
		}
	}
}

func memoryPeak(pid int) (kb int, ok bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, found := strings.CutPrefix(s.Text(), "VmHWM:"); found {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			return n, err == nil
		}
	}
	return 0, false
}
