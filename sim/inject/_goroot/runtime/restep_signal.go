package runtime

import _ "unsafe" // for go:linkname

// Signals of machines. os/signal's hooks in the runtime work on the process's
// real signals; under simulation each machine has its own.

// restepSignalArrived marks a signal pending and wakes the machine's
// signal_recv. It runs on g0.
func restepSignalArrived(id, sig uint32) {
	m := &restep.machine[id]
	m.sigs |= 1 << (sig & 63)
	if gp := m.sigrecv.ptr(); gp != nil {
		m.sigrecv = 0
		goready(gp, 1)
	}
}

// restepSignalRecv is signal_recv: the lowest pending signal of the caller's
// machine, waited for.
func restepSignalRecv() uint32 {
	gp := getg()
	m := &restep.machine[gp.restepMachine]
	for {
		for sig := uint32(1); sig < 64; sig++ {
			if m.sigs&(1<<sig) != 0 {
				m.sigs &^= 1 << sig
				return sig
			}
		}
		m.sigrecv.set(gp)
		gopark(nil, nil, waitReasonZero, traceBlockGeneric, 1)
	}
}

// restepSignalIdle is signalWaitUntilIdle: it waits until each signal that has
// arrived is with os/signal, which asks for the next one.
func restepSignalIdle() {
	m := &restep.machine[getg().restepMachine]
	for m.sigs != 0 || m.sigrecv == 0 {
		Gosched()
	}
}

func restepSignalHandle(sig uint32, handled, ignored bool) {
	id := getg().restepMachine
	m := &restep.machine[id]
	if sig < 64 {
		bit := uint64(1) << sig
		m.sigIgnored &^= bit
		if ignored {
			m.sigIgnored |= bit
		}
	}
	systemstack(func() { restep_kernelHandle(restep.kernel, id, sig, handled, ignored) })
}

func restepSignalIgnored(sig uint32) bool {
	return sig < 64 && restep.machine[getg().restepMachine].sigIgnored&(1<<sig) != 0
}

// The functions package sim pulls.

//go:linkname restepSimNewMachine
func restepSimNewMachine(label string, addr uint32, mayExit bool, main func()) (id uint32, err string) {
	systemstack(func() {
		id, err = restep_kernelNewMachine(restep.kernel, label, addr, mayExit)
		restepKernelDone()
	})
	if err != "" {
		return 0, err
	}
	restep.nmachine = max(restep.nmachine, id)
	restep.machine[id].clock = restepMachineClock{}
	restep.machine[id].main = main
	restep.machine[id].env = restep.machine[1].env
	return id, ""
}

//go:linkname restepSimBoot
func restepSimBoot(id uint32) bool {
	if restep.machine[id].alive {
		return false
	}
	restepStartMachine(id)
	return true
}

//go:linkname restepSimSetMain
func restepSimSetMain(id uint32, main func()) { restep.machine[id].main = main }

//go:linkname restepSimCrash
func restepSimCrash(id uint32) { restepHalt(id, true, 0, 0, "") }

//go:linkname restepSimKill
func restepSimKill(id uint32) { restepHalt(id, false, restepEndKill, 137, "killed") }

//go:linkname restepSimStop
func restepSimStop(id uint32) (ended bool) {
	if !restep.machine[id].alive {
		return true
	}
	return restepDeliver(id, 15, restepEndStop, "terminated")
}

//go:linkname restepSimSignal
func restepSimSignal(id, sig uint32) bool {
	if !restep.machine[id].alive {
		return false
	}
	restepDeliver(id, sig, restepEndKill, restepSignalName(sig))
	return true
}

// What a signal does to a process (SignalAction in the kernel).
const (
	restepSignalNothing = iota
	restepSignalEnd
	restepSignalStop
	restepSignalContinue
)

// restepDeliver sends a signal to the process of machine id and does what the
// kernel says becomes of it; it reports whether the process ended. kind is the
// step's that it ends with.
func restepDeliver(id, sig uint32, kind uint8, text string) (ended bool) {
	var action uint8
	systemstack(func() {
		action = restep_kernelSignal(restep.kernel, id, sig)
		restepKernelDone()
	})
	return restepAct(id, sig, action, kind, text)
}

// restepAct does to process id what becomes of it after a signal.
func restepAct(id, sig uint32, action, kind uint8, text string) (ended bool) {
	switch action {
	case restepSignalEnd:
		if id >= restepMaxMachines {
			restepDump(id, sig)
		}
		restepHalt(id, false, kind, 128+int32(sig), text)
		return true
	case restepSignalStop:
		restepPause(id)
	case restepSignalContinue:
		restepResume(id)
	}
	return false
}

//go:linkname restepSimWait
func restepSimWait(id uint32) { restepWaitMachine(id) }

//go:linkname restepSimCurrent
func restepSimCurrent() uint32 { return restepOwner(getg().restepMachine) }

//go:linkname restepSimLabel
func restepSimLabel(id uint32) (label string) {
	systemstack(func() { label = restep_kernelLabel(restep.kernel, id) })
	return label
}

//go:linkname restepSimLink
func restepSimLink(op uint8, a, b string, value int64) (err string) {
	systemstack(func() {
		err = restep_kernelLink(restep.kernel, op, a, b, value)
		restepKernelDone()
	})
	return err
}

//go:linkname restepSimTimeout
func restepSimTimeout(ns int64) {
	restep.deadline = 0
	if ns > 0 {
		restep.deadline = restep.now + ns
	}
}

//go:linkname restepSimMark
func restepSimMark(text string) { restepRecord(22, getg().restepMachine, 0, text, 0) }

//go:linkname restepSimOn
func restepSimOn() bool { return restep.on && getg().restepMachine != 0 }

// restepLogMark notes that the next write of n bytes by this goroutine is a
// log line whose message starts at off; 0, 0 takes the note away.
//
//go:linkname restepLogMark
func restepLogMark(n, off int, level int8) {
	if n > 1<<24-1 || off > 1<<24-1 {
		n, off = 0, 0
	}
	getg().restepMark = uint64(n) | uint64(off)<<24 | uint64(uint8(level))<<48
}

// restepTestLog records a line of testing.T's log as a step.
//
//go:linkname restepTestLog
func restepTestLog(text string) {
	restepRecord(1, getg().restepMachine, 0, text, restepTestLevel())
}

// restepTestLevel is 8, an error, when the line comes from T.Error or T.Fatal.
func restepTestLevel() int8 {
	var pcs [8]uintptr
	n := callers(2, pcs[:])
	for _, pc := range pcs[:n] {
		f := findfunc(pc - 1)
		if !f.valid() {
			continue
		}
		u, uf := newInlineUnwinder(f, pc-1)
		for ; uf.valid(); uf = u.next(uf) {
			switch u.srcFunc(uf).name() {
			case "testing.(*common).Error", "testing.(*common).Errorf", "testing.(*common).Fatal", "testing.(*common).Fatalf":
				return 8
			}
		}
	}
	return 0
}

// restepGcount is runtime.NumGoroutine for the caller's machine.
func restepGcount() int32 {
	gp := restepCurrent()
	n := int32(0)
	for _, g := range allgs {
		if g.restepMachine == gp.restepMachine && g.restepInc == gp.restepInc && readgstatus(g)&^_Gscan != _Gdead {
			n++
		}
	}
	return max(n, 1)
}
