package dap

import (
	"fmt"

	"github.com/google/go-dap"
)

// DivergedEvent says that the user has changed the program: from a step on it
// is not the recorded run any more; or that it is the recorded run again,
// because a jump has undone the change.
//
//	<- {"event": "restep/diverged", "body": {"diverged": true, "step": 46, "text": "count = 5"}}
//	<- {"event": "restep/diverged", "body": {"diverged": false, "step": 46, "text": ""}}
type DivergedEvent struct {
	dap.Event
	Body DivergedBody `json:"body"`
}

// DivergedBody is the body of a DivergedEvent.
type DivergedBody struct {
	Diverged bool   `json:"diverged"`
	Step     uint64 `json:"step"` // the last one before the change
	Text     string `json:"text"` // what was done
}

const eventDiverged = "restep/diverged"

// diverge marks the program as changed and offers the way back.
func (s *session) diverge(what string) {
	s.mu.Lock()
	t := s.target
	s.mu.Unlock()
	if t == nil {
		return // it is being ended
	}
	if err := t.Changed(); err != nil {
		s.console("restep: " + err.Error())
	}
	step := s.currentStep()
	s.mu.Lock()
	first := s.changed == 0
	if first {
		s.changed = max(step, 1)
	}
	step = s.changed
	s.mu.Unlock()
	if first {
		s.out.send(&DivergedEvent{Event: event(eventDiverged), Body: DivergedBody{true, step, what}})
		s.console(fmt.Sprintf("restep: you changed the program at step #%d (%s): from here on it is not the recorded run, and what it logs is not shown; "+
			"going to a step, this one or another, undoes it", step, what))
	}
	s.invalidate("all")
}

// converge tells the client that the program is the recorded run again.
func (s *session) converge() {
	s.mu.Lock()
	step := s.changed
	s.changed = 0
	s.mu.Unlock()
	if step != 0 {
		s.out.send(&DivergedEvent{Event: event(eventDiverged), Body: DivergedBody{false, step, ""}})
	}
}

// changedAt is the step at which the user changed the program, 0 when he has
// not.
func (s *session) changedAt() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
