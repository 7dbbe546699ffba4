package dap

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// onExceptionBreakpoints passes Delve's filters on and refuses others by name,
// which Delve would ignore.
func (s *session) onExceptionBreakpoints(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetExceptionBreakpointsRequest)
	known := capabilities().ExceptionBreakpointFilters
	for _, f := range req.Arguments.Filters {
		found := false
		for _, k := range known {
			found = found || k.Filter == f
		}
		if !found {
			return userError(idArguments, "there is no exception filter %q", f)
		}
	}
	var set []point
	passed := *req
	passed.Arguments.Filters = nil
	for _, f := range req.Arguments.Filters {
		if p, ok := s.exceptionPoint(f); ok {
			set = append(set, p)
		} else {
			passed.Arguments.Filters = append(passed.Arguments.Filters, f)
		}
	}
	s.mu.Lock()
	s.points.exceptions = set
	s.mu.Unlock()
	// Delve switches off each breakpoint of its own kind that is not named.
	passed.Arguments.Filters = append(passed.Arguments.Filters, target.StopName)
	return s.forward(nil, &passed)
}

// exceptionKinds are the steps that end a machine or the run as a failure.
var exceptionKinds = map[steplog.Kind]string{
	steplog.KindPanic: "panic", steplog.KindCrash: "machine crash", steplog.KindKill: "machine killed",
	steplog.KindDeadlock: "deadlock", steplog.KindTimeout: "timeout",
}

// onExceptionInfo tells of the step that the program is at when that is a
// failure; else Delve knows.
func (s *session) onExceptionInfo(ctx context.Context, m dap.Message) error {
	req := m.(*dap.ExceptionInfoRequest)
	state, err := s.target.State()
	if err != nil {
		return err
	}
	log := s.engine.Log()
	step, err := log.Step(state.Step)
	id, failure := exceptionKinds[step.Kind]
	if err != nil || !state.AtStep || !failure {
		if req.Arguments.ThreadId == schedulerThread {
			return silentError(idArguments, "nothing failed here")
		}
		return s.forward(ctx, req)
	}
	answer := &dap.ExceptionInfoResponse{Response: response(&req.Request)}
	answer.Body = dap.ExceptionInfoResponseBody{
		ExceptionId: id, BreakMode: "always", Details: &dap.ExceptionDetails{},
		Description: fmt.Sprintf("step #%d, %s: %s", step.Number, text.Who(log, &step), text.Export(log, s.prog.Source, &step, false).Text),
	}
	var b strings.Builder
	for _, f := range log.Stack(step.StackID, nil) {
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Func, target.HostPath(s.rules, f.File), f.Line)
	}
	answer.Body.Details.StackTrace = b.String()
	s.out.send(answer)
	return nil
}
