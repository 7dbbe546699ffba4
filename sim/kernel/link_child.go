package kernel

import (
	_ "unsafe" // for go:linkname

	"github.com/restep/restep/sim/kernel/abi"
)

// This file is the part of the face to the runtime that is about child
// processes (link.go).

// linkForked tells of the process that the last clone(2) made: its number, its
// pid and, once it has called execve(2), what it runs.
//
//go:linkname linkForked
func linkForked(k *Kernel) (id, pid, machine uint32, runs bool, program uint32, args, env []string, ignored uint64) {
	p, runs := k.Forked()
	return uint32(p.id), uint32(p.pid), uint32(p.m.slot), runs, uint32(p.program), p.args, p.env, p.ignored
}

// linkExit is the end of a child process.
//
//go:linkname linkExit
func linkExit(k *Kernel, id uint32, code int32, killed bool) {
	k.process(ProcessID(id)).Exit(code, killed)
}

// linkAct is NextAct, process 0 for none.
//
//go:linkname linkAct
func linkAct(k *Kernel) (process, sig uint32, action uint8) {
	a := k.NextAct()
	return uint32(a.Process), a.Signal, uint8(a.Action)
}

// printed writes a line that the runtime printed to where the process's
// standard error goes; false for the console, of which the caller makes a step.
// What does not fit is lost: the process has no time to wait any more.
func (k *Kernel) printed(id ProcessID, line []byte) bool {
	p := k.process(id)
	if p == nil {
		return false
	}
	f, errno := p.fds.get(2)
	if _, ok := f.(*console); ok {
		return false
	}
	if errno == abi.OK {
		f.Write(p.task(), append(append(make([]byte, 0, len(line)+1), line...), '\n'))
	}
	return true
}

// linkSigpipe is SIGPIPE for a process that wrote to a broken pipe on one of
// its standard descriptors; true says that it is to die of it.
//
//go:linkname linkSigpipe
func linkSigpipe(k *Kernel, id uint32) bool {
	p := k.process(ProcessID(id))
	p.signal(abi.SIGPIPE)
	if (p.handled|p.ignored)&sigbit(abi.SIGPIPE) != 0 {
		return false
	}
	p.killer = abi.SIGPIPE
	return true
}
