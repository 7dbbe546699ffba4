package runtime

import "unsafe"

// How runs and machines end: exit, panic, fatal errors, deadlock, time-out.

// restepConsole collects what the runtime itself prints (print, panics, stack
// traces) and makes a log step of each line. It runs on any stack, so it only
// copies; lines are handed over on g0.
//
//go:nosplit
func restepConsole(p *byte, n int32) bool {
	if !restep.on || restep.exiting || getg().m.throwing >= throwTypeRuntime {
		return false
	}
	gp := getg()
	c := &restepOut
	for i := int32(0); i < n; i++ {
		b := *(*byte)(add(unsafe.Pointer(p), uintptr(i)))
		if c.n < len(c.buf) {
			c.buf[c.n] = b
			c.n++
		}
		if b == '\n' || c.n == len(c.buf) {
			if gp == gp.m.curg {
				systemstack(func() { restepConsoleLine() })
			} else {
				restepConsoleLine()
			}
		}
	}
	return true
}

var restepOut struct {
	buf  [1024]byte
	n    int
	busy bool
}

// restepString is unsafe.String without its checks, which could panic.
//
//go:nosplit
func restepString(p *byte, n int) string {
	s := stringStruct{unsafe.Pointer(p), n}
	return *(*string)(unsafe.Pointer(&s))
}

// restepSetEnd notes why a machine ends, restepEndText reads it; a buffer, for
// neither may need a write barrier.
//
//go:nosplit
func restepSetEnd(text string) {
	n := 0
	for n < len(text) && n < len(restepEnd.buf) {
		restepEnd.buf[n] = text[n]
		n++
	}
	restepEnd.n = n
}

func restepEndText() string { return restepString(&restepEnd.buf[0], restepEnd.n) }

var restepEnd struct {
	buf [512]byte
	n   int
}

func restepConsoleLine() {
	c := &restepOut
	if c.n == 0 || c.busy {
		return
	}
	c.busy = true
	n := c.n
	if c.buf[n-1] == '\n' {
		n--
	}
	machine := restep.cur
	if restep.outMachine != 0 {
		machine = restep.outMachine
	}
	restep_kernelRecord(restep.kernel, 1, machine, 1, restepString(&c.buf[0], n), restep.outLevel)
	c.n = 0
	c.busy = false
}

// restepFatalPanic reports a panic that nobody recovered, as the Go runtime
// would, and ends the machine.
//
//go:nosplit
func restepFatalPanic(msgs *_panic, pc, sp uintptr) {
	systemstack(func() {
		runningPanicDefers.Add(-1)
		gp := getg().m.curg
		restep.outLevel = 8
		restepPanicText(msgs)
		printpanics(msgs)
		print("\n")
		goroutineheader(gp)
		traceback(pc, sp, 0, gp)
		restep.outLevel = 0
	})
	gp := getg()
	gp._panic = nil
	restepEndSelf(restepEndPanic, 2)
}

// restepPanicText keeps a short form of the panic for the step that ends the
// machine.
func restepPanicText(p *_panic) {
	restepSetEnd("panic")
	if p == nil {
		return
	}
	for p.link != nil {
		p = p.link
	}
	if v, ok := p.arg.(string); ok {
		restepSetEnd(v)
	} else if e := efaceOf(&p.arg); e._type != nil {
		restepSetEnd(toRType(e._type).string())
	}
}

// restepFatalThrow ends the machine after a fatal error of the program, such
// as unlock of an unlocked mutex; fatal has printed what it was.
//
//go:nosplit
func restepFatalThrow(pc, sp uintptr) {
	systemstack(func() {
		gp := getg().m.curg
		restep.outLevel = 8
		print("\n")
		goroutineheader(gp)
		traceback(pc, sp, 0, gp)
		restep.outLevel = 0
		for gp.m.printlock > 0 { // fatal holds it, for it does not expect to return
			printunlock()
		}
	})
	restepSetEnd("fatal error")
	restepEndSelf(restepEndPanic, 2)
}

// restepBusyExit is the exit code of a run that was asked what it is busy with.
const restepBusyExit = 124

// restepBusy answers SIGQUIT, which the host sends to a run that takes too long
// in real time: it prints the goroutine that runs and ends the process. It runs
// in the signal handler, and prints to the real standard error.
func restepBusy(c *sigctxt, gp *g) {
	restep.exiting = true
	if gp != nil && gp == gp.m.g0 {
		print("in the simulator, for:\n")
		gp = gp.m.curg
	}
	if gp == nil || gp.restepMachine == 0 {
		print("no goroutine of the program runs\n")
		exit(restepBusyExit)
	}
	print("machine ", restep_kernelLabel(restep.kernel, gp.restepMachine), ", goroutine ", gp.goid, " runs:\n")
	if pc := c.sigpc(); gp == getg().m.curg && findfunc(pc).valid() && c.sigsp() >= gp.stack.lo && c.sigsp() < gp.stack.hi {
		tracebacktrap(pc, c.sigsp(), c.siglr(), gp)
	} else {
		traceback(^uintptr(0), ^uintptr(0), 0, gp)
	}
	exit(restepBusyExit)
}

// restepOverflow ends the machine of a goroutine whose stack has outgrown its
// limit. It runs on g0 and does not return.
func restepOverflow(gp *g) {
	restep.outLevel = 8
	print("fatal error: stack overflow\n\n")
	goroutineheader(gp)
	traceback(^uintptr(0), ^uintptr(0), 0, gp)
	restep.outLevel = 0
	restepSetEnd("stack overflow")
	if gp.restepMachine == 1 {
		restepFinish(2)
	}
	gp.restepEnds, gp.restepEndKind, gp.restepEndCode = gp.restepMachine, restepEndPanic, 2
	restepEndSelfM(gp)
}

// restepOverflowed is restepOverflow by a variable: newstack may not have
// write barriers below it, and none is active when a program's stack grows.
var restepOverflowed = restepOverflow

// restepDeadlock reports every goroutine with machine and stack and ends the
// run: nothing can ever run again.
func restepDeadlock() {
	restep_kernelRecord(restep.kernel, restepKindDeadlock, 0, 0, "all goroutines are asleep - deadlock!", 8)
	restep.outLevel, restep.outMachine = 8, 1
	print("fatal error: all goroutines are asleep - deadlock!\n")
	restepTraceAll()
	restepFinish(2)
}

// restepTimeout ends a run whose simulated time is over.
func restepTimeout() {
	restep.now = restep.deadline
	restep_kernelRecord(restep.kernel, restepKindTimeout, 0, 0, "test timed out in simulated time", 8)
	restep.outLevel, restep.outMachine = 8, 1
	print("panic: test timed out in simulated time; sim.SetSimulationTimeout sets the limit\n")
	restepTraceAll()
	restepFinish(2)
}

// restepNoMemory ends a run that the host gives no more memory. Only the
// collector may have some more, once: the limit is then met by the goroutine
// that asks next, and the report names a place in the program.
//
//go:nosplit
func restepNoMemory(n uintptr) unsafe.Pointer {
	if !restep.on {
		return nil
	}
	if gp := getg().m.curg; (gp == nil || gp.restepMachine == 0) && !restep.reserve {
		restep.reserve = true
		restepLast()   // the limit stays where it is now
		const data = 2 // RLIMIT_DATA, setrlimit(2)
		var limit [2]uint64
		restepSys(restepSysPrlimit, 0, data, 0, uintptr(unsafe.Pointer(&limit)), 0, 0)
		limit[0] = limit[1]
		restepSys(restepSysPrlimit, 0, data, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
		const flags = 0x22 // MAP_PRIVATE | MAP_ANONYMOUS
		if p, errno := restepSys(restepSysMmap, 0, n, 3, flags, ^uintptr(0), 0); errno == 0 {
			return unsafe.Pointer(p)
		}
	}
	throw("restep: out of memory")
	return nil
}

func restepTraceAll() {
	for _, gp := range allgs {
		if gp.restepMachine == 0 || readgstatus(gp)&^_Gscan == _Gdead {
			continue
		}
		print("\nmachine ", restep_kernelLabel(restep.kernel, gp.restepMachine), ", ")
		goroutineheader(gp)
		traceback(^uintptr(0), ^uintptr(0), 0, gp)
	}
}

// restepFinish ends the run: the last step carries the exit code.
func restepFinish(code int32) {
	restepConsoleLine()
	restep.blame = 0
	restep_kernelRecord(restep.kernel, restepKindEnd, 1, uint64(code), "", 0)
	restep.exiting = true
	restepExport()
	restep_kernelClose(restep.kernel)
	restepCloseLog()
	restepCloseMemory()
	restepAgain(code)
	exit(code)
}
