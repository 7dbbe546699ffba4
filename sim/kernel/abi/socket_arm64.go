package abi

// System call numbers of sockets.
// Source: include/uapi/asm-generic/unistd.h, Linux 6.12.
const (
	SYS_SOCKET      = 198
	SYS_SOCKETPAIR  = 199
	SYS_BIND        = 200
	SYS_LISTEN      = 201
	SYS_ACCEPT      = 202
	SYS_CONNECT     = 203
	SYS_GETSOCKNAME = 204
	SYS_GETPEERNAME = 205
	SYS_SENDTO      = 206
	SYS_RECVFROM    = 207
	SYS_SETSOCKOPT  = 208
	SYS_GETSOCKOPT  = 209
	SYS_SHUTDOWN    = 210
	SYS_SENDMSG     = 211
	SYS_RECVMSG     = 212
	SYS_ACCEPT4     = 242
	SYS_RECVMMSG    = 243
	SYS_SENDMMSG    = 269
)
