package sim

import (
	"errors"
	"strconv"
	"syscall"
)

// Signal sends a signal to the machine's process: to its handlers
// (os/signal), else the signal's default action is taken. SIGSTOP and SIGCONT
// are Pause and Resume. A machine that is off gets nothing.
func (m Machine) Signal(sig syscall.Signal) {
	m.check("Signal")
	if sig < 1 || sig > 64 {
		panic("sim.Machine.Signal: there is no signal " + strconv.Itoa(int(sig)))
	}
	if sig == sigKill || sig == sigStop {
		m.notMain("Signal")
	}
	simSignal(m.id, uint32(sig))
}

// Numbers of Linux, wherever the test is compiled.
const (
	sigKill = 9
	sigCont = 18
	sigStop = 19
)

// Pause stops the machine's process as SIGSTOP does: nothing of it runs until
// Resume, while its kernel goes on accepting connections and data, and time
// passes. A caller on the machine itself stops, too.
func (m Machine) Pause() {
	m.check("Pause")
	m.notMain("Pause")
	simSignal(m.id, sigStop)
}

// Resume lets a paused machine go on.
func (m Machine) Resume() {
	m.check("Resume")
	simSignal(m.id, sigCont)
}

// Running reports whether the machine is on, paused or not.
func (m Machine) Running() bool {
	m.check("Running")
	return simAlive(m.id)
}

// ExitCode is the exit code of the machine's last process: 128 and the signal's
// number if a signal ended it, -1 after a crash and before the first end.
func (m Machine) ExitCode() int {
	m.check("ExitCode")
	_, n := simOp(opExitCode, m.id, "", "", 0)
	return int(n)
}

// ErrOff is returned by Exec when the machine is off, or ends first.
var ErrOff = errors.New("the machine is off")

// Exec runs fn on the machine, in a goroutine of its process, and waits until
// it returns: with the machine's variables, files and addresses. ErrOff when
// the machine is off or ends before that.
func (m Machine) Exec(fn func()) error {
	m.check("Exec")
	if m.id == simCurrent() {
		fn()
		return nil
	}
	state := new(uint32) // 1 when fn has returned, 2 when its goroutine ended otherwise
	started := simGo(m.id, func() {
		defer func() {
			if *state == 0 {
				*state = 2
			}
			simNotify(m.id)
		}()
		fn()
		*state = 1
	})
	if !started {
		return ErrOff
	}
	simWaitFor(m.id, state)
	switch *state {
	case 1:
		return nil
	case 2:
		return errors.New("sim.Machine.Exec: the function ended its goroutine")
	}
	return ErrOff
}

// Remove takes the machine out of the world; one that runs is killed first.
// Its label, its address and its disk are free, and the Machine is not to be
// used any more.
func (m Machine) Remove() {
	m.check("Remove")
	m.notMain("Remove")
	simKill(m.id)
	simOp(opRemove, m.id, "", "", 0)
	simSetEnv(m.id, nil)
	simSetArgs(m.id, nil)
	simSetMain(m.id, nil)
}
