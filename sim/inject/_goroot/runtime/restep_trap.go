package runtime

import (
	"internal/abi"
	"unsafe"
)

// System calls that assembly outside the runtime makes (SyscallNoError and
// RawSyscallNoError of golang.org/x/sys) pass no hook. A filter lets only the
// runtime's own instructions enter the real kernel; all others raise SIGSYS.
// seccomp(2), Documentation/userspace-api/seccomp_filter.rst.

type restepBPF struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

const (
	restepBPFLoad    = 0x20 // BPF_LD | BPF_W | BPF_ABS
	restepBPFEqual   = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	restepBPFAtLeast = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	restepBPFReturn  = 0x06 // BPF_RET | BPF_K
	restepBPFTrap    = 0x00030000
	restepBPFAllow   = 0x7fff0000

	restepEINVAL = 22
)

// restepFilter installs the filter in this process. It is a safety net: a
// kernel without filters (CONFIG_SECCOMP_FILTER, or qemu's emulation of Linux)
// answers EINVAL or ENOSYS, and what assembly asks then is not simulated.
func restepFilter() {
	lo, hi := restepOwnCalls()
	direct := restepDirectCalls()
	prog := [...]restepBPF{
		{restepBPFLoad, 0, 0, 12}, // upper half of the instruction pointer
		{restepBPFEqual, 0, 9, 0}, // not in the program: the vDSO
		{restepBPFLoad, 0, 0, 8},  // lower half
		{restepBPFAtLeast, 0, 1, direct},
		{restepBPFAtLeast, 0, 6, direct + 0x80},
		{restepBPFAtLeast, 0, 1, lo},
		{restepBPFAtLeast, 0, 4, hi},
		{restepBPFLoad, 0, 0, 0}, // number
		{restepBPFEqual, 2, 0, restepSysClockGettime},
		{restepBPFEqual, 1, 0, restepSysRtSigreturn},
		{restepBPFReturn, 0, 0, restepBPFTrap},
		{restepBPFReturn, 0, 0, restepBPFAllow},
	}
	fprog := struct {
		n uint16
		p *restepBPF
	}{uint16(len(prog)), &prog[0]}
	restepSys(restepSysPrctl, 38, 1, 0, 0, 0, 0) // PR_SET_NO_NEW_PRIVS
	_, errno := restepSys(restepSysPrctl, 22, 2, uintptr(unsafe.Pointer(&fprog)), 0, 0, 0)
	if errno != 0 && errno != restepEINVAL && errno != _ENOSYS {
		restepDie("filter system calls (seccomp)", errno)
	}
	if restepReusing {
		restepReuse().filtered = true
	}
}

// restepOwnCalls are the bounds of the runtime's system calls in
// sys_linux_GOARCH.s.
func restepOwnCalls() (lo, hi uint32) {
	lo = ^uint32(0)
	for _, pc := range [...]uintptr{
		abi.FuncPCABI0(exit), abi.FuncPCABI0(open), abi.FuncPCABI0(closefd), abi.FuncPCABI0(write1),
		abi.FuncPCABI0(read), abi.FuncPCABI0(usleep), abi.FuncPCABI0(raise), abi.FuncPCABI0(rt_sigaction),
		abi.FuncPCABI0(rtsigprocmask), abi.FuncPCABI0(sysMmap), abi.FuncPCABI0(sysMunmap), abi.FuncPCABI0(madvise),
		abi.FuncPCABI0(futex), abi.FuncPCABI0(clone), abi.FuncPCABI0(sigaltstack), abi.FuncPCABI0(osyield),
	} {
		lo = min(lo, uint32(pc))
		hi = max(hi, uint32(pc))
	}
	return lo, hi + 0x100
}

// restepTrapped carries out a trapped call, in the signal handler: those that
// need no memory by the simulated kernel, any other fails by name. It returns
// what the call returns, and false for a signal that is none of ours.
func restepTrapped(c *sigctxt, gp *g, nr uintptr, args *[6]uintptr) (r uintptr, ok bool) {
	if !restep.on || gp == nil || gp.restepMachine == 0 || c.sigcode() != 1 { // SYS_SECCOMP
		return 0, false
	}
	if restepNeedsNoMemory(nr) {
		var errno uintptr
		if r, errno = restep_kernelSyscall(restep.kernel, gp.restepMachine, 0, nr, args); errno != 0 {
			r = -errno
		}
	} else {
		restep_kernelRecord(restep.kernel, restepKindUnsupported, gp.restepMachine, uint64(nr), "system call made by assembly", 8)
		r = ^uintptr(_ENOSYS - 1)
	}
	restepKernelDone()
	return r, true
}
