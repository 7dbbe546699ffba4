//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/dap/target"
)

// systemChecks are those of a system that simulates.
func systemChecks() []func(context.Context) finding {
	return []func(context.Context) finding{checkCPU, checkProc, checkPersonality, checkSeccomp, checkPtrace, checkProcesses, checkMemory}
}

// checkProc looks for what is read below /proc.
func checkProc(context.Context) finding {
	if _, err := os.ReadDir("/proc/self/task"); err != nil {
		return found(gradeFail, "proc", "/proc is not there (%v): mount it", err)
	}
	return found(gradeOK, "proc", "mounted")
}

// personality(2).
const (
	personalityAsk  = 0xffffffff
	addrNoRandomize = 0x0040000
)

func checkPersonality(context.Context) finding {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, personalityAsk, 0, 0)
	if errno == 0 {
		_, _, errno = unix.RawSyscall(unix.SYS_PERSONALITY, old|addrNoRandomize, 0, 0)
	}
	if errno != 0 {
		return found(gradeWarn, "aslr", "personality(2) is refused (%v): runs repeat, but the debugger shows other addresses of stacks and\n"+
			"mappings each time; in a container: --security-opt seccomp=unconfined", errno)
	}
	now, _, _ := unix.RawSyscall(unix.SYS_PERSONALITY, personalityAsk, 0, 0)
	_, _, _ = unix.RawSyscall(unix.SYS_PERSONALITY, old, 0, 0)
	if now&addrNoRandomize == 0 {
		return found(gradeWarn, "aslr", "personality(2) has no effect: the debugger shows other addresses each time")
	}
	return found(gradeOK, "aslr", "can be switched off")
}

// checkSeccomp asks for a filter at no address: a kernel that would take
// filters answers EFAULT. prctl(2), PR_SET_SECCOMP.
func checkSeccomp(context.Context) finding {
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0, 0, 0)
	switch {
	case errors.Is(err, unix.EFAULT):
		return found(gradeOK, "seccomp", "filters are allowed")
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return found(gradeWarn, "seccomp", "this kernel has no filters of system calls (%v): those that a program makes by assembly of its own\n"+
			"are not simulated, as getpid of golang.org/x/sys/unix; use a kernel with CONFIG_SECCOMP_FILTER", err)
	}
	return found(gradeFail, "seccomp", "filters of system calls are refused (%v);\n"+
		"in a container: --security-opt seccomp=unconfined", err)
}

// scopeMeaning is what Yama allows; Documentation/admin-guide/LSM/Yama.rst.
var scopeMeaning = map[string]string{
	"":  "no Yama",
	"0": "ptrace_scope 0: any process of yours",
	"1": "ptrace_scope 1: descendants only, which is enough",
	"2": "ptrace_scope 2: root only",
	"3": "ptrace_scope 3: nobody",
}

func checkPtrace(context.Context) finding {
	scope := target.PtraceScope()
	meaning := scopeMeaning[scope]
	if meaning == "" {
		meaning = "ptrace_scope " + scope
	}
	if err := attachChild(); err != nil {
		return found(gradeFail, "ptrace", "tests run, but cannot be debugged (%s): %v;\n%s", meaning, err, target.AttachAdvice())
	}
	return found(gradeOK, "ptrace", "attached to a child (%s)", meaning)
}

// attachChild attaches to a process of this program that waits for input, as
// Delve does it to a run.
func attachChild() (err error) {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // ptrace(2) and PR_SET_PDEATHSIG are about threads
	defer runtime.UnlockOSThread()
	cmd := &exec.Cmd{Path: exe, Args: []string{"restep", "dap"}, SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	pid := cmd.Process.Pid
	if err := unix.PtraceAttach(pid); err != nil {
		return fmt.Errorf("attach: %w", err)
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, unix.WALL, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("wait for the child: %w", err)
		}
		if err == nil {
			break
		}
	}
	if !status.Stopped() {
		return errors.New("the child ended when it should stop")
	}
	if err := unix.PtraceDetach(pid); err != nil {
		return fmt.Errorf("detach: %w", err)
	}
	return nil
}

// Processes and threads that a run with several workers and a build need.
const (
	processesFail = 64
	processesWarn = 512
)

// checkProcesses looks at RLIMIT_NPROC and at the limit of the control group.
func checkProcesses(context.Context) finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NPROC, &limit); err != nil {
		return found(gradeWarn, "processes", "%v", err)
	}
	left, what := limit.Cur, "ulimit -u"
	if limit.Cur == unix.RLIM_INFINITY || os.Geteuid() == 0 {
		left = unix.RLIM_INFINITY // root is exempt: setrlimit(2)
	}
	if n, there := cgroupPids(); there && n < left {
		left, what = n, "the control group's pids.max"
	}
	return gradeProcesses(left, what)
}

func gradeProcesses(left uint64, what string) finding {
	switch {
	case left < processesFail:
		return found(gradeFail, "processes", "only %d are allowed: raise %s", left, what)
	case left < processesWarn:
		return found(gradeWarn, "processes", "only %d are allowed; run fewer at once (restep test -j 1), or raise %s", left, what)
	case left == unix.RLIM_INFINITY:
		return found(gradeOK, "processes", "no limit")
	}
	return found(gradeOK, "processes", "%d allowed", left)
}

// cgroupPids is how many more processes the control group allows; cgroup v2,
// Documentation/admin-guide/cgroup-v2.rst, "PID Interface Files".
func cgroupPids() (left uint64, there bool) {
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		group, v2 := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !v2 {
			continue
		}
		read := func(file string) (uint64, error) {
			b, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", group, file))
			if err != nil {
				return 0, err
			}
			return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
		}
		most, err := read("pids.max") // "max" is no number
		if err != nil {
			return 0, false
		}
		now, err := read("pids.current")
		return most - min(now, most), err == nil
	}
	return 0, false
}

// checkMemory looks at RLIMIT_AS: Go reserves address space in large pieces.
func checkMemory(context.Context) finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err != nil {
		return found(gradeWarn, "memory", "%v", err)
	}
	return gradeMemory(limit.Cur)
}

// Address space that a run reserves: a window of 64 GB for its step log
// (restepLogWindow of the patched runtime) and what Go's heap maps.
const (
	memoryFail = 67 << 30
	memoryWarn = 80 << 30
)

func gradeMemory(limit uint64) finding {
	switch {
	case limit == unix.RLIM_INFINITY:
		return found(gradeOK, "memory", "no limit")
	case limit < memoryFail:
		return found(gradeFail, "memory", "a process may have only %d MB of addresses, and a run reserves 66 GB (of addresses, not of memory):\n"+
			"run ulimit -v unlimited", limit>>20)
	case limit < memoryWarn:
		return found(gradeWarn, "memory", "a process may have only %d GB of addresses; large tests need more: run ulimit -v unlimited", limit>>30)
	}
	return found(gradeOK, "memory", "%d GB of addresses", limit>>30)
}

// gradeDisk judges a folder that can be written.
func gradeDisk(dir string) finding {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return found(gradeWarn, "cache", "%v", err)
	}
	if st.Flags&unix.ST_NOEXEC != 0 {
		return found(gradeFail, "cache", "%s is mounted noexec, and test binaries are run from there: set XDG_CACHE_HOME to another place", dir)
	}
	return gradeSpace(dir, st.Bavail*uint64(st.Bsize))
}
