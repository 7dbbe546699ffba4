package runtime

import "unsafe"

// Calls that wait in the simulated kernel, and processes that are stopped or
// ended by a call.

// restepAwait does what the kernel asked for in place of an answer.
func restepAwait(errno uintptr) {
	if errno == restepSignalled {
		restepDoActs()
		return
	}
	gp := getg()
	gp.restepBlocked = true
	gopark(nil, nil, waitReasonZero, traceBlockGeneric, 1)
}

// restepGoOn is the kernel's word that a call may be tried again. It runs on
// g0.
func restepGoOn(caller uintptr) {
	gp := (*g)(unsafe.Pointer(caller))
	if gp.restepBlocked {
		gp.restepBlocked = false
		goready(gp, 1)
	}
}

func restepSignalName(sig uint32) string {
	if sig < uint32(len(sigtable)) {
		return sigtable[sig].name
	}
	return "signal"
}

// restepPause stops machine id as SIGSTOP does: its goroutines wait until
// restepResume, its kernel goes on.
func restepPause(id uint32) {
	m := &restep.machine[id]
	if m.paused {
		return
	}
	systemstack(func() {
		m.paused = true
		for i := uint32(0); i < restep.runq.n; {
			gp := restep.runq.at(i).ptr()
			if gp.restepMachine != id {
				i++
				continue
			}
			restep.runq.remove(gp)
			m.pausedq.push(gp)
		}
	})
	if getg().restepMachine == id {
		mcall(restepYield)
	}
}

// restepResume lets machine id go on.
func restepResume(id uint32) {
	m := &restep.machine[id]
	if !m.paused {
		return
	}
	systemstack(func() {
		m.paused = false
		for i := uint32(0); i < m.pausedq.n; i++ {
			restepEnqueue(m.pausedq.at(i).ptr())
		}
		m.pausedq.n = 0
	})
}

//go:linkname restepSimPaused
func restepSimPaused(id uint32) bool { return restep.machine[id].paused }

//go:linkname restepSimAlive
func restepSimAlive(id uint32) bool { return restep.machine[id].alive }

// restepSimGo starts a goroutine on machine id once its init functions have
// run; false when it is off.
//
//go:linkname restepSimGo
func restepSimGo(id uint32, fn func()) bool {
	m := &restep.machine[id]
	if m.alive && m.booted == 0 {
		restepWaitFor(id, &m.booted)
	}
	if !m.alive || m.booted == 0 {
		return false
	}
	systemstack(func() {
		gp := getg().m.curg
		oldMachine, oldInc := gp.restepMachine, gp.restepInc
		gp.restepMachine, gp.restepInc = id, m.inc
		newg := newproc1(*(**funcval)(unsafe.Pointer(&fn)), gp, 0, false, waitReasonZero)
		gp.restepMachine, gp.restepInc = oldMachine, oldInc
		runqput(getg().m.p.ptr(), newg, true)
	})
	return true
}

// restepSimWaitFor waits until flag is set and announced by restepSimNotify or
// the present boot of machine id is over.
//
//go:linkname restepSimWaitFor
func restepSimWaitFor(id uint32, flag *uint32) { restepWaitFor(id, flag) }

//go:linkname restepSimNotify
func restepSimNotify(id uint32) { restepWakeWaiters(id) }

// restepSimSetEnv and restepSimSetArgs change what machine id sees from its
// next boot on.
//
//go:linkname restepSimSetEnv
func restepSimSetEnv(id uint32, env []string) { restep.machine[id].env = env }

//go:linkname restepSimSetArgs
func restepSimSetArgs(id uint32, args []string) { restep.machine[id].args = args }

// restepSimEnv is what a new machine gets unless told otherwise.
//
//go:linkname restepSimEnv
func restepSimEnv(id uint32) []string { return restep.machine[id].env }

//go:linkname restepSimArgs
func restepSimArgs(id uint32) []string {
	if args := restep.machine[id].args; len(args) > 0 {
		return args
	}
	return restep.machine[1].args[:1]
}

// restepOpProcess is OpProcess of the kernel.
const restepOpProcess = 15

// restepJoin is a list of strings with a NUL behind each.
func restepJoin(list []string) string {
	n := 0
	for _, s := range list {
		n += len(s) + 1
	}
	b := make([]byte, 0, n)
	for _, s := range list {
		b = append(append(b, s...), 0)
	}
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// restepSimOp asks the simulated kernel for something about machine id; the
// operations are listed there (linkOp).
//
//go:linkname restepSimOp
func restepSimOp(op uint8, id uint32, a, b string, v int64) (text string, n int64) {
	systemstack(func() {
		text, n = restep_kernelOp(restep.kernel, op, id, a, b, v)
		restepKernelDone()
	})
	return text, n
}

// restepFile is what a program hears of a source file: where it is on machine
// main, whose folder /src holds the module under test (replay/launch). The
// build leaves out the folders of the host, so "net/url.go" and
// "example.org/mod/a.go" have none of their own.
func restepFile(file string) string {
	if !restep.on || file == "" || file[0] == '/' || file[0] == '<' {
		return file
	}
	for i := range len(file) {
		if file[i] == '/' {
			return "/src/" + file
		}
	}
	return file // _testmain.go
}
