package inject

// runtimeEdits are the hooks in package runtime. The logic is in
// _goroot/runtime/restep_*.go; a hook is one statement.
var runtimeEdits = []Edit{
	// One thread.
	{File: "runtime/proc.go", Find: `const haveSysmon = GOARCH != "wasm"`, Op: Replace, Text: `const haveSysmon = false`,
		Why: "the monitor is a second thread: a fork would lose it, and it preempts by real time"},
	{File: "runtime/proc.go", Func: "main", Find: "\tlockOSThread()", Op: Delete,
		Why: "the main goroutine must not be bound to its thread, or a second one is started to run the others"},
	{File: "runtime/proc.go", Func: "main", Find: "if needUnlock {", Op: Replace, Text: "if needUnlock && false {",
		Why: "pairs with the lockOSThread taken out"},
	{File: "runtime/proc.go", Func: "main", Find: "needUnlock = false\n\tunlockOSThread()", Op: Replace, Text: "needUnlock = false\n",
		Why: "pairs with the lockOSThread taken out"},
	{File: "runtime/proc.go", Func: "newm", Text: `if restep.wanted { throw("restep: the program wants a second thread") }`,
		Why: "the simulation has exactly one thread"},
	{File: "runtime/proc.go", Func: "LockOSThread", Text: "if restep.on { return }",
		Why: "with one thread every goroutine is on it; locking would start a second one"},
	{File: "runtime/proc.go", Func: "UnlockOSThread", Text: "if restep.on { return }",
		Why: "pairs with LockOSThread"},

	// Start.
	{File: "runtime/proc.go", Func: "main", Find: "last := lastmoduledatap", Op: Before, Text: "restepZygote(); ",
		Why: "the zygote waits and forks here, before any variable of a machine is set"},
	{File: "runtime/proc.go", Func: "main", Find: "\texit(0)", Op: Before, Text: "\tif restep.on { restepProcessExit(0) };",
		Why: "the return of main ends the run with its last step"},
	{File: "runtime/proc.go", Func: "doInit1", Text: "if restep.on { restepInit1(t); return }",
		Why: "the state of an init task would be a variable of each machine"},
	{File: "runtime/runtime.go", Func: "os_runtime_args", Text: "if restep.on { return restepArgs() }",
		Why: "each machine has its own command line", Optional: true},
	{File: "runtime/runtime.go", Func: "syscall_runtime_envs", Text: "if restep.on { return restepEnv() }",
		Why: "each machine has its own environment"},
	{File: "runtime/runtime.go", Func: "syscall_Exit", Text: "if restep.on && getg().restepMachine != 0 { restepProcessExit(code) }",
		Why: "os.Exit ends a machine, not the process"},

	// Scheduler.
	{File: "runtime/runtime2.go", Type: "g", Op: End, Text: "restepMachine, restepInc uint32; restepMark uint64; restepNext guintptr; restepWaits uint32; restepLent, restepBlocked bool; restepWord uint64; restepActs, restepEnds uint32; restepCoro, restepBackPC, restepBackSP, restepBackBP uintptr; restepEndKind uint8; restepEndCode int32",
		Why: "a goroutine belongs to a machine"},
	{File: "runtime/proc.go", Func: "findRunnable", Text: "if restep.on { return restepFindRunnable() }",
		Why: "the seed picks who runs"},
	{File: "runtime/proc.go", Func: "execute", Text: "if restep.on && gp.restepMachine != restep.cur && gp.restepMachine != 0 { restepSwitch(gp.restepMachine) }",
		Why: "a goroutine sees the variables of its machine"},
	{File: "runtime/coro.go", Func: "coroswitch_m", Find: "setGNoWB(&mp.curg, gnext)", Op: Before, Text: "if restep.on && gnext.restepMachine != restep.cur && gnext.restepMachine != 0 { restepSwitch(gnext.restepMachine) }; ",
		Why: "iter.Pull switches goroutines without execute"},
	{File: "runtime/coro.go", Func: "coroswitch_m", Find: "c := gp.coroarg", Op: After, Text: "; restepCoroSwitch(gp, c)",
		Why: "a goroutine that waits in a coroutine is taken out when its machine dies"},
	{File: "runtime/coro.go", Func: "coroswitch", Text: "if restep.on && c.gp == 0 { restepCoroGone() }",
		Why: "the goroutine to switch to was of a machine that is dead"},
	{File: "runtime/coro.go", Func: "coroexit", Text: "if restep.on && c.gp == 0 { restepCoroGone() }",
		Why: "the goroutine to switch to was of a machine that is dead"},
	{File: "runtime/proc.go", Func: "gosched_m", Text: "restepGosched(gp)",
		Why: "strategies that give priorities let a goroutine that gives way fall behind"},
	{File: "runtime/proc.go", Func: "runqput", Text: "if restep.on { restepWoken(gp); return }",
		Why: "there is one run queue"},
	{File: "runtime/proc.go", Func: "globrunqput", Text: "if restep.on { restepEnqueue(gp); return }",
		Why: "there is one run queue"},
	{File: "runtime/proc.go", Func: "globrunqputhead", Text: "if restep.on { restepEnqueue(gp); return }",
		Why: "there is one run queue"},
	{File: "runtime/proc.go", Func: "globrunqputbatch", Text: "if restep.on { restepEnqueueAll(batch); return }",
		Why: "there is one run queue"},
	{File: "runtime/proc.go", Func: "runqputbatch", Text: "if restep.on { restepEnqueueAll(q); return }",
		Why: "there is one run queue"},
	{File: "runtime/proc.go", Func: "newproc1", Find: "newg.goid = pp.goidcache", Op: After, Text: "; restepNewG(newg, callergp)",
		Why: "goroutines inherit the machine and are numbered per run"},
	{File: "runtime/proc.go", Func: "gdestroy", Text: "restepExitG(gp)",
		Why: "the end of a goroutine is a step"},
	{File: "runtime/proc.go", Func: "gcount", Text: "if restep.on { return restepGcount() }",
		Why: "a machine counts its own goroutines"},
	{File: "runtime/debug.go", Func: "GOMAXPROCS", Text: "if restep.on { return restepGOMAXPROCS(n) }",
		Why: "more than one P would need more than one thread"},
	{File: "runtime/debug.go", Func: "NumCPU", Text: "if restep.on { return restepNumCPU }",
		Why: "a run does not depend on the host's cores"},

	// One thread needs no atomic instructions to agree with itself.
	{File: "runtime/lock_spinbit.go", Func: "lock2", Text: "if restep.on && restepLock(l) { return }", Why: whyPlain},
	{File: "runtime/lock_spinbit.go", Func: "unlock2", Text: "if restep.on && restepUnlock(l) { return }", Why: whyPlain},
	{File: "runtime/proc.go", Func: "casgstatus", Find: "!gp.atomicstatus.CompareAndSwap(oldval, newval)", Op: Replace, Text: "!restepSetStatus(gp, oldval, newval)", Why: whyPlain},
	{File: "runtime/time.go", Func: "(*timers).unlock", Find: "\tts.len.Store(uint32(len(ts.heap)))", Op: Replace,
		Text: "\tif n := uint32(len(ts.heap)); ts.len.Load() != n { ts.len.Store(n) }", Why: whyPlain},
	{File: "runtime/time.go", Func: "(*timer).unlock", Find: "\tt.astate.Store(t.state)", Op: Replace,
		Text: "\tif t.astate.Load() != t.state { t.astate.Store(t.state) }", Why: whyPlain},
	{File: "runtime/proc.go", Func: "wakep", Text: "if restep.on { return }",
		Why: "there is no other thread to wake"},

	// Garbage collection.
	{File: "runtime/mgc.go", Func: "gcStart", Find: "\t\tGosched()", Op: Before, Text: "\t\trestepGCStart();",
		Why: "whoever starts a collection goes on first after it: collections leave no trace in the schedule"},
	{File: "runtime/mgc.go", Func: "clearpools", Find: "\t\tpoolcleanup()", Op: Replace, Text: "\t\trestepPoolCleanup()",
		Why: "each machine has its own list of pools"},

	// Several runs in one process: see restep_reuse.go.
	{File: "runtime/mem_linux.go", Func: "sysUnusedOS", Text: "restepGaveBack(uintptr(v), n)",
		Why: "whether a page that was given back has been written is not known"},

	{File: "runtime/mem_linux.go", Func: "sysAllocOS", Find: "\t\treturn nil", Op: Before, Text: "\t\tif p := restepNoMemory(n); p != nil { return p };",
		Why: "some callers take memory for granted, and the collector would meet the limit where no code of the program is"},

	// Profiles and traces.
	{File: "runtime/cpuprof.go", Func: "SetCPUProfileRate", Text: "if restep.on { return }", Why: whyProfile},
	{File: "runtime/cpuprof.go", Func: "runtime_pprof_readProfile", Text: "if restep.on { return restepReadProfile() }", Why: whyProfile},
	{File: "runtime/mprof.go", Func: "SetBlockProfileRate", Text: "if restep.on { return }", Why: whyProfile},
	{File: "runtime/mprof.go", Func: "SetMutexProfileFraction", Text: "if restep.on { return restepSetMutexProfileFraction(rate) }", Why: whyProfile},
	{File: "runtime/trace.go", Func: "StartTrace", Text: "if restep.on { return restepStartTrace() }", Why: whyProfile},
	{File: "runtime/trace.go", Func: "StopTrace", Text: "if restep.on { restepStopTrace(); return }", Why: whyProfile},
	{File: "runtime/trace.go", Func: "ReadTrace", Text: "if restep.on { return restepReadTrace() }", Why: whyProfile},
	{File: "runtime/trace.go", Func: "traceAdvance", Text: "if restep.on { return }", Why: whyProfile},

	// Randomness.
	{File: "runtime/rand.go", Func: "randinit", Find: "seed := &globalRand.seed", Op: After, Text: "; restepStartupSeed(seed); if true {} else",
		Why: "the runtime's start is the same in every process"},
	{File: "runtime/rand.go", Func: "rand", Text: "if restep.on { return restepRand() }",
		Why: "the program's random numbers come from the seed"},
	{File: "runtime/rand.go", Func: "maps_rand", Text: "if restep.on { return restepMapsRand() }",
		Why: "maps draw from a stream of their own"},
	{File: "runtime/select.go", Func: "selectgo", Find: "cheaprandn(uint32(norder + 1))", Op: Replace, Text: "restepCheaprandn(uint32(norder + 1))",
		Why: "the order of select cases is a choice"},
	{File: "runtime/sema.go", Func: "(*semaRoot).queue", Find: "cheaprand() | 1", Op: Replace, Text: "restepCheaprand() | 1",
		Why: "tickets of semaphores are a choice"},
	{File: "runtime/time.go", Func: "(*timer).maybeAdd", Find: "t.rand = cheaprand()", Op: Replace, Text: "t.rand = restepCheaprand()", Optional: true,
		Why: "the order of timers due at one instant is a choice (synctest bubbles only)"},
	{File: "runtime/vgetrandom_linux.go", Func: "vgetrandom", Text: "if restep.on { return -1, false }", Optional: true,
		Why: "the vDSO would bypass the simulated getrandom"},

	// Time.
	{File: "runtime/time_nofake.go", Func: "nanotime", Text: "if restep.on { return restepNanotime() }",
		Why: "the runtime lives in simulated time"},
	{File: "runtime/time.go", Func: "time_runtimeNano", Find: "return nanotime()", Op: Replace, Text: "return restepUserNano()",
		Why: "a program's reading of the clock costs time, so that loops over it end"},
	{File: "runtime/timestub.go", Find: "//go:build !faketime && !windows && !(linux && amd64) && !plan9", Op: Replace, Text: "//go:build !faketime && !windows && !plan9",
		Why: "time.now is a Go function that can be hooked"},
	{File: "runtime/timestub.go", Func: "time_now", Find: "sec, nsec = walltime()", Op: Replace, Text: "if restep.on { return restepTimeNow() }; if true { return restepRealTime() }",
		Why: "time.now in simulated time"},
	{File: "runtime/timeasm.go", Find: "//go:build !faketime && (windows || (linux && amd64))", Op: Replace, Text: "//go:build !faketime && windows",
		Why: "replaced by timestub.go"},
	{File: "runtime/time_linux_amd64.s", Find: "TEXT time·now<ABIInternal>", Op: Replace, Text: "TEXT runtime·restepRealTime<ABIInternal>",
		Why: "the real clock under another name"},

	{File: "runtime/time.go", Func: "newTimer", Text: "when, period = restepWhen(when), restepSpan(period)", Why: whyClock},
	{File: "runtime/time.go", Func: "resetTimer", Text: "when, period = restepWhen(when), restepSpan(period)", Why: whyClock},
	{File: "runtime/time.go", Func: "timeSleep", Text: "ns = restepSpan(ns); if restepSleep(ns) { return }",
		Why: whyClock + "; a sleep during which nothing else happens needs no scheduler"},
	{File: "runtime/netpoll.go", Func: "poll_runtime_pollSetDeadline", Text: "d = restepSpan(d)", Why: whyClock},

	// Timers.
	{File: "runtime/time.go", Type: "timer", Op: End, Text: "restepMachine, restepInc uint32",
		Why: "a timer belongs to a machine"},
	{File: "runtime/time.go", Func: "(*timer).init", Text: "restepTimerInit(t)",
		Why: "a timer belongs to a machine"},
	{File: "runtime/time.go", Func: "(*timer).unlockAndRun", Find: "\tf(arg, seq, delay)", Op: Replace, Text: "\trestepTimerRun(t, f, arg, seq, delay)",
		Why: "a timer's function sees its machine's variables; timers of dead machines do nothing"},

	// Finalizers and cleanups.
	{File: "runtime/mfinal.go", Func: "runFinalizers", Find: "framesz := unsafe.Sizeof((any)(nil)) + f.nret", Op: Replace, Text: "restepID, restepInc := restepUnpackFinalizer(f); framesz := unsafe.Sizeof((any)(nil)) + f.nret", Why: whyFinal},
	{File: "runtime/mfinal.go", Func: "runFinalizers", Find: "reflectcall(nil, unsafe.Pointer(f.fn), frame, uint32(framesz), uint32(framesz), uint32(framesz), &regs)", Op: Replace,
		Text: "restepLend(restepID, restepInc, func() { reflectcall(nil, unsafe.Pointer(f.fn), frame, uint32(framesz), uint32(framesz), uint32(framesz), &regs) })", Why: whyFinal},
	{File: "runtime/mheap.go", Func: "addfinalizer", Text: "nret = restepPackFinalizer(nret)", Why: whyFinal},
	{File: "runtime/mcleanup.go", Func: "AddCleanup", Text: "cleanup = restepWrapCleanup(cleanup)", Why: whyFinal},

	// Addresses of variables that each machine has.
	{File: "runtime/sema.go", Func: "semacquire1", Find: "root := semtable.rootFor(addr)", Op: Replace, Text: "key := restepSemaKey(addr); root := semtable.rootFor(key)",
		Why: "one address is a semaphore of its own on each machine"},
	{File: "runtime/sema.go", Func: "semacquire1", Find: "root.queue(addr, s, lifo)", Op: Replace, Text: "root.queue(key, s, lifo)",
		Why: "one address is a semaphore of its own on each machine"},
	{File: "runtime/sema.go", Func: "semrelease1", Find: "root := semtable.rootFor(addr)", Op: Replace, Text: "key := restepSemaKey(addr); root := semtable.rootFor(key)",
		Why: "one address is a semaphore of its own on each machine"},
	{File: "runtime/sema.go", Func: "semrelease1", Find: "root.dequeue(addr)", Op: Replace, Text: "root.dequeue(key)",
		Why: "one address is a semaphore of its own on each machine"},
	{File: "runtime/chan.go", Func: "sendDirect", Find: "dst := sg.elem.get()", Op: Replace, Text: "dst := restepElem(sg, sg.elem.get())",
		Why: "a receiver may wait with a variable of its own machine as target"},
	{File: "runtime/chan.go", Func: "recvDirect", Find: "src := sg.elem.get()", Op: Replace, Text: "src := restepElem(sg, sg.elem.get())",
		Why: "a sender may wait with a variable of its own machine as source"},
	{File: "runtime/chan.go", Func: "recv", Find: "typedmemmove(c.elemtype, qp, sg.elem.get())", Op: Replace, Text: "typedmemmove(c.elemtype, qp, restepElem(sg, sg.elem.get()))",
		Why: "a sender may wait with a variable of its own machine as source"},
	{File: "runtime/chan.go", Func: "closechan", Find: "typedmemclr(c.elemtype, sg.elem.get())", Op: Replace, Text: "typedmemclr(c.elemtype, restepElem(sg, sg.elem.get()))",
		Why: "a receiver may wait with a variable of its own machine as target"},

	// Preemption points.
	{File: "runtime/chan.go", Func: "chansend", Text: restepPoint, Why: whyPoint},
	{File: "runtime/chan.go", Func: "chanrecv", Text: restepPoint, Why: whyPoint},
	{File: "runtime/chan.go", Func: "closechan", Text: restepPoint, Why: whyPoint},
	{File: "runtime/select.go", Func: "selectgo", Text: restepPoint, Why: whyPoint},
	{File: "runtime/atomic_pointer.go", Func: "sync_atomic_StorePointer", Text: restepPoint, Why: whyPoint},
	{File: "runtime/atomic_pointer.go", Func: "sync_atomic_SwapPointer", Text: restepPoint, Why: whyPoint},
	{File: "runtime/atomic_pointer.go", Func: "sync_atomic_CompareAndSwapPointer", Text: restepPoint, Why: whyPoint},
	{File: "runtime/atomic_pointer.go", Find: "//go:linkname sync_atomic_StoreUintptr sync/atomic.StoreUintptr", Op: Replace,
		Text: "//go:linkname sync_atomic_StoreUintptr sync/atomic.restepStoreUintptr", Why: whyRaw},
	{File: "runtime/atomic_pointer.go", Find: "//go:linkname sync_atomic_SwapUintptr sync/atomic.SwapUintptr", Op: Replace,
		Text: "//go:linkname sync_atomic_SwapUintptr sync/atomic.restepSwapUintptr", Why: whyRaw},
	{File: "runtime/atomic_pointer.go", Find: "//go:linkname sync_atomic_CompareAndSwapUintptr sync/atomic.CompareAndSwapUintptr", Op: Replace,
		Text: "//go:linkname sync_atomic_CompareAndSwapUintptr sync/atomic.restepCompareAndSwapUintptr", Why: whyRaw},

	// Poller.
	{File: "runtime/netpoll.go", Type: "pollDesc", Op: End, Text: "restepMachine, restepInc uint32; restepNext *pollDesc",
		Why: "open descriptors of a machine are found when it dies"},
	{File: "runtime/netpoll_epoll.go", Func: "netpollinit", Text: "if restep.on { return }",
		Why: "the simulated kernel is the poller"},
	{File: "runtime/netpoll_epoll.go", Func: "netpollopen", Text: "if restep.on { return restepPollOpen(fd, pd) }",
		Why: "the simulated kernel is the poller"},
	{File: "runtime/netpoll_epoll.go", Func: "netpollclose", Text: "if restep.on { return restepPollClose(fd) }",
		Why: "the simulated kernel is the poller"},
	{File: "runtime/netpoll_epoll.go", Func: "netpollBreak", Text: "if restep.on { return }",
		Why: "nobody waits in epoll"},
	{File: "runtime/netpoll_epoll.go", Func: "netpoll", Text: "if restep.on { return gList{}, 0 }",
		Why: "nobody waits in epoll"},

	// Signals.
	{File: "runtime/sigqueue.go", Func: "signal_recv", Text: "if restep.on { return restepSignalRecv() }", Why: whySignal},
	{File: "runtime/sigqueue.go", Func: "signalWaitUntilIdle", Text: "if restep.on { restepSignalIdle(); return }", Why: whySignal},
	{File: "runtime/sigqueue.go", Func: "signal_enable", Text: "if restep.on { restepSignalHandle(s, true, false); return }", Why: whySignal},
	{File: "runtime/sigqueue.go", Func: "signal_disable", Text: "if restep.on { restepSignalHandle(s, false, false); return }", Why: whySignal},
	{File: "runtime/sigqueue.go", Func: "signal_ignore", Text: "if restep.on { restepSignalHandle(s, false, true); return }", Why: whySignal},
	{File: "runtime/sigqueue.go", Func: "signal_ignored", Text: "if restep.on { return restepSignalIgnored(s) }", Why: whySignal},

	{File: "runtime/signal_unix.go", Func: "os_sigpipe", Text: "if restep.on { restepSigpipe(); return }", Why: whySignal},

	// Names of source files.
	{File: "runtime/symtab.go", Func: "(*Frames).Next", Find: "frame.File, frame.Line = file, int(line)", Op: After, Text: "; frame.File = restepFile(file)", Why: whyFile},
	{File: "runtime/symtab.go", Func: "(*Func).FileLine", Find: "return fi.file, int(fi.line)", Op: Before, Text: "if restep.on { return restepFile(fi.file), int(fi.line) }; ", Why: whyFile},
	{File: "runtime/symtab.go", Func: "(*Func).FileLine", Find: "return file, int(line32)", Op: Before, Text: "file = restepFile(file); ", Why: whyFile},

	// Children.
	{File: "runtime/proc.go", Func: "syscall_runtime_BeforeFork", Text: "if restep.on { return }", Why: whyFork},
	{File: "runtime/proc.go", Func: "syscall_runtime_AfterFork", Text: "if restep.on { return }", Why: whyFork},
	{File: "runtime/proc.go", Func: "syscall_runtime_AfterForkInChild", Text: "if restep.on { return }", Why: whyFork},

	{File: "runtime/signal_unix.go", Func: "sighandler", Find: "c := &sigctxt{info, ctxt}", Op: After, Text: "; if sig == _SIGSYS && restepSigsys(c, gp) || sig == _SIGSEGV && restepWriteFault(uintptr(c.sigaddr())) { return }; if sig == _SIGQUIT && restep.on { restepBusy(c, gp) }",
		Why: "system calls that assembly makes belong to the machine, too; the first write to a page of variables is noted; SIGQUIT asks what a run is busy with"},

	// Ends.
	{File: "runtime/panic.go", Func: "fatalpanic", Text: "if restep.on && getg().restepMachine != 0 { restepFatalPanic(msgs, sys.GetCallerPC(), sys.GetCallerSP()) }",
		Why: "a panic ends its machine, not the process"},
	{File: "runtime/panic.go", Func: "fatalthrow", Text: "if restep.on && t == throwTypeUser && getg().restepMachine != 0 && getg() == getg().m.curg { restepFatalThrow(sys.GetCallerPC(), sys.GetCallerSP()) }",
		Why: "a fatal error of the program ends its machine; one of the simulator ends the run"},
	{File: "runtime/signal_unix.go", Func: "sigpanic", Text: "if restep.on { restepSigpanic(sys.GetCallerPC(), sys.GetCallerSP()) }",
		Why: "a fault in mapped memory ends its machine, not the run"},
	{File: "runtime/stack.go", Func: "newstack", Find: `throw("stack overflow")`, Op: Before, Text: "if restep.on && thisg.m.curg.restepMachine != 0 { restepOverflowed(thisg.m.curg) }; ",
		Why: "an endless recursion ends its machine"},
	{File: "runtime/runtime.go", Func: "writeErrData", Text: "if restep.on && restepConsole(data, n) { return }",
		Why: "what the runtime prints is a log line of the machine"},
}

const (
	restepPoint = "if restepPoints--; restepPoints < 0 { restepPreempt() }"
	whyPoint    = "another goroutine may run between any two operations on channels, locks and atomics"
	whyRaw      = "between a write barrier and its store nothing else may run: the runtime needs the function without a preemption point"
	whyClock    = "timers are set by the machine's own clock, which may drift"
	whyFinal    = "a finalizer of one machine would run with the variables of another, and close its files"
	whyPlain    = "a locked instruction takes as long as twenty others, and a round trip over a channel has dozens"
	whySignal   = "each process has its own signals"
	whyProfile  = "profiles and traces measure the host's time, with signals and threads"
	whyFile     = "tests look for their data beside the file that runtime.Caller names, which has no folder in a build with -trimpath"
	whyFork     = "no real process is made; the real signal mask and handlers stay"
)
