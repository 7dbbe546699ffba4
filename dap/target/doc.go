// Package target runs a recorded test once more under Delve and implements
// replay.Target on it.
//
// It is the only importer of Delve: it attaches to a run that waits at its
// start, stops it at a step, finds the frame a user would call his, tells which
// machine a goroutine belongs to, evaluates expressions, and hands Delve's own
// terminal and DAP session out.
//
// It deliberately knows nothing of the DAP front's requests, of flags or of
// where logs are stored. It may import Delve, replay, replay/program,
// sim/steplog and the standard library; it must never know cmd or dap.
//
// # How a step is reached
//
// The runtime compares the number of every step with runtime.restep.stopStep
// (sim/inject/_goroot/runtime/restep_kernel.go) and takes a branch when they
// are equal. The one breakpoint of this package is on that branch, so it is hit
// once, by the step that was asked for, before anything else happens; steps
// that nobody waits for cost nothing. The thread is on the system stack then,
// and Delve unwinds through it to the goroutine that made the step, if there
// is one.
//
// # How it goes back
//
// While it runs, the process makes checkpoints: forks of itself that wait
// (restep_checkpoint.go beside the file above). To go back, the thread is sent
// to a routine of the runtime that makes the process's memory equal to that of
// a checkpoint, and from there runs on to the step. For Delve nothing happened
// but that the thread moved: goroutines, breakpoints and their numbers stay as
// they are. Only when a checkpoint is lost, or the program has ended, is the run
// started again, in a new process that takes the place of the old one inside the
// debugger.
//
// StepBack and ReverseContinue go back and run up to the present moment again,
// as often as it takes, and note where the program stood last at what is looked
// for. The present moment is known again by its step, goroutine, instruction
// and the contents of all memory.
//
// The processor watches variables (watch.go): a write stops the program behind
// the instruction that made it, on the way back as on the way forth.
//
// Invariant: the program is resumed by one call at a time: by Delve's session
// or terminal when there is one, else by Target itself.
// Invariant: while a step is being reached only the breakpoint of this package
// is set; afterwards the user's are back.
// Invariant: what In puts in place is taken out again before the program runs.
// Invariant: after Close no process is left that Open started.
//
// A Target belongs to one goroutine at a time, except Close and Interrupt.
package target
