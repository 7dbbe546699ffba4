package conform

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/restep/restep/sim/kernel"
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/sched"
)

var (
	update = flag.Bool("update", false, "write the answers of Linux into the scripts (needs -sys=linux)")
	sysArg = flag.String("sys", "both", "the kernel to run on: linux, sim or both")
)

// linux is the kernel that the test itself runs on.
type linux struct{}

func (linux) Syscall(nr uintptr, a [6]uintptr) (uintptr, abi.Errno) {
	r, _, errno := syscall.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	return r, abi.Errno(errno)
}

// simulated is one machine of the simulated kernel.
type simulated struct{ k *kernel.Kernel }

func (s simulated) Syscall(nr uintptr, a [6]uintptr) (uintptr, abi.Errno) {
	args := kernel.Args(a)
	return s.k.Syscall(kernel.Main, nr, &args)
}

func newSimulated(t *testing.T) simulated {
	var source sched.Source
	source.Init(1)
	now := kernel.Nanos(1_700_000_000e9)
	k := kernel.New(kernel.Config{
		Start: now,
		Cwd:   "/work",
		Host: kernel.Host{
			Now:    func() kernel.Nanos { now++; return now },
			Rand:   func(s sched.Stream) uint64 { return source.Next(s) },
			Record: func(*kernel.Event) {},
			Wake:   func(uintptr, kernel.Mode) {},
			Signal: func(kernel.ProcessID, uint32) {},
		},
	})
	m, msg := k.NewMachine(kernel.MachineConfig{Label: "main"})
	if msg != "" {
		t.Fatalf("new machine: %s", msg)
	}
	m.Boot()
	return simulated{k}
}

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata (%v)", err)
	}
	for _, kernelName := range []string{"linux", "sim"} {
		if *sysArg != "both" && *sysArg != kernelName {
			continue
		}
		if *update && *sysArg != "linux" {
			t.Fatal("answers are written by Linux alone: go test ./sim/conform -update -sys=linux")
		}
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			file, err := filepath.Abs(file) // cases change the directory
			if err != nil {
				t.Fatal(err)
			}
			t.Run(kernelName+"/"+name, func(t *testing.T) { runFile(t, kernelName, file) })
		}
	}
}

func runFile(t *testing.T, kernelName, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, cases, err := Parse(filepath.Base(file), string(text))
	if err != nil {
		t.Fatal(err)
	}
	got := make([][]string, len(cases))
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			// The case may change the ids of its thread, which is then used for
			// nothing else.
			done := make(chan struct{})
			root := t.TempDir()
			go func() {
				defer close(done)
				runtime.LockOSThread()
				got[i] = runCase(t, kernelName, filepath.Base(file), root, c)
			}()
			<-done
		})
	}
	if !*update {
		return
	}
	if now := Format(head, cases, got); now != string(text) {
		t.Logf("updated %s", file)
		if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// runCase returns the answers; it compares them unless they are to be written.
func runCase(t *testing.T, kernelName, file, root string, c Case) []string {
	var sys Sys
	if kernelName == "sim" {
		if c.Skip != "" {
			t.Skipf("known difference: %s", c.Skip)
		}
		sys, root = newSimulated(t), "/work"
	} else {
		if c.Root && os.Geteuid() != 0 {
			t.Skip("needs root on Linux")
		}
		t.Chdir(root)
		defer syscall.Umask(syscall.Umask(0o022))
		sys = linux{}
	}
	env := NewEnv(sys, root)
	defer env.Close()
	answers := make([]string, len(c.Lines))
	for i, l := range c.Lines {
		if len(l.Words) == 0 {
			continue
		}
		answer, err := env.Run(l.Words)
		if err != nil {
			t.Fatalf("%s:%d: %v", file, l.Number, err)
		}
		answers[i] = answer
		if answer != l.Want && !*update {
			t.Errorf("%s:%d: %s\n  %s answers %s\n  the script says %s", file, l.Number, l.Text, kernelName, answer, l.Want)
		}
	}
	return answers
}

// TestParse shows that a wrong answer in a script is seen, and that writing
// a script back changes nothing but answers.
func TestParse(t *testing.T) {
	const text = "# head\n--- a b [root]\n# comment\nwrite f \"x y\"*2 0x10\n=> 6\n\nskip sim: reason\n--- c\nsync\n"
	head, cases, err := Parse("x.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 2 || cases[0].Name != "a b" || !cases[0].Root || cases[0].Skip != "reason" {
		t.Fatalf("cases are %+v", cases)
	}
	if want := []string{"write", "f", "x yx y", "0x10"}; !slices.Equal(cases[0].Lines[1].Words, want) {
		t.Errorf("words %q, want %q", cases[0].Lines[1].Words, want)
	}
	if cases[0].Lines[1].Want != "6" {
		t.Errorf("answer %q, want 6", cases[0].Lines[1].Want)
	}
	if got := Format(head, cases, make([][]string, 2)); got != text {
		t.Errorf("written back as %q, want %q", got, text)
	}
	got := [][]string{{"", "7", "", ""}, {"ok"}}
	if s := Format(head, cases, got); !strings.Contains(s, "=> 7\n") || !strings.Contains(s, "sync\n=> ok\n") {
		t.Errorf("new answers are missing in %q", s)
	}
	if _, _, err := Parse("x.txt", "--- a\n=> 1\n"); err == nil {
		t.Error("an answer without a call was accepted")
	}
}
