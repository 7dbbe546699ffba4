package target

import (
	"context"
	"errors"
	"fmt"
	"go/parser"

	"github.com/go-delve/delve/pkg/proc"
)

// ErrNoEntry is returned by Enter when the call does not begin before the
// bound.
var ErrNoEntry = errors.New("the call does not begin here")

// Enter goes on until a goroutine enters the function of a frame at that
// frame's place on its stack, and stops behind the function's prologue.
// Breakpoints do not stop the program on its way. The program must be at an
// earlier point of the same run than the one that the frame is from. It stops
// at step bound at the latest, with ErrNoEntry.
func (t *Target) Enter(ctx context.Context, goroutine int64, f Frame, bound uint64) error {
	if f.inlined {
		return fmt.Errorf("%s is inlined here: it has no entry of its own", f.Func)
	}
	if err := t.setStop(bound); err != nil {
		return err
	}
	restore, err := t.silence()
	if err != nil {
		return err
	}
	pc, err := t.breakAtEntry(goroutine, f)
	if err == nil {
		err = t.resume(ctx)
	}
	if err = errors.Join(err, restore()); err != nil {
		return err
	}
	now, err := t.State()
	if err != nil {
		return err
	}
	if now.Exited || now.AtStep || now.Goroutine != goroutine {
		return ErrNoEntry
	}
	top, err := t.Frames(-1)
	if err == nil && (len(top) == 0 || top[0].PC != pc) {
		err = ErrNoEntry
	}
	return err
}

// breakAtEntry sets a breakpoint like those that Delve steps with, see
// breakWhenBack, behind the prologue of a frame's function.
func (t *Target) breakAtEntry(goroutine int64, f Frame) (pc uint64, err error) {
	cond, err := parser.ParseExpr(fmt.Sprintf("runtime.curg.goid == %d && runtime.frameoff == %d", goroutine, f.offset))
	if err != nil {
		return 0, err
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	fn := grp.Selected.BinInfo().PCToFunc(f.PC)
	if fn == nil {
		return 0, fmt.Errorf("%s has no debug information", f.Func)
	}
	if pc, err = proc.FirstPCAfterPrologue(grp.Selected, fn, false); err != nil {
		return 0, fmt.Errorf("find the start of %s: %w", f.Func, err)
	}
	if _, err = grp.Selected.SetBreakpoint(0, pc, proc.NextBreakpoint, cond); err != nil {
		return pc, err
	}
	// A thread that stands there already goes on behind the breakpoint.
	return pc, grp.Selected.CurrentThread().SetCurrentBreakpoint(false)
}

// SetExpression gives what an expression stands for in a frame of a goroutine
// another value: Delve's set.
func (t *Target) SetExpression(goroutine int64, frame int, expr, value string) error {
	return t.dbg.SetVariableInScope(goroutine, frame, 0, expr, value)
}
