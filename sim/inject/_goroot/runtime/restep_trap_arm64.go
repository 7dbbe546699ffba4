package runtime

import (
	"internal/abi"
	"internal/cpu"
	"internal/runtime/syscall/linux"
)

// restepPinCPU refuses a CPU on which maps would hash otherwise than on all
// others, for the hash decides the order of iteration, and a kernel with pages
// of another size than those that variables are protected by.
func restepPinCPU() {
	if !cpu.ARM64.HasAES {
		restepDie("this CPU has no AES instructions", 0)
	}
	if physPageSize != restepPageSize {
		restepDie("this kernel's pages are not of 4 KiB", 0)
	}
}

// restepDirectCalls is the address of what restepSys calls.
func restepDirectCalls() uint32 { return uint32(abi.FuncPCABI0(linux.Syscall6)) }

func restepSigsys(c *sigctxt, gp *g) bool {
	if gp == nil {
		return false
	}
	gp.sched.bp = uintptr(c.r29())
	regs := &c.regs().regs
	args := [6]uintptr{uintptr(regs[0]), uintptr(regs[1]), uintptr(regs[2]), uintptr(regs[3]), uintptr(regs[4]), uintptr(regs[5])}
	r, ok := restepTrapped(c, gp, uintptr(regs[8]), &args)
	if ok {
		regs[0] = uint64(r)
	}
	return ok
}

func restepNeedsNoMemory(nr uintptr) bool {
	switch nr {
	case 141, 148, 150, 155, 166, 172, 173, 174, 175, 176, 177, 178: // getpriority ... gettid
		return true
	}
	return false
}
