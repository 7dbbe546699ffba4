package steplog

// KindCount is the number of steps of a kind.
type KindCount struct {
	Kind  Kind
	Steps uint64
}

// MachineCount is what a machine did.
type MachineCount struct {
	Machine
	Steps   uint64
	FirstNs int64 // simulated time of its first step, ns since Unix epoch
	LastNs  int64
}

// Summary is the statistics of a log.
type Summary struct {
	Steps      uint64
	Ticks      uint64 // tick of the last step
	Kinds      []KindCount
	Machines   []MachineCount // by rising id, those without a step included
	DurationNs int64          // from the header's start to the latest time of a step, never negative
	// Result is the status of the last step when it is of KindEnd ("pass",
	// "fail", or its text), "deadlock" or "timeout" when it is of that kind, and
	// "unfinished" for a log whose writer did not get that far.
	Result string
	Err    error // first damage met on the way
}

// Summarize counts a whole log.
func Summarize(r *Reader) Summary {
	var kinds [256]uint64
	s := Summary{Result: "unfinished"}
	for _, m := range r.machines {
		s.Machines = append(s.Machines, MachineCount{Machine: m})
	}
	latest := r.header.StartNs
	c := r.Cursor(Filter{})
	for c.Next() {
		step := &c.step
		s.Steps++
		s.Ticks = step.Tick
		kinds[step.Kind]++
		latest = max(latest, step.TimeNs)
		s.countMachine(r, step)
		switch step.Kind {
		case KindEnd:
			if s.Result = string(step.Text); s.Result == "" {
				s.Result = "end"
			}
			if f, ok := step.Field(TagStatus); ok {
				s.Result = f.value()
			}
		case KindDeadlock, KindTimeout:
			s.Result = step.Kind.String()
		default:
			s.Result = "unfinished"
		}
	}
	s.DurationNs = max(0, latest-r.header.StartNs)
	for k, n := range kinds {
		if n > 0 {
			s.Kinds = append(s.Kinds, KindCount{Kind(k), n})
		}
	}
	s.Err = c.Err()
	return s
}

func (s *Summary) countMachine(r *Reader, step *Step) {
	i := r.machineIndex(step.Machine)
	if i >= len(r.machines) || r.machines[i].ID != step.Machine {
		return // not defined: damage that Verify reports
	}
	m := &s.Machines[i]
	if m.Steps == 0 {
		m.FirstNs = step.TimeNs
	}
	m.Steps++
	m.LastNs = step.TimeNs
}
