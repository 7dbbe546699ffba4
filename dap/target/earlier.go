package target

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Hit is one time at which a breakpoint was reached.
type Hit struct {
	Step      uint64 // the last one before
	Machine   uint32
	Goroutine int64
}

// Earlier runs up to the present moment again from the start of the run, and
// calls each wherever the breakpoint id is reached on the way, with the program
// stopped there. The conditions are Delve's. When each returns false it is not
// called again. Afterwards the program is where it was. For whatever is in front
// of the debugger nothing has happened.
func (t *Target) Earlier(ctx context.Context, id int, cond, hitCond string, each func(Hit) (bool, error)) (err error) {
	end, err := t.here()
	if err != nil {
		return err
	}
	addrs := t.addressesOf(id)
	if len(addrs) == 0 {
		return fmt.Errorf("breakpoint %d is nowhere in the program", id)
	}
	keep := t.keepHits()
	quiet, err := t.silence()
	if err != nil {
		return err
	}
	defer func() {
		keep()
		err = errors.Join(err, quiet(), t.settle())
	}()
	drop, err := t.breakAt(lineID, addrs)
	if err != nil {
		return err
	}
	dropped := false
	defer func() {
		if !dropped {
			err = errors.Join(err, drop())
		}
	}()
	if err := t.condition(lineID, cond, hitCond); err != nil {
		return err
	}
	if err := t.rerunTo(ctx, 1, 0); err != nil {
		return err
	}
	reached, err := t.until(ctx, end, func() (bool, error) {
		s, err := t.State()
		if err != nil {
			return false, err
		}
		return each(Hit{s.Step, s.Machine, s.Goroutine})
	})
	if err != nil || reached {
		return err
	}
	dropped = true
	if err := drop(); err != nil {
		return err
	}
	if err := t.rerunTo(ctx, end.step, 0); err != nil {
		return err
	}
	if reached, err = t.until(ctx, end, func() (bool, error) { return true, nil }); err == nil && !reached {
		err = errors.New("the program did not come back to the present moment")
	}
	return err
}

// addressesOf are the places of a breakpoint.
func (t *Target) addressesOf(id int) []uint64 {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil
	}
	var list []uint64
	for a, bp := range grp.Selected.Breakpoints().M {
		if bp.LogicalID() == id {
			list = append(list, a)
		}
	}
	slices.Sort(list)
	return list
}

func (t *Target) condition(id int, cond, hitCond string) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if err := grp.ChangeBreakpointCondition(grp.LogicalBreakpoints[id], cond, hitCond, false); err != nil {
		return fmt.Errorf("the condition %s %s: %w", cond, hitCond, err)
	}
	return nil
}

// settle makes the debugger know that the program stands at a breakpoint, if
// there is one: else it would stop there without having run an instruction.
func (t *Target) settle() error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil
	}
	thread := grp.Selected.CurrentThread()
	if bp := thread.Breakpoint().Breakpoint; bp != nil && bp.LogicalID() == stopID {
		return nil
	}
	if err := thread.SetCurrentBreakpoint(false); err != nil {
		return fmt.Errorf("look for a breakpoint at the present place: %w", err)
	}
	return nil
}
