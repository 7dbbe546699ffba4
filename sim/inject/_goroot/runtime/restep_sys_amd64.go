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
	restepSysPread          = 17
	restepSysMadvise        = 28
	restepSysPause          = 34
	restepSysGetpid         = 39
	restepSysClone          = 56
	restepSysWait4          = 61
	restepSysKill           = 62
	restepSysFtruncate      = 77
	restepSysGetrusage      = 98
	restepSysSetpgid        = 109
	restepSysGetppid        = 110
	restepSysRtSigtimedwait = 128
	restepSysPrctl          = 157
	restepSysGetdents64     = 217
	restepSysClockGettime   = 228
	restepSysOpenat         = 257
	restepSysNewfstatat     = 262
	restepSysReadlinkat     = 267
	restepSysProcessVMReadv = 310
	restepSysCloseRange     = 436
)
