package abi

// Signal numbers (signal(7), x86 and arm64 column).
const (
	SIGHUP   = 1
	SIGINT   = 2
	SIGQUIT  = 3
	SIGABRT  = 6
	SIGKILL  = 9
	SIGPIPE  = 13
	SIGTERM  = 15
	SIGCHLD  = 17
	SIGCONT  = 18
	SIGSTOP  = 19
	SIGTSTP  = 20
	SIGTTIN  = 21
	SIGTTOU  = 22
	SIGURG   = 23
	SIGWINCH = 28
)
