package runtime

import "unsafe"

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

// restepMemoryFile is /proc/self/mem of the process that simulates, through
// which it writes to memory that it protects from itself; proc_pid_mem(5).
// Checkpoints inherit the descriptor and make no use of it.
var restepMemoryFile struct {
	fd   uintptr
	open bool
}

var restepMemoryPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 'm', 'e', 'm', 0}

// restepOpenMemory opens it if it is there, and if it shows the memory that this
// process sees: an emulator may place that elsewhere.
func restepOpenMemory() {
	f := &restepMemoryFile
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(&restepMemoryPath)), 0x80002, 0, 0, 0)
	if errno != 0 {
		return
	}
	f.fd = fd
	var seen [len(restepMemoryPath)]byte
	at := uintptr(unsafe.Pointer(&restepMemoryPath))
	n, errno := restepSys(restepSysPread, fd, uintptr(unsafe.Pointer(&seen)), unsafe.Sizeof(seen), at, 0, 0)
	f.open = errno == 0 && n == unsafe.Sizeof(seen) && seen == restepMemoryPath
	if !f.open {
		restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	}
}

func restepCloseMemory() {
	if f := &restepMemoryFile; f.open {
		restepSys(restepSysClose, f.fd, 0, 0, 0, 0, 0)
		f.open = false
	}
}

// restepStore writes n bytes to memory in the window that may be read-only.
func restepStore(addr uintptr, p unsafe.Pointer, n uintptr) bool {
	if f := &restepMemoryFile; f.open && restepMapAllowed(&[6]uintptr{addr, n}) {
		done, errno := restepSys(restepSysPwrite, f.fd, uintptr(p), n, addr, 0, 0)
		return errno == 0 && done == n
	}
	return false
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
