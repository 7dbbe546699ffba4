package kernel

import (
	"strconv"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/steplog"
)

// childEntries are the calls about processes and their children.
var childEntries = []Entry{
	{
		Nr: abi.SYS_CLONE, Name: "clone", Support: Partial,
		Note: "as package syscall starts a process: execve follows at once", fn: sysClone, sig: "x",
	},
	{Nr: abi.SYS_FORK, Name: "fork", Support: Missing, Note: "use clone as package syscall does"},
	{Nr: abi.SYS_VFORK, Name: "vfork", Support: Missing, Note: "use clone as package syscall does"},
	{Nr: abi.SYS_CLONE3, Name: "clone3", Support: Missing, Note: "use clone as package syscall does"},
	{
		Nr: abi.SYS_EXECVE, Name: "execve", Support: Partial,
		Note: "in a new child; the test binary, registered programs and #! scripts for them", fn: sysExecve, sig: "p",
	},
	{Nr: abi.SYS_EXIT, Name: "exit", Support: Partial, Note: "of a child before execve; os.Exit needs none", fn: sysExit, sig: "n"},
	{Nr: abi.SYS_WAIT4, Name: "wait4", Support: Full, fn: sysWait4, sig: "n-x"},
	{Nr: abi.SYS_WAITID, Name: "waitid", Support: Full, fn: sysWaitid, sig: "nn-x"},
	{Nr: abi.SYS_PIDFD_OPEN, Name: "pidfd_open", Support: Full, fn: sysPidfdOpen, sig: "nx"},
	{Nr: abi.SYS_PIDFD_SEND_SIGNAL, Name: "pidfd_send_signal", Support: Partial, Note: "no siginfo", fn: sysPidfdSendSignal, sig: "fn"},
	{Nr: abi.SYS_KILL, Name: "kill", Support: Full, fn: sysKill, sig: "nn"},
	{Nr: abi.SYS_TKILL, Name: "tkill", Support: Partial, Note: "a process has one thread", fn: sysTkill, sig: "nn"},
	{Nr: abi.SYS_TGKILL, Name: "tgkill", Support: Partial, Note: "a process has one thread", fn: sysTgkill, sig: "nnn"},
	{Nr: abi.SYS_GETPPID, Name: "getppid", Support: Full, fn: sysGetppid, quiet: true},
	{Nr: abi.SYS_GETPGID, Name: "getpgid", Support: Full, fn: sysGetpgid, quiet: true},
	{Nr: abi.SYS_GETPGRP, Name: "getpgrp", Support: Full, fn: sysGetpgrp, quiet: true},
	{Nr: abi.SYS_GETSID, Name: "getsid", Support: Full, fn: sysGetsid, quiet: true},
	{Nr: abi.SYS_SETPGID, Name: "setpgid", Support: Full, fn: sysSetpgid, sig: "nn"},
	{Nr: abi.SYS_SETSID, Name: "setsid", Support: Full, fn: sysSetsid},
	{Nr: abi.SYS_PRCTL, Name: "prctl", Support: Partial, Note: "PDEATHSIG; KEEPCAPS and NO_NEW_PRIVS, which change nothing", fn: sysPrctl, sig: "nn"},
}

// ForkMark is the sixth argument of a clone(2) whose caller knows what comes
// then: it makes the child's calls until execve or exit.
const ForkMark = 0x7265_7374_6570

// sysClone is clone(2) with CLONE_VM and CLONE_VFORK.
func sysClone(t *Task, a *Args) (uintptr, abi.Errno) {
	const known = abi.CLONE_VM | abi.CLONE_VFORK | abi.CLONE_PIDFD | 0xff
	if a[5] != ForkMark || a[0]&^known != 0 || a[0]&0xff != abi.SIGCHLD || t.proc.state == forked {
		t.k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: t.m.id, Text: []byte("clone"), FD: -1, Nr: abi.SYS_CLONE, Errno: abi.ENOSYS,
		})
		return 0, abi.ENOSYS
	}
	pidfd := -1
	c, errno := t.newChild()
	if errno != abi.OK {
		return 0, errno
	}
	if a[0]&abi.CLONE_PIDFD != 0 {
		if pidfd, errno = t.proc.fds.install(&pidFile{p: c}, 0, true); errno == abi.OK {
			errno = put32(a[2], int32(pidfd))
		}
		if errno != abi.OK {
			c.parent = nil
			c.ended(0)
			return 0, errno
		}
	}
	t.k.child = c
	return uintptr(c.pid), abi.OK
}

// Forked is the process that the last clone(2) made, and whether it has called
// execve(2) by now.
func (k *Kernel) Forked() (p *Process, runs bool) { return k.child, k.child.state == running }

// sysExit ends a child that could not call execve(2).
func sysExit(t *Task, a *Args) (uintptr, abi.Errno) {
	if t.proc.state != forked {
		t.k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: t.m.id, Text: []byte("exit"), FD: -1, Nr: abi.SYS_EXIT, Errno: abi.ENOSYS,
		})
		return 0, abi.ENOSYS
	}
	t.proc.ended(uint32(a[0]) & 0xff << 8)
	return 0, abi.OK
}

// Exit is the end of a child that ran: with an exit code or, with killed, by
// the signal that was sent.
func (p *Process) Exit(code int32, killed bool) {
	status := uint32(code) & 0xff << 8
	if killed {
		status = p.killed()
	}
	ev := Event{Kind: steplog.KindSyscall, Machine: p.m.id, FD: -1, Nr: abi.SYS_EXIT_GROUP, Result: int64(code)}
	ev.Text = append(append(append(ev.Text, "exit_group "...), itoa(int(code))...), " of process "...)
	ev.Text = append(ev.Text, itoa(p.pid)...)
	if killed {
		ev.Nr, ev.Result, ev.Text = -1, 0, append(append([]byte("end of process "), itoa(p.pid)...), " by the signal"...)
	}
	p.m.k.record(&ev)
	p.ended(status)
}

func sysExecve(t *Task, a *Args) (uintptr, abi.Errno) {
	p := t.proc
	path, errno := cstring(a[0])
	if errno != abi.OK {
		return 0, errno
	}
	args, errno := stringList(a[1])
	if errno != abi.OK {
		return 0, errno
	}
	env, errno := stringList(a[2])
	if errno != abi.OK {
		return 0, errno
	}
	file, program, args, errno := t.load(path, args, 0)
	if errno != abi.OK {
		return 0, errno
	}
	if p.state != forked {
		t.k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: t.m.id, Text: []byte("execve of a process that runs"),
			FD: -1, Nr: abi.SYS_EXECVE, Errno: abi.ENOSYS,
		})
		return 0, abi.ENOSYS
	}
	p.path, p.program, p.args, p.env = file, program, args, env
	p.who.keepCaps = false
	p.state = running
	// The Go runtime leaves but these two ignored; the others it catches
	// (go1.26 runtime/signal_unix.go:initsig).
	p.ignored &= sigbit(abi.SIGHUP) | sigbit(abi.SIGINT)
	for fd := range p.fds.slots {
		if p.fds.slots[fd].file != nil && p.fds.slots[fd].cloexec {
			t.close(fd)
		}
	}
	return 0, abi.OK
}

// stringList reads a NULL-terminated list of strings; a null pointer is an
// empty one (execve(2), NOTES).
func stringList(at uintptr) (list []string, errno abi.Errno) {
	if at == 0 {
		return nil, abi.OK
	}
	const limit = 1 << 16
	for ; *(*uintptr)(pointer(at)) != 0; at += unsafe.Sizeof(at) {
		s, errno := cstringMax(*(*uintptr)(pointer(at)), 128<<10)
		if errno != abi.OK || len(list) == limit {
			return nil, abi.E2BIG
		}
		list = append(list, s)
	}
	return list, abi.OK
}

// programMark is how the file of a program begins; behind it stands the
// program's number, up to a newline.
const programMark = "\x7fELF\x02\x01\x01\x00restep program "

// namedProgram is a program that machines have as /usr/bin/name.
type namedProgram struct {
	name   string
	number int
}

// addProgram gives every machine a program.
func (k *Kernel) addProgram(name string, number int) {
	k.programs = append(k.programs, namedProgram{name, number})
	for _, m := range k.machines {
		m.installPrograms()
	}
}

// installPrograms puts the files of programs onto the machine's disk, unless
// there is something of the name: the one that the machine boots with has
// number 0.
func (m *Machine) installPrograms() {
	own := Process{m: m}
	m.installProgram(own.exe(), 0)
	for _, p := range m.k.programs {
		m.installProgram("/usr/bin/"+p.name, p.number)
	}
}

func (m *Machine) installProgram(path string, number int) {
	if _, errno := m.disk.fs.Resolve(m.disk.fs.Root(), path, 0); errno == abi.ENOENT {
		m.disk.writeFile(&identity{}, path, programMark+itoa(number)+"\n", 0o755)
	}
}

// load finds the program that a file holds (fs/exec.c:bprm_execve,
// fs/binfmt_script.c). It returns the path of the program's own file.
func (t *Task) load(path string, args []string, depth int) (file string, program int, argv []string, errno abi.Errno) {
	if path == "" {
		return "", 0, nil, abi.ENOENT
	}
	place, errno := t.m.disk.fs.WalkAs(&t.proc.who.fs, t.cwd(), path, vfs.Follow)
	n := place.Inode
	switch {
	case errno != abi.OK:
		return "", 0, nil, errno
	case n == nil:
		return "", 0, nil, abi.ENOENT
	case !n.IsRegular(), t.proc.who.fs.May(n, abi.X_OK) != abi.OK:
		return "", 0, nil, abi.EACCES
	}
	var head [256]byte
	got, errno := n.ReadAt(head[:], 0)
	if errno != abi.OK {
		return "", 0, nil, errno
	}
	text := string(head[:got])
	switch {
	case len(text) > len(programMark) && text[:len(programMark)] == programMark:
		file = path
		if dir, errno := place.Dir.Path(); errno == abi.OK && place.Kind == vfs.LastName {
			file = joinPath(dir, place.Name)
		}
		program, _ = strconv.Atoi(firstLine(text[len(programMark):]))
		return file, program, args, abi.OK
	case len(text) > 2 && text[:2] == "#!":
		if depth == 4 {
			return "", 0, nil, abi.ELOOP
		}
		interpreter, arg := splitLine(firstLine(text[2:]))
		if interpreter == "" {
			return "", 0, nil, abi.ENOEXEC
		}
		argv = append(argv, interpreter)
		if arg != "" {
			argv = append(argv, arg)
		}
		argv = append(argv, path)
		if len(args) > 0 {
			argv = append(argv, args[1:]...)
		}
		return t.load(interpreter, argv, depth+1)
	case len(text) > 4 && text[:4] == "\x7fELF":
		t.k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: t.m.id, Text: []byte("execve of " + path + ", which is no program of the simulation"),
			FD: -1, Nr: abi.SYS_EXECVE, Errno: abi.ENOENT,
		})
		return "", 0, nil, abi.ENOENT
	}
	return "", 0, nil, abi.ENOEXEC
}

func joinPath(dir, name string) string {
	if dir == "/" {
		return dir + name
	}
	return dir + "/" + name
}

func firstLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

// splitLine splits the first line of a script into interpreter and argument.
func splitLine(s string) (interpreter, arg string) {
	s = trimBlanks(s)
	for i := range len(s) {
		if s[i] == ' ' || s[i] == '\t' {
			return s[:i], trimBlanks(s[i:])
		}
	}
	return s, ""
}

func trimBlanks(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
