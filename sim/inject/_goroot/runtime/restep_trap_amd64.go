package runtime

import (
	"internal/abi"
	"internal/cpu"
	"internal/runtime/syscall/linux"
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
)

// restepFilter installs the filter in this process.
func restepFilter() {
	lo, hi := restepOwnCalls()
	direct := uint32(abi.FuncPCABIInternal(linux.Syscall6))
	prog := [...]restepBPF{
		{restepBPFLoad, 0, 0, 12}, // upper half of the instruction pointer
		{restepBPFEqual, 0, 9, 0}, // not in the program: the vDSO
		{restepBPFLoad, 0, 0, 8},  // lower half
		{restepBPFAtLeast, 0, 1, direct},
		{restepBPFAtLeast, 0, 6, direct + 0x80},
		{restepBPFAtLeast, 0, 1, lo},
		{restepBPFAtLeast, 0, 4, hi},
		{restepBPFLoad, 0, 0, 0}, // number
		{restepBPFEqual, 2, 0, 228},
		{restepBPFEqual, 1, 0, 15}, // rt_sigreturn
		{restepBPFReturn, 0, 0, restepBPFTrap},
		{restepBPFReturn, 0, 0, restepBPFAllow},
	}
	fprog := struct {
		n uint16
		p *restepBPF
	}{uint16(len(prog)), &prog[0]}
	restepSys(restepSysPrctl, 38, 1, 0, 0, 0, 0) // PR_SET_NO_NEW_PRIVS
	_, errno := restepSys(restepSysPrctl, 22, 2, uintptr(unsafe.Pointer(&fprog)), 0, 0, 0)
	if errno != 0 {
		restepDie("filter system calls (seccomp)", errno)
	}
	if restepReusing {
		restepReuse().filtered = true
	}
}

// restepPinCPU refuses a CPU on which maps would hash otherwise than on all
// others: the hash decides the order of iteration.
func restepPinCPU() {
	if !cpu.X86.HasAES || !cpu.X86.HasSSSE3 || !cpu.X86.HasSSE41 {
		restepDie("this CPU has no AES instructions; use one made after 2012", 0)
	}
}

// restepOwnCalls are the bounds of the runtime's system calls in
// sys_linux_amd64.s.
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

// restepSigsys carries out a trapped call, in the signal handler: those that
// need no memory by the simulated kernel, any other fails by name.
func restepSigsys(c *sigctxt, gp *g) bool {
	if !restep.on || gp == nil || gp.restepMachine == 0 || c.sigcode() != 1 { // SYS_SECCOMP
		return false
	}
	nr := uintptr(c.rax())
	gp.sched.bp = uintptr(c.rbp())
	args := [6]uintptr{uintptr(c.rdi()), uintptr(c.rsi()), uintptr(c.rdx()), uintptr(c.r10()), uintptr(c.r8()), uintptr(c.r9())}
	switch nr {
	case 39, 95, 102, 104, 107, 108, 110, 111, 118, 120, 121, 140, 186: // getpid ... gettid
		r, errno := restep_kernelSyscall(restep.kernel, gp.restepMachine, 0, nr, &args)
		if errno != 0 {
			r = -errno
		}
		c.regs().rax = uint64(r)
	default:
		restep_kernelRecord(restep.kernel, restepKindUnsupported, gp.restepMachine, uint64(nr), "system call made by assembly", 8)
		c.regs().rax = ^uint64(_ENOSYS - 1)
	}
	restepKernelDone()
	return true
}
