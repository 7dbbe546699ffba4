package syscall

import _ "unsafe" // for go:linkname

// restepSyscall hands a system call of a machine to the simulated kernel.
//
//go:linkname restepSyscall runtime.restepSyscall
//go:noescape
func restepSyscall(nr, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr, done bool)
