// Package match finds the steps of a recorded run that a breakpoint on the
// simulation means. Because a run repeats exactly, such a breakpoint is a list
// of numbers before the program starts again: it costs nothing while it runs,
// and works backwards as well as forwards.
//
// A breakpoint is text, for editors know no other form of what is not a line:
//
//	step:120 step:40-60 step:1,7      these steps
//	time:3.5s time:14:10:06.5         the first step at or after a simulated time
//	machine:server                    all that happens to a machine as a whole
//	machine:server crash|boot         of these kinds; machine:* is any machine
//	net:drop net:reset,close server   events of the network, at a machine
//	fault fault:server                injected faults
//	log:text log:/regexp/             lines whose message has a text
//	syscall:fsync,fdatasync server    system calls, at a machine
//	mark:text                         sim.Mark
//	kind:goexit,clock server          steps of any kind
//
// It deliberately renders nothing and runs nothing. It may import the standard
// library and sim/steplog; it must never know debuggers, sessions or DAP.
//
// Invariant: text without one of these words before its first colon is none of
// ours; everything else is a pattern or an error, never silently nothing.
package match
