package replay

import (
	"context"
	"fmt"
	"strings"

	"github.com/restep/restep/sim/steplog"
)

// Engine moves a target among the steps of a recorded run.
type Engine struct {
	// Changed names what has changed since the run was recorded, for a run that
	// does not repeat. It may be nil.
	Changed func() []string

	log    *steplog.Reader
	target Target
}

// NewEngine ties a target, which has not run yet or stands somewhere in the
// run, to the run's recorded log.
func NewEngine(log *steplog.Reader, target Target) *Engine {
	return &Engine{log: log, target: target}
}

// Log returns the recorded log.
func (e *Engine) Log() *steplog.Reader { return e.log }

// RangeError says that a run has no such step.
type RangeError struct {
	Step, Steps uint64 // what was asked for, and the number of the last step
}

func (e *RangeError) Error() string {
	if e.Steps == 0 {
		return fmt.Sprintf("there is no step #%d: the run has no steps", e.Step)
	}
	return fmt.Sprintf("there is no step #%d: the run has steps #1 to #%d", e.Step, e.Steps)
}

// DivergenceError says that the run did not repeat as recorded.
type DivergenceError struct {
	Step    uint64   // first step that differs
	Detail  string   // which field, what was recorded and what happened now
	Changed []string // what has changed since, one thing each; nil = nothing that is known
}

func (e *DivergenceError) Error() string {
	why := "likely causes: the binary was rebuilt, or the program uses something that is not simulated"
	if len(e.Changed) > 0 {
		why = "changed since: " + strings.Join(e.Changed, ", ")
	}
	return fmt.Sprintf("the run does not repeat as recorded: step #%d: %s; %s; record it again with restep test", e.Step, e.Detail, why)
}

// Check reports whether the run has step n: nil or a *RangeError.
func (e *Engine) Check(n uint64) error {
	if n == 0 || n > e.log.Steps() {
		return &RangeError{Step: n, Steps: e.log.Steps()}
	}
	return nil
}

// Jump goes to step n, forwards or backwards. The error is a *RangeError when
// there is no such step (the target has not moved), a *DivergenceError when
// the run did not repeat, or one of the target.
func (e *Engine) Jump(ctx context.Context, n uint64) error {
	if err := e.Check(n); err != nil {
		return err
	}
	s, err := e.target.State()
	if err != nil {
		return err
	}
	if s.Step == n && s.AtStep && !s.Exited && !s.Changed {
		return nil
	}
	if err := e.move(ctx, s, n); err != nil {
		return err
	}
	if err := e.Verify(ctx, n); err != nil {
		return err
	}
	return nil
}

// move brings the target from s to step n: from the last checkpoint at or
// before n when the target is behind it or that is the shorter way, else from where
// it is or from the start.
func (e *Engine) move(ctx context.Context, s State, n uint64) error {
	points, err := e.target.Checkpoints()
	if err != nil {
		return err
	}
	back := s.Exited || s.Step >= n || s.Changed
	from, ok := points.Before(n)
	if ok && (back || from.Step > s.Step && points.Cost(s.Step, from.Step) > points.Back) {
		if err := e.target.Restore(ctx, from.Step, n); err != nil {
			return fmt.Errorf("go to step #%d from the checkpoint at #%d: %w", n, from.Step, err)
		}
		now, err := e.target.State()
		if err != nil {
			return err
		}
		if !now.Exited || now.Status != StatusLost {
			return nil
		}
		back = true // memory was short, say: start again
	}
	if back {
		if err := e.target.Rewind(ctx); err != nil {
			return fmt.Errorf("start the run again to go back to step #%d: %w", n, err)
		}
	}
	if err := e.target.RunTo(ctx, n); err != nil {
		return fmt.Errorf("run to step #%d: %w", n, err)
	}
	return nil
}

// Verify compares the target, which was to stop at step n, with the recorded
// run: the rolling checksum of a step covers all steps before it. It returns
// nil or a *DivergenceError, or the error that kept it from comparing.
func (e *Engine) Verify(ctx context.Context, n uint64) error {
	s, err := e.target.State()
	if err != nil {
		return err
	}
	recorded, err := e.log.Step(n)
	if err != nil {
		return fmt.Errorf("read the recorded run: %w", err)
	}
	if !s.Exited && s.Step == n && s.Sum == recorded.Checksum {
		return nil
	}
	d, err := e.diverged(ctx, n, s)
	if err != nil {
		return err
	}
	if e.Changed != nil {
		d.Changed = e.Changed()
	}
	return d
}

// diverged says how the run went another way than recorded on its way to n.
func (e *Engine) diverged(ctx context.Context, n uint64, s State) (*DivergenceError, error) {
	b, err := e.target.Repeat(ctx)
	if err != nil {
		return nil, err
	}
	now, err := steplog.Open(b)
	if err != nil {
		return nil, fmt.Errorf("read the log of the repeated run: %w", err)
	}
	d, err := steplog.Diff(e.log, now)
	if err != nil {
		return nil, fmt.Errorf("compare with the recorded run: %w", err)
	}
	switch {
	case d != nil && d.Field != "steps":
		return &DivergenceError{Step: d.Step, Detail: fmt.Sprintf("%s was %q when recorded and is %q now", d.Field, d.A, d.B)}, nil
	case d != nil:
		return &DivergenceError{Step: d.Step, Detail: fmt.Sprintf("the recorded run has %d steps, this time there are %d", e.log.Steps(), now.Steps())}, nil
	case s.Exited:
		return &DivergenceError{Step: n, Detail: fmt.Sprintf("the program under the debugger ended before it, with exit code %d", s.Status)}, nil
	case s.Step != n:
		return &DivergenceError{Step: n, Detail: fmt.Sprintf("the program stopped at step #%d instead", s.Step)}, nil
	}
	return &DivergenceError{Step: n, Detail: "the program under the debugger has gone another way, as it does when its variables were changed"}, nil
}

// State says where the target is.
func (e *Engine) State() (State, error) { return e.target.State() }

// FirstOf returns the first step at or after from that ok accepts, 0 when
// there is none.
func (e *Engine) FirstOf(from uint64, ok func(*steplog.Cursor) bool) uint64 {
	c := e.log.Cursor(steplog.Filter{From: from})
	for c.Next() {
		if ok(c) {
			return c.Step().Number
		}
	}
	return 0
}
