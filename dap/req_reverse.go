package dap

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-dap"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/sim/steplog"
)

// onStepBack goes back a line, a statement or an instruction, out of the call or
// into one that has returned. DAP, "StepBack Request".
func (s *session) onStepBack(ctx context.Context, m dap.Message) error {
	var args dap.StepBackArguments
	var answer dap.Message
	search := s.target.StepBack
	switch m := m.(type) {
	case *dap.StepBackRequest:
		args, answer = m.Arguments, &dap.StepBackResponse{Response: response(&m.Request)}
	case *StepBackOutRequest:
		args, answer = m.Arguments, &StepBackOutResponse{Response: response(&m.Request)}
		search = s.target.StepBackOut
	case *StepBackInRequest:
		args, answer = m.Arguments, &StepBackInResponse{Response: response(&m.Request)}
		search = s.target.StepBackIn
	}
	if _, plain := m.(*dap.StepBackRequest); plain {
		switch args.Granularity {
		case "instruction":
			search = s.target.StepBackInstruction
		case "statement":
			search = s.target.StepBackStatement
		}
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	switch {
	case state.Goroutine == 0:
		return userError(idArguments, "no goroutine is stopped here, for the simulator made this step: go to another with %s", commandJump)
	case args.ThreadId != int(state.Goroutine):
		return silentError(idArguments, "only goroutine %d, which is stopped here, can go back, not %d", state.Goroutine, args.ThreadId)
	}
	return s.reverse(ctx, m.(dap.RequestMessage), answer, "step", search, func() (uint64, string, string) {
		if n := s.stepBefore(state); n != 0 {
			return n, "step", fmt.Sprintf("there is no line before in goroutine %d; this is its step before", state.Goroutine)
		}
		return s.startOf(state.Goroutine), "entry", fmt.Sprintf("goroutine %d starts here", state.Goroutine)
	})
}

// onReverseContinue goes back to the last hit of a breakpoint, or to the start
// of the run. DAP, "ReverseContinue Request".
func (s *session) onReverseContinue(ctx context.Context, m dap.Message) error {
	req := m.(*dap.ReverseContinueRequest)
	if s.currentState() == exited {
		if err := s.engine.Jump(ctx, s.engine.Log().Steps()); err != nil {
			return err
		}
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	before := state.Step // a point at the present step counts when it lies behind
	if !state.AtStep {
		before++
	}
	s.mu.Lock()
	point := s.points.prev(before)
	s.mu.Unlock()
	search := func(ctx context.Context) (bool, error) { return s.target.ReverseContinue(ctx, point, s.holdsAt) }
	answer := &dap.ReverseContinueResponse{Response: response(&req.Request)}
	return s.reverse(ctx, req, answer, "breakpoint", search, func() (uint64, string, string) {
		if point != 0 {
			return point, "breakpoint", ""
		}
		return 1, "entry", "the run starts here; no breakpoint was hit before"
	})
}

// stepBefore returns the last step that the stopped goroutine made before, 0
// when there is none.
func (s *session) stepBefore(state replay.State) uint64 {
	c := s.engine.Log().Cursor(steplog.Filter{Goroutine: uint32(state.Goroutine)})
	if c.Reset(state.Step); c.Prev() {
		return c.Step().Number
	}
	return 0
}

// startOf returns the step at which a goroutine was started.
func (s *session) startOf(goroutine int64) uint64 {
	n := s.engine.FirstOf(1, func(c *steplog.Cursor) bool {
		if c.Step().Kind != steplog.KindGo {
			return false
		}
		f, ok := c.Step().Field(steplog.TagGoroutine)
		return ok && int64(f.Num) == goroutine
	})
	return max(n, 1)
}

// reverse carries out a search. The request is answered when the search begins,
// as that of any resumption. When there is nothing to go back to, the session
// goes to the step that first names, for a reason, and says why.
func (s *session) reverse(ctx context.Context, req dap.RequestMessage, answer dap.Message, reason string,
	search func(context.Context) (bool, error), first func() (n uint64, reason, why string)) error {
	if at := s.changedAt(); at != 0 {
		return userError(idJump, "you changed the program at step #%d: what is behind it is not the recorded run; go to a step first", at)
	}
	before := s.currentStep()
	if err := s.backend.idle(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.terminated = false // an ended program comes back
	s.mu.Unlock()
	s.setState(running)
	s.out.send(answer)
	p := s.startProgress(req.GetRequest().Seq, "Going back", progressDelay)
	defer p.done()
	stop := &dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: reason}}
	s.target.Resume = func(ctx context.Context) error {
		last, err := s.resumeCaptured(ctx)
		if e, ok := last.(*dap.StoppedEvent); ok {
			stop.Body.ThreadId = e.Body.ThreadId
			if reason == "breakpoint" {
				stop.Body.Reason, stop.Body.HitBreakpointIds = e.Body.Reason, e.Body.HitBreakpointIds
			}
		}
		return err
	}
	found, err := search(ctx)
	s.target.Resume = s.resume
	switch {
	case err == nil && found:
		s.setState(stopped)
		s.announce(stop, false)
		return nil
	case err == nil:
		n, reason, why := first()
		if why != "" {
			s.console("restep: " + why)
		}
		err = s.jump(ctx, n, reason)
	case !errors.Is(err, context.Canceled):
		s.console(fmt.Sprintf("restep: cannot go back: %v", err))
	}
	if err == nil || before != 0 && s.returnTo(before) {
		return nil
	}
	return s.cannotGoOn(err)
}

// cannotGoOn ends the program after it could not be brought back.
func (s *session) cannotGoOn(err error) error {
	if !s.isLeaving() {
		s.complain(fmt.Sprintf("cannot go back: %v; debug the run again", err))
	}
	s.endProgram()
	return nil
}
