package runtime

// Numbers of the real kernel's system calls that the simulator itself makes.
const (
	restepSysFtruncate      = 46
	restepSysOpenat         = 56
	restepSysClose          = 57
	restepSysGetdents64     = 61
	restepSysLseek          = 62
	restepSysRead           = 63
	restepSysWrite          = 64
	restepSysPread          = 67
	restepSysPwrite         = 68
	restepSysPwritev        = 70
	restepSysPpoll          = 73
	restepSysReadlinkat     = 78
	restepSysNewfstatat     = 79
	restepSysClockGettime   = 113
	restepSysKill           = 129
	restepSysRtSigaction    = 134
	restepSysRtSigprocmask  = 135
	restepSysRtSigtimedwait = 137
	restepSysRtSigreturn    = 139
	restepSysSetpgid        = 154
	restepSysGetrusage      = 165
	restepSysPrctl          = 167
	restepSysGettimeofday   = 169
	restepSysGetpid         = 172
	restepSysGetppid        = 173
	restepSysMunmap         = 215
	restepSysClone          = 220
	restepSysMmap           = 222
	restepSysMprotect       = 226
	restepSysMadvise        = 233
	restepSysWait4          = 260
	restepSysIoctl          = 29
	restepSysUserfaultfd    = 282
	restepSysPrlimit        = 261
	restepSysCloseRange     = 436
)

const restepODirectory = 0x4000 // O_DIRECTORY

// restepSecondResult is the argument that a call returns as its second result.
// That is register R1, which Linux leaves alone: the second argument
// (internal/runtime/syscall/linux/asm_linux_arm64.s).
const restepSecondResult = 1

// restepLogMap is how much of the step log's window is mapped at a time, in
// bytes: an emulator keeps a record of every page that a program maps.
const restepLogMap = 64 << 20

// restepMayReuse says that a process may serve several runs.
const restepMayReuse = false

// restepRealTime is time.now of the real clock.
func restepRealTime() (sec int64, nsec int32, mono int64) {
	sec, nsec = walltime()
	return sec, nsec, nanotime1()
}
