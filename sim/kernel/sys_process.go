package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/sched"
)

// processEntries are the calls about the process itself, its identity, clocks
// and limits.
var processEntries = []Entry{
	{Nr: abi.SYS_GETPID, Name: "getpid", Support: Full, fn: sysGetpid, quiet: true},
	{Nr: abi.SYS_GETTID, Name: "gettid", Support: Full, fn: sysGetpid, quiet: true},
	{Nr: abi.SYS_UNAME, Name: "uname", Support: Full, fn: sysUname, quiet: true},
	{Nr: abi.SYS_SYSINFO, Name: "sysinfo", Support: Partial, Note: "uptime and 16 GiB of memory", fn: sysSysinfo, quiet: true},
	{Nr: abi.SYS_GETRANDOM, Name: "getrandom", Support: Full, fn: sysGetrandom, quiet: true},
	{Nr: abi.SYS_CLOCK_GETTIME, Name: "clock_gettime", Support: Full, fn: sysClockGettime, quiet: true},
	{Nr: abi.SYS_CLOCK_GETRES, Name: "clock_getres", Support: Full, fn: sysClockGetres, quiet: true},
	{Nr: abi.SYS_GETTIMEOFDAY, Name: "gettimeofday", Support: Full, fn: sysGettimeofday, quiet: true},
	{Nr: abi.SYS_GETRLIMIT, Name: "getrlimit", Support: Partial, Note: "RLIMIT_NOFILE, others unlimited", fn: sysGetrlimit, quiet: true},
	{Nr: abi.SYS_SETRLIMIT, Name: "setrlimit", Support: Partial, Note: "RLIMIT_NOFILE", fn: sysSetrlimit, quiet: true},
	{Nr: abi.SYS_PRLIMIT64, Name: "prlimit64", Support: Partial, Note: "the process itself, RLIMIT_NOFILE", fn: sysPrlimit64, quiet: true},
	{Nr: abi.SYS_GETRUSAGE, Name: "getrusage", Support: Partial, Note: "all zero", fn: sysGetrusage, quiet: true},
	{Nr: abi.SYS_SCHED_GETAFFINITY, Name: "sched_getaffinity", Support: Partial, Note: "four CPUs", fn: sysSchedGetaffinity, quiet: true},
	{Nr: abi.SYS_SCHED_YIELD, Name: "sched_yield", Support: Full, fn: sysZero, quiet: true},
	{Nr: abi.SYS_NANOSLEEP, Name: "nanosleep", Support: Missing, Note: "time.Sleep needs none"},
	{Nr: abi.SYS_CLOCK_NANOSLEEP, Name: "clock_nanosleep", Support: Missing, Note: "time.Sleep needs none"},
	{Nr: abi.SYS_FUTEX, Name: "futex", Support: Missing},
}

func sysGetpid(t *Task, _ *Args) (uintptr, abi.Errno) { return uintptr(t.proc.pid), abi.OK }
func sysZero(*Task, *Args) (uintptr, abi.Errno)       { return 0, abi.OK }

// sysUname implements uname(2): six fields of 65 bytes.
func sysUname(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[0], 6*65)
	if errno != abi.OK {
		return 0, errno
	}
	clear(b)
	for i, s := range [...]string{"Linux", t.m.hostname, "6.12.0-restep", "#1 restep", abi.Machine, "(none)"} {
		copy(b[i*65:i*65+64], s)
	}
	return 0, abi.OK
}

// sysSysinfo implements sysinfo(2).
func sysSysinfo(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[0], 112)
	if errno != abi.OK {
		return 0, errno
	}
	clear(b)
	w := unsafe.Slice((*uint64)(unsafe.Pointer(&b[0])), 14)
	w[0] = uint64(t.k.now()-t.k.start) / 1e9
	w[4], w[5] = 16<<30, 12<<30 // total and free RAM
	b[80], b[104] = 1, 1        // procs, mem_unit
	return 0, abi.OK
}

// sysGetrandom implements getrandom(2).
func sysGetrandom(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[0], a[1])
	if errno != abi.OK {
		return 0, errno
	}
	fillRandom(t, b)
	return a[1], abi.OK
}

// fillRandom draws b from the program's stream.
func fillRandom(t *Task, b []byte) {
	for len(b) > 0 {
		v := t.k.host.Rand(sched.Program)
		for i := 0; i < 8 && len(b) > 0; i++ {
			b[0] = byte(v)
			v >>= 8
			b = b[1:]
		}
	}
}

// sysClockGettime implements clock_gettime(2). The monotonic clocks start at
// the beginning of the run, as if the machines had booted then.
func sysClockGettime(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[1], 16)
	if errno != abi.OK {
		return 0, errno
	}
	now := t.m.wallTime()
	switch a[0] {
	case 0, 5, 11: // REALTIME, REALTIME_COARSE, TAI
	case 1, 4, 6, 7, 2, 3: // MONOTONIC, its kin, BOOTTIME and CPU times
		now = t.m.mono() - t.k.start
	default:
		return 0, abi.EINVAL
	}
	ts := (*[2]int64)(unsafe.Pointer(&b[0]))
	ts[0], ts[1] = int64(now)/1e9, int64(now)%1e9
	return 0, abi.OK
}

func sysClockGetres(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[1] == 0 {
		return 0, abi.OK
	}
	b, errno := mem(a[1], 16)
	if errno != abi.OK {
		return 0, errno
	}
	ts := (*[2]int64)(unsafe.Pointer(&b[0]))
	ts[0], ts[1] = 0, 1
	return 0, abi.OK
}

// sysGettimeofday implements gettimeofday(2).
func sysGettimeofday(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[0], 16)
	if errno != abi.OK {
		return 0, errno
	}
	now := int64(t.m.wallTime())
	tv := (*[2]int64)(unsafe.Pointer(&b[0]))
	tv[0], tv[1] = now/1e9, now%1e9/1e3
	return 0, abi.OK
}

const rlimitNofile = 7

func (t *Task) rlimit(resource uintptr) uint64 {
	if resource == rlimitNofile {
		return uint64(t.proc.fds.limit)
	}
	return 1<<64 - 1
}

func sysGetrlimit(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[0] > 15 {
		return 0, abi.EINVAL
	}
	b, errno := mem(a[1], 16)
	if errno != abi.OK {
		return 0, errno
	}
	l := (*[2]uint64)(unsafe.Pointer(&b[0]))
	l[0], l[1] = t.rlimit(a[0]), t.rlimit(a[0])
	return 0, abi.OK
}

func sysSetrlimit(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[0] > 15 {
		return 0, abi.EINVAL
	}
	b, errno := mem(a[1], 16)
	if errno != abi.OK {
		return 0, errno
	}
	l := (*[2]uint64)(unsafe.Pointer(&b[0]))
	if l[0] > l[1] {
		return 0, abi.EINVAL
	}
	if a[0] == rlimitNofile {
		t.proc.fds.limit = int(min(l[0], 1<<20))
	}
	return 0, abi.OK
}

// sysPrlimit64 implements prlimit(2) for the calling process.
func sysPrlimit64(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[0] != 0 && int(a[0]) != t.proc.pid {
		return 0, abi.ESRCH
	}
	if a[3] != 0 {
		if _, errno := sysGetrlimit(t, &Args{a[1], a[3]}); errno != abi.OK {
			return 0, errno
		}
	}
	if a[2] != 0 {
		return sysSetrlimit(t, &Args{a[1], a[2]})
	}
	return 0, abi.OK
}

func sysGetrusage(t *Task, a *Args) (uintptr, abi.Errno) {
	b, errno := mem(a[1], 144)
	clear(b)
	return 0, errno
}

func sysSchedGetaffinity(t *Task, a *Args) (uintptr, abi.Errno) {
	if a[1] < 8 {
		return 0, abi.EINVAL
	}
	b, errno := mem(a[2], 8)
	if errno != abi.OK {
		return 0, errno
	}
	clear(b)
	b[0] = 0x0f
	return 8, abi.OK
}
