package runtime

import (
	"internal/abi"
	"internal/cpu"
	"internal/runtime/syscall/linux"
)

// restepPinCPU refuses a CPU on which maps would hash otherwise than on all
// others: the hash decides the order of iteration.
func restepPinCPU() {
	if !cpu.X86.HasAES || !cpu.X86.HasSSSE3 || !cpu.X86.HasSSE41 {
		restepDie("this CPU has no AES instructions; use one made after 2012", 0)
	}
}

// restepDirectCalls is the address of what restepSys calls.
func restepDirectCalls() uint32 { return uint32(abi.FuncPCABIInternal(linux.Syscall6)) }

func restepSigsys(c *sigctxt, gp *g) bool {
	if gp == nil {
		return false
	}
	gp.sched.bp = uintptr(c.rbp())
	args := [6]uintptr{uintptr(c.rdi()), uintptr(c.rsi()), uintptr(c.rdx()), uintptr(c.r10()), uintptr(c.r8()), uintptr(c.r9())}
	r, ok := restepTrapped(c, gp, uintptr(c.rax()), &args)
	if ok {
		c.regs().rax = uint64(r)
	}
	return ok
}

func restepNeedsNoMemory(nr uintptr) bool {
	switch nr {
	case 39, 95, 102, 104, 107, 108, 110, 111, 118, 120, 121, 140, 186: // getpid ... gettid
		return true
	}
	return false
}
