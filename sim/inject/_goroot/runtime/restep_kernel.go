package runtime

import (
	choice "internal/restep/sched"
	"unsafe"
)

// The injected kernel's functions. They run on g0 and never block, panic or
// start a collection.

//go:linkname restep_kernelNew internal/restep/kernel.linkNew
//go:noescape
func restep_kernelNew(h *restepHost, cfg *restepConfig) unsafe.Pointer

//go:linkname restep_kernelEntry internal/restep/kernel.linkEntry
func restep_kernelEntry()

//go:linkname restep_kernelSyscall internal/restep/kernel.linkSyscall
//go:noescape
func restep_kernelSyscall(k unsafe.Pointer, machine uint32, caller, nr uintptr, a *[6]uintptr) (r, errno uintptr)

//go:linkname restep_kernelNext internal/restep/kernel.linkNext
//go:noescape
func restep_kernelNext(k unsafe.Pointer) int64

//go:linkname restep_kernelRun internal/restep/kernel.linkRun
//go:noescape
func restep_kernelRun(k unsafe.Pointer, now int64)

//go:linkname restep_kernelNewMachine internal/restep/kernel.linkNewMachine
//go:noescape
func restep_kernelNewMachine(k unsafe.Pointer, label string, addr uint32, mayExit bool) (id uint32, err string)

//go:linkname restep_kernelBootMachine internal/restep/kernel.linkBootMachine
//go:noescape
func restep_kernelBootMachine(k unsafe.Pointer, id uint32)

//go:linkname restep_kernelCrashMachine internal/restep/kernel.linkCrashMachine
//go:noescape
func restep_kernelCrashMachine(k unsafe.Pointer, id uint32)

//go:linkname restep_kernelEndMachine internal/restep/kernel.linkEndMachine
//go:noescape
func restep_kernelEndMachine(k unsafe.Pointer, id uint32, kind uint8, code int32, text string)

//go:linkname restep_kernelForked internal/restep/kernel.linkForked
//go:noescape
func restep_kernelForked(k unsafe.Pointer) (id, pid, machine uint32, runs bool, program uint32, args, env []string, ignored uint64)

//go:linkname restep_kernelExit internal/restep/kernel.linkExit
//go:noescape
func restep_kernelExit(k unsafe.Pointer, id uint32, code int32, killed bool)

//go:linkname restep_kernelAct internal/restep/kernel.linkAct
//go:noescape
func restep_kernelAct(k unsafe.Pointer) (process, sig uint32, action uint8)

//go:linkname restep_kernelSigpipe internal/restep/kernel.linkSigpipe
//go:noescape
func restep_kernelSigpipe(k unsafe.Pointer, id uint32) bool

//go:linkname restep_kernelSignal internal/restep/kernel.linkSignal
//go:noescape
func restep_kernelSignal(k unsafe.Pointer, id, sig uint32) uint8

//go:linkname restep_kernelHandle internal/restep/kernel.linkHandle
//go:noescape
func restep_kernelHandle(k unsafe.Pointer, id, sig uint32, handled, ignored bool)

//go:linkname restep_kernelPollOpen internal/restep/kernel.linkPollOpen
//go:noescape
func restep_kernelPollOpen(k unsafe.Pointer, id uint32, fd, pd uintptr) uintptr

//go:linkname restep_kernelPollClose internal/restep/kernel.linkPollClose
//go:noescape
func restep_kernelPollClose(k unsafe.Pointer, id uint32, fd, pd uintptr)

//go:linkname restep_kernelRecord internal/restep/kernel.linkRecord
//go:noescape
func restep_kernelRecord(k unsafe.Pointer, kind uint8, machine uint32, number uint64, text string, level int8)

//go:linkname restep_kernelLink internal/restep/kernel.linkLink
//go:noescape
func restep_kernelLink(k unsafe.Pointer, op uint8, a, b string, value int64) string

//go:linkname restep_kernelLabel internal/restep/kernel.linkLabel
//go:noescape
func restep_kernelLabel(k unsafe.Pointer, id uint32) string

//go:linkname restep_kernelExport internal/restep/kernel.linkExport
//go:noescape
func restep_kernelExport(k unsafe.Pointer, write func(piece []byte))

//go:linkname restep_kernelForget internal/restep/kernel.linkForget
//go:noescape
func restep_kernelForget(k unsafe.Pointer, id uint32, caller uintptr)

//go:linkname restep_kernelFault internal/restep/kernel.linkFault
//go:noescape
func restep_kernelFault(k unsafe.Pointer, addr uintptr) bool

// restep_kernelOp's strings may stay in the kernel, so they escape.
//
//go:linkname restep_kernelOp internal/restep/kernel.linkOp
func restep_kernelOp(k unsafe.Pointer, op uint8, id uint32, a, b string, v int64) (text string, n int64)

//go:linkname restep_kernelClose internal/restep/kernel.linkClose
//go:noescape
func restep_kernelClose(k unsafe.Pointer)

// restepHost is what the kernel calls in the runtime; the kernel declares the
// same type (hostFuncs in link.go). All are plain functions.
type restepHost struct {
	now       func() int64
	rand      func(stream uint8) uint64
	wake      func(pd uintptr, mode uint8)
	ready     func(caller uintptr)
	signal    func(machine, sig uint32)
	context   func(c *restepContext)
	symbolize func(pc uintptr, emit func(function, file string, line int))
	grow      func(need uint64) bool
	memory    func(size uintptr) unsafe.Pointer
	stepped   func(n, sum uint64)
	main      func()
	real      func(nr uintptr, a *[6]uintptr) (r, errno uintptr)
	store     func(addr uintptr, p unsafe.Pointer, n uintptr) bool
}

// restepContext says who makes a step: filled in by the runtime.
type restepContext struct {
	machine   uint32
	goroutine uint64
	time      int64
	tick      uint64
	mark      uint64 // see restepMark
	n         int
	pcs       [48]uintptr
}

// restepConfig is what the kernel is made with (linkConfig there).
type restepConfig struct {
	seed, variant uint64
	start         int64
	cwd           string
	root, real    string // the module under test: where the program sees it, where it is
	log           []byte
	textBase      uintptr
}

func restepHostNow() int64 { return restep.now }

func restepHostRand(stream uint8) uint64 { return restep.src.Next(choice.Stream(stream)) }

// restepKernelContext tells the recorder who makes the step: the goroutine
// that runs or, in the scheduler, nobody.
func restepKernelContext(c *restepContext) {
	gp := restep.blame.ptr()
	if gp == nil && !restep.nobody {
		gp = getg().m.curg
	}
	c.time, c.tick, c.n, c.goroutine, c.machine, c.mark = restep.now, restep.tick, 0, 0, 0, 0
	if gp == nil || gp.restepMachine == 0 {
		return
	}
	c.machine, c.goroutine, c.mark = restepOwner(gp.restepMachine), gp.goid, gp.restepMark
	c.n = fpTracebackPCs(unsafe.Pointer(gp.sched.bp), c.pcs[:])
}

// restepSymbolize names the functions at a return address, inlined ones first.
// It leaves the runtime's cache of pc values alone, as a signal handler does:
// what is in it decides which look-ups of stack walks draw random numbers, and
// a run that finds names remembered looks up less than another.
func restepSymbolize(pc uintptr, emit func(function, file string, line int)) {
	pc--
	if restepKnownSymbol(pc, emit) {
		return
	}
	f := findfunc(pc)
	if !f.valid() {
		return
	}
	sym := restepNewSymbol()
	cache := &getg().m.pcvalueCache
	cache.inUse++
	u, uf := newInlineUnwinder(f, pc)
	for ; uf.valid(); uf = u.next(uf) {
		file, line := u.fileLine(uf)
		function := u.srcFunc(uf).name()
		emit(function, file, line)
		sym.add(function, file, line)
	}
	cache.inUse--
	sym.publish(pc)
}

// restepStepped counts a recorded step. The assignment is where a debugger has
// its breakpoint: it is reached at one step alone, whoever makes it, and the
// stack above is that of the goroutine that made it or of the scheduler.
func restepStepped(n, sum uint64) {
	restep.step, restep.sum = n, sum
	if c := restep.control; c != nil && n >= c.next {
		restepConsider(n)
	}
	if n == restep.stopStep {
		restep.stopping = true
	}
}

// restepKernelDone runs after every entry of the kernel.
func restepKernelDone() { restep.kernelNext = restep_kernelNext(restep.kernel) }

func restepKernelEvents() {
	restep_kernelRun(restep.kernel, restep.now)
	restepKernelDone()
}

// restepCall carries a system call to g0 and its result back.
type restepCall struct {
	machine   uint32
	caller    uintptr
	nr        uintptr
	args      [6]uintptr
	r1, errno uintptr
}

// restepSyscall hands a system call of a machine's goroutine to the simulated
// kernel. The caller's arguments are addresses in its stack: the kernel runs
// on the system stack, so that stack neither moves nor shrinks meanwhile. It is
// called before entersyscall.
//
//go:linkname restepSyscall
//go:nosplit
func restepSyscall(nr, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2, errno uintptr, done bool) {
	gp := getg()
	if !restep.on || gp.restepMachine == 0 || gp != gp.m.curg {
		return
	}
	id := gp.restepMachine
	if gp.restepActs != 0 {
		id = gp.restepActs
	}
	c := restepCall{
		machine: id, caller: uintptr(unsafe.Pointer(gp)), nr: nr,
		args: [6]uintptr{a1, a2, a3, a4, a5, a6},
	}
	p := unsafe.Pointer(&c)
	systemstack(func() { restepCallKernel((*restepCall)(p)) })
	if c.errno >= restepRestart {
		// The call waits. Meanwhile the stack may move, and with it what the
		// arguments point to: pointers into it are kept as pointers.
		var keep [6]unsafe.Pointer
		for i, a := range c.args {
			if a >= gp.stack.lo && a < gp.stack.hi {
				keep[i] = unsafe.Pointer(a)
			}
		}
		for c.errno >= restepRestart {
			restepAwait(c.errno)
			if c.errno == restepSignalled {
				c.r1, c.errno = 0, 0
				break
			}
			for i, k := range keep {
				if k != nil {
					c.args[i] = uintptr(k)
				}
			}
			p := unsafe.Pointer(&c)
			systemstack(func() { restepCallKernel((*restepCall)(p)) })
		}
	}
	// The kernel allocates on the system stack, where no collection can begin:
	// a program that only moves bytes would never have one.
	if t := (gcTrigger{kind: gcTriggerHeap}); t.test() {
		gcStart(t)
	}
	// Others may run between any two calls. The call is over: what its
	// arguments pointed to may move now.
	if restepPoints--; restepPoints < 0 && gp.restepActs == 0 {
		restepPreempt()
	}
	if c.errno != 0 {
		return ^uintptr(0), 0, c.errno, true
	}
	return c.r1, c.args[restepSecondResult], 0, true
}

// Answers of the kernel that no program sees (abi.ERESTARTSYS and its kin).
const (
	restepRestart   = 512 // wait for restepGoOn, then make the call once more
	restepSignalled = 513 // the call is done; restepDoActs does what follows from it
)

// restepCallKernel runs on g0.
func restepCallKernel(c *restepCall) {
	restep.busy = min(restep.busy, restepBusyTurns<<restepBusyShift)
	if c.nr == restepSysClockGettime || c.nr == restepSysGettimeofday {
		restep.busy++
		restepPass(restepClockCost + restepBusyCost(restepBusyTurns))
	}
	c.r1, c.errno = restep_kernelSyscall(restep.kernel, c.machine, c.caller, c.nr, &c.args)
	restepKernelDone()
}

// restepRecord makes a step on behalf of the calling goroutine.
func restepRecord(kind uint8, machine uint32, number uint64, text string, level int8) {
	systemstack(func() {
		restep_kernelRecord(restep.kernel, kind, machine, number, text, level)
		restepKernelDone()
	})
}

// Kinds of steps that the runtime makes itself (steplog.Kind).
const (
	restepKindGo          = 2
	restepKindGoexit      = 3
	restepKindClock       = 19
	restepKindDeadlock    = 24
	restepKindTimeout     = 25
	restepKindUnsupported = 26
	restepKindEnd         = 27
)

// restepRecordGo and restepRecordGoexit run on g0.
func restepRecordGo(creator, gp *g) {
	restep_kernelRecord(restep.kernel, restepKindGo, creator.restepMachine, gp.goid, "", 0)
}

func restepRecordGoexit(gp *g) {
	restep.blame.set(gp)
	gp.sched.bp = 0
	restep_kernelRecord(restep.kernel, restepKindGoexit, gp.restepMachine, gp.goid, "", 0)
	restep.blame = 0
}

func restepRecordClock() {
	restep_kernelRecord(restep.kernel, restepKindClock, 0, 0, "", 0)
}

// restepArena is memory for the recorder and the run queue, mapped by the
// zygote: what a run maps itself, its next one has to fault in again.
var restepArena struct{ next, end uintptr }

func restepPrepareMemory() {
	const size = 1 << 20
	restepArena.next = uintptr(sysAlloc(size, &memstats.other_sys, "restep recorder"))
	restepArena.end = restepArena.next + size
	if restepArena.next == 0 {
		throw("restep: out of memory")
	}
	restep.runq.cap = uint32(restepPageSize / restepQueueElem)
	restep.runq.mem = uintptr(restepMemory(restepPageSize))
	// The same for memory that the runtime would map in each run: the table of
	// the memory profile, and room for what is never freed.
	stkbucket(memProfile, 1, []uintptr{0}, true)
	for pp := getg().m.p.ptr(); pp.palloc.base == nil || pp.palloc.off > persistentChunkSize/2; {
		persistentalloc(persistentChunkSize/8, 0, &memstats.other_sys)
	}
}

// restepMemory is zeroed memory outside the Go heap, whole pages.
func restepMemory(size uintptr) unsafe.Pointer {
	size = (size + restepPageSize - 1) &^ (restepPageSize - 1)
	if size <= restepArena.end-restepArena.next {
		p := restepArena.next
		restepArena.next += size
		return unsafe.Pointer(p)
	}
	return sysAlloc(size, &memstats.other_sys, "restep recorder")
}
