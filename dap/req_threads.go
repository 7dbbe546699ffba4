package dap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/sim/steplog"
)

// maxThreads is Delve's own limit.
const maxThreads = 1 << 10

// onThreads lists the goroutines of all machines: server/16 net/http.(*conn).serve.
func (s *session) onThreads(_ context.Context, m dap.Message) error {
	req := m.(*dap.ThreadsRequest)
	return s.forwardWith(req, func(answer dap.Message) {
		if r, ok := answer.(*dap.ThreadsResponse); ok && s.currentState()&halted != 0 {
			s.nameThreads(r)
		}
	})
}

// nameThreads gives Delve's threads the names of restep, and sorts them by
// machine. Delve decides which there are, for filters are its own.
func (s *session) nameThreads(r *dap.ThreadsResponse) {
	s.mu.Lock()
	t := s.target
	s.mu.Unlock()
	if t == nil {
		return
	}
	state, err := t.State()
	if err != nil {
		return
	}
	list, err := t.Goroutines(maxThreads)
	if err != nil {
		return
	}
	byID := make(map[int]target.Goroutine, len(list))
	for _, g := range list {
		// The runtime's own goroutines from before the simulation may have
		// the id of a machine's.
		if old, twice := byID[int(g.ID)]; !twice || strings.HasPrefix(old.Start, "runtime.") {
			byID[int(g.ID)] = g
		}
	}
	seen := make(map[int]bool, len(list))
	r.Body.Threads = slices.DeleteFunc(r.Body.Threads, func(th dap.Thread) bool {
		twice := seen[th.Id]
		seen[th.Id] = true
		return twice
	})
	for i := range r.Body.Threads {
		th := &r.Body.Threads[i]
		if g, ok := byID[th.Id]; ok {
			th.Name = fmt.Sprintf("%s/%d %s", s.label(g.Machine), g.ID, g.Start)
		}
	}
	slices.SortStableFunc(r.Body.Threads, func(a, b dap.Thread) int {
		ma, mb := byID[a.Id].Machine, byID[b.Id].Machine
		if ma != mb {
			return int(ma-1) - int(mb-1) // machine 0, the runtime, comes last
		}
		return a.Id - b.Id
	})
	if state.Goroutine == 0 {
		r.Body.Threads = append([]dap.Thread{{Id: schedulerThread, Name: "simulator (no goroutine runs)"}}, r.Body.Threads...)
	}
}

// label names a machine as the recorded run does.
func (s *session) label(id uint32) string {
	if id == 0 {
		return "runtime"
	}
	if m, ok := s.engine.Log().Machine(steplog.MachineID(id)); ok && id < 1<<16 {
		return m.Label
	}
	return fmt.Sprintf("machine-%d", id)
}
