// Command restep runs unmodified Go tests in a deterministic simulation of
// several machines and shows what they did, step by step.
//
// This package is the command line alone: flags, wiring, output and exit
// codes. It deliberately knows neither how a test binary is patched
// (sim/inject), nor what world a run starts in (replay/launch), nor how a step
// reads (replay/text) or a run is judged and kept (replay/runs). It may import
// every package of this module but the injected ones, save the kernel's table
// of system calls; nothing may import it.
//
// # Rules of the output
//
// Standard output is what go test would print there. Everything restep itself
// has to say goes to standard error, begins with "restep: ", has no full stop,
// and says what failed, where, and what to do next. A command that it proposes
// is complete: it can be copied and run.
//
// Invariant: exit code 0 = all passed, 1 = a test, a build or a check failed or
// there is nothing of what was asked for, 2 = wrong usage, 130 = interrupted.
// Invariant: it compiles for linux, darwin and windows on amd64 and arm64. What
// makes runs needs Linux and is behind that build tag; foreign.go stands in
// for it.
// Invariant: init changes one require and one replace in a go.mod, or nothing.
// Invariant: text of a program under test reaches the terminal escaped.
// Invariant: what a run does never depends on what is printed about it.
// Invariant: results are printed in the order of tests and seeds, whatever
// the number of workers. With -v the run whose turn it is is printed while it
// goes on, and reads as if it had been over.
// Invariant: of a test that fails with many seeds the ways in which it failed
// are shown, each once beyond the first few runs and up to a bound, and at the
// end its seeds, as many as fit a line.
// Invariant: no debugger runs in the process of restep test, whose children it
// would wait for.
// Invariant: a flag that go help documents for tests or builds does what it
// does there, or is refused in one sentence.
//
// Sources: cmd/go/internal/test, testing/match.go and cmd/internal/test2json
// of go1.26 (forms of output, -run and -json).
package main
