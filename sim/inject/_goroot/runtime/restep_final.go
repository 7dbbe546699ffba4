package runtime

// Finalizers and cleanups run on goroutines of the runtime, for the machine
// that registered them: with its variables in place, and not at all once that
// boot of the machine is over.

// A finalizer's machine and boot travel in the upper bits of its nret, the
// size of its results, which never needs them.
const (
	restepNretBits    = 24
	restepMachineBits = 12
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

// restepEnter lends the calling goroutine of the runtime to a machine; it
// reports false when that boot of the machine is over.
func restepEnter(id, inc uint32) bool {
	if id == 0 {
		return true
	}
	if !restepAlive(id, inc) {
		return false
	}
	gp := getg()
	gp.restepMachine, gp.restepInc, gp.restepLent = id, inc, true
	systemstack(func() { restepSwitch(id) })
	return true
}

// restepLeave takes it back.
func restepLeave() {
	gp := getg()
	gp.restepMachine, gp.restepInc, gp.restepLent = 0, 0, false
}

// restepWrapCleanup makes a cleanup one of the machine that registers it.
func restepWrapCleanup[S any](cleanup func(S)) func(S) {
	id, inc := restepWho()
	if id == 0 {
		return cleanup
	}
	return func(arg S) {
		if restepEnter(id, inc) {
			cleanup(arg)
			restepLeave()
		}
	}
}

func restepWho() (id, inc uint32) {
	if !restep.on {
		return 0, 0
	}
	gp := getg()
	return gp.restepMachine, gp.restepInc
}
