package processes

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/google/go-dap"
)

// stopNext tells processes to end: first those that no other one depends on, a
// server when its clients are gone. It is called again when one has ended.
func (s *Session) stopNext() {
	if s.stopped {
		s.resume(nil, nil)
	}
	for _, p := range s.procs {
		switch {
		case p.state == ended || p.told:
			continue
		case !p.started:
			s.giveUp(p, "the session ends")
			continue
		}
		free := true
		for _, q := range s.procs {
			for _, d := range q.spec.DependsOn {
				free = free && (d != p.spec.Name || q.state == ended || !q.started)
			}
		}
		if free {
			s.tell(p)
		}
	}
}

// tell asks a process to end, and ends it when it takes too long. A breakpoint
// on its way stops it as any other; the clock stands still meanwhile.
func (s *Session) tell(p *proc) {
	p.told = true
	_ = syscall.Kill(p.host.pid, syscall.SIGTERM)
	limit := time.Duration(p.spec.StopTimeout)
	p.killBy = s.clock.after(limit, func() {
		if p.state != ended {
			p.why = fmt.Sprintf("was killed: it did not end within %v of SIGTERM", limit)
			p.host.kill()
		}
	})
}

// allEnded ends the session, or begins it anew.
func (s *Session) allEnded() {
	if s.leaving == restarting {
		s.again()
		return
	}
	if s.finished {
		return
	}
	s.finished = true
	e := &dap.ExitedEvent{Event: event("exited")}
	e.Body.ExitCode = s.exitCode()
	s.opt.Send(e)
	s.opt.Send(&dap.TerminatedEvent{Event: event("terminated")})
}

// exitCode is that of the process with which the session ends, else the first
// that is not 0.
func (s *Session) exitCode() int {
	if p := s.named(s.cfg.EndWith); p != nil && p.exit != nil {
		return *p.exit
	}
	for _, p := range s.procs {
		if p.exit != nil && *p.exit != 0 && !p.told {
			return *p.exit
		}
	}
	return 0
}

// onTerminate asks all processes to end; asked twice, it ends them.
func (s *Session) onTerminate(m *dap.TerminateRequest) {
	s.opt.Send(&dap.TerminateResponse{Response: response(&m.Request)})
	if s.leaving != staying {
		for _, p := range s.procs {
			p.host.kill()
		}
		return
	}
	s.leaving = terminating
	s.stopNext()
}

// onRestart lets all end as terminate does, without stops on the way, builds
// anew and starts all with the breakpoints that are set now.
func (s *Session) onRestart(m *dap.RestartRequest) error {
	if s.leaving != staying {
		return errors.New("the session ends")
	}
	s.leaving, s.restart = restarting, m
	s.stopNext()
	if len(s.inState(ended)) == len(s.procs) {
		s.again()
	}
	return nil
}

// again starts all processes anew.
func (s *Session) again() {
	s.hosts.Go(func() {
		procs, err := s.startAll(s.ctx, s.cfg)
		if errors.Is(err, context.Canceled) {
			return
		}
		s.post(func() { s.restarted(procs, err) })
	})
}

func (s *Session) restarted(procs []*proc, err error) {
	req := s.restart
	s.restart, s.leaving = nil, staying
	if err != nil {
		s.opt.Send(failed(&req.Request, err))
		s.output("stderr", "restep: "+err.Error()+"\n")
		s.allEnded()
		return
	}
	s.procs, s.stopped, s.gather, s.selected, s.finished = procs, false, nil, nil, false
	s.clock.start()
	for _, key := range s.order {
		for _, p := range s.procs {
			s.apply(s.settings[key], p)
		}
	}
	s.opt.Send(&dap.RestartResponse{Response: response(&req.Request)})
	s.startNext()
}
