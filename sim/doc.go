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
// Time is simulated and costs nothing: it goes on when nothing can run. A busy
// wait, code that keeps running while it waits for a moment (for time.Since(t)
// < d {}, with runtime.Gosched or without, a spin lock with a deadline, work
// until a timer fires), sees it go on, too: the longer the program goes without
// waiting, the more each reading of the clock and each turn takes, from 50 ns up
// to 0.8 ms in a loop that does nothing but read the clock and 6.4 µs in one
// that works. What falls due in between is done at its moment, and a goroutine
// that reads the clock gives way to others.
//
// Sentinel errors of the standard library compare equal across machines, for
// they are constants of the binary. A package-level error of a program under
// test is a variable like any other: each machine makes its own.
//
// It deliberately does not know how the simulation works: it reaches the
// simulated kernel through the functions that the build tag restep switches
// in. It may import the standard library only.
package sim
