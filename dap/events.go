package dap

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// onEvent gets what Delve says on its own, on the backend's goroutine.
func (s *session) onEvent(m dap.Message) {
	if s.currentState() == ended {
		return // the client knows
	}
	switch e := m.(type) {
	case *dap.StoppedEvent:
		if s.caught(m) {
			return
		}
		s.mu.Lock()
		drop := s.dropEntry && e.Body.Reason == "entry"
		s.dropEntry = s.dropEntry && !drop
		s.mu.Unlock()
		if drop || s.passOver(e) || s.endHeld() {
			return
		}
		s.setState(stopped)
		s.announce(e, false)
	case *dap.TerminatedEvent:
		if s.caught(m) {
			return
		}
		s.setState(exited)
		s.showOutput(math.MaxUint64)
		s.sendTerminated()
	case *dap.ExitedEvent:
		s.mu.Lock()
		captured := s.capture != nil
		s.mu.Unlock()
		if !captured {
			s.showOutput(math.MaxUint64)
			s.out.send(e)
		}
	case *dap.OutputEvent:
		if !noise(e.Body.Output) {
			s.out.send(e)
		}
	case *dap.InitializedEvent:
		s.mu.Lock()
		known := s.restarted
		s.mu.Unlock()
		if !known {
			s.out.send(m)
		}
	case *dap.ProcessEvent, *dap.CapabilitiesEvent:
	default:
		s.out.send(m)
	}
}

// caught hands an event to the one who resumed the program on the way to a
// step.
func (s *session) caught(m dap.Message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.capture == nil {
		return false
	}
	select {
	case s.capture <- m:
	default: // Delve never says more than one or two
	}
	return true
}

// noise is what Delve tells users that does not help them here.
func noise(output string) bool {
	return strings.Contains(output, "built with trimpath") || strings.HasPrefix(output, "Type 'dlv help'") ||
		strings.HasPrefix(output, "Detaching")
}

// schedulerThread stands for the simulator when no goroutine is stopped. It is
// the largest number that every client can hold.
const schedulerThread = 1<<31 - 1

// announce tells the client that the program has stopped, and before that what
// it printed on the way. A stop at a step that was asked for keeps its reason;
// one that Delve made keeps Delve's.
func (s *session) announce(e *dap.StoppedEvent, atStep bool) {
	s.mu.Lock()
	t := s.target
	s.frames, s.owners, s.synthetic, s.inPlace = map[int]frameOwner{}, map[int]frameOwner{}, nil, 0
	s.mu.Unlock()
	e.Body.AllThreadsStopped = true
	e.Body.HitBreakpointIds = slices.DeleteFunc(e.Body.HitBreakpointIds, target.Internal)
	if t != nil {
		if state, err := t.State(); err == nil {
			s.mu.Lock()
			s.inPlace = state.Machine
			s.mu.Unlock()
			s.showOutput(state.Step)
			e.Body.Text = fmt.Sprintf("#%d", state.Step)
			if atStep || state.AtStep {
				s.describeStep(e, state)
			}
			if at := s.changedAt(); at != 0 {
				e.Body.Description = strings.TrimSpace(fmt.Sprintf("changed by you since #%d %s", at, e.Body.Description))
			}
		}
	}
	s.out.send(e)
}

// describeStep fills in a stop at a step.
func (s *session) describeStep(e *dap.StoppedEvent, state replay.State) {
	e.Body.ThreadId = int(state.Goroutine)
	if state.Goroutine == 0 {
		e.Body.ThreadId = schedulerThread
	}
	s.mu.Lock()
	ids, exceptions := s.points.at(state.Step)
	s.mu.Unlock()
	switch {
	case e.Body.Reason != "breakpoint":
	case len(exceptions) > 0:
		e.Body.Reason, e.Body.HitBreakpointIds = "exception", ids
	case len(ids) > 0:
		e.Body.Reason, e.Body.HitBreakpointIds = "function breakpoint", ids
	default: // the last step of a run that stops there
		// Not "step": VS Code would show the innermost frame, marked as subtle
		// or not (debugModel.ts, KEEP_SUBTLE_FRAME_AT_TOP_REASONS); an event is
		// made deep inside the standard library.
		e.Body.Reason = "goto"
	}
	if state.Changed {
		return
	}
	log := s.engine.Log()
	step, err := log.Step(state.Step)
	if err != nil {
		return
	}
	e.Body.Description = fmt.Sprintf("at step #%d: %s of %s", state.Step, step.Kind, text.Who(log, &step))
	if state.Goroutine == 0 {
		e.Body.Description += " (made by the simulator, no goroutine runs)"
	}
}

// maxShown bounds the lines that one stop brings; a jump may pass a million.
const maxShown = 1000

// showOutput sends the log lines up to a step that the client has not seen.
func (s *session) showOutput(to uint64) {
	log := s.engine.Log()
	to = min(to, log.Steps())
	if at := s.changedAt(); at != 0 { // the log is not of what it does now
		to = min(to, at)
	}
	s.mu.Lock()
	from := s.shown + 1
	s.shown = max(s.shown, to)
	s.mu.Unlock()
	if to < from {
		return
	}
	c := log.Cursor(steplog.Filter{From: from, To: to, Kinds: []steplog.Kind{steplog.KindLog, steplog.KindTest}})
	c.Reset(to + 1)
	n := 0
	for n < maxShown && c.Prev() {
		n++
		from = c.Step().Number
	}
	if n == 0 {
		return
	}
	if n == maxShown && c.Prev() {
		s.console(fmt.Sprintf("restep: lines before step #%d are left out; the request %s lists them", from, commandSteps))
	}
	p := text.NewPrinter(log, s.prog.Source)
	for c.Reset(from); c.Next(); {
		step := c.Step()
		e := &dap.OutputEvent{Event: event("output")}
		e.Body.Category = "stdout"
		e.Body.Output = string(p.Append(nil, step))
		if f, ok := s.prog.Source.PlaceOf(step, c.Stack(nil)); ok {
			path := target.HostPath(s.rules, f.File)
			e.Body.Source = &dap.Source{Name: s.prog.Source.Name(f.File), Path: path}
			e.Body.Line = f.Line
		}
		s.out.send(e)
	}
}
