package dap

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// simulation is the scope beside Locals and Globals that shows the simulated
// world: where the run is, machines, links, packets under way, open files and
// what comes due next. Everything is read from the stopped program when the
// client opens it.
func (s *session) simulation(owner frameOwner) dap.Scope {
	return dap.Scope{Name: "Simulation", Expensive: true, VariablesReference: s.addSynthetic(owner, func(context.Context) ([]dap.Variable, error) {
		step, tick, now, err := s.target.Clock()
		if err != nil {
			return nil, userError(idDebugger, "%v", err)
		}
		h := s.engine.Log().Header()
		elapsed := time.Duration(now - h.StartNs)
		list := []dap.Variable{
			{Name: "step", Value: fmt.Sprintf("#%d of %d", step, s.engine.Log().Steps())},
			{Name: "tick", Value: strconv.FormatUint(tick, 10)},
			{Name: "time", Value: time.Unix(0, now).UTC().Format("2006-01-02 15:04:05.000000000") + ", " + elapsed.String() + " after the start"},
			{Name: "seed", Value: strconv.FormatUint(h.Seed, 10)},
		}
		if made, err := s.engine.Log().Step(step); err == nil && s.changedAt() == 0 {
			list[0].Value += ", " + made.Kind.String() + " of " + text.Who(s.engine.Log(), &made)
		}
		if at := s.changedAt(); at != 0 {
			list = append(list, dap.Variable{Name: "changed", Value: fmt.Sprintf("by you since #%d", at)})
		}
		if owner.machine != 0 {
			list = append(list, dap.Variable{Name: "machine", Value: s.label(owner.machine) + " (of this frame)"})
			list = append(list, s.group("open files", func() ([]target.Item, error) { return s.openFiles(owner.machine, step) }))
		}
		return append(list,
			s.group("machines", s.machineStates), s.group("links", s.target.Links),
			s.group("packets in flight", s.target.Packets), s.group("timers due", s.target.Timers)), nil
	})}
}

// machineStates puts the addresses, which the record tells, before what the
// machines do.
func (s *session) machineStates() ([]target.Item, error) {
	list, err := s.target.MachineStates()
	for i := range list {
		for _, m := range s.engine.Log().Machines() {
			if m.Label == list[i].Name {
				list[i].Value = m.Addr + ", " + list[i].Value
			}
		}
	}
	return list, err
}

// group is a variable whose children are read now, so that their number shows.
func (s *session) group(name string, read func() ([]target.Item, error)) dap.Variable {
	items, err := read()
	if err != nil {
		return dap.Variable{Name: name, Value: err.Error()}
	}
	v := dap.Variable{Name: name, Value: strconv.Itoa(len(items)), NamedVariables: len(items)}
	if len(items) == 0 {
		v.Value = "none"
		return v
	}
	children := make([]dap.Variable, 0, len(items))
	for i, item := range items {
		n := item.Name
		if name == "packets in flight" || name == "timers due" { // names that are there more than once
			n = fmt.Sprintf("[%d] %s", i, n)
		}
		children = append(children, dap.Variable{Name: n, Value: item.Value})
	}
	v.VariablesReference = s.addSynthetic(frameOwner{goroutine: -1}, func(context.Context) ([]dap.Variable, error) { return children, nil })
	return v
}

// openFiles lists the descriptors of a machine with the paths under which they
// were opened, which the recorded run tells up to a step.
func (s *session) openFiles(machine uint32, step uint64) ([]target.Item, error) {
	if at := s.changedAt(); at != 0 {
		step = min(step, at)
	}
	paths := map[int]string{}
	log := s.engine.Log()
	id := s.logID(machine)
	c := log.Cursor(steplog.Filter{To: step, Kinds: []steplog.Kind{steplog.KindSyscall, steplog.KindBoot, steplog.KindRestart}})
	for c.Next() {
		made := c.Step()
		if made.Machine != id {
			continue
		}
		if made.Kind != steplog.KindSyscall { // a new process
			clear(paths)
			continue
		}
		call, rest, _ := strings.Cut(string(made.Text), " ")
		fd := -1
		for _, f := range made.Fields {
			if f.Tag == steplog.TagResult {
				fd = int(f.Int())
			}
		}
		quoted := strings.IndexByte(rest, '"')
		if call != "openat" || fd < 0 || quoted < 0 {
			if fd >= 0 && (call == "socket" || call == "accept4" || call == "dup3" || call == "pipe2") {
				delete(paths, fd)
			}
			continue
		}
		if q, err := strconv.QuotedPrefix(rest[quoted:]); err == nil {
			paths[fd], _ = strconv.Unquote(q)
		}
	}
	return s.target.OpenFiles(machine, func(fd int) string { return paths[fd] })
}
