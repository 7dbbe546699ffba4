package kernel

import "github.com/restep/restep/sim/kernel/abi"

// sysKill is kill(2). A pid of 0 or below means process groups; every process
// is its own.
func sysKill(t *Task, a *Args) (uintptr, abi.Errno) {
	pid, sig := int(int32(a[0])), uint32(a[1])
	if pid < -1 {
		pid = -pid
	}
	switch {
	case sig > 64:
		return 0, abi.EINVAL
	case pid != 0 && pid != t.proc.pid:
		return 0, abi.ESRCH
	case sig == 0:
		return 0, abi.OK
	}
	action := t.m.Signal(sig)
	if action == SignalNothing {
		return 0, abi.OK
	}
	return uintptr(t.m.id)<<16 | uintptr(action)<<8 | uintptr(sig), abi.ERESTEPSIGNAL
}

func sysTgkill(t *Task, a *Args) (uintptr, abi.Errno) {
	if int(int32(a[0])) != t.proc.pid {
		return 0, abi.ESRCH
	}
	return sysKill(t, &Args{a[1], a[2]})
}
