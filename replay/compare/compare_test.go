package compare

import (
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/sim/steplog"
)

// at is a step of a test's log.
type at struct {
	kind  steplog.Kind
	g     uint32
	text  string
	ticks int
}

func TestFind(t *testing.T) {
	same := []at{{steplog.KindLog, 1, "a", 3}, {steplog.KindLog, 2, "b", 2}}
	schedule := func(from, to uint64) *Choice { return &Choice{Stream: Schedule, From: from, To: to} }
	then := func(kind steplog.Kind, g uint32, text string, ticks int) []at {
		return append(same[:2:2], at{kind, g, text, ticks})
	}
	for name, test := range map[string]struct {
		a, b   []at
		build  string // of b
		step   uint64
		field  string
		choice *Choice
	}{
		"equal":            {same, same, "", 0, "", nil},
		"another runs":     {then(steplog.KindLog, 1, "x", 1), then(steplog.KindLog, 2, "x", 1), "", 3, "goroutine", schedule(6, 6)},
		"ticks between":    {then(steplog.KindLog, 1, "x", 4), then(steplog.KindLog, 2, "x", 7), "", 3, "goroutine", schedule(6, 9)},
		"the program drew": {then(steplog.KindLog, 2, "4", 0), then(steplog.KindLog, 2, "5", 0), "", 3, "text", &Choice{Stream: Program}},
		"the network":      {then(steplog.KindDeliver, 0, "4", 1), then(steplog.KindDrop, 0, "4", 1), "", 3, "kind", &Choice{Stream: Network}},
		"a fault":          {then(steplog.KindFault, 0, "EIO", 1), then(steplog.KindLog, 2, "5", 1), "", 3, "kind", &Choice{Stream: Faults}},
		"one goes on":      {then(steplog.KindLog, 2, "4", 1), same, "", 3, "steps", schedule(6, 6)},
		"another build":    {then(steplog.KindLog, 1, "x", 1), then(steplog.KindLog, 2, "x", 1), "other", 3, "goroutine", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := write(t, 1, "build", test.a), write(t, 2, "build"+test.build, test.b)
			d, err := Find(a, b)
			if err != nil {
				t.Fatal(err)
			}
			if d == nil {
				if test.step != 0 {
					t.Fatalf("no difference, want one at step %d", test.step)
				}
				return
			}
			if d.Step != test.step || d.Field != test.field {
				t.Fatalf("step %d, %s: want step %d, %s", d.Step, d.Field, test.step, test.field)
			}
			switch {
			case (d.Choice == nil) != (test.choice == nil):
				t.Fatalf("choice %v, want %v", d.Choice, test.choice)
			case d.Choice != nil && *d.Choice != *test.choice:
				t.Fatalf("choice %+v, want %+v", *d.Choice, *test.choice)
			}
			if d.Before == nil || d.Before.Number != test.step-1 {
				t.Fatalf("before: %v", d.Before)
			}
		})
	}
}

// TestDelay: what arrives at another time was delayed, whoever ran meanwhile.
func TestDelay(t *testing.T) {
	run := func(seed uint64, ms int64, ticks int) *steplog.Reader {
		l := logtest.New(t, steplog.Header{Seed: seed, Build: "b"})
		l.Add(logtest.Event{Kind: steplog.KindSend, Machine: 1, Goroutine: 2})
		l.Add(logtest.Event{Kind: steplog.KindDeliver, Machine: 2, AtMs: ms, Ticks: ticks})
		return l.Reader()
	}
	d, err := Find(run(1, 5, 1), run(2, 7, 3))
	if err != nil || d == nil || d.Choice == nil || d.Choice.Stream != Network {
		t.Errorf("%+v, %v: want a choice of the network", d, err)
	}
}

// TestEvent: a shift of the clock is not what a reader looks for first.
func TestEvent(t *testing.T) {
	a := write(t, 1, "b", []at{{steplog.KindLog, 1, "a", 1}, {steplog.KindLog, 1, "b", 1}, {steplog.KindLog, 1, "c", 1}})
	b := write(t, 2, "b", []at{{steplog.KindLog, 1, "a", 2}, {steplog.KindLog, 1, "b", 1}, {steplog.KindLog, 2, "c", 1}})
	d, err := Find(a, b)
	if err != nil || d == nil {
		t.Fatal(d, err)
	}
	if d.Step != 1 || d.Field != "tick" || d.Event != 3 || d.EventA.Goroutine != 1 || d.EventB.Goroutine != 2 {
		t.Errorf("step %d %s, event %d: want step 1 tick, event 3", d.Step, d.Field, d.Event)
	}
	short := write(t, 3, "b", []at{{steplog.KindLog, 1, "a", 2}, {steplog.KindLog, 1, "b", 1}})
	if d, err = Find(a, short); err != nil || d.Event != 3 || d.EventA == nil || d.EventB != nil {
		t.Errorf("%+v, %v: want event 3, which the second run has not", d, err)
	}
}

// write makes a log of some steps.
func write(t *testing.T, seed uint64, build string, steps []at) *steplog.Reader {
	l := logtest.New(t, steplog.Header{Seed: seed, Build: build, Package: "example.com/m", Module: "example.com/m", Test: "TestX"})
	for _, s := range steps {
		if s.ticks == 0 {
			s.ticks = -1
		}
		l.Add(logtest.Event{Kind: s.kind, Machine: 1, Goroutine: s.g, Text: s.text, Ticks: s.ticks})
	}
	return l.Reader()
}
