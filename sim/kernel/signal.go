package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

// SignalAction is what the world has to do for a signal.
type SignalAction uint8

// The actions: nothing, end the process, stop it, let it go on.
const (
	SignalNothing SignalAction = iota
	SignalEnd
	SignalStop
	SignalContinue
)

// Act is what is to be done to a process after a signal.
type Act struct {
	Process ProcessID
	Action  SignalAction
	Signal  uint32
}

func sigbit(sig uint32) uint64 { return 1 << (sig - 1) }

// Signals that end a Go program that has no handler for them: at once, or with
// the stacks of all goroutines and exit code 2 (package os/signal, "Default
// behavior of signals in Go programs"). Others do nothing.
const (
	killing = 1<<(abi.SIGHUP-1) | 1<<(abi.SIGINT-1) | 1<<(abi.SIGTERM-1) | 1<<(abi.SIGKILL-1)
	dumping = 1<<(abi.SIGQUIT-1) | 1<<(abi.SIGILL-1) | 1<<(abi.SIGTRAP-1) | 1<<(abi.SIGABRT-1) | 1<<(abi.SIGBUS-1) |
		1<<(abi.SIGFPE-1) | 1<<(abi.SIGSEGV-1) | 1<<(abi.SIGSTKFLT-1) | 1<<(abi.SIGSYS-1)
)

// signal sends sig to the process and says what becomes of it. A handler gets
// the signal through Host.Signal. signal(7), "Standard signals".
func (p *Process) signal(sig uint32) SignalAction {
	assert(sig >= 1 && sig <= 64, "signal number")
	k := p.m.k
	k.record(&Event{Kind: steplog.KindSignal, Machine: p.m.id, Code: int32(sig), FD: -1, Nr: -1})
	bit := sigbit(sig)
	handled, ignored := p.handled&bit != 0, p.ignored&bit != 0
	if handled && sig != abi.SIGKILL && sig != abi.SIGSTOP {
		k.host.Signal(p.id, sig)
	}
	switch {
	case sig == abi.SIGKILL:
		return p.dies(sig)
	case sig == abi.SIGSTOP:
		return p.stops(sig)
	case sig == abi.SIGCONT:
		return p.continues()
	case handled, ignored:
		return SignalNothing
	case sig == abi.SIGTSTP, sig == abi.SIGTTIN, sig == abi.SIGTTOU:
		return p.stops(sig)
	case (killing|dumping)&bit != 0:
		return p.dies(sig)
	}
	return SignalNothing
}

func (p *Process) dies(sig uint32) SignalAction {
	p.killer = sig
	return SignalEnd
}

func (p *Process) stops(sig uint32) SignalAction {
	if p.state == running {
		p.state = stopped
		p.tell(sig<<8 | 0x7f)
	}
	return SignalStop
}

func (p *Process) continues() SignalAction {
	if p.state == stopped {
		p.state = running
		p.tell(0xffff)
	}
	return SignalContinue
}

// tell has news for the parent that does not end the process.
func (p *Process) tell(status uint32) {
	p.news = status
	if p.parent != nil {
		p.parent.hear()
	}
}

// killed is how wait4(2) tells of a process that a signal ended.
func (p *Process) killed() uint32 {
	if dumping&sigbit(p.killer) != 0 {
		return 2 << 8
	}
	return p.killer
}

// send is signal for whom the kernel itself has to tell the host what to do.
func (p *Process) send(sig uint32) {
	if action := p.signal(sig); action != SignalNothing {
		p.m.k.acts = append(p.m.k.acts, Act{p.id, action, sig})
	}
}

// NextAct is what the host is to do next for signals that were sent meanwhile;
// SignalNothing when that is all.
func (k *Kernel) NextAct() Act {
	for len(k.acts) > 0 {
		a := k.acts[0]
		k.acts = k.acts[1:]
		if p := k.process(a.Process); p != nil && p.state != forked {
			return a
		}
	}
	k.acts = nil
	return Act{}
}

// Signal sends sig to the machine's first process and says what becomes of it.
func (m *Machine) Signal(sig uint32) SignalAction {
	if m.state != Running {
		return SignalNothing
	}
	return m.proc.signal(sig)
}

// Handle tells the kernel what a process does with a signal.
func (p *Process) Handle(sig uint32, handled, ignored bool) {
	if sig < 1 || sig > 64 {
		return
	}
	p.handled &^= sigbit(sig)
	p.ignored &^= sigbit(sig)
	if handled {
		p.handled |= sigbit(sig)
	} else if ignored {
		p.ignored |= sigbit(sig)
	}
}
