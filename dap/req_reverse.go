package dap

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-dap"

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
		n, started := s.before(state.Step, state.Goroutine)
		if started {
			return n, "entry", fmt.Sprintf("goroutine %d starts here", state.Goroutine)
		}
		return n, "step", fmt.Sprintf("there is no line before in goroutine %d; this is its step before", state.Goroutine)
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

// before returns the last step that a goroutine made before step n or, when it
// made none, the one at which it was started; started says which.
func (s *session) before(n uint64, goroutine int64) (step uint64, started bool) {
	c := s.engine.Log().Cursor(steplog.Filter{})
	for c.Reset(n); c.Prev(); {
		at := c.Step()
		if at.Goroutine == uint32(goroutine) {
			return at.Number, false
		}
		if at.Kind == steplog.KindGo {
			if f, ok := at.Field(steplog.TagGoroutine); ok && int64(f.Num) == goroutine {
				return at.Number, true
			}
		}
	}
	return 1, true
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
