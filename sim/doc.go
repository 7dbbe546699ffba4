// Package sim is what a test says to the simulation it runs in: make
// machines, crash and restart them, change the network between them.
//
// A test that imports sim still compiles and runs under plain go test; there
// IsSim reports false and everything else panics with the command that runs
// the test as it is meant: restep test.
//
// Under `restep test` every machine is a computer of its own: it has its own
// copy of every package-level variable, runs every init function again when it
// boots, and has its own host name, address, disk, clock and environment.
// Values that a MainFunc closure captures are shared with the test as in any
// closure: that is how tests collect results.
//
// Sentinel errors of the standard library compare equal across machines, for
// they are constants of the binary. A package-level error of a program under
// test is a variable like any other: each machine makes its own.
//
// It deliberately does not know how the simulation works: it reaches the
// simulated kernel through the functions that the build tag restep switches
// in. It may import the standard library only.
package sim
