package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/sim/steplog"
)

// events are a run of six steps; the fourth says text.
func events(t *testing.T, text string) []byte {
	l := logtest.New(t, steplog.Header{Seed: 7})
	for i := range 6 {
		e := logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: uint32(i + 1), AtMs: int64(i), Text: "line"}
		if i == 3 {
			e.Text = text
		}
		l.Add(e)
	}
	return l.Bytes()
}

// recorded is a target that replays bytes of a log and notes what was done.
type recorded struct {
	log   []byte
	state replay.State
	did   []string
	short uint64 // the program ends after this step, 0 = it does not
	saved []uint64
	back  time.Duration // CPU time that going to a checkpoint takes; a step takes 1 ms
	lost  bool          // a checkpoint that is listed is gone
}

func (r *recorded) Checkpoints() (c replay.Checkpoints, err error) {
	if !r.state.Exited {
		for _, n := range r.saved {
			c.List = append(c.List, replay.Checkpoint{Step: n, At: time.Duration(n) * time.Millisecond})
		}
		c.Back = r.back
	}
	return c, nil
}

func (r *recorded) Restore(_ context.Context, from, n uint64) error {
	r.did = append(r.did, fmt.Sprint("from ", from))
	r.state = replay.State{Step: n, AtStep: true, Machine: 1, Goroutine: int64(n)}
	if r.lost {
		r.state = replay.State{Exited: true, Status: replay.StatusLost}
	}
	return nil
}

func (r *recorded) Rewind(context.Context) error {
	r.did, r.state = append(r.did, "rewind"), replay.State{}
	return nil
}

func (r *recorded) RunTo(_ context.Context, n uint64) error {
	r.did = append(r.did, "run")
	r.state = replay.State{Step: n, AtStep: true, Machine: 1, Goroutine: int64(n)}
	if r.short != 0 && n > r.short {
		r.state = replay.State{Exited: true, Status: 3}
	}
	return nil
}

func (r *recorded) Repeat(context.Context) ([]byte, error) { return r.log, nil }

// State takes the checksum from the log, as a program that repeats it has it.
func (r *recorded) State() (replay.State, error) {
	s := r.state
	log, err := steplog.Open(r.log)
	if err != nil {
		return s, err
	}
	if s.Step != 0 && s.Step <= log.Steps() {
		step, err := log.Step(s.Step)
		s.Sum = step.Checksum
		return s, err
	}
	return s, nil
}

func (r *recorded) Close() error { return nil }

func open(t *testing.T, b []byte) *steplog.Reader {
	t.Helper()
	r, err := steplog.Open(b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestJump(t *testing.T) {
	b := events(t, "same")
	target := &recorded{log: b}
	e := replay.NewEngine(open(t, b), target)
	for _, test := range []struct {
		to   uint64
		want string
	}{{2, "run"}, {5, "run"}, {5, ""}, {3, "rewind run"}, {3, ""}, {4, "run"}} {
		target.did = nil
		if err := e.Jump(t.Context(), test.to); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(target.did, " "); got != test.want || target.state.Step != test.to {
			t.Errorf("to %d: %q, at %d", test.to, got, target.state.Step)
		}
	}
	// On the way from a step the step itself lies behind.
	target.state.AtStep, target.did = false, nil
	if err := e.Jump(t.Context(), 4); err != nil || strings.Join(target.did, " ") != "rewind run" {
		t.Errorf("back to the step that was left: %v, %v", target.did, err)
	}
	target.state, target.did = replay.State{Exited: true}, nil
	if err := e.Jump(t.Context(), 6); err != nil || strings.Join(target.did, " ") != "rewind run" {
		t.Errorf("after the end: %v, %v", target.did, err)
	}
}

func TestJumpFromCheckpoints(t *testing.T) {
	b := events(t, "same")
	target := &recorded{log: b, saved: []uint64{1, 3, 5}}
	e := replay.NewEngine(open(t, b), target)
	for _, test := range []struct {
		to   uint64
		want string
	}{{4, "from 3"}, {2, "from 1"}, {6, "from 5"}, {5, "from 5"}, {6, "run"}, {1, "from 1"}, {2, "run"}, {3, "from 3"}, {3, ""}} {
		target.did = nil
		if err := e.Jump(t.Context(), test.to); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(target.did, " "); got != test.want || target.state.Step != test.to {
			t.Errorf("to %d: %q instead of %q, at %d", test.to, got, test.want, target.state.Step)
		}
	}
	// Steps that take less than going to a checkpoint are made.
	target.back = 2 * time.Millisecond
	for _, test := range []struct {
		to   uint64
		want string
	}{{4, "run"}, {1, "from 1"}, {4, "run"}, {1, "from 1"}, {6, "from 5"}} {
		target.did = nil
		if err := e.Jump(t.Context(), test.to); err != nil || strings.Join(target.did, " ") != test.want {
			t.Errorf("to %d: %q instead of %q, %v", test.to, target.did, test.want, err)
		}
	}
	target.did, target.lost = nil, true
	if err := e.Jump(t.Context(), 2); err != nil || strings.Join(target.did, " ") != "from 1 rewind run" {
		t.Errorf("a lost checkpoint: %v, %v", target.did, err)
	}
	target.state, target.did = replay.State{Exited: true}, nil
	if err := e.Jump(t.Context(), 6); err != nil || strings.Join(target.did, " ") != "rewind run" {
		t.Errorf("after the end: %v, %v", target.did, err)
	}
}

func TestJumpOutside(t *testing.T) {
	b := events(t, "same")
	target := &recorded{log: b}
	e := replay.NewEngine(open(t, b), target)
	for _, n := range []uint64{0, 7, 1 << 63} {
		var outside *replay.RangeError
		if err := e.Jump(t.Context(), n); !errors.As(err, &outside) || outside.Steps != 6 || !strings.Contains(err.Error(), "#1 to #6") {
			t.Errorf("%d: %v", n, err)
		}
	}
	if target.did != nil {
		t.Errorf("the target moved: %v", target.did)
	}
}

func TestDivergence(t *testing.T) {
	e := replay.NewEngine(open(t, events(t, "recorded")), &recorded{log: events(t, "other")})
	if err := e.Jump(t.Context(), 3); err != nil {
		t.Errorf("before the difference: %v", err)
	}
	for _, n := range []uint64{4, 6} {
		var differs *replay.DivergenceError
		err := e.Jump(t.Context(), n)
		if !errors.As(err, &differs) || differs.Step != 4 || !strings.Contains(err.Error(), `text was "recorded" when recorded and is "other" now`) {
			t.Errorf("step %d: %v", n, err)
		}
	}
}

func TestEndsEarly(t *testing.T) {
	b := events(t, "same")
	e := replay.NewEngine(open(t, b), &recorded{log: b, short: 4})
	var differs *replay.DivergenceError
	if err := e.Jump(t.Context(), 5); !errors.As(err, &differs) || !strings.Contains(err.Error(), "exit code 3") {
		t.Errorf("%v", err)
	}
	if err := e.Jump(t.Context(), 4); err != nil {
		t.Errorf("what there is can still be seen: %v", err)
	}
}

func TestCheckpoints(t *testing.T) {
	c := replay.Checkpoints{List: []replay.Checkpoint{{Step: 1, At: 0}, {Step: 11, At: 10 * time.Millisecond}, {Step: 21, At: 100 * time.Millisecond}}}
	for n, want := range map[uint64]int{1: 0, 2: 1, 11: 10, 12: 19, 21: 100, 42: 200} {
		if got := c.Time(n); got != time.Duration(want)*time.Millisecond {
			t.Errorf("Time(%d) = %v, want %d ms", n, got, want)
		}
	}
	if p, ok := c.Before(10); !ok || p.Step != 1 {
		t.Errorf("before 10: %v, %v", p, ok)
	}
	if _, ok := c.Before(0); ok {
		t.Error("there is one before the first")
	}
	if got := (replay.Checkpoints{}).Time(5); got != 0 {
		t.Errorf("without checkpoints: %v", got)
	}
}
