package dap

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// Conditions that name machines (target.EvalMachines) are the front's: Delve
// stops at each hit of such a breakpoint, and the front lets the program go on
// when the condition does not hold. A hit count beside one counts all hits.

// condition is one of them, with the request that set it.
type condition struct{ key, text string }

// onSetBreakpoints keeps conditions over machines from Delve, and translates
// those on the machine that runs.
func (s *session) onSetBreakpoints(ctx context.Context, m dap.Message) error {
	req := m.(*dap.SetBreakpointsRequest)
	ask, key := *req, settingKey(req)
	ask.Arguments.Breakpoints = slices.Clone(req.Arguments.Breakpoints)
	own := make([]string, len(ask.Arguments.Breakpoints))
	for i := range ask.Arguments.Breakpoints {
		if b := &ask.Arguments.Breakpoints[i]; target.HasMachine(b.Condition) {
			own[i], b.Condition = b.Condition, ""
		} else {
			b.Condition = s.machineCondition(b.Condition)
		}
	}
	return s.forwardWith(&ask, func(answer dap.Message) {
		set := breakpointsOf(answer)
		s.mu.Lock()
		defer s.mu.Unlock()
		maps.DeleteFunc(s.conditions, func(_ int, c condition) bool { return c.key == key })
		for i := range set {
			if i < len(own) && own[i] != "" && set[i].Id > 0 {
				if s.conditions == nil {
					s.conditions = map[int]condition{}
				}
				s.conditions[set[i].Id] = condition{key, own[i]}
			}
		}
	})
}

// passOver lets the program go on from breakpoints whose conditions do not
// hold. It runs on the backend's goroutine, while the program is stopped and
// the client believes that it runs.
func (s *session) passOver(e *dap.StoppedEvent) bool {
	s.mu.Lock()
	t, stepping := s.target, s.stepping
	var list []string
	for _, id := range e.Body.HitBreakpointIds {
		c, ok := s.conditions[id]
		if !ok {
			t = nil // one without a condition of ours was hit as well
			break
		}
		list = append(list, c.text)
	}
	s.mu.Unlock()
	if t == nil || len(list) == 0 {
		return false
	}
	for _, text := range list {
		values, err := t.EvalMachines(target.Scope{Goroutine: -1, Labels: s.labels()}, text)
		switch {
		case err != nil:
			s.console(fmt.Sprintf("restep: the condition %s: %v", text, err))
			return false
		case len(values) != 1 || values[0].Value.Value != "true" && values[0].Value.Value != "false":
			s.console(fmt.Sprintf("restep: the condition %s has no single truth value; count(@* ...), any(@* ...) and all(@* ...) do", text))
			return false
		case values[0].Value.Value == "true":
			return false
		}
	}
	if stepping {
		// Delve has given the step up.
		e.Body.Description = "a step was interrupted at a breakpoint whose condition does not hold"
		return false
	}
	again := &dap.ContinueRequest{Request: newRequest("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}
	return s.backend.send(again, func(dap.Message) {}) == nil
}
