package dap

import (
	"context"
	"math"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// maxFrames bounds one page of a stack, maxInstructions one disassembly and its
// distance from the place it was asked for.
const (
	maxFrames       = 10000
	maxInstructions = 100000
)

// onStackTrace lets a stop land on the user's frame. At a step, the frames of
// the simulator on top of the stack are left out; those of the standard library
// above the user's own are marked, so that clients do not choose them.
func (s *session) onStackTrace(_ context.Context, m dap.Message) error {
	req := *m.(*dap.StackTraceRequest)
	goroutine := int64(req.Arguments.ThreadId)
	if goroutine == schedulerThread {
		goroutine, req.Arguments.ThreadId = 0, 0
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	frames, err := s.target.Frames(goroutine)
	if err != nil {
		// A client may ask for a goroutine of the step where it was before.
		return silentError(idDebugger, "%v", err)
	}
	skip := 0
	if state.AtStep && goroutine == state.Goroutine && goroutine != 0 {
		skip = target.SimulatorFrames(frames)
	}
	first := min(max(req.Arguments.StartFrame, 0), len(frames)) + skip
	req.Arguments.StartFrame = first
	req.Arguments.Levels = min(req.Arguments.Levels, maxFrames) // Delve makes room for as many
	user, hasUser := s.target.UserFrame(frames)
	machine := state.Machine
	if all, err := s.target.Machines(); err == nil && all[goroutine] != 0 {
		machine = all[goroutine]
	}
	return s.forwardWith(&req, func(answer dap.Message) {
		r, ok := answer.(*dap.StackTraceResponse)
		if !ok {
			return
		}
		r.Body.TotalFrames = max(0, r.Body.TotalFrames-skip)
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range r.Body.StackFrames {
			f := &r.Body.StackFrames[i]
			s.frames[f.Id] = frameOwner{goroutine, machine, first + i}
			if !hasUser || first+i < user.Index {
				deemphasize(f)
			}
		}
	})
}

// deemphasize marks a frame that is not the user's. Clients look at one mark or the
// other when they choose the frame to show.
func deemphasize(f *dap.StackFrame) {
	f.PresentationHint = "subtle"
	if f.Source != nil {
		f.Source.PresentationHint = "deemphasize"
		f.Source.Origin = "not your module"
	}
}

// onDisassemble lets Delve list instructions. Delve makes room for as many as it
// is asked for, also at addresses that it does not know.
func (s *session) onDisassemble(_ context.Context, m dap.Message) error {
	req := m.(*dap.DisassembleRequest)
	a := req.Arguments
	if a.InstructionCount < 0 || a.InstructionCount > maxInstructions || max(a.InstructionOffset, -a.InstructionOffset) > maxInstructions ||
		a.InstructionOffset == math.MinInt {
		return userError(idArguments, "disassemble %d instructions from %d on: at most %d, and as far away", a.InstructionCount,
			a.InstructionOffset, maxInstructions)
	}
	return s.forwardWith(req, nil)
}
