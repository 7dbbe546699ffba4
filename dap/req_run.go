package dap

import (
	"context"
	"math"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/sim/steplog"
)

// onContinue lets the program run for the user.
func (s *session) onContinue(_ context.Context, m dap.Message) error {
	req := m.(*dap.ContinueRequest)
	return s.run(req, func() {
		s.out.send(&dap.ContinueResponse{
			Response: response(&req.Request), Body: dap.ContinueResponseBody{AllThreadsContinued: true},
		})
	})
}

// run resumes the program by a request of Delve's. answer is called when it is
// on its way; Delve's answer is not passed on.
func (s *session) run(req dap.RequestMessage, answer func()) error {
	state, err := s.target.State()
	if err != nil {
		return err
	}
	_, plain := req.(*dap.ContinueRequest)
	s.mu.Lock()
	s.stepping = !plain
	stop := s.points.next(state.Step)
	s.held = false
	if last := s.lastStep(); stop == 0 && (s.launch.StopAtEnd || last != 0 && last > state.Step && !state.Changed) {
		stop = s.engine.Log().Steps()
		s.held = !s.launch.StopAtEnd
	}
	s.mu.Unlock()
	if err := s.target.StartTo(stop); err != nil {
		return err
	}
	s.setState(running)
	if answer != nil {
		answer()
	}
	return s.backend.send(req, func(m dap.Message) {
		if err := responseError(m); err != nil {
			s.setState(stopped)
			s.announce(&dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: "pause", Description: err.Error()}}, false)
		}
	})
}

// onStep is next, stepIn and stepOut. From a step, where the program is deep
// inside the simulator, it goes on from the user's function.
func (s *session) onStep(ctx context.Context, m dap.Message) error {
	var answer dap.Message
	thread, granularity := 0, dap.SteppingGranularity("")
	switch m := m.(type) {
	case *dap.NextRequest:
		answer = &dap.NextResponse{Response: response(&m.Request)}
		thread, granularity = m.Arguments.ThreadId, m.Arguments.Granularity
	case *dap.StepInRequest:
		answer = &dap.StepInResponse{Response: response(&m.Request)}
		thread, granularity = m.Arguments.ThreadId, m.Arguments.Granularity
	case *dap.StepOutRequest:
		answer = &dap.StepOutResponse{Response: response(&m.Request)}
		thread, granularity = m.Arguments.ThreadId, m.Arguments.Granularity
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	if !state.AtStep || granularity == "instruction" {
		return s.run(m.(dap.RequestMessage), func() { s.out.send(answer) })
	}
	if state.Goroutine == 0 || thread != int(state.Goroutine) {
		return silentError(idArguments, "only the goroutine that made the step can go on from here, not %d", thread)
	}
	s.setState(running)
	s.out.send(answer)
	var last dap.Message
	s.target.Resume = func(ctx context.Context) (err error) {
		last, err = s.resumeCaptured(ctx)
		return err
	}
	left, err := s.target.LeaveStep(ctx)
	s.target.Resume = s.resume
	_, out := m.(*dap.StepOutRequest)
	switch {
	case err == nil && (left == target.SameLine || left == target.NewLine && out):
		return s.run(m.(dap.RequestMessage), nil)
	case err == nil && left == target.NewLine:
		last = &dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: "step", ThreadId: thread}}
	}
	// Something else stopped the program first: that is the stop the client
	// gets.
	if last == nil {
		last = &dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: "pause", ThreadId: thread}}
	}
	s.onEvent(last)
	return nil
}

// onPause stops a running program. Delve answers at any time.
func (s *session) onPause(_ context.Context, m dap.Message) error { return s.forward(nil, m) }

// lastStep is the step with which the run ends, 0 when it ends in another way
// than by the end of the program.
func (s *session) lastStep() uint64 {
	log := s.engine.Log()
	last, err := log.Step(log.Steps())
	if err != nil || last.Kind != steplog.KindEnd {
		return 0
	}
	return last.Number
}

// endHeld makes a stop at the last step the program's end for the client. The
// process stays, and its checkpoints with it: going back takes no new one. It
// returns false for any other stop.
func (s *session) endHeld() bool {
	s.mu.Lock()
	t, held := s.target, s.held
	s.mu.Unlock()
	if !held || t == nil {
		return false
	}
	log := s.engine.Log()
	state, err := t.State()
	if err != nil || !state.AtStep || state.Step != log.Steps() {
		return false
	}
	last, err := log.Step(log.Steps())
	if err != nil {
		return false
	}
	code := 0
	if f, ok := last.Field(steplog.TagExitCode); ok {
		code = int(f.Int())
	}
	s.setState(exited)
	s.showOutput(math.MaxUint64)
	s.out.send(&dap.ExitedEvent{Event: event("exited"), Body: dap.ExitedEventBody{ExitCode: code}})
	s.sendTerminated()
	return true
}
