// Package conform runs one text of system calls on two kernels, Linux and the
// simulated one, and compares what they answer.
//
// A script in testdata is a list of cases. A case begins with a line
// "--- name" and starts in an empty directory without open files. Each further
// line is one call, each followed by its answer behind "=>". Answers are
// written by Linux alone:
//
//	go test ./sim/conform -update -sys=linux
//
// and "go test ./sim/conform" runs every script on both kernels (-sys=linux
// or -sys=sim for one of them). A case named "name [root]" needs root on
// Linux and is skipped otherwise. A line "skip sim: reason" in a case marks a
// known difference; it is counted and printed.
//
// What it deliberately does not do: compare times, inode numbers, numbers of
// blocks or the order of directory entries, which Linux leaves open.
//
// The interpreter may import kernel/abi and the standard library. Only the
// tests know the two kernels.
//
// Invariant: no golden answer comes from the simulator.
package conform
