package runtime

import (
	choice "internal/restep/sched"
	"unsafe"
)

// Preemption points at function calls and memory accesses. The user's modules
// are then compiled with the compiler's own instrumentation (its flag -race,
// for these packages alone); there is no race detector, and the functions that
// it would provide are here. They are called in the middle of anything the
// user's code does, so nothing here may grow or move the stack: a turn is
// decided on g0.

// restepLevel is the run's choice.Level.
var restepLevel uint32

//go:nosplit
func racefuncenter(uintptr) {
	if restepLevel >= uint32(choice.Calls) {
		if restepPoints--; restepPoints < 0 {
			restepPreemptHere()
		}
	}
}

//go:nosplit
func racefuncexit() {}

//go:nosplit
func raceread(uintptr) { restepAccess() }

//go:nosplit
func racewrite(uintptr) { restepAccess() }

//go:nosplit
func racereadrange(_, _ uintptr) { restepAccess() }

//go:nosplit
func racewriterange(_, _ uintptr) { restepAccess() }

//go:nosplit
func restepAccess() {
	if restepLevel >= uint32(choice.Memory) {
		if restepPoints--; restepPoints < 0 {
			restepPreemptHere()
		}
	}
}

// restepPreemptHere is restepPreempt where the stack must stay as it is.
//
//go:nosplit
func restepPreemptHere() {
	if !restep.on {
		restepPoints = 1 << 30
		return
	}
	gp := getg()
	if !restepMayYield(gp) {
		restepLater()
		return
	}
	gp.asyncSafePoint = true // a collection meanwhile does not shrink the stack
	mcall(restepPreemptHereM)
	gp.asyncSafePoint = false
}

func restepPreemptHereM(gp *g) {
	if restepBelowUnique(gp) {
		restepLater()
		gogo(&gp.sched)
	}
	restepTurn(gp)
	if restep.runq.n == 0 && restep.kernelNext == 0 {
		gogo(&gp.sched)
	}
	restepYield(gp)
}

// restepBelowUnique reports whether gp runs code of the user's that package
// unique has called: it compares values of the user's types while it holds a
// lock that all machines share.
func restepBelowUnique(gp *g) bool {
	var pcs [12]uintptr
	n := fpTracebackPCs(unsafe.Pointer(gp.sched.bp), pcs[:])
	for _, pc := range pcs[:n] {
		if f := findfunc(pc - 1); f.valid() && restepPackage(funcname(f)) == "unique" {
			return true
		}
	}
	return false
}
