package abi

// Signal numbers (signal(7), x86 and arm64 column).
const (
	SIGHUP    = 1
	SIGINT    = 2
	SIGQUIT   = 3
	SIGILL    = 4
	SIGTRAP   = 5
	SIGABRT   = 6
	SIGBUS    = 7
	SIGFPE    = 8
	SIGKILL   = 9
	SIGSEGV   = 11
	SIGPIPE   = 13
	SIGTERM   = 15
	SIGSTKFLT = 16
	SIGCHLD   = 17
	SIGCONT   = 18
	SIGSTOP   = 19
	SIGTSTP   = 20
	SIGTTIN   = 21
	SIGTTOU   = 22
	SIGURG    = 23
	SIGWINCH  = 28
	SIGSYS    = 31
)

// Flags of clone(2) (include/uapi/linux/sched.h); the low byte is the signal
// that tells of the child's end.
const (
	CLONE_VM    = 0x100
	CLONE_PIDFD = 0x1000
	CLONE_VFORK = 0x4000
)

// Options of wait4(2) and waitid(2), kinds of ids and what siginfo says of a
// child (include/uapi/linux/wait.h, include/uapi/asm-generic/siginfo.h).
const (
	WNOHANG    = 1
	WSTOPPED   = 2 // WUNTRACED for wait4
	WEXITED    = 4
	WCONTINUED = 8
	WNOWAIT    = 0x01000000
	WNOTHREAD  = 0x20000000
	WALL       = 0x40000000
	WCLONE     = 0x80000000

	P_ALL   = 0
	P_PID   = 1
	P_PGID  = 2
	P_PIDFD = 3

	CLD_EXITED    = 1
	CLD_KILLED    = 2
	CLD_STOPPED   = 5
	CLD_CONTINUED = 6
)

// NoCall and all numbers above it are of calls that Linux does not have on this
// CPU, where older CPUs do: open(2) beside openat(2). Programs that know them
// get ENOSYS. The values are those that include/uapi/asm-generic/unistd.h had
// for CPUs still to come (__ARCH_WANT_SYSCALL_NO_AT).
const NoCall = 1024
