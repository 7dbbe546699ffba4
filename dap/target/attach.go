package target

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// attachError says what keeps the debugger from the program and what to do
// about it. ptrace(2), "PTRACE_ATTACH"; Yama's documentation in the kernel
// (Documentation/admin-guide/LSM/Yama.rst).
func attachError(err error) error {
	denied := errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) ||
		strings.Contains(err.Error(), "operation not permitted") || strings.Contains(err.Error(), "ptrace_scope")
	if !denied {
		return fmt.Errorf("attach the debugger to the program: %w", err)
	}
	return &AttachError{Err: err, Advice: AttachAdvice()}
}

// AttachAdvice says what to do where this host does not allow to debug.
func AttachAdvice() string { return attachAdvice(PtraceScope(), inContainer()) }

// PtraceScope is kernel.yama.ptrace_scope, "0" to "3"; "" without Yama.
func PtraceScope() string {
	scope, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	return strings.TrimSpace(string(scope))
}

// AttachError says that this host does not allow debugging.
type AttachError struct {
	Err    error
	Advice string
}

func (e *AttachError) Error() string {
	return fmt.Sprintf("attach the debugger to the program: %v; %s", e.Err, e.Advice)
}

func (e *AttachError) Unwrap() error { return e.Err }

func attachAdvice(scope string, container bool) string {
	switch {
	case scope == "3":
		return "this kernel allows no debugging at all (kernel.yama.ptrace_scope is 3, which needs a reboot to change)"
	case scope == "2":
		return "only root may debug here: run sudo sysctl kernel.yama.ptrace_scope=1"
	case container:
		return "the container is not allowed to debug: start it with --cap-add=SYS_PTRACE --security-opt seccomp=unconfined"
	}
	return "ptrace is not allowed here: check kernel.yama.ptrace_scope, seccomp and security modules"
}

func inContainer() bool {
	for _, f := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(f); err == nil {
			return true
		}
	}
	b, _ := os.ReadFile("/proc/1/cgroup")
	return strings.Contains(string(b), "docker") || strings.Contains(string(b), "kubepods") || strings.Contains(string(b), "containerd")
}
