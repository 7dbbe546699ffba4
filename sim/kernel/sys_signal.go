package kernel

import "github.com/restep/restep/sim/kernel/abi"

// sysKill is kill(2): a process, the caller's group (0), all but the first
// process and the caller (-1), or a group.
func sysKill(t *Task, a *Args) (uintptr, abi.Errno) {
	pid, sig := int(int32(a[0])), uint32(a[1])
	if sig > 64 {
		return 0, abi.EINVAL
	}
	var to []*Process
	for _, p := range t.m.procs {
		switch {
		case p.state == forked && p != t.proc:
		case pid > 0 && p.pid == pid,
			pid == 0 && p.pgid == t.proc.pgid,
			pid == -1 && p != t.proc && p.id >= firstChild,
			pid < -1 && p.pgid == -pid:
			to = append(to, p)
		}
	}
	return t.sendTo(to, sig)
}

// sendTo sends sig to processes, the caller itself last: it may not return.
func (t *Task) sendTo(to []*Process, sig uint32) (uintptr, abi.Errno) {
	if len(to) == 0 {
		return 0, abi.ESRCH
	}
	allowed := to[:0]
	for _, p := range to {
		if t.proc.who.maySignal(&p.who) || sig == abi.SIGCONT && p.sid == t.proc.sid {
			allowed = append(allowed, p)
		}
	}
	if to = allowed; len(to) == 0 {
		return 0, abi.EPERM
	}
	if sig == 0 {
		return 0, abi.OK
	}
	self := false
	for _, p := range to {
		if p == t.proc {
			self = true
		} else if p.state != zombie {
			p.send(sig)
		}
	}
	if self {
		t.proc.send(sig)
	}
	if len(t.k.acts) > 0 {
		return 0, abi.ERESTEPSIGNAL
	}
	return 0, abi.OK
}

func sysTkill(t *Task, a *Args) (uintptr, abi.Errno) {
	if int32(a[0]) <= 0 {
		return 0, abi.EINVAL
	}
	return sysKill(t, a)
}

func sysTgkill(t *Task, a *Args) (uintptr, abi.Errno) {
	switch {
	case int32(a[0]) <= 0 || int32(a[1]) <= 0:
		return 0, abi.EINVAL
	case int32(a[0]) != int32(a[1]): // a process has one thread
		return 0, abi.ESRCH
	}
	return sysKill(t, &Args{a[1], a[2]})
}
