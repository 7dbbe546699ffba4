package abi

// System call numbers of sockets.
// Source: arch/x86/entry/syscalls/syscall_64.tbl, Linux 6.12.
const (
	SYS_SOCKET      = 41
	SYS_CONNECT     = 42
	SYS_ACCEPT      = 43
	SYS_SENDTO      = 44
	SYS_RECVFROM    = 45
	SYS_SENDMSG     = 46
	SYS_RECVMSG     = 47
	SYS_SHUTDOWN    = 48
	SYS_BIND        = 49
	SYS_LISTEN      = 50
	SYS_GETSOCKNAME = 51
	SYS_GETPEERNAME = 52
	SYS_SOCKETPAIR  = 53
	SYS_SETSOCKOPT  = 54
	SYS_GETSOCKOPT  = 55
	SYS_ACCEPT4     = 288
	SYS_RECVMMSG    = 299
	SYS_SENDMMSG    = 307
)
