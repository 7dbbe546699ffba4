package dap

import (
	"context"
	"encoding/json"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/processes"
	"github.com/restep/restep/replay"
)

// onLaunch makes everything ready. The program waits at its start until
// configurationDone.
func (s *session) onLaunch(ctx context.Context, m dap.Message) error {
	req := m.(*dap.LaunchRequest)
	args := &launchArguments{}
	if len(req.Arguments) == 0 {
		return userError(idArguments, "the launch request has no arguments")
	}
	if err := json.Unmarshal(req.Arguments, args); err != nil {
		return userError(idArguments, "the launch configuration is wrong: %v", err)
	}
	if err := s.authorize(args.Token); err != nil {
		return err
	}
	if processes.IsMode(req.Arguments) {
		return s.launchProcesses(ctx, req)
	}
	s.launch, s.launchRaw = args, req.Arguments
	if err := s.checkName(); err != nil {
		return err
	}
	if err := s.load(ctx, req.Seq, args); err != nil {
		s.endProgramIn(initialized) // the client may try other arguments
		return err
	}
	s.engine = replay.NewEngine(s.prog.Log, s.target)
	s.engine.Changed = s.prog.ChangedSince
	s.setState(configuring)
	if err := s.connect(ctx, req.Arguments); err != nil {
		s.endProgram()
		return err
	}
	s.out.send(&dap.LaunchResponse{Response: response(&req.Request)})
	return nil
}

// onConfigurationDone starts the program or brings it to the first stop.
func (s *session) onConfigurationDone(ctx context.Context, m dap.Message) error {
	req := m.(*dap.ConfigurationDoneRequest)
	if now := s.currentState(); now != configuring {
		return s.reconfigured(req, now)
	}
	if err := s.configured(ctx); err != nil {
		return err
	}
	s.out.send(&dap.ConfigurationDoneResponse{Response: response(&req.Request)})
	s.begin(ctx)
	return nil
}

// reconfigured ends the set-up of a client that has taken a session over: it
// hears where the program is.
func (s *session) reconfigured(req *dap.ConfigurationDoneRequest, now state) error {
	s.mu.Lock()
	first := s.attached
	s.attached = false
	s.mu.Unlock()
	if !first {
		return silentError(idOrder, "configurationDone is not possible %s", now)
	}
	s.out.send(&dap.ConfigurationDoneResponse{Response: response(&req.Request)})
	if now != stopped {
		return nil
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	body := dap.StoppedEventBody{Reason: "pause", ThreadId: int(state.Goroutine)}
	if state.AtStep {
		body.Reason = "goto"
	}
	s.announce(&dap.StoppedEvent{Event: event("stopped"), Body: body}, state.AtStep)
	return nil
}

// configured tells Delve that all breakpoints are set. The program stays where
// it is.
func (s *session) configured(ctx context.Context) error {
	s.mu.Lock()
	s.dropEntry = true // Delve sends it before its response
	s.mu.Unlock()
	if _, err := s.backend.call(ctx, &dap.ConfigurationDoneRequest{Request: newRequest("configurationDone")}); err != nil {
		return err
	}
	s.setState(stopped)
	return nil
}

// begin goes to where the launch arguments want the first stop. The request
// was answered: when that fails, the stop that the client waits for will not
// come, and the session ends.
func (s *session) begin(ctx context.Context) {
	step, reason := uint64(0), ""
	switch {
	case s.launch.Step != nil:
		step, reason = uint64(*s.launch.Step), "goto"
	case s.launch.StopOnEntry:
		step, reason = s.prog.FirstStep(), "entry"
	}
	var err error
	if step != 0 {
		err = s.jump(ctx, step, reason)
	} else {
		err = s.run(&dap.ContinueRequest{Request: newRequest("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}, nil)
	}
	if err != nil {
		s.complain(err.Error())
		s.endProgram()
	}
}
