package runtime

// Numbers of the real kernel's system calls that the simulator itself makes.
const (
	restepSysRead           = 0
	restepSysWrite          = 1
	restepSysClose          = 3
	restepSysLseek          = 8
	restepSysMmap           = 9
	restepSysMprotect       = 10
	restepSysMunmap         = 11
	restepSysRtSigaction    = 13
	restepSysRtSigprocmask  = 14
	restepSysRtSigreturn    = 15
	restepSysPread          = 17
	restepSysPwrite         = 18
	restepSysMadvise        = 28
	restepSysGetpid         = 39
	restepSysClone          = 56
	restepSysWait4          = 61
	restepSysKill           = 62
	restepSysFtruncate      = 77
	restepSysGettimeofday   = 96
	restepSysGetrusage      = 98
	restepSysSetpgid        = 109
	restepSysGetppid        = 110
	restepSysRtSigtimedwait = 128
	restepSysPrctl          = 157
	restepSysGetdents64     = 217
	restepSysClockGettime   = 228
	restepSysOpenat         = 257
	restepSysNewfstatat     = 262
	restepSysPpoll          = 271
	restepSysReadlinkat     = 267
	restepSysPwritev        = 296
	restepSysIoctl          = 16
	restepSysUserfaultfd    = 323
	restepSysPrlimit        = 302
	restepSysCloseRange     = 436
)

const restepODirectory = 0x10000 // O_DIRECTORY

// restepSecondResult is the argument that a call returns as its second result.
// That is register DX, which Linux leaves alone: the third argument
// (internal/runtime/syscall/linux/asm_linux_amd64.s).
const restepSecondResult = 2

// restepLogMap is how much of the step log's window is mapped at a time, in
// bytes: all of it, which costs nothing.
const restepLogMap = restepLogWindow

// restepMayReuse says that a process may serve several runs.
const restepMayReuse = true

// restepRealTime is time.now of the real clock, in time_linux_amd64.s.
func restepRealTime() (sec int64, nsec int32, mono int64)
