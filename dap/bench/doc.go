// Command bench prints how fast a debug session moves, as one table: jumps
// forwards and backwards, stepBack and reverseContinue, each to many random
// places of three runs, and the memory of the session.
//
//	go run ./dap/bench [-n targets] [-only pattern] [-cpuprofile file]
//
// The runs are the machines case of cmd/restep, one of a million steps, and five
// machines under HTTP load with 50 MB of heap in use (dap/target/testdata/big).
// It speaks the Debug Adapter Protocol to an adapter in this process, over a
// pipe, as an editor does. A time is from the request to the event "stopped",
// by the clock: on a computer that has other things to do, it is longer. Beside
// it stands the CPU time, user and system, that the adapter, the program and its
// checkpoints used meanwhile, which is about the same on any day.
//
// A random place is one of all steps with equal probability. From each, the
// session steps back twice, for the second time begins at a line and not at a
// step, and goes back to the last hit of a breakpoint; then to the next place.
// So all kinds of requests take turns, with two breakpoints set.
//
// It deliberately asserts nothing about time, and fails only when the session
// does not stop where it must. It may import the standard library, dap and
// sim/bench/host; it must never import what is behind dap.
//
// Sources: DAP 1.71; proc_pid_smaps(5).
package main
