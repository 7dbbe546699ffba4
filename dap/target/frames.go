package target

import (
	"fmt"
	"strings"

	"github.com/go-delve/delve/pkg/proc"

	"github.com/restep/restep/sim/steplog"
)

// stackDepth is how many frames are looked at for the user's own.
const stackDepth = 200

// Frame is one frame of a stopped goroutine.
type Frame struct {
	Index int
	Func  string
	File  string // as recorded, see Paths
	Line  int
	PC    uint64 // where the frame goes on

	offset  int64 // from the end of the goroutine's stack
	inlined bool  // the call has no frame of its own
}

// Frames returns the stack of a goroutine, innermost first; -1 stands for the
// one that is stopped, or for the scheduler when there is none.
func (t *Target) Frames(goroutine int64) ([]Frame, error) {
	list, err := t.dbg.Stacktrace(goroutine, stackDepth, 0)
	if err != nil {
		return nil, fmt.Errorf("read the stack: %w", err)
	}
	frames := make([]Frame, len(list))
	for i := range list {
		f := &list[i]
		frames[i] = Frame{Index: i, File: f.Call.File, Line: f.Call.Line, PC: f.Current.PC, offset: f.FrameOffset(), inlined: f.Inlined}
		if f.Call.Fn != nil {
			frames[i].Func = f.Call.Fn.Name
		}
	}
	return frames, nil
}

// UserFrame returns the frame that a user would call the place of a stop: the
// innermost one in his module, else the innermost one that is neither of the
// standard library nor of the simulator. ok is false when there is none: the
// scheduler or the network made the step.
func (t *Target) UserFrame(frames []Frame) (f Frame, ok bool) {
	list := make([]steplog.Frame, len(frames))
	for i, f := range frames {
		list[i] = steplog.Frame{Func: f.Func, File: f.File, Line: f.Line, PC: uint64(i)}
	}
	place, ok := t.prog.Source.Place(list)
	if !ok {
		return Frame{}, false
	}
	return frames[place.PC], true
}

// Place returns the frame at which a stop at a step is shown: the user's, or
// without one the innermost that is not the simulator's.
func (t *Target) Place(frames []Frame) Frame {
	if f, ok := t.UserFrame(frames); ok || len(frames) == 0 {
		return f
	}
	return frames[SimulatorFrames(frames)]
}

// SimulatorFrames counts the frames on top of a stack that belong to the
// simulator: how the step was recorded. At least one frame is left.
func SimulatorFrames(frames []Frame) int {
	for i, f := range frames {
		if !inSimulator(f.Func) {
			return i
		}
	}
	return 0
}

func inSimulator(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/restep/")
}

// Value is the result of an expression.
type Value struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// loadConfig is how much of a value is read.
var loadConfig = proc.LoadConfig{
	FollowPointers: true, MaxVariableRecurse: 1, MaxStringLen: 4096, MaxArrayValues: 64, MaxStructFields: -1,
}

// Eval evaluates an expression of Delve's language in a frame of the stopped
// goroutine. The error is Delve's, who names what it could not find.
func (t *Target) Eval(frame int, expr string) (Value, error) {
	return t.evalAt(Scope{Goroutine: -1, Frame: frame}, expr)
}
