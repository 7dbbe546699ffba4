package inject

// stdEdits are the hooks outside package runtime.
var stdEdits = []Edit{
	{File: "syscall/syscall_linux.go", Func: "Syscall", Text: "if r1, r2, errno, done := restepSyscall(trap, a1, a2, a3, 0, 0, 0); done { return r1, r2, Errno(errno) }", Why: whySyscall},
	{File: "syscall/syscall_linux.go", Func: "Syscall6", Text: "if r1, r2, errno, done := restepSyscall(trap, a1, a2, a3, a4, a5, a6); done { return r1, r2, Errno(errno) }", Why: whySyscall},
	{File: "syscall/syscall_linux.go", Func: "AllThreadsSyscall", Text: "if r1, r2, errno, done := restepSyscall(trap, a1, a2, a3, 0, 0, 0); done { return r1, r2, Errno(errno) }", Why: whyThreads},
	{File: "syscall/syscall_linux.go", Func: "AllThreadsSyscall6", Text: "if r1, r2, errno, done := restepSyscall(trap, a1, a2, a3, a4, a5, a6); done { return r1, r2, Errno(errno) }", Why: whyThreads},
	{File: "syscall/exec_linux.go", Func: "forkAndExecInChild1", Find: "pid, err1 = rawVforkSyscall(SYS_CLONE, flags, 0, uintptr(unsafe.Pointer(&pidfd)))", Op: Replace, Text: "pid, err1 = restepVfork(flags, &pidfd)",
		Why: "the child's calls until execve are made by the goroutine of the parent, in the name of the child"},
	{File: "syscall/exec_linux.go", Func: "forkAndExecInChild1", Find: "RawSyscall(SYS_WRITE, uintptr(pipe), uintptr(unsafe.Pointer(&err1)), unsafe.Sizeof(err1))", Op: Before, Text: "if err1 == 0 { pid = restepForked(); return }; ",
		Why: "after execve the goroutine is the parent's again"},
	{File: "syscall/exec_linux.go", Func: "forkAndExecInChild1", Find: "RawSyscall(SYS_EXIT, 253, 0, 0)", Op: After, Text: "; pid, err1 = restepForked(), 0; return",
		Why: "after exit the goroutine is the parent's again"},
	{File: "syscall/exec_linux.go", Func: "os_checkClonePidfd", Text: "if true { return nil }",
		Why: "clone(2) can give a pidfd; the test forks a process that never calls execve"},
	{File: "syscall/syscall_linux.go", Func: "RawSyscall6", Text: "if r1, r2, errno, done := restepSyscall(trap, a1, a2, a3, a4, a5, a6); done { return r1, r2, Errno(errno) }", Why: whySyscall},
	{File: "syscall/syscall_linux.go", Find: "func rawSyscallNoError(trap, a1, a2, a3 uintptr) (r1, r2 uintptr)", Op: Replace,
		Text: "func rawSyscallNoError(trap, a1, a2, a3 uintptr) (r1, r2 uintptr) { r1, r2, _ = RawSyscall6(trap, a1, a2, a3, 0, 0, 0); return }",
		Why:  "getpid and its kin are calls of a machine too"},
	{File: "syscall/asm_linux_amd64.s", Find: "TEXT ·rawSyscallNoError(SB)", Op: Replace, Text: "TEXT ·restepUnusedNoError(SB)", Optional: true,
		Why: "pairs with rawSyscallNoError; the assembly moved between releases"},

	{File: "syscall/asm_linux_arm64.s", Find: "TEXT ·rawSyscallNoError(SB)", Op: Replace, Text: "TEXT ·restepUnusedNoError(SB)",
		Why: "pairs with rawSyscallNoError"},

	{File: "syscall/syscall_linux_amd64.go", Only: "go1.26", Find: "//go:noescape\nfunc gettimeofday(tv *Timeval) (err Errno)", Op: Replace, Text: "\nfunc gettimeofday(tv *Timeval) (err Errno)" + restepGettimeofday, Why: whyTimeofday},
	{File: "syscall/syscall_linux_amd64.go", Only: "go1.27", Find: "//go:noescape\n//go:linkname gettimeofday\nfunc gettimeofday(tv *Timeval) (err Errno)", Op: Replace, Text: "\n//go:linkname gettimeofday\nfunc gettimeofday(tv *Timeval) (err Errno)" + restepGettimeofday, Why: whyTimeofday},
	{File: "syscall/asm_linux_amd64.s", Find: "TEXT ·gettimeofday(SB)", Op: Replace, Text: "TEXT ·restepUnusedTime(SB)",
		Why: "pairs with gettimeofday"},

	{File: "internal/syscall/unix/fcntl_unix.go", Func: "Fcntl",
		Text: "if r, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), uintptr(cmd), uintptr(arg)); errno != 0 { return -1, errno } else if true { return int(r), nil }",
		Why:  "the runtime's fcntl is a call to the real kernel, on the simulator's own descriptors"},

	{File: "net/hosts.go", Find: "const cacheMaxAge = 5 * time.Second", Op: Replace, Text: "const cacheMaxAge time.Duration = 0",
		Why: "a machine made a moment ago is found by its label at once, not when the cache of /etc/hosts is five seconds old"},

	{File: "internal/coverage/rtcov/rtcov.go", Func: "AddMeta", Text: "for i := range Meta.List { if Meta.List[i].P == (*byte)(p) { return uint32(i + 1) } }",
		Why: "the counters of a package are those of all machines: it registers once, not with each boot"},
	{File: "internal/coverage/cfile/hooks.go", Func: "InitHook", Text: "if true { return }",
		Why: "package testing writes the profile; the hooks would complain of GOCOVERDIR whenever a machine exits"},

	{File: "log/log.go", Func: "(*Logger).output", Find: "formatHeader(buf, now, prefix, flag, file, line)", Op: After, Text: "; restepOff := len(*buf)", Why: whyLog},
	{File: "log/log.go", Func: "(*Logger).output", Find: "_, err := l.out.Write(*buf)", Op: Replace, Text: "restepMark(*buf, restepOff, prefix, flag, calldepth); _, err := l.out.Write(*buf); restepLogMark(0, 0, 0)", Why: whyLog},

	{File: "testing/testing.go", Func: "(*common).log", Text: "restepText := s", Why: whyTestLog},
	{File: "testing/testing.go", Func: "(*common).log", Find: "s = n.callSite(3) + s", Op: Before, Text: "if restepLog(restepText) { return }; ", Why: whyTestLog},

	{File: "testing/benchmark.go", Func: "BenchmarkResult.String", Find: `prettyPrint(buf, ns, "ns/op")`, Op: Replace, Text: `prettyPrint(buf, ns, restepUnit("ns/op"))`, Why: whyUnit},
	{File: "testing/benchmark.go", Func: "BenchmarkResult.String", Find: `fmt.Fprintf(buf, "\t%7.2f MB/s", mbs)`, Op: Replace, Text: `fmt.Fprintf(buf, "\t%7.2f %s", mbs, restepUnit("MB/s"))`, Why: whyUnit},
	{File: "testing/benchmark.go", Func: "(*B).run", Find: "sysinfo.CPUName()", Op: Replace, Text: "restepCPU(sysinfo.CPUName)", Why: whyCPU},
	{File: "testing/benchmark.go", Func: "(*B).Run", Find: "sysinfo.CPUName()", Op: Replace, Text: "restepCPU(sysinfo.CPUName)", Why: whyCPU},

	{File: "internal/sync/mutex.go", Func: "(*Mutex).Lock", Text: restepPoint, Why: whyPoint},
	{File: "internal/sync/mutex.go", Func: "(*Mutex).TryLock", Text: restepPoint, Why: whyPoint},
	{File: "internal/sync/mutex.go", Func: "(*Mutex).Unlock", Text: restepPoint, Why: whyPoint},
	{File: "sync/cond.go", Func: "(*Cond).Wait", Text: restepPoint, Why: whyPoint},
	{File: "sync/cond.go", Func: "(*Cond).Signal", Text: restepPoint, Why: whyPoint},
	{File: "sync/cond.go", Func: "(*Cond).Broadcast", Text: restepPoint, Why: whyPoint},
	{File: "sync/waitgroup.go", Func: "(*WaitGroup).Wait", Text: restepPoint, Why: whyPoint},
}

const (
	whyThreads         = "a process of a machine has one thread; setuid and its kin would change the simulator's"
	whySyscall         = "system calls of a machine go to the simulated kernel, before entersyscall"
	restepGettimeofday = " { return restepGettimeofday(tv) }"
	whyTimeofday       = "the assembly reads the real clock through the vDSO"
	whyLog             = "a log line is a step whose message starts past the header"
	whyUnit            = "simulated time must not be taken for speed"
	whyCPU             = "the host's processor would show in the steps of a run"
	whyTestLog         = "T.Log makes a step at the moment of the call"
)
