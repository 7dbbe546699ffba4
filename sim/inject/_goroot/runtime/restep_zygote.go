package runtime

import (
	"internal/runtime/syscall/linux"
	"unsafe"
)

// The zygote: the test binary, single-threaded, with the packages that all
// machines share initialised and nothing else. It reads requests from an
// inherited socket and forks one child for each: pristine memory, the same
// addresses every time. The child becomes the simulation.

// Inherited descriptors.
const (
	restepControlFD = 3 // SOCK_SEQPACKET: requests in, replies out
	restepLayoutFD  = 4 // encoded layout (sim/inject.Layout)
	restepGateFD    = 5 // a child that shall wait reads two words from here: the step to stop at, and the memory for checkpoints
)

// restepRequest is the fixed part of a request, followed by NUL-terminated
// strings: log path, working directory, root of the module as the program sees
// it, its real path, path of the export, arguments, environment.
type restepRequest struct {
	magic, flags  uint32
	seed, variant uint64
	stop          uint64
	start         int64
	timeout       int64
	argc, envc    uint32
}

const (
	restepMagic    = 0x52535450
	restepFlagGate = 1 // wait at the gate before the run

	// For the simulator's own tests.
	restepFlagCheck   = 2  // the collector checks itself and clobbers what it frees
	restepFlagCollect = 4  // collections at random turns
	restepFlagPlain   = 8  // no shortcut past the scheduler
	restepFlagLast    = 16 // the process serves no other request
	restepFlagVerify  = 32 // it makes sure that it has all of its memory back
)

// restepReply is what the zygote answers.
type restepReply struct {
	what, value uint32
	cpu         int64 // of an ended child, µs
}

const (
	restepReady   = 1 // the zygote can fork
	restepStarted = 2 // value: pid of the child
	restepEnded   = 3 // value: wait status
	restepFailed  = 4 // value: errno of fork, or number of tasks
)

var restepLayout struct {
	mainOnly    []uintptr
	shared      []uintptr
	programOnly []uintptr
	programs    [64][]uintptr
}

// restepMessage is the request that was read last. It and the flags of pages
// lie in the window of the simulator: they are not among what a run leaves
// behind.
var restepMessage *[1 << 16]byte

const (
	restepMessageBase = 0x110018000000
	restepOwnBase     = 0x110018100000
)

// restepOwnMemory maps memory of this process at addr, zeroed.
func restepOwnMemory(addr, size uintptr) unsafe.Pointer {
	const flags = 0x100022 // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
	at, errno := restepSys(restepSysMmap, addr, size, 3, flags, ^uintptr(0), 0)
	if errno != 0 || at != addr {
		restepDie("map memory of the simulator", errno)
	}
	return unsafe.Pointer(at)
}

// restepSys makes a system call of the real kernel.
//
//go:nosplit
func restepSys(nr, a, b, c, d, e, f uintptr) (r uintptr, errno uintptr) {
	r, _, errno = linux.Syscall6(nr, a, b, c, d, e, f)
	return r, errno
}

func restepDie(what string, errno uintptr) {
	print("restep: the simulation cannot start: ", what, ": errno ", errno, "\n")
	exit(125)
}

// restepReadLayout reads the encoded layout: magic, then counted lists.
func restepReadLayout() {
	const words = 1 << 16
	buf := (*[words]uint64)(sysAlloc(words*8, &memstats.other_sys, "restep layout"))
	n := uintptr(0)
	for {
		r, errno := restepSys(restepSysPread, restepLayoutFD, uintptr(unsafe.Pointer(&buf[0]))+n, words*8-n, n, 0, 0)
		if errno != 0 {
			restepDie("read the layout", errno)
		}
		if r == 0 {
			break
		}
		n += r
	}
	if n < 32 || buf[0] != 0x336c6c7970657473 {
		restepDie("the layout is damaged", 0)
	}
	i := uint64(1)
	next := func() uint64 {
		if i >= uint64(n/8) {
			restepDie("the layout is too short", 0)
		}
		i++
		return buf[i-1]
	}
	count := next()
	if count > uint64(len(restepImages.ranges)) {
		restepDie("too many ranges of machine data", uintptr(count))
	}
	for j := range count {
		restepImages.ranges[j] = restepRange{uintptr(next()), uintptr(next()), uintptr(next())}
	}
	restepImages.n = int(count)
	list := func() []uintptr {
		count := next()
		if i+count > uint64(n/8) {
			restepDie("the layout is too short", 0)
		}
		l := unsafe.Slice((*uintptr)(unsafe.Pointer(&buf[i])), int(count))
		i += count
		return l
	}
	restepLayout.shared = list()
	restepLayout.mainOnly = list()
	count = next()
	if count > uint64(len(restepProgram.ranges)) {
		restepDie("too many variables of package testing", uintptr(count))
	}
	for j := range count {
		restepProgram.ranges[j] = restepRun{addr: uintptr(next()), size: uintptr(next())}
	}
	restepProgram.n = int(count)
	restepLayout.programOnly = list()
	if count = next(); count > uint64(len(restepLayout.programs)) {
		restepDie("too many programs", uintptr(count))
	}
	for j := range count {
		restepLayout.programs[j] = list()
	}
}

// restepZygote runs on the main goroutine before any init task. In a process
// that restep did not start it returns at once; in a zygote it returns in the
// forked child, with the simulation on and machine main about to boot.
func restepZygote() {
	if gogetenv("RESTEP_ZYGOTE") != "1" {
		return
	}
	restep.wanted = true
	restepPinCPU()
	own := restepTasks() // 1, and more in an emulator, which has threads of its own
	restepMessage = (*[1 << 16]byte)(restepOwnMemory(restepMessageBase, 1<<16))
	restepReadLayout()
	restepInitImages()
	for _, a := range restepLayout.shared {
		doInit1((*initTask)(unsafe.Pointer(a)))
	}
	debug.gcstoptheworld = 1
	restepGrowStack()
	GC()
	restepSys(restepSysPrctl, 1, 9, 0, 0, 0, 0) // PR_SET_PDEATHSIG, SIGKILL
	restepProtectPages()
	restepPrepareMemory()
	restepPrepareReuse()
	restepAnswer(restepReady, 0, 0)
	for forks := 0; ; forks++ {
		if forks == 1 && restepReusing { // one run alone does not pay for the copy
			systemstack(func() { restepAnchor() })
		}
		n := restepNextRequest()
		if restepReusing && restepReuse().restored {
			restepRenew()
		} else if !restepFork(n, own) {
			continue
		}
		// Said by the process that runs: it may end, and say that, before the
		// zygote goes on after the fork.
		pid, _ := restepSys(restepSysGetpid, 0, 0, 0, 0, 0, 0)
		restepAnswer(restepStarted, uint32(pid), 0)
		restepBecome(n) // called at one place: its frames are in the first steps
		return
	}
}

// restepNextRequest reads a request into restepMessage; there is none when the
// host is gone.
func restepNextRequest() uintptr {
	for {
		n, errno := restepSys(restepSysRead, restepControlFD, uintptr(unsafe.Pointer(&restepMessage[0])), uintptr(len(restepMessage)-1), 0, 0, 0)
		if errno == _EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			exit(0)
		}
		return n
	}
}

// restepGrowStack gives g0 a megabyte: the simulated kernel runs there, and the
// runtime assumes 64 KB of a first thread. The real stack grows by itself.
func restepGrowStack() {
	g0 := getg().m.g0
	g0.stack.lo = g0.stack.hi - 1<<20
	g0.stackguard0 = g0.stack.lo + stackGuard
	g0.stackguard1 = g0.stackguard0
}

func restepAnswer(what, value uint32, cpu int64) {
	r := restepReply{what, value, cpu}
	restepSys(restepSysWrite, restepControlFD, uintptr(unsafe.Pointer(&r)), unsafe.Sizeof(r), 0, 0, 0)
}

// restepFork forks one child and waits for its end; the child may have served
// more requests until then. It returns true in the child. own is how many threads
// the process had before the program had any code to run.
func restepFork(n uintptr, own int) bool {
	if tasks := restepTasks(); tasks != own {
		print("restep: the zygote has ", tasks-own, " threads more than its first; a fork would lose them\n")
		restepAnswer(restepFailed, uint32(tasks), 0)
		return false
	}
	if restepReusing {
		s := restepReuse()
		s.busy, s.restored, s.filtered, s.cpu, s.faults, s.logFaults = true, false, false, 0, 0, 0
	}
	parent, _ := restepSys(restepSysGetpid, 0, 0, 0, 0, 0, 0)
	pid, errno := restepSys(restepSysClone, 17, 0, 0, 0, 0, 0) // SIGCHLD
	if errno != 0 {
		restepAnswer(restepFailed, uint32(errno), 0)
		return false
	}
	if pid == 0 {
		getg().m.procid = uint64(gettid())
		restepSys(restepSysPrctl, 1, 9, 0, 0, 0, 0)
		restepSys(restepSysPrctl, 0x59616d61, ^uintptr(0), 0, 0, 0, 0) // PR_SET_PTRACER, any
		restepSys(restepSysSetpgid, 0, 0, 0, 0, 0, 0)                  // a debugger kills by group
		if now, _ := restepSys(restepSysGetppid, 0, 0, 0, 0, 0, 0); now != parent {
			exit(125)
		}
		return true
	}
	var status uint32
	var usage restepRusage
	for {
		// The child's end, or the host's: poll would need a pidfd; a host
		// that dies takes the zygote with it (PDEATHSIG), and that the child.
		_, errno := restepSys(restepSysWait4, pid, uintptr(unsafe.Pointer(&status)), 0, uintptr(unsafe.Pointer(&usage)), 0, 0)
		if errno != _EINTR {
			break
		}
	}
	if !restepReusing || restepReuse().busy {
		restepAnswer(restepEnded, status, usage.cpu())
	}
	if restepReusing {
		restepReuse().restored = false
	}
	restepLearnPages()
	return false
}

var restepTaskPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 't', 'a', 's', 'k', 0}

// restepTasks counts the threads of the process.
func restepTasks() int {
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(&restepTaskPath)), 0x80000|restepODirectory, 0, 0, 0)
	if errno != 0 {
		return -1
	}
	var buf [1024]byte
	count := 0
	for {
		n, errno := restepSys(restepSysGetdents64, fd, uintptr(unsafe.Pointer(&buf)), uintptr(len(buf)), 0, 0, 0)
		if errno != 0 || n == 0 {
			break
		}
		for off := uintptr(0); off < n; {
			if c := buf[off+19]; c >= '0' && c <= '9' {
				count++
			}
			off += uintptr(buf[off+16]) | uintptr(buf[off+17])<<8
		}
	}
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	return count
}

// restepBecome turns the forked child into the simulation that the request
// describes.
func restepBecome(n uintptr) {
	r := (*restepRequest)(unsafe.Pointer(restepMessage))
	size := unsafe.Sizeof(*r)
	if n < size || r.magic != restepMagic {
		restepDie("the request is damaged", 0)
	}
	rest := restepMessage[size:n]
	next := func() string {
		for i, c := range rest {
			if c == 0 {
				s := unsafe.String(&rest[0], i)
				rest = rest[i+1:]
				return s
			}
		}
		restepDie("the request is too short", 0)
		return ""
	}
	logPath, cwd, root, real, exportPath := next(), next(), next(), next(), next()
	args, env := make([]string, r.argc), make([]string, r.envc)
	for i := range args {
		args[i] = next()
	}
	for i := range env {
		env[i] = next()
	}
	restep.stopStep = r.stop
	if r.flags&restepFlagGate != 0 {
		restepInitControl()
		restepWaitAtGate()
	}
	if r.flags&restepFlagCheck != 0 {
		debug.gccheckmark, debug.clobberfree = 1, 1
	}
	restep.collect = r.flags&restepFlagCollect != 0
	restep.plain = r.flags&restepFlagPlain != 0
	log := restepOpenLog(logPath)
	restepOpenExport(exportPath)
	restepOpenMemory()
	if restepReusing {
		s := restepReuse()
		s.keep, s.ngiven = r.flags&(restepFlagGate|restepFlagLast) == 0 && r.stop == 0, 0
		s.verify = r.flags&restepFlagVerify != 0
	}
	if !restepReusing || !restepReuse().filtered {
		restepFilter()
	}
	m := &restep.machine[1]
	m.args, m.env = args, env
	cfg := restepConfig{r.seed, r.variant, r.start, cwd, root, real, log, firstmoduledata.text}
	if r.timeout > 0 {
		restep.deadline = r.start + r.timeout
	}
	restepBegin(&cfg)
}

// restepBegin turns the simulation on: the streams start from the seed, the
// calling goroutine becomes the first one of machine main.
func restepBegin(cfg *restepConfig) {
	restep.src.Init(cfg.seed)
	restep.now = cfg.start
	restep.sysgoid = 1 << 40
	restepUsePolicy(cfg.variant)
	restepSeedM()
	gp := getg()
	m := &restep.machine[1]
	m.alive, m.inc, m.maxproc, m.booted = true, 1, restepNumCPU, 1
	m.image = mallocgc(restepImages.size, restepImages.typ, true)
	memmove(m.image, restepImages.pristine, restepImages.size)
	restepUsePages()
	restep.cur, restep.nmachine = 1, 1
	for _, a := range restepLayout.programOnly {
		(*initTask)(unsafe.Pointer(a)).state = 2 // done, as far as runtime.main cares
	}
	host := restepHost{
		restepHostNow, restepHostRand, restepWake, restepGoOn, restepSignalArrived, restepKernelContext, restepSymbolize,
		restepGrowLog, restepMemory, restepStepped, restepMachineMain, restepReal,
		restepStore,
	}
	// Goroutines of the runtime itself make room for the program's ids.
	for _, g := range allgs {
		restep.sysgoid++
		g.goid = restep.sysgoid
	}
	gp.goid, restep.goid = 1, 1
	gp.restepWord = restep.strategy.Born(&restep.src)
	systemstack(func() {
		restep.kernel = restep_kernelNew(&host, cfg)
		id, err := restep_kernelNewMachine(restep.kernel, "main", 0, false)
		if err != "" || id != 1 {
			throw("restep: machine main")
		}
		restep_kernelOp(restep.kernel, restepOpProcess, 1, restepJoin(m.args), restepJoin(m.env), 0)
		for {
			g, _ := runqget(getg().m.p.ptr())
			if g == nil {
				break
			}
			restepEnqueue(g)
		}
		restep.on = true
		gp.restepMachine, gp.restepInc = 1, 1
		restep_kernelBootMachine(restep.kernel, 1)
		restepKernelDone()
	})
	restepTurn(gp)
}

// restepWaitAtGate waits until a debugger is attached and has said where to
// stop.
func restepWaitAtGate() {
	var said struct{ stop, budget, total uint64 }
	for {
		n, errno := restepSys(restepSysRead, restepGateFD, uintptr(unsafe.Pointer(&said)), unsafe.Sizeof(said), 0, 0, 0)
		if errno == _EINTR {
			continue
		}
		if errno != 0 || n != unsafe.Sizeof(said) {
			exit(125)
		}
		restep.stopStep, restep.control.budget, restep.control.total = said.stop, said.budget, said.total
		return
	}
}

// restepReal lets the simulated kernel read the files that the main machine
// sees (openat, pread64, close, newfstatat, getdents64, readlinkat), change the
// memory of its mappings (see restep_map.go), and nothing else.
func restepReal(nr uintptr, a *[6]uintptr) (r, errno uintptr) {
	switch nr {
	case restepSysOpenat:
		if a[2]&3 != 0 {
			return 0, _EACCES
		}
	case restepSysMmap, restepSysMprotect, restepSysMunmap, restepSysMadvise:
		if !restepMapAllowed(a) {
			return 0, _EACCES
		}
	case restepSysPread, restepSysClose, restepSysNewfstatat, restepSysGetdents64, restepSysReadlinkat:
	default:
		return 0, 1 // EPERM
	}
	return restepSys(nr, a[0], a[1], a[2], a[3], a[4], a[5])
}

// restepExportFile is the real file that takes what leaves the simulation.
var restepExportFile struct {
	open bool
	fd   uintptr
}

// restepOpenExport opens the file for the export, "" for none. As with the
// log, the path is not copied.
func restepOpenExport(path string) {
	if path == "" {
		return
	}
	const flags = 0x80241 // O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(unsafe.StringData(path))), flags, 0o600, 0, 0)
	if errno != 0 {
		restepDie("open the file for the export", errno)
	}
	restepExportFile.open, restepExportFile.fd = true, fd
}

// restepExport lets the file leave, if one is wanted and machine main is
// there. It runs after the last step.
func restepExport() {
	if !restepExportFile.open || !restep.machine[1].alive {
		return
	}
	restep_kernelExport(restep.kernel, restepWriteExport)
	if restepExportFile.open {
		restepSys(restepSysClose, restepExportFile.fd, 0, 0, 0, 0, 0)
	}
}

// restepWriteExport writes one piece of the export. After an error it empties
// the file and gives up: none is better than half of one.
func restepWriteExport(p []byte) {
	for len(p) > 0 && restepExportFile.open {
		n, errno := restepSys(restepSysWrite, restepExportFile.fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), 0, 0, 0)
		if errno == _EINTR {
			continue
		}
		if errno != 0 {
			print("restep: write the export: errno ", errno, "\n")
			restepSys(restepSysFtruncate, restepExportFile.fd, 0, 0, 0, 0, 0)
			restepSys(restepSysClose, restepExportFile.fd, 0, 0, 0, 0, 0)
			restepExportFile.open = false
			return
		}
		p = p[n:]
	}
}

// restepArgs and restepEnv are what machines see as their command line and
// environment.
func restepArgs() []string {
	m := &restep.machine[getg().restepMachine]
	if len(m.args) == 0 {
		return []string{restep.machine[1].args[0]}
	}
	return append([]string{}, m.args...)
}

func restepEnv() []string {
	return append([]string{}, restep.machine[getg().restepMachine].env...)
}
