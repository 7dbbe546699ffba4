// Package runs keeps what runs left behind, and says how they ended.
//
// A [Store] is the folder .restep in the module's root: an index with one line
// for each run, and the step logs of failures, of the last runs, and the
// newest of each test. [Judge] reads one log and says whether the run passed,
// and if not, which step shows it.
//
// A log is a cache of (build, package, test, seed, variant): anything in the
// folder can be made again, so it is capped and may be deleted at any time.
//
// It deliberately starts no run, prints nothing and does not watch for
// changes. It may import sim/steplog, replay/text, golang.org/x/sys and the
// standard library; it must never know zygotes, Delve, the kernel or an
// editor's protocol.
//
// A Store may be used by several goroutines, and the folder by several
// processes: appending takes the lock file shared, trimming takes it alone.
//
// Invariant: nothing read from the folder is trusted: sizes are bounded, names
// are checked, and no path leaves the folder, not even by a symbolic link.
// Invariant: one line of the index is one write; a damaged line is left out
// and costs only itself.
// Invariant: the newest log of each (package, test) survives trimming.
// Invariant: what a process that died left in tmp/ is removed by the next.
//
// # Layout, version 1
//
//	.restep/.gitignore     "*"
//	.restep/index          one JSON object a line, see Result; appended only
//	.restep/lock           for flock(2)
//	.restep/logs/*.steplog TestTransfer-37-1f2e3d4c5b6a7988.steplog
//	.restep/inputs/*.json  what programs were made of (package inputs)
//	.restep/tmp/PID-*/     logs of runs that are under way
//
// Sources: open(2) O_APPEND, flock(2).
package runs
