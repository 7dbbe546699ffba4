// Package replay brings a recorded run back: it is at a step, goes to another
// one, and never shows a moment that is not the recorded one.
//
// An [Engine] ties the step log of a run to a [Target], the same program run
// once more under a debugger. It decides whether the target can go on to a step,
// goes to one of its checkpoints first or has to start again, and compares what
// the target did with what was recorded.
//
// It deliberately knows no debugger, no protocol of an editor and no process:
// those are behind Target. It may import the standard library and sim/steplog;
// it must never know Delve, DAP or LSP.
//
// Invariant: after a Jump without an error the target stands at the step that
// was asked for, and all steps up to it equal the recorded ones.
// Invariant: a replay reads the recorded log and never writes it.
//
// An Engine belongs to one goroutine at a time.
package replay
