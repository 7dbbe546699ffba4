package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

// Args are the six arguments of a system call as the program passed them.
type Args [6]uintptr

// Support says how much of a system call is simulated.
type Support uint8

// Levels of support, as `restep syscalls` prints them.
const (
	Missing Support = iota
	Partial
	Full
)

// sysFunc carries out one system call and returns its result.
type sysFunc func(t *Task, a *Args) (uintptr, abi.Errno)

// Entry is one row of the system call table.
type Entry struct {
	Nr      int
	Name    string
	Support Support
	Note    string // what is missing, for Partial
	fn      sysFunc
	// quiet calls leave no step: they change nothing and tell nothing about
	// the machine (getpid, clock_gettime).
	quiet bool
	// sig tells describe what the arguments are, one letter each.
	sig string
}

// Syscall carries out call nr of machine id's process. It always answers: a
// call that is not simulated gives ENOSYS and a step that names it. The caller
// cannot wait: a call that would have to gives EINTR, or EAGAIN when it reads
// or writes.
func (k *Kernel) Syscall(id MachineID, nr uintptr, a *Args) (uintptr, abi.Errno) {
	return k.SyscallFrom(k.Machine(id).slot, 0, nr, a)
}

// SyscallFrom is Syscall for any process and a caller that can wait. ERESTARTSYS asks it to do
// so until Host.Ready is told caller, and then to make the same call once more.
func (k *Kernel) SyscallFrom(id ProcessID, caller, nr uintptr, a *Args) (uintptr, abi.Errno) {
	p := k.process(id)
	assert(p != nil, "system call of a process that does not run")
	m := p.m
	t := &k.task // nothing keeps a Task longer than its call
	*t = Task{k: k, m: m, proc: p, caller: caller}
	k.caller = p
	e := k.lookup(nr)
	if e == nil || e.fn == nil {
		name := callName(nr)
		k.record(&Event{
			Kind: steplog.KindUnsupported, Machine: m.id, Text: []byte(name),
			FD: -1, Nr: int32(nr), Errno: abi.ENOSYS,
		})
		return 0, abi.ENOSYS
	}
	r, errno := e.fn(t, a)
	if errno >= abi.ERESTARTSYS {
		return r, errno
	}
	if !e.quiet && !isConsoleWrite(t, nr, a) {
		ev := Event{Kind: steplog.KindSyscall, Machine: m.id, FD: -1, Nr: int32(nr), Result: int64(r), Errno: errno}
		k.text = describe(k.text[:0], &ev, e, a)
		k.record(&ev)
	}
	return r, errno
}

// Forget is told that a caller died while its call waited.
func (k *Kernel) Forget(id ProcessID, caller uintptr) {
	k.unblock(caller)
	k.stopLingering(caller)
	m := k.owner(id)
	if m == nil || m.disk.fs == nil {
		return
	}
	m.disk.fs.StopWaiting(caller)
	m.disk.forgetOpening(m.Task(), caller)
}

// callName names any system call, simulated or not.
func callName(nr uintptr) string {
	if name := abi.SyscallName(nr); name != "" {
		return name
	}
	return "syscall_" + itoa(int(nr))
}

// mem is the program's memory at p, n bytes; EFAULT for a null pointer. Other
// bad addresses fault as they would in the program itself.
func mem(p, n uintptr) ([]byte, abi.Errno) {
	if n == 0 {
		return nil, abi.OK
	}
	if p == 0 || n > 1<<47 {
		return nil, abi.EFAULT
	}
	return unsafe.Slice((*byte)(pointer(p)), n), abi.OK
}

// pointer turns an address of the program's memory into a pointer. The
// caller's frame keeps the object alive and, as the kernel runs on the system
// stack, in place.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// cstring reads the NUL-terminated string at p, at most abi.PathMax bytes.
func cstring(p uintptr) (string, abi.Errno) { return cstringMax(p, abi.PathMax) }

func cstringMax(p uintptr, limit int) (string, abi.Errno) {
	if p == 0 {
		return "", abi.EFAULT
	}
	base := (*byte)(pointer(p))
	for n := range limit {
		if *(*byte)(unsafe.Add(unsafe.Pointer(base), n)) == 0 {
			return string(unsafe.Slice(base, n)), abi.OK
		}
	}
	return "", abi.ENAMETOOLONG
}

func itoa(n int) string {
	if n == 0 {
		return "0"
	}
	var b [20]byte
	i := len(b)
	neg := n < 0
	if neg {
		n = -n
	}
	for ; n > 0; n /= 10 {
		i--
		b[i] = byte('0' + n%10)
	}
	if neg {
		i--
		b[i] = '-'
	}
	return string(b[i:])
}
