package target

import (
	"context"
	"fmt"
	"go/parser"

	"github.com/go-delve/delve/pkg/proc"
)

// Left is how LeaveStep ended.
type Left uint8

const (
	Elsewhere Left = iota // something else stopped the program first, such as a breakpoint, or it ended
	SameLine              // in the user's function, in the middle of the line of the step
	NewLine               // in the user's function, at the start of another line
)

// LeaveStep goes on from a step, where the program is deep inside the
// simulator, to where the function at its Place continues, so that the next
// line is the user's. It does nothing and returns SameLine when the program is
// not at a step or no goroutine made it.
func (t *Target) LeaveStep(ctx context.Context) (Left, error) {
	s, err := t.State()
	if err != nil {
		return Elsewhere, err
	}
	if !s.AtStep {
		return SameLine, nil
	}
	frames, err := t.Frames(-1)
	if err != nil {
		return Elsewhere, err
	}
	at := t.Place(frames)
	if s.Goroutine == 0 || at.Index == 0 {
		return SameLine, nil
	}
	if err := t.breakWhenBack(at, s.Goroutine); err != nil {
		return Elsewhere, fmt.Errorf("go on to %s: %w", at.Func, err)
	}
	if err := t.resume(ctx); err != nil {
		return Elsewhere, err
	}
	now, err := t.State()
	if err != nil || now.Exited || now.Goroutine != s.Goroutine {
		return Elsewhere, err
	}
	top, err := t.Frames(-1)
	switch {
	case err != nil || len(top) == 0 || top[0].PC != at.PC:
		return Elsewhere, err
	case top[0].Line != at.Line:
		return NewLine, nil
	}
	return SameLine, nil
}

// breakWhenBack sets a breakpoint like those that Delve steps with, where a
// frame of a goroutine goes on. Like those it goes away when it was hit, and
// stays when another breakpoint is hit first.
func (t *Target) breakWhenBack(f Frame, goroutine int64) error {
	cond, err := parser.ParseExpr(fmt.Sprintf("runtime.curg.goid == %d && runtime.frameoff == %d", goroutine, f.offset))
	if err != nil {
		return err
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if err := grp.ClearSteppingBreakpoints(); err != nil {
		return err
	}
	_, err = grp.Selected.SetBreakpoint(0, f.PC, proc.NextBreakpoint, cond)
	return err
}
