package programs

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/sim/zygote"
)

// TestAnswersInOrder: a run that ends before the zygote's own code goes on
// after the fork is known as started first, and then as ended.
func TestAnswersInOrder(t *testing.T) {
	const seed = 7
	b := build(t, "storm")
	want := checked(t, start(t, b), "TestStorm", seed, 0)

	gate := t.TempDir() + "/gate"
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	z, err := zygote.Start(context.Background(), zygote.Config{
		Binary: b.Path, Layout: b.LayoutPath, Exec: []string{os.Args[0], holdArg, gate},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	checked(t, z, "TestStorm", seed, 0) // in a process that serves no other run
	compare(t, want, checked(t, z, "TestStorm", seed, 0))
	if err := os.WriteFile(gate, []byte("go on"), 0); err != nil {
		t.Fatal(err)
	}
	compare(t, want, checked(t, z, "TestStorm", seed, zygote.CheckLast))
	compare(t, want, checked(t, z, "TestStorm", seed, 0)) // by the zygote again
}

// holdArg makes the test's binary run a zygote and hold it: see hold.
const holdArg = "hold-after-second-fork"

// hold runs a zygote and keeps it from going on after its second fork until
// somebody writes to the gate, a FIFO. ptrace(2): PTRACE_EVENT_FORK.
func hold(gate, binary string) error {
	runtime.LockOSThread() // the tracer is a thread
	z, err := os.StartProcess(binary, []string{binary}, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{os.Stdin, os.Stdout, os.Stderr, os.NewFile(3, ""), os.NewFile(4, ""), os.NewFile(5, "")},
		Sys: &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return err
	}
	for _, fd := range []int{3, 4, 5} {
		syscall.Close(fd) // or the end of the zygote is not the end of its socket
	}
	for forks, first := 0, true; ; first = false {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(z.Pid, &status, 0, nil); err != nil || !status.Stopped() {
			return err
		}
		signal := int(status.StopSignal())
		if signal == int(syscall.SIGTRAP) {
			signal = 0
		}
		if first {
			err = syscall.PtraceSetOptions(z.Pid, syscall.PTRACE_O_TRACEFORK)
		}
		if status.TrapCause() == syscall.PTRACE_EVENT_FORK {
			forks++
			err = letGo(z.Pid)
			if err == nil && forks == 2 {
				_, err = os.ReadFile(gate)
			}
		}
		if err == nil {
			err = syscall.PtraceCont(z.Pid, signal)
		}
		if err != nil {
			return err
		}
	}
}

// letGo detaches from the process that pid has forked.
func letGo(pid int) error {
	child, err := syscall.PtraceGetEventMsg(pid)
	if err != nil {
		return err
	}
	if _, err := syscall.Wait4(int(child), nil, syscall.WALL, nil); err != nil {
		return fmt.Errorf("wait for the new process: %w", err)
	}
	return syscall.PtraceDetach(int(child))
}
