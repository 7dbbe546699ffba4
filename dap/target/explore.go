package target

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-delve/delve/pkg/proc"
)

// Exploring: the program is sent back and runs on again, as often as it takes
// to find out what happened before the present moment, and at the end stands
// somewhere else. Delve's session in front of the debugger sees only the last
// resumption; so that one always goes through Resume.

// moment is a place in the run, exact to the instruction.
type moment struct {
	step      uint64 // last step before it
	atStep    bool   // nothing has happened since
	goroutine int64
	pc        uint64
	fingerprint
}

// here returns the present moment.
func (t *Target) here() (moment, error) {
	s, err := t.State()
	if err != nil {
		return moment{}, err
	}
	if s.Exited {
		return moment{}, errors.New("the program has ended")
	}
	m := moment{step: s.Step, atStep: s.AtStep, goroutine: s.Goroutine}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if m.pc, err = pcOf(grp.Selected); err != nil || m.atStep {
		return m, err
	}
	if m.near, err = t.near(grp.Selected); err != nil {
		return m, err
	}
	m.memory, err = t.memory(grp.Selected)
	return m, err
}

func pcOf(tgt *proc.Target) (uint64, error) {
	regs, err := tgt.CurrentThread().Registers()
	if err != nil {
		return 0, fmt.Errorf("read the registers: %w", err)
	}
	return regs.PC(), nil
}

// proceed resumes the program past whatever is in front of the debugger.
func (t *Target) proceed(ctx context.Context) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	stop := context.AfterFunc(ctx, t.Interrupt)
	defer stop()
	// After a step of one instruction Delve keeps the channel by which it told
	// that the program runs, which is closed by now.
	grp.ResumeNotify(nil)
	for again := true; again; {
		err := grp.Continue()
		if err == nil {
			again, err = t.follow(grp)
		}
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("run the program again: %w", err)
		}
		again = again && grp.Selected.StopReason != proc.StopManual
	}
	if grp.Selected.StopReason == proc.StopManual {
		return errInterrupted
	}
	return ctx.Err()
}

var errInterrupted = errors.New("interrupted")

// rerunTo goes to step n, which lies before the present moment, past whatever
// is in front of the debugger. Places up to room steps before n may be next:
// when they are far from a checkpoint, one is made there.
func (t *Target) rerunTo(ctx context.Context, n, room uint64) error {
	points, err := t.Checkpoints()
	if err != nil {
		return err
	}
	from, ok := points.Before(n)
	if !ok {
		return fmt.Errorf("there is no checkpoint before step #%d", n)
	}
	want := uint64(0)
	if at := n - min(n, room); at > from.Step && points.Cost(from.Step, at) > localGap {
		want = at
	}
	on, err := t.silence()
	if err != nil {
		return err
	}
	if err := t.prepareRestore(from.Step, n, want); err != nil {
		return errors.Join(err, on())
	}
	err = t.proceed(ctx)
	if err := errors.Join(err, on()); err != nil {
		return err
	}
	if s, err := t.State(); err != nil || s.Step != n || !s.AtStep {
		return errors.Join(err, fmt.Errorf("the program did not come to step #%d again", n))
	}
	return nil
}

// localGap is how much CPU time from the last checkpoint is worth another one.
const localGap = 4 * time.Millisecond

// visit is told of each stop at a breakpoint, without the debugger's lock; false
// ends the search.
type visit func() (goOn bool, err error)

// until runs from step a, where the program stands, to the moment end, and
// calls each for every breakpoint that stops it before. The breakpoints are
// those that are on. It returns false when each has ended the search.
func (t *Target) until(ctx context.Context, end moment, each visit) (reached bool, err error) {
	s, err := t.State()
	if err != nil {
		return false, err
	}
	if s.Step < end.step {
		if err := t.setStop(end.step); err != nil {
			return false, err
		}
		for {
			if err := t.proceed(ctx); err != nil {
				return false, err
			}
			if s, err := t.State(); err != nil || s.AtStep {
				if err == nil && s.Step != end.step {
					err = fmt.Errorf("the program stopped at step #%d instead of #%d", s.Step, end.step)
				}
				if err != nil {
					return false, err
				}
				break
			}
			if on, err := each(); err != nil || !on {
				return false, err
			}
		}
	}
	if end.atStep {
		return true, nil
	}
	return t.untilWithin(ctx, end, each)
}

// untilWithin is until for the last stretch, after step end.step.
func (t *Target) untilWithin(ctx context.Context, end moment, each visit) (reached bool, err error) {
	if err := t.setStop(end.step + 1); err != nil { // further is too far
		return false, err
	}
	defer func() { err = errors.Join(err, t.passing(0)) }()
	for {
		if err := t.passing(end.pc); err != nil {
			return false, err
		}
		before := t.hits()
		if err := t.proceed(ctx); err != nil {
			return false, err
		}
		s, err := t.State()
		if err != nil {
			return false, err
		}
		if s.AtStep {
			return false, fmt.Errorf("the program came to step #%d without passing the present moment again", s.Step)
		}
		same, others, err := t.arrived(end, s.Goroutine, before)
		if err != nil || same {
			return same, err
		}
		if others {
			if on, err := each(); err != nil || !on {
				return false, err
			}
		}
	}
}

// passing makes the program stop at an address when it is next resumed, beside
// what breakpoints there are, and no more after the stop that follows; 0 takes
// that back. It is of the kind that Delve steps with, which may lie where a
// user's breakpoint does.
func (t *Target) passing(addr uint64) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil
	}
	if err := grp.ClearSteppingBreakpoints(); err != nil || addr == 0 {
		return err
	}
	if _, err := grp.Selected.SetBreakpoint(0, addr, proc.NextBreakpoint, nil); err != nil {
		return fmt.Errorf("set a breakpoint: %w", err)
	}
	if pc, err := pcOf(grp.Selected); err != nil || pc != addr {
		return err
	}
	// Else the thread would stop at it without having run an instruction.
	if err := grp.Selected.CurrentThread().SetCurrentBreakpoint(false); err != nil {
		return fmt.Errorf("set a breakpoint: %w", err)
	}
	return nil
}

// arrived reports whether a stop is the moment that is looked for and, if not,
// whether it is of interest otherwise: whether another breakpoint than the one
// at that moment's instruction made it.
func (t *Target) arrived(end moment, goroutine int64, before uint64) (same, others bool, err error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	tgt := grp.Selected
	pc, err := pcOf(tgt)
	if err != nil {
		return false, false, err
	}
	others = pc != end.pc || sumHits(grp) != before
	if pc != end.pc || goroutine != end.goroutine {
		return false, others, nil
	}
	near, err := t.near(tgt)
	if err != nil || near != end.near {
		return false, others, err
	}
	memory, err := t.memory(tgt)
	return memory == end.memory, others, err
}

// hits is how often breakpoints were hit, all together.
func (t *Target) hits() uint64 {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	return sumHits(grp)
}

func sumHits(grp *proc.TargetGroup) uint64 {
	n := uint64(0)
	for _, lbp := range grp.LogicalBreakpoints {
		if lbp.LogicalID != stopID {
			n += lbp.TotalHitCount
		}
	}
	return n
}

// breakAt sets a breakpoint of this package at addresses. drop takes it out.
func (t *Target) breakAt(id int, addrs []uint64) (drop func() error, err error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	lbp := &proc.LogicalBreakpoint{LogicalID: id, Name: StopName, HitCount: map[int64]uint64{}}
	for _, a := range addrs {
		lbp.Set.PidAddrs = append(lbp.Set.PidAddrs, proc.PidAddr{Pid: grp.Selected.Pid(), Addr: a})
	}
	grp.LogicalBreakpoints[id] = lbp
	if err := grp.SetBreakpointEnabled(lbp, true); err != nil {
		delete(grp.LogicalBreakpoints, id)
		return nil, fmt.Errorf("set a breakpoint: %w", err)
	}
	return func() error {
		grp, unlock := t.dbg.LockTargetGroup()
		defer unlock()
		var err error
		if ok, _ := grp.Valid(); ok {
			err = grp.SetBreakpointEnabled(lbp, false)
		}
		delete(grp.LogicalBreakpoints, id)
		return err
	}, nil
}
