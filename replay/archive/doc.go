// Package archive is a run in one file: a zip archive with the step log, the
// run's line of the index and the list of what the program was made of. It is
// what a continuous integration job keeps, and what any computer can read.
//
//	moment.json     Info: format, link to the step, the run's line of the index
//	run.steplog     the step log, as sim/steplog writes it
//	inputs.json     inputs.Manifest; left out when it is not known
//
// It deliberately unpacks nothing to disk and holds no source text: names in an
// archive are compared, never used as paths. It may import replay/inputs,
// replay/moment, replay/runs, sim/steplog and the standard library.
//
// An archive comes from anywhere.
//
// Invariant: an archive with a name, method, size or number of files that Write
// does not make is refused; so is one that holds more than it says, or whose
// parts are about different runs.
// Invariant: memory is bounded by MaxLog, whatever the archive claims.
//
// Sources: APPNOTE.TXT 6.3.10 (.ZIP File Format Specification).
package archive
