package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/kernel/waitq"
)

// A machine's first process is the program that the machine boots with; when
// it ends, all others of the machine are gone with it, as with the first
// process of a pid namespace (pid_namespaces(7)). Further ones come from
// clone(2) and execve(2), made as package syscall makes them: between the two
// the child shares the memory of its parent, whose goroutine makes the child's
// calls; from execve on it has variables of its own and runs main.
//
// A child whose parent has ended belongs to nobody in the simulation: its
// getppid(2) is 1, and it is waited for at once.

// ProcessID numbers the processes that run, for the host: the first one of a
// machine has the machine's slot, others have numbers from firstChild on. Both
// are used again. Programs see Process.pid.
type ProcessID uint32

const (
	firstChild  ProcessID = 4096 // restepMaxMachines in the runtime
	maxChildren           = 1024
)

// Process is one process of a machine.
type Process struct {
	m   *Machine
	id  ProcessID
	pid int
	// parent is nil for the first process of a machine and for orphans.
	parent    *Process
	pgid, sid int
	args, env []string
	path      string // of the program's file, "" for the first process
	program   int    // which program that is, 0 for the test binary
	fds       fdTable
	cwd       string
	// cwdDir is the directory that cwd names, once it was needed.
	cwdDir *vfs.Inode
	umask  uint32
	who    identity
	// handled and ignored are the sets of signals with a handler and ignored
	// ones: bit n-1 for signal n.
	handled, ignored uint64
	// deathSignal is what the process gets when its parent ends
	// (PR_SET_PDEATHSIG), 0 for nothing.
	deathSignal uint32
	state       processState
	// killer is the signal that ends it, news what a parent may still be told
	// of a child that stopped or went on.
	killer uint32
	news   uint32
	status uint32 // of a zombie, as wait4(2) tells it
	// waits are the calls that wait for a child.
	waits waitq.Queue
	// pidfds are those that wait for its end.
	pidfds waitq.Queue
	polls  []polled
}

type processState uint8

const (
	running processState = iota
	forked               // made, has not called execve
	stopped
	zombie
)

// polled is a poll descriptor that the process has registered.
type polled struct {
	f  File
	fd int
	pd uintptr
}

// process is a process that runs, nil when there is none with that number.
func (k *Kernel) process(id ProcessID) *Process {
	if id < firstChild {
		if m := k.owner(id); m != nil {
			return m.proc
		}
		return nil
	}
	if i := int(id - firstChild); i < len(k.children) {
		return k.children[i]
	}
	return nil
}

// owner is the machine of a process, nil for none.
func (k *Kernel) owner(id ProcessID) *Machine {
	switch {
	case id >= firstChild:
		if p := k.process(id); p != nil {
			return p.m
		}
	case int(id) < len(k.slots):
		return k.slots[id]
	}
	return nil
}

// newChild makes a process that is a copy of t's.
func (t *Task) newChild() (*Process, abi.Errno) {
	k, p := t.k, t.proc
	i := 0
	for i < len(k.children) && k.children[i] != nil {
		i++
	}
	if i == maxChildren {
		return nil, abi.EAGAIN
	}
	if i == len(k.children) {
		k.children = append(k.children, nil)
	}
	t.m.lastPid++
	c := &Process{
		m: p.m, id: firstChild + ProcessID(i), pid: t.m.lastPid, parent: p, pgid: p.pgid, sid: p.sid,
		args: p.arguments(), env: p.environment(), path: p.exe(), cwd: p.cwd, cwdDir: p.cwdDir, umask: p.umask, who: p.who,
		ignored: p.ignored, state: forked,
	}
	c.fds = p.fds.clone()
	k.children[i] = c
	t.m.procs = append(t.m.procs, c)
	return c, abi.OK
}

// clone is a table with the same open files.
func (ft *fdTable) clone() fdTable {
	c := fdTable{slots: make([]fdEntry, len(ft.slots)), limit: ft.limit}
	copy(c.slots, ft.slots)
	for i := range c.slots {
		if of := c.slots[i].file; of != nil {
			of.refs++
		}
	}
	return c
}

func (p *Process) task() *Task { return &Task{k: p.m.k, m: p.m, proc: p} }

// arguments and environment are what execve(2) was given or, for a machine's
// first process, what the machine was booted with.
func (p *Process) arguments() []string {
	if p.path == "" {
		return p.m.args
	}
	return p.args
}

func (p *Process) environment() []string {
	if p.path == "" {
		return p.m.env
	}
	return p.env
}

// find is the process of the machine with that pid, zombies included.
func (m *Machine) find(pid int) *Process {
	for _, p := range m.procs {
		if p.pid == pid {
			return p
		}
	}
	return nil
}

// leave closes what the process had open.
func (p *Process) leave() {
	t := p.task()
	for _, w := range p.polls {
		w.f.PollClose(w.pd)
	}
	p.polls = nil
	p.dropMaps(false)
	for fd := range p.fds.slots {
		if p.fds.slots[fd].file != nil {
			t.close(fd)
		}
	}
	p.fds.slots = nil
}

// pollOpen registers a descriptor with a poll descriptor: EEXIST when it has one
// (epoll_ctl(2)).
func (p *Process) pollOpen(fd int, pd uintptr) abi.Errno {
	f, errno := p.fds.get(fd)
	if errno != abi.OK {
		return errno
	}
	for i := range p.polls {
		if p.polls[i].fd == fd && p.polls[i].f == f {
			return abi.EEXIST
		}
	}
	if errno = f.PollOpen(pd); errno == abi.OK {
		p.polls = append(p.polls, polled{f, fd, pd})
	}
	return errno
}

// pollClosed forgets a registration.
func (p *Process) pollClosed(f File, pd uintptr) {
	f.PollClose(pd)
	for i := range p.polls {
		if p.polls[i].pd == pd {
			p.polls = append(p.polls[:i], p.polls[i+1:]...)
			return
		}
	}
}

// ended makes a zombie of a child and tells its parent (exit(3), wait(2)).
func (p *Process) ended(status uint32) {
	k := p.m.k
	assert(p.id >= firstChild && p.state != zombie, "end of a process that is no child")
	p.leave()
	p.m.disk.processEnded(p)
	p.state, p.status, p.news = zombie, status, 0
	k.children[p.id-firstChild] = nil
	p.orphan()
	p.pidfds.Wake(ModeReadWrite, k.host.Wake)
	if p.parent == nil || p.parent.ignored&sigbit(abi.SIGCHLD) != 0 {
		p.reap()
	}
	if p.parent != nil {
		p.parent.hear()
	}
}

// orphan lets p's children go on without it.
func (p *Process) orphan() {
	for i := 0; i < len(p.m.procs); {
		c := p.m.procs[i]
		if c.parent != p {
			i++
			continue
		}
		c.parent = nil
		if c.state == zombie {
			c.reap()
			continue
		}
		if c.deathSignal != 0 {
			c.send(c.deathSignal)
		}
		i++
	}
}

// hear tells a parent that something happened to a child.
func (p *Process) hear() {
	p.m.k.host.wakeAll(&p.waits)
	if p.state == running || p.state == stopped {
		p.send(abi.SIGCHLD)
	}
}

// wakeAll lets the calls in q try again.
func (h *Host) wakeAll(q *waitq.Queue) {
	if !q.Empty() {
		calls := *q
		q.Clear()
		calls.Wake(ModeReadWrite, func(token uintptr, _ Mode) { h.Ready(token) })
	}
}

// reap takes a zombie out of the machine's list.
func (p *Process) reap() {
	for i, q := range p.m.procs {
		if q == p {
			p.m.procs = append(p.m.procs[:i:i], p.m.procs[i+1:]...)
			return
		}
	}
}

// endChildren ends all processes but the first one of a machine that goes
// down. lost says that the power went.
func (m *Machine) endChildren(lost bool) {
	for _, p := range m.procs {
		if p.id < firstChild || p.state == zombie {
			continue
		}
		if lost {
			p.dropMaps(true)
		} else {
			p.leave()
		}
		p.state = zombie
		m.k.children[p.id-firstChild] = nil
	}
	m.procs = nil
}
