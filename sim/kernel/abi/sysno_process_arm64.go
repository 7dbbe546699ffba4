package abi

// Machine is what uname(2) says of the CPU.
const Machine = "aarch64"

// Numbers of the system calls about processes, clocks and limits.
// Source: include/uapi/asm-generic/unistd.h.
const (
	SYS_EXIT              = 93
	SYS_EXIT_GROUP        = 94
	SYS_WAITID            = 95
	SYS_FUTEX             = 98
	SYS_NANOSLEEP         = 101
	SYS_CLOCK_GETTIME     = 113
	SYS_CLOCK_GETRES      = 114
	SYS_CLOCK_NANOSLEEP   = 115
	SYS_SCHED_GETAFFINITY = 123
	SYS_SCHED_YIELD       = 124
	SYS_KILL              = 129
	SYS_TKILL             = 130
	SYS_TGKILL            = 131
	SYS_SETREGID          = 143
	SYS_SETGID            = 144
	SYS_SETREUID          = 145
	SYS_SETUID            = 146
	SYS_SETRESUID         = 147
	SYS_GETRESUID         = 148
	SYS_SETRESGID         = 149
	SYS_GETRESGID         = 150
	SYS_SETFSUID          = 151
	SYS_SETFSGID          = 152
	SYS_SETPGID           = 154
	SYS_GETPGID           = 155
	SYS_GETSID            = 156
	SYS_SETSID            = 157
	SYS_GETGROUPS         = 158
	SYS_SETGROUPS         = 159
	SYS_UNAME             = 160
	SYS_GETRLIMIT         = 163
	SYS_SETRLIMIT         = 164
	SYS_GETRUSAGE         = 165
	SYS_PRCTL             = 167
	SYS_GETTIMEOFDAY      = 169
	SYS_GETPID            = 172
	SYS_GETPPID           = 173
	SYS_GETUID            = 174
	SYS_GETEUID           = 175
	SYS_GETGID            = 176
	SYS_GETEGID           = 177
	SYS_GETTID            = 178
	SYS_SYSINFO           = 179
	SYS_MREMAP            = 216
	SYS_CLONE             = 220
	SYS_EXECVE            = 221
	SYS_MPROTECT          = 226
	SYS_MLOCK             = 228
	SYS_MUNLOCK           = 229
	SYS_MADVISE           = 233
	SYS_WAIT4             = 260
	SYS_PRLIMIT64         = 261
	SYS_GETRANDOM         = 278
	SYS_PIDFD_SEND_SIGNAL = 424
	SYS_PIDFD_OPEN        = 434
	SYS_CLONE3            = 435
)

// Calls that Linux on arm64 does not have: see NoCall.
const (
	SYS_GETPGRP = 1060
	SYS_VFORK   = 1071
	SYS_FORK    = 1079
)
