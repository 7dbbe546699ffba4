package dap

import (
	"context"
	"fmt"

	"github.com/google/go-dap"
)

// foreign returns the label of the machine that a frame belongs to when
// another machine's variables are in place.
func (s *session) foreign(frame int) (label, inPlace string, yes bool) {
	s.mu.Lock()
	owner, known := s.frames[frame]
	s.mu.Unlock()
	if !known || owner.machine == 0 {
		return "", "", false
	}
	state, err := s.target.State()
	if err != nil || state.Machine == owner.machine {
		return "", "", false
	}
	return s.label(owner.machine), s.label(state.Machine), true
}

// onScopes says of package variables whose they are: those in memory belong to
// the machine that is stopped, whatever frame is looked at.
func (s *session) onScopes(_ context.Context, m dap.Message) error {
	req := m.(*dap.ScopesRequest)
	_, inPlace, foreign := s.foreign(req.Arguments.FrameId)
	return s.forwardWith(req, func(answer dap.Message) {
		r, ok := answer.(*dap.ScopesResponse)
		if !ok || !foreign {
			return
		}
		for i := range r.Body.Scopes {
			if sc := &r.Body.Scopes[i]; len(sc.Name) >= 7 && sc.Name[:7] == "Globals" {
				sc.Name += fmt.Sprintf(" of machine %s", inPlace)
			}
		}
	})
}

// onEvaluate marks values from a frame of a machine that is not stopped.
func (s *session) onEvaluate(_ context.Context, m dap.Message) error {
	req := m.(*dap.EvaluateRequest)
	label, inPlace, foreign := s.foreign(req.Arguments.FrameId)
	if foreign && req.Arguments.Context == "repl" {
		s.console(fmt.Sprintf("restep: this frame is of machine %s; package variables show the values of machine %s, which is stopped", label, inPlace))
	}
	return s.forward(nil, req)
}

// onSetExpression gives what an expression stands for another value.
func (s *session) onSetExpression(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetExpressionRequest)
	owner, ok := s.frameOwner(req.Arguments.FrameId)
	if !ok {
		owner = frameOwner{goroutine: -1}
	}
	if err := s.target.SetExpression(owner.goroutine, owner.index, req.Arguments.Expression, req.Arguments.Value); err != nil {
		return userError(idArguments, "set %s: %v", req.Arguments.Expression, err)
	}
	s.out.send(&dap.SetExpressionResponse{
		Response: response(&req.Request), Body: dap.SetExpressionResponseBody{Value: req.Arguments.Value},
	})
	s.invalidate("all")
	return nil
}
