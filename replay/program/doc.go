// Package program makes a test ready to be debugged: it builds the test
// binary, finds or records the run that is asked for, and starts further
// copies of that run that wait at the gate for a debugger.
//
// It deliberately attaches to nothing and decides nothing about steps. It may
// import sim/inject, sim/zygote, sim/steplog, replay/inputs, replay/launch,
// replay/runs, replay/text, the standard library and golang.org/x/sys/unix; it must never
// know Delve, DAP or LSP.
//
// Invariant: nothing is written to disk: logs of recorded and repeated runs
// are anonymous memory (memfd_create(2)), which ends with the process.
// Invariant: every child is a fork of one zygote of one binary, started with
// the same request, so that all runs of a Program are the same run.
// Invariant: a zygote is started by a thread that lives as long as it does,
// for its PR_SET_PDEATHSIG counts that thread's end, not the process's
// (prctl(2)); a debugger ends threads.
//
// A Program belongs to one goroutine at a time, except Close.
package program
