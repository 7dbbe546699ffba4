package dap

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/sim/steplog"
)

// defaultThreads is how many goroutines a threads request answers unless the
// launch argument maxThreads says otherwise; editors draw them all.
const defaultThreads = 1 << 10

// maxThreadPage bounds one page of restep/threads.
const maxThreadPage = 10000

// threadFilter selects goroutines.
type threadFilter struct {
	machine string // label, "" for all
	grep    *regexp.Regexp
}

// onThreads lists the goroutines of all machines: server/16 net/http.(*conn).serve.
func (s *session) onThreads(ctx context.Context, m dap.Message) error {
	req := m.(*dap.ThreadsRequest)
	switch now := s.currentState(); {
	case now == exited:
		return silentError(idDebugger, "the program has ended")
	case now&halted == 0:
		return s.forward(ctx, req)
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	list, err := s.threads(s.threadFilter)
	if err != nil {
		return userError(idDebugger, "%v", err)
	}
	if limit := s.launch.maxThreads(); len(list) > limit {
		if s.moreThreads != state.Step+1 { // once for each stop
			s.moreThreads = state.Step + 1
			s.console(fmt.Sprintf("restep: %d of %d goroutines are listed; the request %s lists and filters them all",
				limit, len(list), commandThreads))
		}
		list = cutThreads(list, limit, state.Goroutine)
	}
	answer := &dap.ThreadsResponse{Response: response(&req.Request)}
	answer.Body.Threads = s.dapThreads(list, state)
	s.out.send(answer)
	return nil
}

// cutThreads keeps the first of a list, and the one that is stopped.
func cutThreads(list []target.Goroutine, limit int, stopped int64) []target.Goroutine {
	at := slices.IndexFunc(list, func(g target.Goroutine) bool { return g.ID == stopped })
	if at >= limit {
		return append(list[:limit-1:limit-1], list[at])
	}
	return list[:limit]
}

// dapThreads names goroutines as clients show them.
func (s *session) dapThreads(list []target.Goroutine, state replay.State) []dap.Thread {
	out := make([]dap.Thread, 0, len(list)+1)
	if state.Goroutine == 0 {
		out = append(out, dap.Thread{Id: schedulerThread, Name: "simulator (no goroutine runs)"})
	}
	changed := s.changedAt()
	for i := range list {
		th := dap.Thread{Id: int(list[i].ID), Name: s.threadName(&list[i])}
		if changed != 0 && list[i].ID == state.Goroutine {
			th.Name += fmt.Sprintf(" (changed by you since #%d)", changed)
		}
		out = append(out, th)
	}
	if len(out) == 0 {
		out = append(out, dap.Thread{Id: schedulerThread, Name: "no goroutine is selected"})
	}
	return out
}

func (s *session) threadName(g *target.Goroutine) string {
	return fmt.Sprintf("%s/%d %s", s.label(g.Machine), g.ID, g.Start)
}

// threads lists the goroutines that a filter and the launch arguments select,
// by machine and id; those of the runtime come last.
func (s *session) threads(f threadFilter) ([]target.Goroutine, error) {
	list, err := s.target.Goroutines(0)
	if err != nil {
		return nil, err
	}
	var chosen map[int64]bool
	if s.launch.GoroutineFilters != "" {
		if chosen, err = s.target.Filter(s.launch.GoroutineFilters); err != nil {
			return nil, err
		}
	}
	seen := make(map[int64]bool, len(list))
	list = slices.DeleteFunc(list, func(g target.Goroutine) bool {
		drop := seen[g.ID] || g.Machine == 0 && s.launch.HideSystemGoroutines || chosen != nil && !chosen[g.ID] ||
			f.machine != "" && s.label(g.Machine) != f.machine || f.grep != nil && !f.grep.MatchString(s.threadName(&g))
		seen[g.ID] = true
		return drop
	})
	slices.SortStableFunc(list, func(a, b target.Goroutine) int {
		if a.Machine != b.Machine {
			return int(a.Machine-1) - int(b.Machine-1) // machine 0, the runtime, comes last
		}
		return int(a.ID - b.ID)
	})
	return list, nil
}

// onThreadList pages through the goroutines, and makes a filter the one that
// threads uses.
func (s *session) onThreadList(_ context.Context, m dap.Message) error {
	req := m.(*ThreadsPageRequest)
	a := &req.Arguments
	f := threadFilter{machine: a.Machine}
	if a.Grep != "" {
		var err error
		if f.grep, err = regexp.Compile(a.Grep); err != nil {
			return userError(idArguments, "grep: %v", err)
		}
	}
	list, err := s.threads(f)
	if err != nil {
		return userError(idDebugger, "%v", err)
	}
	if a.Apply {
		s.threadFilter = f
		s.invalidate("threads")
	}
	answer := &ThreadsPageResponse{Response: response(&req.Request)}
	answer.Body = ThreadsPageBody{Total: len(list), Threads: []ThreadInfo{}}
	count := a.Count
	if count <= 0 {
		count = defaultThreads
	}
	for _, g := range page(list, a.Start, min(count, maxThreadPage)) {
		answer.Body.Threads = append(answer.Body.Threads, ThreadInfo{
			ID: g.ID, Name: s.threadName(&g), Machine: s.label(g.Machine), Start: g.Start,
		})
	}
	s.out.send(answer)
	return nil
}

// invalidate asks the client to read a part of what it shows anew.
func (s *session) invalidate(areas ...dap.InvalidatedAreas) {
	if s.client.SupportsInvalidatedEvent {
		s.out.send(&dap.InvalidatedEvent{Event: event("invalidated"), Body: dap.InvalidatedEventBody{Areas: areas}})
	}
}

// label names the machine that has a number at this stop as the recorded run
// does; a child process has its pid in brackets behind it.
func (s *session) label(number uint32) string {
	if number == 0 {
		return "runtime"
	}
	if number >= target.FirstChild {
		if child, ok := s.target.Child(number); ok {
			return fmt.Sprintf("%s[%d]", s.label(child.Host), child.Pid)
		}
	} else if m, ok := s.engine.Log().Machine(s.logID(number)); ok {
		return m.Label
	}
	return fmt.Sprintf("machine-%d", number)
}

// logID is what the recorded run calls the machine that has a number at this
// stop. The two differ only where numbers are used again.
func (s *session) logID(number uint32) steplog.MachineID {
	if len(s.engine.Log().Machines()) >= target.FirstChild {
		if id, ok := s.target.LogID(number); ok {
			return steplog.MachineID(id)
		}
	}
	return steplog.MachineID(number)
}
