package target

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-delve/delve/service/api"
)

// leaveName is the breakpoint at which a step has been left.
const leaveName = "restep leave step"

// Left is how LeaveStep ended.
type Left uint8

const (
	Elsewhere Left = iota // something else stopped the program first, such as a breakpoint, or it ended
	SameLine              // in the user's function, in the middle of the line of the step
	NewLine               // in the user's function, at the start of another line
)

// LeaveStep goes on from a step, where the program is deep inside the
// simulator, to where the user's function continues, so that the next line is
// the user's. It does nothing and returns SameLine when the program is not at a
// step or no frame of the user is on the stack.
func (t *Target) LeaveStep(ctx context.Context) (Left, error) {
	s, err := t.State()
	if err != nil {
		return Elsewhere, err
	}
	if !s.AtStep {
		return SameLine, nil
	}
	list, err := t.dbg.Stacktrace(-1, stackDepth, 0)
	if err != nil {
		return Elsewhere, fmt.Errorf("read the stack: %w", err)
	}
	frames, err := t.Frames(-1)
	if err != nil {
		return Elsewhere, err
	}
	user, ok := t.UserFrame(frames)
	if !ok || user.Index == 0 || user.Index >= len(list) || s.Goroutine == 0 {
		return SameLine, nil
	}
	bp, err := t.dbg.CreateBreakpoint(&api.Breakpoint{
		Name: leaveName, Addr: user.PC,
		Cond: fmt.Sprintf("runtime.curg.goid == %d && runtime.frameoff == %d", s.Goroutine, list[user.Index].FrameOffset()),
	}, "", nil, false)
	if err != nil {
		return Elsewhere, fmt.Errorf("go on to %s: %w", user.Func, err)
	}
	err = t.resume(ctx)
	left := Elsewhere
	now, stateErr := t.State()
	if stateErr == nil && !now.Exited {
		top, frameErr := t.Frames(-1)
		if frameErr == nil && len(top) > 0 && top[0].PC == user.PC && now.Goroutine == s.Goroutine {
			left = SameLine
			if top[0].Line != user.Line {
				left = NewLine
			}
		}
		_, clearErr := t.dbg.ClearBreakpoint(bp)
		err = errors.Join(err, frameErr, clearErr)
	}
	return left, errors.Join(err, stateErr)
}
