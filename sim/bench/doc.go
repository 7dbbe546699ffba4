// Command bench prints how fast simulations are, as one table: what a program
// does natively, the same under restep, their ratio and the target.
//
//	go run ./sim/bench [-rounds n] [-only pattern] [-heavy=false] [-readme]
//
// The programs are tests (testdata/work, and testdata/heavy with modules that
// shall never enter the product's go.mod). Each does one thing n times. A row
// is measured from outside, for the clock inside a simulation is simulated:
// the processor time, user and system, of a whole process with a small and
// with a large n; the difference is what the operations took. Native and
// simulated runs take turns, and the median of all rounds counts. So a row
// holds on a computer that has other things to do, too.
//
// With -readme the table replaces the one in sim/README.md.
//
// It deliberately asserts nothing and fails for no figure: a number depends on
// the computer. It may import the standard library, sim/bench/host, sim/inject,
// sim/steplog and sim/zygote; it must never import replay, dap, lsp or cmd, and runs the restep
// command as a user does.
//
// Invariant: what is compared was measured in one run of this command.
//
// Sources: getrusage(2); proc_pid_smaps(5); GODEBUG=inittrace=1 in the package
// documentation of runtime.
package main
