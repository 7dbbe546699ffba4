package syscall

import "unsafe"

// restepSyscall hands a system call of a machine to the simulated kernel.
//
//go:linkname restepSyscall runtime.restepSyscall
//go:noescape
func restepSyscall(nr, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr, done bool)

// restepGettimeofday is gettimeofday as a system call.
func restepGettimeofday(tv *Timeval) (err Errno) {
	_, _, err = RawSyscall6(SYS_GETTIMEOFDAY, uintptr(unsafe.Pointer(tv)), 0, 0, 0, 0, 0)
	return err
}
