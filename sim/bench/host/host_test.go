package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestProcesses looks at a shell, at what the shell started, and at both when
// they are gone.
func TestProcesses(t *testing.T) {
	cmd := exec.Command("sh", "-c", `sh -c 'echo; read end; :'; :`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	shell := cmd.Process.Pid
	below := Descendants(shell)
	if len(below) != 1 {
		t.Fatalf("below the shell are %v, want one process", below)
	}
	if all := Descendants(os.Getpid()); !slices.Contains(all, shell) || !slices.Contains(all, below[0]) {
		t.Errorf("below the test are %v, want %d and %d", all, shell, below[0])
	}
	for _, pid := range []int{shell, below[0]} {
		if m, ok := MemoryOf(pid); !ok || m.PSS <= 0 || m.RSS < m.PSS {
			t.Errorf("process %d holds %+v (%v)", pid, m, ok)
		}
		if d, ok := CPUTime(pid); !ok || d <= 0 {
			t.Errorf("process %d has used %v (%v)", pid, d, ok)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{shell, below[0]} {
		_, holds := MemoryOf(pid)
		_, used := CPUTime(pid)
		if holds || used || len(Descendants(pid)) != 0 {
			t.Errorf("process %d has ended and holds %v, used %v, has %v", pid, holds, used, Descendants(pid))
		}
	}
}

func TestRepository(t *testing.T) {
	want, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Repository("sim/bench"); err != nil || got != want {
		t.Errorf("the repository is %s (%v), want %s", got, err, want)
	}
	t.Chdir(t.TempDir())
	if got, err := Repository("sim/bench"); err == nil || !strings.Contains(err.Error(), "go run ./sim/bench") {
		t.Errorf("outside of it, the repository is %q (%v)", got, err)
	}
}
