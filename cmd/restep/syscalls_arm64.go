package main

import "context"

const syscallsHelp = `usage: restep syscalls

Lists the system calls that the simulated kernel knows; it does so on amd64.
`

// runSyscalls is restep syscalls. The kernel's table has the numbers of the
// CPU it is compiled for, and there is no arm64 face of it yet.
func runSyscalls(_ context.Context, u *ui, _ []string) int {
	return u.fail(exitFailed, "the table of system calls is that of amd64: "+wayToLinux())
}
