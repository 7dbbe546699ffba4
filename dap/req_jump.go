package dap

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-dap"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/match"
	"github.com/restep/restep/sim/steplog"
)

// onJump goes to another step of the run.
func (s *session) onJump(ctx context.Context, m dap.Message) error {
	req := m.(*JumpRequest)
	n := req.Arguments.Step
	if req.Arguments.To != "" {
		var err error
		if n, err = s.findEvent(&req.Arguments); err != nil {
			return err
		}
	}
	answer := &JumpResponse{Response: response(&req.Request), Body: JumpArguments{Step: n}}
	return s.moveTo(ctx, &req.Request, n, "goto", answer)
}

// findEvent returns the step of the event that a jump names.
func (s *session) findEvent(args *JumpArguments) (uint64, error) {
	p, ours, err := match.Parse(args.To)
	if err != nil {
		return 0, userError(idArguments, "%v", err)
	}
	if !ours {
		return 0, userError(idArguments, "%q is no event; write kind:*, machine:LABEL crash, log:TEXT, time:3.5s and so on", args.To)
	}
	log := s.engine.Log()
	now := log.Steps() + 1
	if s.currentState() != exited {
		state, err := s.target.State()
		if err != nil {
			return 0, err
		}
		now = state.Step
		if args.Backward && !state.AtStep {
			now++ // the last step lies behind
		}
	}
	found := uint64(0)
	for _, n := range p.Steps(log) {
		if n == now || (n < now) != args.Backward || !of(log, n, args) {
			continue
		}
		if found = n; !args.Backward {
			break
		}
	}
	if found == 0 {
		where := "after"
		if args.Backward {
			where = "before"
		}
		return 0, userError(idNoStep, "there is no such event %s step #%d: %s", where, min(now, log.Steps()), args.To)
	}
	return found, nil
}

// of reports whether a step is of the goroutine and machine that a jump names.
func of(log *steplog.Reader, n uint64, args *JumpArguments) bool {
	if args.Goroutine == 0 && args.Machine == "" {
		return true
	}
	step, err := log.Step(n)
	if err != nil || args.Goroutine != 0 && step.Goroutine != args.Goroutine {
		return false
	}
	m, ok := log.Machine(step.Machine)
	return args.Machine == "" || ok && m.Label == args.Machine
}

// moveTo goes to a step for a request and answers it. An error leaves the
// program where it was.
func (s *session) moveTo(ctx context.Context, req *dap.Request, n uint64, reason string, answer dap.Message) error {
	if err := s.engine.Check(n); err != nil {
		return err
	}
	s.mu.Lock()
	s.terminated = false // an ended program comes back
	s.mu.Unlock()
	before := s.currentStep()
	p := s.startProgress(req.Seq, fmt.Sprintf("Going to step #%d", n), progressDelay)
	defer p.done()
	err := s.jumpThen(ctx, n, reason, func() { s.out.send(answer) })
	if err == nil {
		return nil
	}
	if before != 0 && ctx.Err() != nil && s.returnTo(before) {
		return silentError(idCancelled, "cancelled")
	}
	var differs *replay.DivergenceError
	if errors.As(err, &differs) || ctx.Err() != nil || s.lost() {
		// What can be seen now is no moment of the recorded run.
		s.out.send(jumpFailure(err).response(req))
		switch {
		case s.isLeaving(): // the client has said so
		case errors.Is(err, context.Canceled):
			s.complain(fmt.Sprintf("the jump to #%d was cancelled on its way; debug the run again", n))
		default:
			s.complain(err.Error())
		}
		s.endProgram()
		return nil
	}
	return err
}

func (s *session) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// returnTo goes back to where a cancelled jump began; the jump ended the
// program. It returns false when the session is ending anyway.
func (s *session) returnTo(n uint64) bool {
	return !s.isLeaving() && s.ctx.Err() == nil && s.jump(s.ctx, n, "goto") == nil
}

// lost reports that there is no program any more.
func (s *session) lost() bool {
	state, err := s.target.State()
	return err != nil || state.Exited
}

// jump goes to a step and tells the client that the program stopped there.
func (s *session) jump(ctx context.Context, n uint64, reason string) error {
	return s.jumpThen(ctx, n, reason, func() {})
}

func (s *session) jumpThen(ctx context.Context, n uint64, reason string, arrived func()) error {
	if err := s.backend.idle(ctx); err != nil { // going back takes the process away
		return err
	}
	if err := s.engine.Jump(ctx, n); err != nil {
		return err
	}
	s.converge()
	s.setState(stopped)
	arrived()
	s.announce(&dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: reason}}, true)
	return nil
}

// resume lets the program go on through Delve's session, for a Target that
// wants to get somewhere: the client sees nothing of it.
func (s *session) resume(ctx context.Context) error {
	_, err := s.resumeCaptured(ctx)
	return err
}

// resumeCaptured returns what made the program stop: a *dap.StoppedEvent or a
// *dap.TerminatedEvent.
func (s *session) resumeCaptured(ctx context.Context) (dap.Message, error) {
	caught := make(chan dap.Message, 16)
	s.mu.Lock()
	s.capture = caught
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.capture = nil
		s.mu.Unlock()
	}()
	req := &dap.ContinueRequest{Request: newRequest("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}
	if _, err := s.backend.call(context.WithoutCancel(ctx), req); err != nil {
		return nil, err
	}
	done := ctx.Done()
	for {
		select {
		case m := <-caught:
			if ctx.Err() != nil {
				return m, ctx.Err()
			}
			if e, ok := m.(*dap.StoppedEvent); ok {
				switch {
				case e.Body.Reason == "pause":
					return m, userError(idCancelled, "interrupted by pause")
				case e.Body.Reason == "exception" && e.Body.Description == "runtime error":
					return m, fmt.Errorf("resume the program: %s", e.Body.Text)
				}
			}
			return m, nil
		case <-done:
			s.target.Interrupt() // its end is the next that Delve reports
			done = nil
		case <-s.backend.done:
			return nil, silentError(idDebugger, "the debugger has ended")
		}
	}
}
