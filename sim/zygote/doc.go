// Package zygote starts and controls the processes that simulate: one zygote
// for each worker, and forks of it for the runs.
//
// A zygote is a test binary that sim/inject built. It waits with everything
// initialised that all runs share; a request makes it fork, and the child runs
// one test with one seed. A child whose run ended in good order gets the
// zygote's memory back and serves the next request: Child.Pid may be that of the
// run before. Children die with their zygote and zygotes with the process that
// started them, however that ends.
//
// It deliberately knows nothing of tests, seeds to try or step logs: it passes
// a log's path on and reports how the child ended. It may import the standard
// library and golang.org/x/sys; it must never know editors, Delve or the
// command line.
//
// A binary for another CPU is started by a command of the user's (Config.Exec).
// An emulator's own threads are no threads of the program's, and one that knows
// no seccomp filters leaves system calls to the host that the program makes by
// assembly of its own.
//
// Invariant: what a run depends on is in its Request alone. The zygote gets a
// fixed environment, argument list and working directory, and no address space
// randomisation.
// Invariant: a Zygote serves one child at a time.
//
// The other side is sim/inject/_goroot/runtime/restep_zygote.go.
package zygote
