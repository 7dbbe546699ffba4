// Package inject builds test binaries that run as simulations: it patches the
// user's own Go installation by way of `go build -overlay`, compiles the
// simulator into it, links with a linker that keeps the variables of machines
// together, and reads from the binary where they lie.
//
// # What it consists of
//
//   - Edit and the tables edits_*.go: anchored changes of files below
//     GOROOT/src. apply.go and place.go apply them.
//   - _goroot: whole files that GOROOT/src gets.
//   - The packages sim/kernel, sim/sched and sim/steplog, which become
//     internal/restep/... in the program; only their imports change.
//   - Generate writes all that into the user's cache as an overlay.
//   - linker.go builds the linker (edits_link.go and _link), which is its own
//     -toolexec wrapper. classes.go says whom each package's variables belong
//     to; it is compiled into the linker too.
//   - program.go links packages main that a test starts (sim.Program): the
//     overlay makes them importable.
//   - Build runs the go command; progress.go counts what it compiles when that
//     takes long. ReadLayout reads the result.
//   - SimSource and StoreSim give package sim to users without a checkout;
//     CheckSim compares the API number of theirs with ours.
//
// # Instrumented builds
//
// With BuildConfig.Instrument the user's own packages are compiled with the
// compiler's share of the race detector (its flag -race, not go's), whose
// calls our runtime answers with preemption points (restep_access.go), and
// the functions of sync/atomic are functions there and no intrinsics
// (edits_atomic.go). Poisoning the stack guard, so that each prologue enters
// the runtime, would need no second build, but: whoever passes a prologue
// takes the poison along until something puts it back, prologues of the
// runtime's own functions count too, whose number follows the collector, and
// accesses to memory stay out of reach.
//
// # CPUs
//
// A program is built for GOARCH, amd64 or arm64, whatever this computer's CPU
// is; the linker is a program of this computer. What differs is in files of
// _goroot and of sim/kernel/abi that are named for the CPU; an edit may be of
// one CPU's file, which the other's build does not read. On arm64 each run has a
// process of its own (restepMayReuse), and the assembly for going back and for
// serving several runs is untried.
//
// # What it does not do
//
// It keeps no fork of Go: an anchor that does not match the installed release
// is an error. It runs no binary and knows nothing of seeds, runs or steps.
// It changes no file of the user's and none of the installation.
//
// # How injected code differs from ordinary Go
//
// It is compiled a second time, below GOROOT/src/internal, with state of its
// own: nothing may import both copies. It runs on the scheduler's stack, so it
// may not block, start goroutines or panic to be recovered.
//
// Invariant: what is generated depends on the installation and on this program
// only, never on a seed, a path, the date or the environment: the build cache
// is keyed by content, and so is every folder of ours.
// Invariant: no edit changes the number of a line.
// Invariant: shared packages import only shared packages (classes.go).
// Invariant: the variables of machines are whole words that no shared symbol
// touches; ReadLayout fails otherwise.
// Invariant: it imports the standard library and, for nothing but their embedded
// source, the injected packages; no injected package imports it.
// Invariant: sim.txtar is package sim as it is in this tree (go generate).
//
// # Sources
//
// go help build (-overlay, -toolexec, -trimpath), go help environment
// (GOFLAGS); cmd/link/internal/ld/{data,symtab,inittask}.go and
// cmd/go/internal/work/buildid.go (toolID) of go1.26 and go1.27; the ELF
// format by debug/elf.
package inject
