package processes

import (
	"github.com/google/go-dap"
)

// setting is a request that sets breakpoints. Each process gets it; the client
// gets one answer, made of theirs, and its own numbers.
type setting struct {
	m       dap.RequestMessage
	ids     []int // the client's, one for each breakpoint
	merged  []dap.Breakpoint
	waiting map[*proc]bool // those that have not answered
	replied bool
}

// settingKey names what a request replaces as a whole.
func settingKey(m dap.RequestMessage) string {
	if m, ok := m.(*dap.SetBreakpointsRequest); ok {
		return m.Command + " " + m.Arguments.Source.Path
	}
	return m.GetRequest().Command
}

// onSetting keeps breakpoints for the processes that will come, and sets them
// in those that are there.
func (s *Session) onSetting(m dap.RequestMessage) {
	set := &setting{m: m, waiting: map[*proc]bool{}}
	switch m := m.(type) {
	case *dap.SetBreakpointsRequest:
		for _, b := range m.Arguments.Breakpoints {
			set.merged = append(set.merged, dap.Breakpoint{Source: &m.Arguments.Source, Line: b.Line})
		}
	case *dap.SetFunctionBreakpointsRequest:
		set.merged = make([]dap.Breakpoint, len(m.Arguments.Breakpoints))
	case *dap.SetExceptionBreakpointsRequest:
		var own []string // Delve knows two, the others are about the simulation
		for _, f := range m.Arguments.Filters {
			if f == "unrecovered-panic" || f == "runtime-fatal-throw" {
				own = append(own, f)
			}
		}
		m.Arguments.Filters = own
	}
	for i := range set.merged {
		s.lastID++
		set.merged[i].Id = s.lastID
		set.ids = append(set.ids, s.lastID)
	}
	key := settingKey(m)
	if s.settings[key] == nil {
		s.order = append(s.order, key)
	}
	s.settings[key] = set
	for _, p := range s.procs {
		s.apply(set, p)
	}
	s.replySetting(set)
}

// apply sets breakpoints in one process.
func (s *Session) apply(set *setting, p *proc) {
	if s.cfg.NoDebug || p.state == ended {
		return
	}
	set.waiting[p] = true
	s.ask(p, set.m, func(m dap.Message) {
		delete(set.waiting, p)
		for i, b := range breakpointsOf(m) {
			if i >= len(set.ids) {
				break
			}
			if b.Id > 0 {
				p.ids[b.Id] = set.ids[i]
			}
			s.merge(set, i, b)
		}
		s.replySetting(set)
	})
}

// merge takes a process's word on a breakpoint: it is there when it is there in
// any of them.
func (s *Session) merge(set *setting, i int, b dap.Breakpoint) {
	old := &set.merged[i]
	if old.Verified {
		return
	}
	source := old.Source
	*old, old.Id = b, set.ids[i]
	if b.Source == nil {
		old.Source = source
	}
	if b.Verified && set.replied && s.settings[settingKey(set.m)] == set {
		s.opt.Send(&dap.BreakpointEvent{Event: event("breakpoint"), Body: dap.BreakpointEventBody{Reason: "changed", Breakpoint: *old}})
	}
}

// replySetting answers the client when all processes have.
func (s *Session) replySetting(set *setting) {
	if len(set.waiting) > 0 || set.replied {
		return
	}
	set.replied = true
	head := response(set.m.GetRequest())
	switch set.m.(type) {
	case *dap.SetBreakpointsRequest:
		r := &dap.SetBreakpointsResponse{Response: head}
		r.Body.Breakpoints = append([]dap.Breakpoint{}, set.merged...)
		s.opt.Send(r)
	case *dap.SetFunctionBreakpointsRequest:
		r := &dap.SetFunctionBreakpointsResponse{Response: head}
		r.Body.Breakpoints = append([]dap.Breakpoint{}, set.merged...)
		s.opt.Send(r)
	case *dap.SetExceptionBreakpointsRequest:
		s.opt.Send(&dap.SetExceptionBreakpointsResponse{Response: head})
	}
}

// onBreakpointEvent passes on what a Delve says of a breakpoint later.
func (s *Session) onBreakpointEvent(p *proc, e *dap.BreakpointEvent) {
	id, ok := p.ids[e.Body.Breakpoint.Id]
	if !ok {
		return
	}
	e.Body.Breakpoint.Id = id
	e.Event = event("breakpoint")
	s.opt.Send(e)
}

func breakpointsOf(m dap.Message) []dap.Breakpoint {
	switch m := m.(type) {
	case *dap.SetBreakpointsResponse:
		return m.Body.Breakpoints
	case *dap.SetFunctionBreakpointsResponse:
		return m.Body.Breakpoints
	}
	return nil
}
