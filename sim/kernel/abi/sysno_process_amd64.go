package abi

// Machine is what uname(2) says of the CPU.
const Machine = "x86_64"

// Numbers of the system calls about processes, clocks and limits.
// Source: arch/x86/entry/syscalls/syscall_64.tbl.
const (
	SYS_MPROTECT          = 10
	SYS_SCHED_YIELD       = 24
	SYS_MREMAP            = 25
	SYS_MADVISE           = 28
	SYS_NANOSLEEP         = 35
	SYS_GETPID            = 39
	SYS_CLONE             = 56
	SYS_FORK              = 57
	SYS_VFORK             = 58
	SYS_EXECVE            = 59
	SYS_EXIT              = 60
	SYS_WAIT4             = 61
	SYS_KILL              = 62
	SYS_UNAME             = 63
	SYS_GETTIMEOFDAY      = 96
	SYS_GETRLIMIT         = 97
	SYS_GETRUSAGE         = 98
	SYS_SYSINFO           = 99
	SYS_GETUID            = 102
	SYS_GETGID            = 104
	SYS_GETEUID           = 107
	SYS_GETEGID           = 108
	SYS_SETUID            = 105
	SYS_SETGID            = 106
	SYS_SETPGID           = 109
	SYS_GETPPID           = 110
	SYS_GETPGRP           = 111
	SYS_SETSID            = 112
	SYS_SETREUID          = 113
	SYS_SETREGID          = 114
	SYS_GETGROUPS         = 115
	SYS_SETGROUPS         = 116
	SYS_SETRESUID         = 117
	SYS_GETRESUID         = 118
	SYS_SETRESGID         = 119
	SYS_GETRESGID         = 120
	SYS_SETFSUID          = 122
	SYS_SETFSGID          = 123
	SYS_GETPGID           = 121
	SYS_GETSID            = 124
	SYS_MLOCK             = 149
	SYS_MUNLOCK           = 150
	SYS_PRCTL             = 157
	SYS_SETRLIMIT         = 160
	SYS_GETTID            = 186
	SYS_TKILL             = 200
	SYS_EXIT_GROUP        = 231
	SYS_TGKILL            = 234
	SYS_FUTEX             = 202
	SYS_SCHED_GETAFFINITY = 204
	SYS_CLOCK_GETTIME     = 228
	SYS_CLOCK_GETRES      = 229
	SYS_CLOCK_NANOSLEEP   = 230
	SYS_WAITID            = 247
	SYS_PRLIMIT64         = 302
	SYS_GETRANDOM         = 318
	SYS_PIDFD_SEND_SIGNAL = 424
	SYS_PIDFD_OPEN        = 434
	SYS_CLONE3            = 435
)
