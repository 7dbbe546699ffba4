package dap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// Conditions and log messages that name machines (target.EvalMachines) are the
// front's: Delve stops at each hit of such a breakpoint, and the front prints the
// message, and lets the program go on when there is one or the condition does not
// hold. A hit count beside one counts all hits.

// condition is one of them, with the request that set it.
type condition struct {
	key, text string   // text is "" when Delve looks after the condition
	log       logpoint // when its message is ours
}

// onSetBreakpoints keeps conditions over machines from Delve, and translates
// those on the machine that runs.
func (s *session) onSetBreakpoints(ctx context.Context, m dap.Message) error {
	req := m.(*dap.SetBreakpointsRequest)
	ask, key := *req, settingKey(req)
	ask.Arguments.Breakpoints = slices.Clone(req.Arguments.Breakpoints)
	own := make([]condition, len(ask.Arguments.Breakpoints))
	for i := range ask.Arguments.Breakpoints {
		b := &ask.Arguments.Breakpoints[i]
		if messageHasMachine(b.LogMessage) {
			own[i].log = logpoint{asked: *b, source: req.Arguments.Source}
			b.LogMessage = ""
		}
		if target.HasMachine(b.Condition) {
			own[i].text, b.Condition = b.Condition, ""
		} else {
			b.Condition = s.machineCondition(b.Condition)
		}
	}
	var fresh []logpoint
	err := s.forwardWith(&ask, func(answer dap.Message) {
		set := breakpointsOf(answer)
		fresh = s.newLogpoints(req, set)
		s.mu.Lock()
		defer s.mu.Unlock()
		maps.DeleteFunc(s.conditions, func(_ int, c condition) bool { return c.key == key })
		for i := range set {
			if i < len(own) && (own[i].text != "" || own[i].log.asked.LogMessage != "") && set[i].Id > 0 {
				if s.conditions == nil {
					s.conditions = map[int]condition{}
				}
				own[i].key = key
				s.conditions[set[i].Id] = own[i]
			}
		}
	})
	if err != nil || s.currentState() != stopped || !slices.ContainsFunc(req.Arguments.Breakpoints, isLogpoint) {
		return err
	}
	if err := s.backend.idle(ctx); err != nil { // fresh is known then
		return err
	}
	for _, l := range fresh {
		if err := s.printEarlier(ctx, req.Seq, l); err != nil {
			return s.cannotGoOn(err)
		}
	}
	return nil
}

func isLogpoint(b dap.SourceBreakpoint) bool { return b.LogMessage != "" }

// holdsAt reports whether the condition of a breakpoint holds, on the way back:
// true when it has none of ours.
func (s *session) holdsAt(id int) (bool, error) {
	s.mu.Lock()
	t, c := s.target, s.conditions[id]
	s.mu.Unlock()
	if c.log.asked.LogMessage != "" {
		return false, nil // it stops nothing
	}
	if t == nil || c.text == "" {
		return true, nil
	}
	ok, err := s.holds(t, c.text)
	if err != nil {
		return false, fmt.Errorf("the condition %s: %w", c.text, err)
	}
	return ok, nil
}

// holds evaluates a condition.
func (s *session) holds(t *target.Target, text string) (bool, error) {
	values, err := t.EvalMachines(target.Scope{Goroutine: -1, Labels: s.labels()}, text)
	switch {
	case err != nil:
		return false, err
	case len(values) != 1 || values[0].Value.Value != "true" && values[0].Value.Value != "false":
		return false, errors.New("it has no single truth value; count(@* ...), any(@* ...) and all(@* ...) do")
	}
	return values[0].Value.Value == "true", nil
}

// passOver lets the program go on from breakpoints whose conditions do not
// hold, and from writes to watched variables that do not count. It runs on the backend's goroutine, while the program is stopped and
// the client believes that it runs.
func (s *session) passOver(e *dap.StoppedEvent) bool {
	s.mu.Lock()
	t, stepping := s.target, s.stepping
	s.mu.Unlock()
	if t == nil {
		return false
	}
	again, err := t.Follow()
	if err != nil {
		s.console(fmt.Sprintf("restep: %v", err))
		return false
	}
	if !again && s.conditionsHold(t, e) {
		return false
	}
	if stepping {
		// Delve has given the step up.
		e.Body.Description = "a step was interrupted at a logpoint or a condition that names machines"
		return false
	}
	resume := &dap.ContinueRequest{Request: newRequest("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}
	return s.backend.send(resume, func(dap.Message) {}) == nil
}

// conditionsHold reports whether a stop is one for the user: false when all
// breakpoints that were hit have conditions of ours, none of which holds, or
// only print.
func (s *session) conditionsHold(t *target.Target, e *dap.StoppedEvent) bool {
	if len(e.Body.HitBreakpointIds) == 0 {
		return true
	}
	stop := false
	for _, id := range e.Body.HitBreakpointIds {
		s.mu.Lock()
		c, ours := s.conditions[id]
		s.mu.Unlock()
		ok := true
		if c.text != "" {
			var err error
			if ok, err = s.holds(t, c.text); err != nil {
				s.console(fmt.Sprintf("restep: the condition %s: %v", c.text, err))
				ok = true
			}
		}
		switch {
		case !ours:
			stop = true
		case ok && c.log.asked.LogMessage != "":
			s.printNow(t, c.log)
		case ok:
			stop = true
		}
	}
	return stop
}
