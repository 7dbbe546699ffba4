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
// It imports nothing but unsafe-free arithmetic, because the patched runtime
// itself imports it: no strings, no errors, no allocation. It must never know
// the runtime, the kernel or the step log.
//
// Invariant: no function here allocates, and all that the scheduler calls are
// nosplit, so that they may run on any stack at any moment.
//
// Sources: SplitMix64, Steele, Lea, Flood: "Fast splittable pseudorandom
// number generators", OOPSLA 2014; reduction by multiplication, Lemire 2019.
package sched
