package processes

import (
	"fmt"
	"syscall"
	"time"

	"github.com/google/go-dap"
)

// gather lasts from the first stop until all processes are stopped.
type gather struct {
	stops []*proc // those that stopped of themselves, in order
	asked *proc   // the user asked for a pause, in a thread of it
}

// onEvent gets what a process's Delve says on its own.
func (s *Session) onEvent(p *proc, m dap.Message) {
	switch e := m.(type) {
	case *dap.StoppedEvent:
		if p.state == running { // else it is the stop before its first instruction
			s.onStopped(p, e)
		}
	case *dap.ExitedEvent:
		p.exit = &e.Body.ExitCode
	case *dap.TerminatedEvent:
		p.host.end() // and with it what the program has left behind
	case *dap.OutputEvent:
		if !noise(e.Body.Output) {
			s.output(e.Body.Category, p.spec.Name+": "+e.Body.Output)
		}
	case *dap.BreakpointEvent:
		s.onBreakpointEvent(p, e)
	}
}

// onStopped lets the others stop, too: what one looks at is one moment.
func (s *Session) onStopped(p *proc, e *dap.StoppedEvent) {
	p.state, p.stop = stopped, e
	own := !(p.pausing && e.Body.Reason == "pause")
	p.pausing = false
	if s.gather == nil {
		s.gather = &gather{}
	}
	if own {
		s.gather.stops = append(s.gather.stops, p)
	}
	s.pauseAll()
	s.gathered()
}

// pauseAll asks all processes that run to stop.
func (s *Session) pauseAll() {
	s.clock.stop()
	for _, p := range s.procs {
		if p.state == running && !p.pausing {
			p.pausing, p.asked = true, true
			s.ask(p, &dap.PauseRequest{Request: request("pause")}, func(dap.Message) {
				p.asked = false
				s.gathered()
			})
		}
	}
}

// gathered tells the client of the stop when nothing runs any more.
func (s *Session) gathered() {
	if s.gather == nil {
		return
	}
	for _, p := range s.procs {
		if p.state == running || p.asked && p.state == stopped {
			return
		}
	}
	g := s.gather
	s.gather, s.stopped = nil, true
	tell := g.stops[:0:0]
	for _, p := range append(g.stops, g.asked) {
		if p != nil && p.state == stopped && !(p == g.asked && len(tell) > 0) {
			tell = append(tell, p)
		}
	}
	if g.asked != nil && len(tell) == 0 { // it has ended, the others are stopped
		tell = s.inState(stopped)
		tell = tell[:min(1, len(tell))]
	}
	if len(tell) == 0 || s.leaving == restarting {
		s.resume(nil, nil) // nobody wants to see it
		return
	}
	s.selected = tell[0]
	for i, p := range tell {
		s.announce(p, i > 0)
	}
}

func (s *Session) inState(state procState) (list []*proc) {
	for _, p := range s.procs {
		if p.state == state {
			list = append(list, p)
		}
	}
	return list
}

// announce tells the client where a process has stopped.
func (s *Session) announce(p *proc, another bool) {
	body := p.stop.Body
	what := body.Description
	if what == "" {
		what = body.Reason
	}
	body.Description = p.spec.Name + ": " + what
	body.ThreadId = max(body.ThreadId, 1) // no goroutine ran: that of main
	body.ThreadId, body.AllThreadsStopped, body.PreserveFocusHint = p.outer(body.ThreadId), true, another
	var ids []int
	for _, id := range body.HitBreakpointIds {
		if n := p.ids[id]; n != 0 {
			ids = append(ids, n)
		}
	}
	body.HitBreakpointIds = ids
	s.opt.Send(&dap.StoppedEvent{Event: event("stopped"), Body: body})
}

// resume lets all processes go on, one of them by a request of its own.
func (s *Session) resume(stepper *proc, step dap.RequestMessage) {
	s.stopped = false
	s.clock.start()
	for _, p := range s.inState(stopped) {
		p.state, p.stop = running, nil
		var req dap.RequestMessage = &dap.ContinueRequest{Request: request("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}
		if p == stepper {
			req = step
		}
		s.ask(p, req, func(m dap.Message) {
			if err := responseError(m); err != nil && err.Error() != errHostEnded && p.state == running {
				e := &dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{Reason: "pause", Description: err.Error()}}
				s.onStopped(p, e)
			}
		})
	}
	s.startNext()
}

// ask gives a process's Delve a request. handle gets the response, in the loop;
// nil drops it.
func (s *Session) ask(p *proc, m dap.RequestMessage, handle func(dap.Message)) {
	if handle == nil {
		p.host.send(m, func(dap.Message) {})
		return
	}
	p.host.send(m, func(m dap.Message) { s.post(func() { handle(m) }) })
}

// startNext starts the processes whose turn it is.
func (s *Session) startNext() {
	if !s.begun || s.stopped || s.gather != nil || s.leaving != staying {
		return
	}
	for _, p := range s.procs {
		if p.state != waiting || !p.host.alive() {
			continue
		}
		turn := true
		for _, d := range p.spec.DependsOn {
			turn = turn && s.named(d).ready
		}
		if turn {
			s.start(p)
		}
	}
}

func (s *Session) named(name string) *proc {
	for _, p := range s.procs {
		if p.spec.Name == name {
			return p
		}
	}
	return nil
}

// start lets a process run its first instruction.
func (s *Session) start(p *proc) {
	r := p.spec.Ready
	if r != nil && r.Port != 0 && listening(r.Port) {
		s.giveUp(p, fmt.Sprintf("port %d, by which it would be ready, is in use before it has started", r.Port))
		return
	}
	p.state, p.started = running, true
	s.console(fmt.Sprintf("%s started, pid %d", p.spec.Name, p.host.pid))
	e := &dap.ProcessEvent{Event: event("process")}
	e.Body = dap.ProcessEventBody{Name: p.spec.Name, SystemProcessId: p.host.pid, IsLocalProcess: true, StartMethod: "launch"}
	s.opt.Send(e)
	s.ask(p, &dap.ContinueRequest{Request: request("continue"), Arguments: dap.ContinueArguments{ThreadId: 1}}, nil)
	switch {
	case r == nil:
		p.ready = true
		return
	case r.Port != 0:
		go s.watchPort(p, r.Port)
	}
	p.readyBy = s.clock.after(time.Duration(r.Timeout), func() { s.notReady(p, r) })
}

// notReady ends a wait in vain. The process stays: one wants to know why.
func (s *Session) notReady(p *proc, r *Ready) {
	missing := ""
	if r.Port != 0 && !p.port {
		missing = fmt.Sprintf(", nothing listens on port %d", r.Port)
	}
	if r.log != nil && !p.logged {
		missing += fmt.Sprintf(", no line of output matches %q", r.Log)
	}
	s.output("stderr", fmt.Sprintf("restep: %s is not ready after %v%s\n", p.spec.Name, time.Duration(r.Timeout), missing))
	s.giveUpDependents(p, fmt.Sprintf("%s is not ready", p.spec.Name))
}

// checkReady looks whether a process is ready now.
func (s *Session) checkReady(p *proc) {
	r := p.spec.Ready
	if p.ready || !p.started || r == nil || r.Port != 0 && !p.port || r.log != nil && !p.logged {
		return
	}
	p.ready = true
	s.clock.cancel(p.readyBy)
	s.console(p.spec.Name + " is ready")
	s.startNext()
}

// giveUp ends a process that has not started and will not.
func (s *Session) giveUp(p *proc, why string) {
	if p.started || p.why != "" {
		return
	}
	p.why = "was not started: " + why
	p.host.kill()
}

func (s *Session) giveUpDependents(p *proc, why string) {
	for _, q := range s.procs {
		for _, d := range q.spec.DependsOn {
			if d == p.spec.Name {
				s.giveUp(q, why)
			}
		}
	}
}

// onEnded is the end of a process and of its debugger.
func (s *Session) onEnded(p *proc) {
	if p.state == ended || s.procs == nil || s.procs[p.index] != p {
		return
	}
	s.flush(p)
	p.state, p.pausing = ended, false
	s.clock.cancel(p.readyBy)
	s.clock.cancel(p.killBy)
	what := "ended"
	switch {
	case p.why != "":
		what = p.why
	case p.exit == nil:
		what = "ended with its debugger"
		if err := p.host.stderr.err(); err != nil {
			what += ": " + err.Error()
		}
	case *p.exit < 0:
		what = fmt.Sprintf("was ended by signal %d (%v)", -*p.exit, syscall.Signal(-*p.exit))
	default:
		what = fmt.Sprintf("exited with code %d", *p.exit)
	}
	s.console(p.spec.Name + " " + what)
	if !p.ready {
		s.giveUpDependents(p, p.spec.Name+" ended before it was ready")
	}
	if s.leaving == staying && s.cfg.EndWith == p.spec.Name {
		s.leaving = terminating
		s.stopNext()
	} else if s.leaving != staying {
		s.stopNext()
	}
	s.gathered()
	if len(s.inState(ended)) == len(s.procs) {
		s.allEnded()
	}
}
