package syscall

import "unsafe"

// restepSyscall hands a system call of a machine to the simulated kernel.
//
//go:linkname restepSyscall runtime.restepSyscall
//go:noescape
func restepSyscall(nr, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr, done bool)

// restepClone makes a child process: the calls that follow are the child's.
//
//go:linkname restepClone runtime.restepVfork
//go:noescape
func restepClone(flags uintptr, pidfd *int32) (errno uintptr)

// restepForked says that the child has called execve or exit: the calls that
// follow are the parent's. It returns the pid.
//
//go:linkname restepForked runtime.restepForked
func restepForked() (pid uintptr)

// restepVfork stands for the assembly that forks.
func restepVfork(flags uintptr, pidfd *int32) (pid uintptr, err Errno) {
	return 0, Errno(restepClone(flags, pidfd))
}

// restepGettimeofday is gettimeofday as a system call.
func restepGettimeofday(tv *Timeval) (err Errno) {
	_, _, err = RawSyscall6(SYS_GETTIMEOFDAY, uintptr(unsafe.Pointer(tv)), 0, 0, 0, 0, 0)
	return err
}
