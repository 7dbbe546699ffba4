package runtime

// Memory of the simulated mmap: private anonymous mappings of the real process
// at fixed addresses, so that a checkpoint has its own copy. Which file shows
// where is the simulated kernel's business.

const (
	restepMapBase   = 0x200000000000
	restepMapWindow = 1 << 44
)

// restepMapAllowed refuses memory that is not in the window.
func restepMapAllowed(a *[6]uintptr) bool {
	return a[0] >= restepMapBase && a[0]+a[1] >= a[0] && a[0]+a[1] <= restepMapBase+restepMapWindow
}

// restepMapFault tells the kernel of a fault in the window: true if the access
// may be tried again. It runs in the signal handler.
func restepMapFault(addr uintptr) bool {
	return restep.on && restep.kernel != nil && restep_kernelFault(restep.kernel, addr)
}

// restepSigpanic ends the machine of a goroutine that touched memory which is
// not there, such as a mapping behind the end of its file; Go's runtime throws.
//
//go:nosplit
func restepSigpanic(pc, sp uintptr) {
	gp := getg()
	if gp.restepMachine == 0 || gp.paniconfault || gp.sig != _SIGSEGV && gp.sig != _SIGBUS || gp.sigcode1 < 0x1000 {
		return
	}
	systemstack(func() {
		gp := getg().m.curg
		restep.outLevel = 8
		print("unexpected fault address ", hex(gp.sigcode1), "\nfatal error: fault\n")
		restep.outLevel = 0
	})
	restepFatalThrow(pc, sp)
}
