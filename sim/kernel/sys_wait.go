package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
)

// want says which children a wait(2) is for.
type want struct {
	pid, pgid int      // 0 for any
	child     *Process // that of a pidfd
	options   uint32   // WEXITED, WSTOPPED, WCONTINUED, WNOHANG, WNOWAIT
}

func (w *want) matches(c *Process) bool {
	return (w.pid == 0 || c.pid == w.pid) && (w.pgid == 0 || c.pgid == w.pgid) && (w.child == nil || c == w.child)
}

// event is what there is to tell of c, 0 for nothing.
func (w *want) event(c *Process) uint32 {
	switch {
	case c.state == zombie && w.options&abi.WEXITED != 0:
		return c.status | 1<<31 // an exit code of 0 is news, too
	case c.news == 0xffff && w.options&abi.WCONTINUED != 0:
		return c.news
	case c.news&0xff == 0x7f && w.options&abi.WSTOPPED != 0:
		return c.news
	}
	return 0
}

// wait finds a child that has changed and takes the news. No child and no
// error means that WNOHANG found none (kernel/exit.c:do_wait).
func (t *Task) waitChild(w *want) (c *Process, status uint32, errno abi.Errno) {
	errno = abi.ECHILD
	for _, c := range t.m.procs {
		if c.parent != t.proc || !w.matches(c) {
			continue
		}
		errno = abi.OK
		status := w.event(c)
		if status == 0 {
			continue
		}
		if w.options&abi.WNOWAIT == 0 {
			c.news = 0
			if c.state == zombie {
				c.reap()
			}
		}
		return c, status &^ (1 << 31), abi.OK
	}
	switch {
	case errno != abi.OK, w.options&abi.WNOHANG != 0:
		return nil, 0, errno
	case t.caller == 0:
		return nil, 0, abi.EINTR
	}
	t.proc.waits.Add(t.caller)
	return nil, 0, abi.ERESTARTSYS
}

// sysWait4 is wait4(2).
func sysWait4(t *Task, a *Args) (uintptr, abi.Errno) {
	const known = abi.WNOHANG | abi.WSTOPPED | abi.WCONTINUED | abi.WNOTHREAD | abi.WCLONE | abi.WALL
	pid, options := int(int32(a[0])), uint32(a[2])
	if options&^known != 0 {
		return 0, abi.EINVAL
	}
	w := want{options: options | abi.WEXITED}
	switch {
	case options&(abi.WCLONE|abi.WALL) == abi.WCLONE:
		return 0, abi.ECHILD // children that send no SIGCHLD
	case pid == -1<<31:
		return 0, abi.ESRCH
	case pid > 0:
		w.pid = pid
	case pid == 0:
		w.pgid = t.proc.pgid
	case pid < -1:
		w.pgid = -pid
	}
	c, status, errno := t.waitChild(&w)
	if c == nil {
		return 0, errno
	}
	if a[1] != 0 {
		put32(a[1], int32(status))
	}
	clearUsage(a[3])
	return uintptr(c.pid), abi.OK
}

// clearUsage is a struct rusage of a process that used nothing.
func clearUsage(p uintptr) {
	if p != 0 {
		b, _ := mem(p, 144)
		clear(b)
	}
}

// sysWaitid is waitid(2).
func sysWaitid(t *Task, a *Args) (uintptr, abi.Errno) {
	const known = abi.WNOHANG | abi.WNOWAIT | abi.WEXITED | abi.WSTOPPED | abi.WCONTINUED | abi.WNOTHREAD | abi.WCLONE | abi.WALL
	id, options := int(int32(a[1])), uint32(a[3])
	if options&^known != 0 || options&(abi.WEXITED|abi.WSTOPPED|abi.WCONTINUED) == 0 {
		return 0, abi.EINVAL
	}
	w := want{options: options}
	switch {
	case a[0] == abi.P_ALL:
	case a[0] == abi.P_PID && id > 0:
		w.pid = id
	case a[0] == abi.P_PGID && id > 0:
		w.pgid = id
	case a[0] == abi.P_PGID && id == 0:
		w.pgid = t.proc.pgid
	case a[0] == abi.P_PIDFD && id >= 0:
		f, errno := t.proc.fds.get(id)
		pf, ok := f.(*pidFile)
		if errno != abi.OK || !ok {
			return 0, abi.EBADF
		}
		w.child = pf.p
		if pf.flags&abi.O_NONBLOCK != 0 && options&abi.WNOHANG == 0 {
			return t.waitidNonblock(&w, a)
		}
	default:
		return 0, abi.EINVAL
	}
	c, status, errno := t.waitChild(&w)
	if errno != abi.OK {
		return 0, errno
	}
	putSiginfo(a[2], c, status)
	if c != nil {
		clearUsage(a[4])
	}
	return 0, abi.OK
}

// waitidNonblock waits by a pidfd that is O_NONBLOCK.
func (t *Task) waitidNonblock(w *want, a *Args) (uintptr, abi.Errno) {
	w.options |= abi.WNOHANG
	c, status, errno := t.waitChild(w)
	switch {
	case errno != abi.OK:
		return 0, errno
	case c == nil:
		return 0, abi.EAGAIN
	}
	putSiginfo(a[2], c, status)
	clearUsage(a[4])
	return 0, abi.OK
}

// putSiginfo fills in what waitid(2) says of c; all zero when there is no c.
func putSiginfo(p uintptr, c *Process, status uint32) {
	b, errno := mem(p, 128)
	if errno != abi.OK || len(b) == 0 {
		return
	}
	if c == nil {
		clear(b[:28]) // the kernel writes signo, errno, code, pid, uid, status
		return
	}
	code, value := abi.CLD_EXITED, status>>8&0xff
	switch {
	case status == 0xffff:
		code, value = abi.CLD_CONTINUED, abi.SIGCONT
	case status&0xff == 0x7f:
		code = abi.CLD_STOPPED
	case status&0x7f != 0:
		code, value = abi.CLD_KILLED, status&0x7f
	}
	w := (*[7]uint32)(unsafe.Pointer(&b[0]))
	*w = [7]uint32{abi.SIGCHLD, 0, uint32(code), 0, uint32(c.pid), 0, value}
}

// pidFile is what a pidfd refers to (pidfd_open(2)).
type pidFile struct {
	fileBase
	p *Process
}

func (f *pidFile) Stat(_ *Task, st *abi.Stat) abi.Errno {
	*st = abi.Stat{Dev: pipeDev + 1, Ino: uint64(f.p.pid), Nlink: 1, Mode: abi.S_IFREG | 0o600, Blksize: 4096}
	return abi.OK
}

func (f *pidFile) PollOpen(pd uintptr) abi.Errno {
	f.p.pidfds.Add(pd)
	if f.p.state == zombie {
		f.p.m.k.host.Wake(pd, ModeRead)
	}
	return abi.OK
}

func (f *pidFile) PollClose(pd uintptr) { f.p.pidfds.Remove(pd) }

func sysPidfdOpen(t *Task, a *Args) (uintptr, abi.Errno) {
	const pidfdNonblock = abi.O_NONBLOCK
	if a[1]&^pidfdNonblock != 0 || int32(a[0]) <= 0 {
		return 0, abi.EINVAL
	}
	p := t.m.find(int(int32(a[0])))
	if p == nil {
		return 0, abi.ESRCH
	}
	f := &pidFile{fileBase: fileBase{uint32(a[1]) | abi.O_RDWR}, p: p}
	return fdResult(t.proc.fds.install(f, 0, true))
}

func sysPidfdSendSignal(t *Task, a *Args) (uintptr, abi.Errno) {
	f, errno := t.file(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	pf, ok := f.(*pidFile)
	switch sig := uint32(a[1]); {
	case !ok:
		return 0, abi.EBADF
	case a[3] != 0, sig > 64:
		return 0, abi.EINVAL
	case t.m.find(pf.p.pid) != pf.p:
		return 0, abi.ESRCH // waited for
	default:
		return t.sendTo([]*Process{pf.p}, sig)
	}
}

func sysGetppid(t *Task, _ *Args) (uintptr, abi.Errno) {
	if t.proc.parent == nil {
		return 1, abi.OK
	}
	return uintptr(t.proc.parent.pid), abi.OK
}

// of is the process with that pid, the caller for 0.
func (t *Task) of(pid uintptr) *Process {
	if int32(pid) == 0 {
		return t.proc
	}
	return t.m.find(int(int32(pid)))
}

func sysGetpgid(t *Task, a *Args) (uintptr, abi.Errno) {
	p := t.of(a[0])
	if p == nil {
		return 0, abi.ESRCH
	}
	return uintptr(p.pgid), abi.OK
}

func sysGetpgrp(t *Task, _ *Args) (uintptr, abi.Errno) { return uintptr(t.proc.pgid), abi.OK }

func sysGetsid(t *Task, a *Args) (uintptr, abi.Errno) {
	p := t.of(a[0])
	if p == nil {
		return 0, abi.ESRCH
	}
	return uintptr(p.sid), abi.OK
}

// sysSetpgid is setpgid(2), kernel/sys.c:setpgid.
func sysSetpgid(t *Task, a *Args) (uintptr, abi.Errno) {
	p, pgid := t.of(a[0]), int(int32(a[1]))
	if pgid < 0 {
		return 0, abi.EINVAL
	}
	if p == nil || p != t.proc && p.parent != t.proc {
		return 0, abi.ESRCH
	}
	if pgid == 0 {
		pgid = p.pid
	}
	switch {
	case p != t.proc && p.sid != t.proc.sid:
		return 0, abi.EPERM
	case p != t.proc && p.state != forked:
		return 0, abi.EACCES // it has called execve
	case p.sid == p.pid:
		return 0, abi.EPERM // the leader of a session
	case pgid != p.pid && !t.m.hasGroup(pgid, t.proc.sid):
		return 0, abi.EPERM
	}
	p.pgid = pgid
	return 0, abi.OK
}

func (m *Machine) hasGroup(pgid, sid int) bool {
	for _, p := range m.procs {
		if p.pgid == pgid && p.sid == sid {
			return true
		}
	}
	return false
}

// sysSetsid is setsid(2).
func sysSetsid(t *Task, _ *Args) (uintptr, abi.Errno) {
	p := t.proc
	for _, q := range t.m.procs {
		if q.pgid == p.pid {
			return 0, abi.EPERM
		}
	}
	p.sid, p.pgid = p.pid, p.pid
	return uintptr(p.pid), abi.OK
}

// sysPrctl is prctl(2).
func sysPrctl(t *Task, a *Args) (uintptr, abi.Errno) {
	const setDeathSignal, getDeathSignal, getKeepCaps, setKeepCaps, setNoNewPrivs, getNoNewPrivs = 1, 2, 7, 8, 38, 39
	who := &t.proc.who
	switch a[0] {
	case setDeathSignal:
		if a[1] > 64 {
			return 0, abi.EINVAL
		}
		t.proc.deathSignal = uint32(a[1])
		return 0, abi.OK
	case getDeathSignal:
		return 0, put32(a[1], int32(t.proc.deathSignal))
	case getKeepCaps:
		return uintptr(boolean(who.keepCaps)), abi.OK
	case setKeepCaps:
		if a[1] <= 1 {
			who.keepCaps = a[1] == 1
			return 0, abi.OK
		}
	case getNoNewPrivs:
		if a[1]|a[2]|a[3]|a[4] == 0 {
			return uintptr(boolean(who.noNewPrivs)), abi.OK
		}
	case setNoNewPrivs:
		if a[1] == 1 && a[2]|a[3]|a[4] == 0 {
			who.noNewPrivs = true
			return 0, abi.OK
		}
	}
	return 0, abi.EINVAL
}
