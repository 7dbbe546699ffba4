package compare

import (
	"bytes"
	"errors"
	"slices"

	"github.com/restep/restep/sim/steplog"
)

// Streams of choices, in the words of a user. sim/sched has the streams.
const (
	Schedule = "schedule" // who runs next, and when one is interrupted
	Network  = "network"  // delays, losses and orders of messages
	Faults   = "faults"   // injected faults
	Program  = "program"  // what the program draws: random numbers, maps, select
)

// Choice is the first decision that fell differently.
type Choice struct {
	Stream string `json:"stream"`
	Number uint64 `json:"number,omitempty"` // within its stream, where the step says so
	// From and To are the ticks between which it shows, both included; 0 for a
	// choice that is none of the scheduler's. It may have been drawn earlier:
	// how long a goroutine runs is decided when its turn begins.
	From uint64 `json:"fromTick,omitempty"`
	To   uint64 `json:"toTick,omitempty"`
}

// Difference is where two runs part.
type Difference struct {
	Step   uint64 // the first step that differs
	Field  string // what differs first in it, see steplog.Difference
	A, B   string // the values
	StepA  *steplog.Step
	StepB  *steplog.Step // nil in the run that has ended before
	Before *steplog.Step // the last step that both have, nil when there is none
	Choice *Choice       // nil when no choice is known to differ
	// Event is the first step that differs in more than its time and tick, which
	// two schedules shift early and a reader seldom cares about; 0 when there is
	// none. EventA and EventB are that step, nil in the run that has ended.
	Event  uint64
	EventA *steplog.Step
	EventB *steplog.Step
}

// Find returns where two runs part, nil when all steps are equal. The error
// tells damage that keeps a step from being read.
func Find(a, b *steplog.Reader) (*Difference, error) {
	first, err := steplog.Diff(a, b)
	if err != nil || first == nil {
		return nil, err
	}
	d := &Difference{Step: first.Step, Field: first.Field, A: first.A, B: first.B}
	if d.StepA, err = stepOf(a, d.Step); err != nil {
		return nil, err
	}
	if d.StepB, err = stepOf(b, d.Step); err != nil {
		return nil, err
	}
	if d.Before, err = stepOf(a, d.Step-1); err != nil {
		return nil, err
	}
	ha, hb := a.Header(), b.Header()
	if ha.Build == hb.Build && (ha.Seed != hb.Seed || ha.Variant != hb.Variant) {
		d.Choice = d.choice()
	}
	return d, d.event(a, b)
}

// event finds the first step that does something else.
func (d *Difference) event(a, b *steplog.Reader) (err error) {
	ca, cb := a.Cursor(steplog.Filter{}), b.Cursor(steplog.Filter{})
	for n := d.Step; n <= max(a.Steps(), b.Steps()); n++ {
		if n <= min(a.Steps(), b.Steps()) {
			if err := errors.Join(ca.Seek(n), cb.Seek(n)); err != nil {
				return err
			}
			if sameEvent(ca, cb) {
				continue
			}
		}
		d.Event = n
		if d.EventA, err = stepOf(a, n); err == nil {
			d.EventB, err = stepOf(b, n)
		}
		return err
	}
	return nil
}

// sameEvent reports steps that are equal but for time and tick.
func sameEvent(a, b *steplog.Cursor) bool {
	s, t := a.Step(), b.Step()
	return s.Kind == t.Kind && s.Machine == t.Machine && a.Machine().Label == b.Machine().Label &&
		s.Goroutine == t.Goroutine && bytes.Equal(s.Text, t.Text) && slices.EqualFunc(s.Fields, t.Fields, sameField)
}

func sameField(f, g steplog.Field) bool {
	if f.Tag.Form() == steplog.FormIntern { // ids are each log's own
		return f.Tag == g.Tag && bytes.Equal(f.Bytes, g.Bytes)
	}
	return f.Tag == g.Tag && f.Num == g.Num && bytes.Equal(f.Bytes, g.Bytes)
}

// stepOf reads a step, nil when the run has none with that number.
func stepOf(r *steplog.Reader, n uint64) (*steplog.Step, error) {
	if n == 0 || n > r.Steps() {
		return nil, nil
	}
	s, err := r.Step(n)
	if err != nil {
		return nil, err
	}
	s = s.Clone()
	return &s, nil
}

// choice says which decision led to the difference.
func (d *Difference) choice() *Choice {
	tick := uint64(0)
	if d.Before != nil {
		tick = d.Before.Tick
	}
	first, last := ^uint64(0), uint64(0)
	for _, s := range []*steplog.Step{d.StepA, d.StepB} {
		if s == nil {
			continue
		}
		if f, ok := s.Field(steplog.TagChoice); ok {
			return &Choice{Stream: Faults, Number: f.Num}
		}
		if s.Kind == steplog.KindFault {
			return &Choice{Stream: Faults}
		}
		first, last = min(first, s.Tick), max(last, s.Tick)
	}
	switch {
	case network(d.StepA) && network(d.StepB) && (first == last || arrives(d.StepA, d.StepB)):
		return &Choice{Stream: Network}
	case last > tick:
		// They were together up to tick, and had parted when one of them made
		// a step that the other did not make.
		return &Choice{Stream: Schedule, From: tick + 1, To: max(first, tick+1)}
	}
	return &Choice{Stream: Program}
}

// arrives reports the same event at another time: what was on its way, from
// the same moment on, took another time.
func arrives(s, t *steplog.Step) bool {
	return s.Kind == t.Kind && s.TimeNs != t.TimeNs && s.Machine == t.Machine && slices.EqualFunc(s.Fields, t.Fields, sameField)
}

// network reports a step that the network made by itself.
func network(s *steplog.Step) bool {
	if s == nil || s.Goroutine != 0 {
		return false
	}
	switch s.Kind {
	case steplog.KindSend, steplog.KindDeliver, steplog.KindDrop, steplog.KindConnect, steplog.KindAccept,
		steplog.KindClose, steplog.KindReset, steplog.KindClock:
		return true
	}
	return false
}
