package runtime

import (
	"internal/runtime/sys"
	"unsafe"
)

// Finalizers and cleanups run on goroutines of the runtime, for the machine
// that registered them: with its variables in place, and not at all once that
// boot of the machine is over.

// A finalizer's machine and boot travel in the upper bits of its nret, the
// size of its results, which never needs them.
const (
	restepNretBits    = 24
	restepMachineBits = 13
)

func restepPackFinalizer(nret uintptr) uintptr {
	gp := restepCurrent()
	if !restep.on || nret >= 1<<restepNretBits {
		return nret
	}
	return nret | uintptr(gp.restepMachine)<<restepNretBits | uintptr(gp.restepInc)<<(restepNretBits+restepMachineBits)
}

// restepUnpackFinalizer takes machine and boot out of f again.
func restepUnpackFinalizer(f *finalizer) (id, inc uint32) {
	id = uint32(f.nret>>restepNretBits) & (1<<restepMachineBits - 1)
	inc = uint32(f.nret >> (restepNretBits + restepMachineBits))
	f.nret &= 1<<restepNretBits - 1
	return id, inc
}

// restepLend runs f on the calling goroutine of the runtime as if it were one
// of machine id, unless that boot of the machine is over. If the machine dies
// meanwhile, f is abandoned where it waits and restepLend returns.
func restepLend(id, inc uint32, f func()) {
	if id == 0 {
		f()
		return
	}
	if !restepAlive(id, inc) {
		return
	}
	gp := getg()
	// Where to go on: the stack may move, so places in it count from its end.
	gp.restepBackPC = sys.GetCallerPC()
	gp.restepBackSP = gp.stack.hi - sys.GetCallerSP()
	gp.restepBackBP = gp.stack.hi - *(*uintptr)(unsafe.Pointer(getfp()))
	gp.restepMachine, gp.restepInc, gp.restepLent = id, inc, true
	systemstack(func() { restepSwitch(id) })
	f()
	gp = getg()
	gp.restepMachine, gp.restepInc, gp.restepLent = 0, 0, false
}

// restepReturn lets a lent goroutine whose machine is dead return from
// restepLend. It is off whatever it waited on; its deferred calls were made
// below restepLend and do not run.
func restepReturn(gp *g) {
	gp.restepMachine, gp.restepInc, gp.restepLent, gp.restepMark = 0, 0, false, 0
	gp._defer, gp._panic = nil, nil
	gp.timer, gp.labels = nil, nil
	gp.asyncSafePoint = false
	gp.sched.pc = gp.restepBackPC
	gp.sched.sp = gp.stack.hi - gp.restepBackSP
	gp.sched.bp = gp.stack.hi - gp.restepBackBP
	gp.sched.ctxt = nil
	if readgstatus(gp) == _Gwaiting {
		casgstatus(gp, _Gwaiting, _Grunnable)
	}
	restepEnqueue(gp)
}

// restepWrapCleanup makes a cleanup one of the machine that registers it.
func restepWrapCleanup[S any](cleanup func(S)) func(S) {
	id, inc := restepWho()
	if id == 0 {
		return cleanup
	}
	return func(arg S) { restepLend(id, inc, func() { cleanup(arg) }) }
}

func restepWho() (id, inc uint32) {
	if !restep.on {
		return 0, 0
	}
	gp := getg()
	return gp.restepMachine, gp.restepInc
}
