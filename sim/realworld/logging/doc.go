// Package logging runs go.uber.org/zap and github.com/rs/zerolog, unmodified,
// in the simulation: four machines that log at all levels, with fields, errors
// and stacks, as JSON and for the console, sampled, through wrappers, and into
// files that they sync before the power fails.
//
// It is a module of its own, so that no logger is a dependency of restep.
//
//	cd sim/realworld/logging && restep test -seeds=1-100 .
//
// A comment as "// orders ×3" behind a line says that it makes three log steps
// of the machine orders with each seed; lines without one make none. The test of
// the folder above compares them with what restep steps -json prints, text
// included: a step's place is the line that logs. For a wrapper that is the
// line which calls it when the logger knows how many callers to skip and writes
// that line's place; a wrapper whose logger writes no place is the place itself.
//
// It deliberately does not test what the loggers' own suites do.
//
// Invariant: what a machine has synced survives its power failure.
//
// It may import zap, zerolog and package sim, and must never be imported.
package logging
