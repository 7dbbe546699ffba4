// Package dap is restep's debug adapter: a Debug Adapter Protocol front before
// Delve's own DAP session.
//
// The front knows runs and steps: it builds and records at launch, brings the
// program to a step, names goroutines by machine, and lets a stop land on the
// user's frame. Everything else, breakpoints, variables, stepping, is Delve's
// work: such requests pass through. Each side has its own message numbers.
//
// It deliberately evaluates nothing, reads no debug information and stores
// nothing. It may import go-dap, dap/target, dap/processes, replay,
// replay/program, replay/text, sim/steplog and the standard library; it must never know Delve
// itself, LSP or the command line.
//
// One file for each request or family of requests (req_*.go); requests.go is
// the table of what is allowed when; ext.go documents the requests that restep
// adds, with their JSON.
//
// # Launch attributes
//
//	program      directory, file or import path of the package under test
//	test         "TestX" or "TestX/sub"
//	seed         the seed of the run, 1
//	step         where to stop first
//	stopOnEntry  stop at the first step of the test's own code
//	stopAtEnd    stop at the last step instead of letting the program end
//	env          {"KEY": "value"} that the program under test sees
//	args         arguments of the program, as after -args
//	buildFlags   of go build, a string or a list; buildTags with commas
//	cwd          where the go command runs
//	token        for restep dap --listen
//	reconnect    name under which the session waits when its connection ends
//	maxThreads   goroutines that a threads request lists, 1024
//
// and of Delve's stackTraceDepth, maxStringLen, maxArrayValues,
// showGlobalVariables, showRegisters, showRawStrings, hideSystemGoroutines,
// goroutineFilters, showPprofLabels, substitutePath.
//
// With "mode": "processes" there is no run and no step, but several real
// programs, "processes": package processes answers all requests after launch.
//
// # Stops
//
// The body of a stopped event has the step as text, "#412", and as reason entry,
// goto (launched at a step, after restep/jump, or at the last step), step (the
// end of a step over, into or out), restart (of a frame), breakpoint, pause or
// exception. When the scheduler or the simulated network made the step, no
// goroutine is stopped: the thread is 2147483647, whose stack is the
// simulator's.
//
// # Going back, and breakpoints on the simulation
//
// stepBack goes to the line, statement or instruction that the stopped goroutine
// was at before, restep/stepBackIn into the call that has returned,
// reverseContinue to the last hit of a breakpoint or to step 1. A function
// breakpoint may name what happens in the simulation, as in
// "machine:server crash", "net:drop", "log:/regexp/" or "time:3.5s"; package
// replay/match has the list. Exception filters machine-crash, machine-panic,
// test-failure and deadlock are of the same kind. A condition of a line may
// compare the machine: machine == "server" && n > 3.
//
// A program that ends is kept at its last step, though the client hears exited
// and terminated: a client that stays goes back from there as fast as from
// anywhere.
//
// Lines that the program logs come as output events of category stdout, with
// source and line, once for each step that is passed, when the program stops.
//
// # Machines
//
// A frame belongs to the machine of its goroutine, and so do all values that
// are reached from it: while Delve reads those of a machine that is not
// stopped, its package variables are put in place, and the old ones back before
// anything runs (machines.go). Expressions may name machines: @server count,
// @* raft.state, count(@* role == Leader) > 1.
//
// # Changes
//
// Setting a variable, memory or a call makes it another run than the recorded
// one: event restep/diverged, text of the stop, name of the thread. Going to a
// step undoes it (diverge.go).
//
// # Invariants
//
// Invariant: the program is resumed through Delve's session only, for only
// then does Delve forget the handles of the stop before.
// Invariant: nothing that a session started is left when Serve returns.
// Invariant: no message of a client, however malformed, ends the process or
// another session.
// Invariant: whose variables are in place is never different when the program
// runs from what it was when it stopped.
// Invariant: a client of a port gets nothing but the answer to initialize
// before it has sent the token; one of another user gets nothing.
// Invariant: after a divergence nothing of the program is shown any more.
//
// Sources: Debug Adapter Protocol 1.71; go-delve v1.27.2 service/dap.
package dap
