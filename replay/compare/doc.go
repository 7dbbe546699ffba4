// Package compare says where two runs part: the first step that differs, and
// which choice it was that led there.
//
// Two runs of one program with different seeds, or two policies, are the same
// until a choice falls differently. A step log holds no choices but the tick of
// each step, which counts the scheduler's decisions; so the choice is named by
// its stream and by the ticks between which it lies. When no decision of the
// scheduler lies in between, it is one of another stream.
//
// It deliberately runs nothing and prints nothing. It may import sim/steplog
// and the standard library; it must never know files, builds or terminals.
//
// Invariant: all steps before the one that is named are equal in both runs, by
// everything that a step says (steplog.Diff).
// Invariant: a choice is named only between runs of one build, for otherwise
// the program may be what differs.
package compare
