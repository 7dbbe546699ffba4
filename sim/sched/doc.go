// Package sched is the source of every choice in a simulation: numbered
// streams of random numbers derived from one seed, and the strategies that
// turn them into schedules.
//
// A choice is (stream, index). Streams are independent: drawing from one
// never shifts another, so that a program that asks for one more random
// number still sees the same network latencies. Each value is a pure function
// of seed, stream and index, which leaves room for overrides of single
// choices (variants) without touching the callers.
//
// A Strategy turns choices into a schedule. Which one a run uses, and how fine
// the points are at which goroutines may be interrupted, is its Policy, which
// lies open in the low bits of the run's variant: seed and variant say all.
//
// It imports nothing but unsafe-free arithmetic, because the patched runtime
// itself imports it: no strings, no errors, no allocation. It must never know
// the runtime, the kernel or the step log.
//
// Invariant: no function here allocates, and those of Source that draw are
// nosplit, so that they may run on any stack at any moment.
// Invariant: a strategy draws from the Schedule stream and, at its start, from
// Plan; it never looks at the goroutines themselves.
//
// Sources: SplitMix64, Steele, Lea, Flood: "Fast splittable pseudorandom
// number generators", OOPSLA 2014; reduction by multiplication, Lemire 2019; probabilistic concurrency
// testing, Burckhardt et al., ASPLOS 2010.
package sched
