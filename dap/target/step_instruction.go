package target

import (
	"context"
	"errors"
	"fmt"
	"go/parser"

	"github.com/go-delve/delve/pkg/proc"
)

// Going back by instructions, and into calls that have returned. The last line
// before the present moment is found first; from there the goroutine is followed
// instruction by instruction until it is at the present moment again.

// StepBackInstruction goes back to the instruction that the goroutine which is
// stopped ran before, in the function that is shown or its caller: a call counts
// as one instruction. The result is that of StepBack.
func (t *Target) StepBackInstruction(ctx context.Context) (ok bool, err error) {
	choose := func(at standing) (*lines, error) { return t.linesOf(at.frames, true) }
	return t.lastLine(ctx, choose, func(at standing, s *lineSearch, f found) (bool, error) {
		w := &follower{t: t, end: at.end}
		trail, err := w.all(ctx, s, f)
		if err != nil {
			return false, err
		}
		if len(trail) == 1 {
			return true, s.land(ctx, f)
		}
		return true, w.land(ctx, s, f, trail)
	})
}

// StepBackIn goes back into the last call of the user's code that returned since
// the line before, to its last line. Without such a call it is StepBack.
func (t *Target) StepBackIn(ctx context.Context) (ok bool, err error) {
	choose := func(at standing) (*lines, error) { return t.otherLines(at, false) }
	return t.lastLine(ctx, choose, func(at standing, s *lineSearch, f found) (ok bool, err error) {
		w := &follower{t: t, end: at.end, into: true}
		if _, err := w.all(ctx, s, f); err != nil {
			return false, err
		}
		if w.callee == nil {
			return true, s.land(ctx, f)
		}
		if err := s.drop(); err != nil {
			return false, err
		}
		s.drop = func() error { return nil }
		inside, err := t.searchLines(at.end.goroutine, w.callee)
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, inside.drop()) }()
		last, err := inside.last(ctx, at.end)
		if err != nil || last == nil {
			return false, err
		}
		return true, inside.land(ctx, *last)
	})
}

// limitFollow is how many instructions are followed, calls not counted.
const limitFollow = 20_000

var errNoStack = errors.New("no frames")

// spot is where a goroutine stands between two instructions.
type spot struct {
	pc     uint64
	offset int64 // of the frame, from the end of the stack
}

// follower follows a goroutine to the present moment.
type follower struct {
	t      *Target
	end    moment
	into   bool   // look at what is called
	callee *lines // of the last function of the user's that was called and has returned
}

// start goes to the answer of a search, past whatever is in front of the
// debugger, and takes the breakpoints of the search off.
func (w *follower) start(ctx context.Context, s *lineSearch, f found) (on func() error, err error) {
	if err := s.begin(ctx, f.from, 0); err != nil {
		return nil, err
	}
	if err := w.t.setStop(0); err != nil {
		return nil, err
	}
	for range f.n {
		if err := w.t.proceed(ctx); err != nil {
			return nil, err
		}
	}
	stop := w.end.step
	if !w.end.atStep {
		stop++ // further is too far
	}
	if err := w.t.setStop(stop); err != nil {
		return nil, err
	}
	return w.t.silence()
}

// all follows from the answer of a search to the present moment, and returns
// where the goroutine stood before each instruction.
func (w *follower) all(ctx context.Context, s *lineSearch, f found) (trail []spot, err error) {
	on, err := w.start(ctx, s, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.t.passing(0), on()) }()
	for len(trail) < limitFollow {
		at, err := w.spot()
		if err != nil {
			return nil, err
		}
		trail = append(trail, at)
		arrived, err := w.instruction(ctx)
		if err != nil || arrived {
			return trail, err
		}
	}
	return nil, fmt.Errorf("more than %d instructions lie between the line before and the present one", limitFollow)
}

// land goes to the last spot of a trail. The last resumption goes through
// whatever is in front of the debugger.
func (w *follower) land(ctx context.Context, s *lineSearch, f found, trail []spot) (err error) {
	on, err := w.start(ctx, s, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, on()) }()
	for range len(trail) - 2 {
		if _, err := w.instruction(ctx); err != nil {
			return err
		}
	}
	if err := w.t.passing(0); err != nil {
		return err
	}
	to := trail[len(trail)-1]
	if err := w.t.breakWhenBack(Frame{PC: to.pc, offset: to.offset}, w.end.goroutine); err != nil {
		return err
	}
	return w.t.resume(ctx)
}

// spot is where the goroutine stands.
func (w *follower) spot() (spot, error) {
	grp, unlock := w.t.dbg.LockTargetGroup()
	defer unlock()
	return spotOf(grp.Selected)
}

func spotOf(tgt *proc.Target) (spot, error) {
	frames, err := proc.ThreadStacktrace(tgt, tgt.CurrentThread(), 0)
	if err != nil || len(frames) == 0 {
		return spot{}, fmt.Errorf("there is no stack here: %w", errors.Join(err, errNoStack))
	}
	return spot{frames[0].Current.PC, frames[0].FrameOffset()}, nil
}

// instruction lets the goroutine run one instruction; a call is one. It returns
// true when the present moment is reached.
func (w *follower) instruction(ctx context.Context) (arrived bool, err error) {
	call, err := w.single()
	if err != nil {
		return false, err
	}
	if call == nil {
		return w.arrived()
	}
	if arrived, err := w.arrived(); err != nil || arrived {
		return arrived, err
	}
	callee, err := w.called()
	if err != nil {
		return false, err
	}
	for {
		if err := w.t.passing(w.end.pc); err != nil {
			return false, err
		}
		if err := w.breakAfter(*call); err != nil {
			return false, err
		}
		if err := w.t.proceed(ctx); err != nil {
			return false, err
		}
		arrived, err := w.arrived()
		if err != nil {
			return false, err
		}
		back, err := w.backAt(*call)
		if err != nil {
			return false, err
		}
		if back && callee != nil {
			w.callee = callee
		}
		if arrived || back {
			return arrived, nil
		}
	}
}

// single runs one instruction and returns, for a call, where it will return to.
func (w *follower) single() (call *spot, err error) {
	grp, unlock := w.t.dbg.LockTargetGroup()
	defer unlock()
	tgt := grp.Selected
	at, err := spotOf(tgt)
	if err != nil {
		return nil, err
	}
	end := at.pc + uint64(tgt.BinInfo().Arch.MaxInstructionLength())
	code, err := proc.Disassemble(tgt.Memory(), nil, tgt.Breakpoints(), tgt.BinInfo(), at.pc, end)
	if err != nil || len(code) == 0 {
		return nil, errors.Join(err, fmt.Errorf("there is no instruction at %#x", at.pc))
	}
	if code[0].IsCall() {
		call = &spot{at.pc + uint64(code[0].Size), at.offset}
	}
	if err := grp.StepInstruction(false); err != nil {
		return nil, fmt.Errorf("run one instruction: %w", err)
	}
	return call, nil
}

// arrived reports whether the program is at the present moment again.
func (w *follower) arrived() (bool, error) {
	s, err := w.t.State()
	switch {
	case err != nil:
		return false, err
	case s.Exited:
		return false, errors.New("the program ended without passing the present moment again")
	case s.AtStep && w.end.atStep:
		return s.Step == w.end.step, nil
	case s.AtStep:
		return false, fmt.Errorf("the program came to step #%d without passing the present moment again", s.Step)
	case w.end.atStep:
		return false, nil
	}
	same, _, err := w.t.arrived(w.end, s.Goroutine, 0)
	return same, err
}

// breakAfter adds the breakpoint where a call returns to.
func (w *follower) breakAfter(at spot) error {
	cond, err := parser.ParseExpr(fmt.Sprintf("runtime.curg.goid == %d && runtime.frameoff == %d", w.end.goroutine, at.offset))
	if err != nil {
		return err
	}
	grp, unlock := w.t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Selected.SetBreakpoint(0, at.pc, proc.NextBreakpoint, cond); err != nil {
		return fmt.Errorf("set a breakpoint: %w", err)
	}
	return nil
}

// backAt reports whether a call has returned.
func (w *follower) backAt(at spot) (bool, error) {
	s, err := w.t.State()
	if err != nil || s.Goroutine != w.end.goroutine {
		return false, err
	}
	now, err := w.spot()
	return now == at, err
}

// limitWrapper is how many instructions of a method's wrapper are run to see
// what it calls.
const limitWrapper = 64

// called returns the lines of the function that has just been called, if it is
// the user's.
func (w *follower) called() (*lines, error) {
	if !w.into {
		return nil, nil
	}
	for range limitWrapper {
		grp, unlock := w.t.dbg.LockTargetGroup()
		at, err := spotOf(grp.Selected)
		file, line, fn := grp.Selected.BinInfo().PCToLine(at.pc)
		unlock()
		if err != nil || fn == nil {
			return nil, err
		}
		if file == "<autogenerated>" {
			if _, err := w.single(); err != nil {
				return nil, err
			}
			continue
		}
		f := Frame{Func: fn.Name, File: file, Line: line, PC: at.pc, offset: at.offset}
		if _, ok := w.t.UserFrame([]Frame{f}); !ok {
			return nil, nil
		}
		return w.t.linesOf([]Frame{f}, false)
	}
	return nil, nil
}
