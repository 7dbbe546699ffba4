package runtime

import (
	"internal/goarch"
	"unsafe"
)

// Child processes. To the runtime a child is one more machine: it has a number
// from restepMaxMachines on, an image, a boot number, goroutines and timers of
// its own, and host says on which machine it is. It also has its own copy of
// the variables that machines share with main, those of package testing: it
// runs main, and with it its own tests.

const restepMaxChildren = 1024

// restepProgram are the variables of which a child has a copy beside its image.
// The linker does not lay them out together: there are few switches.
var restepProgram struct {
	n        int
	ranges   [1024]restepRun // off is their place in a copy
	size     uintptr
	typ      *_type
	pristine unsafe.Pointer
	main     unsafe.Pointer // the copy of machine main and all other machines, while a child runs
	cur      uint32         // the child whose copy is in place, 0 for none
}

// restepInitProgram makes the type of copies and keeps the pristine one.
func restepInitProgram() {
	p := &restepProgram
	for i := range p.ranges[:p.n] {
		r := &p.ranges[i]
		// Words of the copy are words of the original, for the collector.
		p.size += (r.addr - p.size) & (goarch.PtrSize - 1)
		r.off = p.size
		p.size += r.size
	}
	p.size = (p.size + goarch.PtrSize) &^ (goarch.PtrSize - 1) // never empty
	mask := persistentalloc(p.size/goarch.PtrSize/8+9, 8, &memstats.other_sys)
	last := uintptr(0)
	for i := range p.ranges[:p.n] {
		r := &p.ranges[i]
		for a := (r.addr + goarch.PtrSize - 1) &^ (goarch.PtrSize - 1); a+goarch.PtrSize <= r.addr+r.size; a += goarch.PtrSize {
			if restepIsPointer(a) {
				w := (r.off + a - r.addr) / goarch.PtrSize
				*(*byte)(add(mask, w/8)) |= 1 << (w % 8)
				last = (w + 1) * goarch.PtrSize
			}
		}
	}
	p.typ = restepImageType(p.size, last, mask)
	p.pristine = sysAlloc(p.size, &memstats.other_sys, "restep pristine program")
	restepSaveProgram(p.pristine)
}

//go:nowritebarrierrec
func restepSaveProgram(to unsafe.Pointer) {
	for i := range restepProgram.ranges[:restepProgram.n] {
		r := &restepProgram.ranges[i]
		memmove(add(to, r.off), unsafe.Pointer(r.addr), r.size)
	}
}

// restepSwitchProgram puts the copy of child to in place, 0 for that of all
// machines. A child that has ended has none any more.
//
//go:nowritebarrierrec
func restepSwitchProgram(to uint32) {
	p := &restepProgram
	if old := restepProgramOf(p.cur); old != nil {
		restepSaveProgram(old)
	}
	from := restepProgramOf(to)
	if from == nil {
		throw("restep: switch to a program that is off")
	}
	for i := range p.ranges[:p.n] {
		r := &p.ranges[i]
		memmove(unsafe.Pointer(r.addr), add(from, r.off), r.size)
	}
	p.cur = to
}

//go:nosplit
func restepProgramOf(id uint32) unsafe.Pointer {
	if id == 0 {
		return restepProgram.main
	}
	return restep.machine[id].program
}

// restepProgramPlace is where a variable of package testing lies in the copy of
// the child that runs, p itself when none runs: see restepCanonical.
//
//go:nosplit
func restepProgramPlace(p unsafe.Pointer) unsafe.Pointer {
	if restepProgram.cur == 0 {
		return p
	}
	a := uintptr(p)
	for i := 0; i < restepProgram.n; i++ {
		if r := &restepProgram.ranges[i]; a >= r.addr && a < r.addr+r.size {
			return add(restep.machine[restepProgram.cur].program, r.off+a-r.addr)
		}
	}
	return p
}

// restepChildID is id if it is that of a child, else 0.
//
//go:nosplit
func restepChildID(id uint32) uint32 {
	if id < restepMaxMachines {
		return 0
	}
	return id
}

// restepOwner is the machine of a process.
//
//go:nosplit
func restepOwner(id uint32) uint32 {
	if id < restepMaxMachines {
		return id
	}
	return restep.machine[id].host
}

// restepEachChild calls f for the children of machine host that are alive.
func restepEachChild(host uint32, f func(id uint32)) {
	for id := uint32(restepMaxMachines); id < restepMaxMachines+restep.nchild; id++ {
		if m := &restep.machine[id]; m.alive && m.host == host {
			f(id)
		}
	}
}

const (
	restepForkMark  = 0x7265_7374_6570 // ForkMark in the kernel
	restepProcesses = restepMaxMachines + restepMaxChildren
)

// restepVfork is clone(2) in the eyes of package syscall: what the goroutine
// calls from now on, it calls as the child, until restepForked.
//
//go:linkname restepVfork
func restepVfork(flags uintptr, pidfd *int32) (errno uintptr) {
	gp := getg()
	systemstack(func() {
		c := restepCall{machine: gp.restepMachine, nr: restepSysClone}
		c.args[0], c.args[2], c.args[5] = flags, uintptr(unsafe.Pointer(pidfd)), restepForkMark
		restepCallKernel(&c)
		if errno = c.errno; errno == 0 {
			gp.restepActs, _, _, _, _, _, _, _ = restep_kernelForked(restep.kernel)
		}
	})
	return errno
}

// restepForked ends what restepVfork began: the goroutine is its parent again,
// and the child, if its execve went well, runs.
//
//go:linkname restepForked
func restepForked() uintptr {
	gp := getg()
	gp.restepActs = 0
	var id, pid, host uint32
	var runs bool
	var program uint32
	var args, env []string
	var ignored uint64
	systemstack(func() { id, pid, host, runs, program, args, env, ignored = restep_kernelForked(restep.kernel) })
	if runs {
		restep.nchild = max(restep.nchild, id-restepMaxMachines+1)
		m := &restep.machine[id]
		m.host, m.pid, m.args, m.env, m.clock = host, pid, args, env, restep.machine[host].clock
		m.main, m.number = main_main, program
		if program != 0 {
			m.main = restepPrograms[program-1].main
		}
		if restepProgram.main == nil {
			restepProgram.main = mallocgc(restepProgram.size, restepProgram.typ, true)
		}
		m.program = mallocgc(restepProgram.size, restepProgram.typ, true)
		memmove(m.program, restepProgram.pristine, restepProgram.size)
		m.sigIgnored = ignored << 1 // bit n for signal n
		restepStart(id, false)
	}
	return uintptr(pid)
}

// restepPrograms are the programs that the binary has beside its own main.
var restepPrograms []restepProgramMain

type restepProgramMain struct {
	dir  string // as sim.Program names it
	main func()
}

//go:linkname restepSimLinkProgram
func restepSimLinkProgram(number int, dir string, main func()) {
	if number != len(restepPrograms)+1 || number > len(restepLayout.programs) || restepLayout.programs[number-1] == nil {
		return // another machine has done that
	}
	restepPrograms = append(restepPrograms, restepProgramMain{dir, main})
}

// restepSimProgram is the number of a program, 0 for none.
//
//go:linkname restepSimProgram
func restepSimProgram(dir string) int {
	for i := range restepPrograms {
		if restepPrograms[i].dir == dir {
			return i + 1
		}
	}
	return 0
}

// restepDoActs ends, stops and continues processes as the kernel says. It runs
// on a goroutine, which may be one of them, or on g0.
func restepDoActs() {
	for {
		var id, sig uint32
		var action uint8
		systemstack(func() { id, sig, action = restep_kernelAct(restep.kernel) })
		if id == 0 {
			return
		}
		restepAct(id, sig, action, restepEndKill, restepSignalName(sig))
	}
}

// restepEndProcess tells the kernel of the end of a process and frees what the
// runtime has of it, on g0. kind 0 is the end of a machine's power.
func restepEndProcess(id uint32, kind uint8, code int32, text string) {
	switch {
	case id >= restepMaxMachines:
		restep_kernelExit(restep.kernel, id, code, kind == restepEndKill)
	case kind == 0:
		restep_kernelCrashMachine(restep.kernel, id)
	default:
		restep_kernelEndMachine(restep.kernel, id, kind, code, text)
	}
	restepKernelDone()
}

// restepBuryAll is restepBury for a process and, when it is the first one of
// a machine, for all others there.
func restepBuryAll(id uint32) {
	restepBury(id)
	if id < restepMaxMachines {
		restepEachChild(id, restepBury)
	}
}

// restepSigpipe is what a write to a broken pipe on descriptor 1 or 2 does.
func restepSigpipe() {
	gp := getg()
	id := gp.restepMachine
	dies := false
	systemstack(func() {
		dies = restep_kernelSigpipe(restep.kernel, id)
		restepKernelDone()
	})
	if dies {
		restepHalt(id, false, restepEndKill, 128+13, restepSignalName(13))
	}
}

// restepDump prints the stacks of a process that a signal ends so.
func restepDump(id, sig uint32) {
	if sig >= uint32(len(sigtable)) || sigtable[sig].flags&(_SigThrow|_SigPanic) == 0 {
		return
	}
	systemstack(func() {
		restep.outLevel, restep.outMachine = 8, id
		print(restepSignalName(sig), "\n")
		for _, gp := range allgs {
			if gp.restepMachine == id && gp.restepInc == restep.machine[id].inc && readgstatus(gp)&^_Gscan != _Gdead {
				print("\n")
				goroutineheader(gp)
				traceback(^uintptr(0), ^uintptr(0), 0, gp)
			}
		}
		restep.outLevel, restep.outMachine = 0, 0
	})
}

//go:linkname restepSimChild
func restepSimChild() bool { return getg().restepMachine >= restepMaxMachines }
