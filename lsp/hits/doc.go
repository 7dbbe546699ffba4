// Package hits joins recorded runs with source lines: which steps of the
// newest runs each line of a module made, and which runs failed where.
//
// A [Module] watches the folder of runs of one Go module and publishes a
// [State] after each change. A [Run] is the index of one step log by line, of
// files of that module, of others in its workspace, and of those that are
// replaced by a folder. Files are named by their paths without symbolic links.
//
// It deliberately knows no editor, no protocol and no current text of a file:
// lines are those of the source that was run. It starts no process. It may
// import replay/runs, replay/text, sim/steplog and lsp/source; it must never
// know LSP, Delve or the simulated kernel.
//
// A State and all below it are immutable and may be shared. Watch belongs to
// one goroutine.
//
// Invariant: a file has a [Base] only if it cannot have changed between the
// begin of the build and the moment it was read; a line of it counts only if the
// recorded function and a call or go statement are there.
// Invariant: no log stays open or mapped; one that is damaged, cut short while
// it is read, or gone costs only its own lines.
// Invariant: memory is bounded: of a line all hits are kept up to a limit per
// log, and what was said for the first and last twenty only.
//
// Sources: go help build (-trimpath) for recorded names.
package hits
