// Package lsp is the language server of restep: step numbers, the results of
// runs, and commands to make runs, in the source of any editor.
//
// It runs next to gopls and does nothing that gopls does. Runs come from
// lsp/hits, the text and structure of files from lsp/source; this package
// joins both and is the only one that knows LSP and its JSON.
//
// It deliberately starts no process but restep test, and that only when a user
// runs a command; it never runs the go command by itself, and it debugs
// nothing: restep.debug answers with a launch configuration. It may import
// lsp/..., replay/runs, replay/text, replay/moment, sim/steplog, go.lsp.dev and the standard
// library; it must never import dap or the simulated kernel.
//
// # Goroutines
//
// One reads messages and handles notifications, in order. Each request gets
// one of its own and works on the [snapshot] of the moment when it was read.
// Each module has one that watches its runs; one more, the announcer,
// publishes diagnostics and asks the client to refresh. All end with Serve. One
// waits for the death of the client's process, for which Serve does not wait.
// server.mu guards the current snapshot and is held only to read or replace it.
//
// # Features
//
// A file per method. What a hint or lens can be is a map from its kind, which
// is also its setting, to a function: a new one is an entry and a function.
//
// # Invariants
//
// Invariant: a snapshot and all below it never change.
// Invariant: a step is shown at a line only if the line is known to be the one
// that made it; it is marked as stale when that is likely, left out otherwise.
// Edits are followed from the first version that was compared with what ran, so
// that of equal lines the right one keeps its steps.
// Invariant: text of a program under test is escaped before it is shown, in
// markdown and elsewhere; there are no command links, so isTrusted is not needed.
// Invariant: no message of a client, however wrong or long, ends the server,
// unless its frame cannot be told from the next one.
//
// # Commands and custom messages
//
// Commands take one object {uri, package, test, seed, seeds, step, line, link};
// what a command does not need may be missing. A seed
// above 2^53 is a string, because JavaScript would round it.
//
//	restep.runTest          runs a test with a seed -> {result, exitCode}
//	restep.runTestWithSeed  the same; without "seed" it draws one
//	restep.explore          runs a test with "seeds", such as "1-100"
//	restep.debug            -> launch configuration for the debug adapter
//	restep.goToStep         -> the same with a step
//	restep.showRun          lets the source show the run with "seed", which is the
//	                        newest otherwise; debug and goToStep do it, too
//	restep.previousHit      moves a line's lens to "step" -> {uri, ..., step}
//	restep.nextHit          the same
//	restep.copyLink         -> {link}, which the client shows
//	restep.debuggedAt       for clients: where a debug session stands
//	                        (debugged_at.go); lines show their last hit up to there
//
// What debugs also shows the command line of restep debug that does the same.
// A client that handles a command itself and does not want it registered names
// it in initializationOptions.clientCommands. With initializationOptions.output
// true it gets notifications restep/output {package, test, text}: what restep
// test prints, line by line. initializationOptions.linkPrefix is put in front of
// the import path of links to steps: an editor's own scheme that restep has a
// handler for, vscode://restep.restep/v1/ say.
//
// Settings, as initializationOptions or section "restep": tests (auto, all,
// off), hints and lenses (kind -> bool), buildFlags (of go build, a list) and
// env (name -> value) for what is run and debugged.
//
// Sources: LSP 3.17 and 3.18; CommonMark 0.31 4.5 (fenced code);
// pidfd_open(2).
package lsp
