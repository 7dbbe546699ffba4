package dap

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// A logpoint that is set while the program is stopped prints for all times at
// which the run passed it before, as if it had been there from the start: the
// run is repeated up to the present moment, of which the client sees nothing but
// the lines. From then on Delve prints them.

// EarlierLog is the data of an output event that a logpoint made for a time
// before it was set.
//
//	<- {"event": "output", "body": {"category": "console",
//	     "output": "#56 server/7 (earlier): count is 1\n", "source": {...}, "line": 22,
//	     "data": {"restep": "earlier", "step": 56, "machine": "server", "goroutine": 7}}}
type EarlierLog struct {
	Restep    string `json:"restep"` // "earlier"
	Step      uint64 `json:"step"`   // last one before
	Machine   string `json:"machine"`
	Goroutine int64  `json:"goroutine"`
}

// maxEarlier bounds the lines that one logpoint prints for the past.
const maxEarlier = 1000

// logpoint is one that the client has just set.
type logpoint struct {
	id     int // Delve's
	asked  dap.SourceBreakpoint
	source dap.Source
}

// newLogpoints returns the logpoints of a request that its predecessor for the
// same source did not have, and takes note of them.
func (s *session) newLogpoints(req *dap.SetBreakpointsRequest, set []dap.Breakpoint) (list []logpoint) {
	key := settingKey(req)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.logpoints[key]
	now := map[string]bool{}
	for i, b := range req.Arguments.Breakpoints {
		if b.LogMessage == "" || i >= len(set) || set[i].Id <= 0 {
			continue
		}
		name := fmt.Sprintf("%d\x00%s\x00%s\x00%s", b.Line, b.LogMessage, b.Condition, b.HitCondition)
		now[name] = true
		if !known[name] {
			list = append(list, logpoint{set[i].Id, b, req.Arguments.Source})
		}
	}
	if s.logpoints == nil {
		s.logpoints = map[string]map[string]bool{}
	}
	s.logpoints[key] = now
	return list
}

// printEarlier prints what a logpoint would have printed before the present
// moment.
func (s *session) printEarlier(ctx context.Context, request int, l logpoint) error {
	if s.currentState() != stopped || s.changedAt() != 0 {
		return nil // nothing has run, or what did is not the recorded run
	}
	before := s.currentStep()
	p := s.startProgress(request, "Printing earlier hits", progressDelay)
	defer p.done()
	n := 0
	err := s.target.Earlier(ctx, l.id, s.delveCondition(l.asked.Condition), l.asked.HitCondition, func(h target.Hit) (bool, error) {
		if target.HasMachine(l.asked.Condition) {
			if ok, err := s.holds(s.target, l.asked.Condition); err != nil || !ok {
				return err == nil, err
			}
		}
		if n++; n > maxEarlier {
			return false, nil
		}
		s.printHit(l, h)
		return true, nil
	})
	switch {
	case err == nil && n > maxEarlier:
		s.console(fmt.Sprintf("restep: the logpoint in line %d was passed more often; these are the first %d times", l.asked.Line, maxEarlier))
	case err != nil:
		s.console(fmt.Sprintf("restep: cannot print the earlier hits of line %d: %v", l.asked.Line, err))
		if s.lost() && !s.returnTo(max(before, 1)) {
			return err
		}
	}
	return nil
}

// delveCondition is the part of a condition that Delve evaluates.
func (s *session) delveCondition(text string) string {
	if target.HasMachine(text) {
		return ""
	}
	return s.machineCondition(text)
}

func (s *session) printHit(l logpoint, h target.Hit) {
	label := s.label(h.Machine)
	data, _ := json.Marshal(EarlierLog{"earlier", h.Step, label, h.Goroutine}) // never fails
	s.printAt(l, fmt.Sprintf("#%d %s/%d (earlier): %s\n", h.Step, label, h.Goroutine, s.logText(l.asked.LogMessage)), data)
}

// printNow prints what a logpoint says at the present stop, which the client
// will not see.
func (s *session) printNow(t *target.Target, l logpoint) {
	state, err := t.State()
	if err != nil {
		s.console(fmt.Sprintf("restep: the logpoint in line %d: %v", l.asked.Line, err))
		return
	}
	s.printAt(l, fmt.Sprintf("#%d %s/%d: %s\n", state.Step, s.label(state.Machine), state.Goroutine, s.logText(l.asked.LogMessage)), nil)
}

func (s *session) printAt(l logpoint, text string, data json.RawMessage) {
	source := l.source
	e := &dap.OutputEvent{Event: event("output")}
	e.Body = dap.OutputEventBody{Category: "console", Source: &source, Line: l.asked.Line, Output: text, Data: data}
	s.out.send(e)
}

// messageHasMachine reports whether an expression of a log message names
// machines.
func messageHasMachine(message string) bool {
	for message != "" {
		_, expr, rest := nextExpression(message)
		if target.HasMachine(expr) {
			return true
		}
		message = rest
	}
	return false
}

// logText puts the values of the expressions in braces into a log message.
func (s *session) logText(message string) string {
	var out strings.Builder
	for message != "" {
		text, expr, rest := nextExpression(message)
		out.WriteString(text)
		if message = rest; expr == "" {
			continue
		}
		v, err := s.logValue(expr)
		if err != nil {
			v = "{" + expr + ": " + err.Error() + "}"
		}
		out.WriteString(v)
	}
	return out.String()
}

// logValue is the value of an expression in a log message: of several machines,
// "main: 0, server: 1".
func (s *session) logValue(expr string) (string, error) {
	if !target.HasMachine(expr) {
		v, err := s.target.Eval(0, expr)
		return v.Value, err
	}
	values, err := s.target.EvalMachines(target.Scope{Goroutine: -1, Labels: s.labels()}, expr)
	if err != nil {
		return "", err
	}
	var list []string
	for _, v := range values {
		text := v.Value.Value
		switch {
		case v.Off:
			text = "off"
		case v.Err != nil:
			text = v.Err.Error()
		}
		if len(values) > 1 {
			text = v.Machine + ": " + text
		}
		list = append(list, text)
	}
	return strings.Join(list, ", "), nil
}

// nextExpression splits a log message into the text before the first expression
// in braces, the expression, and what follows. Braces may nest.
func nextExpression(message string) (text, expr, rest string) {
	from := strings.IndexByte(message, '{')
	if from < 0 {
		return message, "", ""
	}
	depth := 0
	for i := from; i < len(message); i++ {
		switch message[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return message[:from], strings.TrimSpace(message[from+1 : i]), message[i+1:]
			}
		}
	}
	return message, "", ""
}
