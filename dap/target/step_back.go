package target

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-delve/delve/pkg/proc"
)

// Going back by lines. What a step back looks for is the last place before the
// present moment at which the same goroutine began a line, in the function that
// is shown or in the one that called it.

// StepBack goes back to the line that the goroutine which is stopped was at
// before: in the function that is shown, or in its caller. It returns false,
// and leaves the program at an unknown place, when there is none: nothing of
// the program is on the stack, or nothing ran before.
func (t *Target) StepBack(ctx context.Context) (bool, error) {
	return t.stepBack(ctx, func(at standing) (*lines, error) { return t.otherLines(at, false) })
}

// StepBackOut is StepBack to the function that called the one that is shown.
func (t *Target) StepBackOut(ctx context.Context) (bool, error) {
	return t.stepBack(ctx, func(at standing) (*lines, error) { return t.otherLines(at, true) })
}

// StepBackStatement is StepBack by statements, of which a line may have many.
func (t *Target) StepBackStatement(ctx context.Context) (bool, error) {
	return t.stepBack(ctx, func(at standing) (*lines, error) {
		own, err := t.linesOf(at.frames, false)
		if err != nil {
			return nil, err
		}
		l, err := t.linesOf(at.frames, true)
		if err != nil {
			return nil, err
		}
		pc := at.at.PC
		if at.at.Index > 0 {
			pc-- // it is where the call returns to
		}
		begin := uint64(0)
		for _, a := range own.addrs {
			if a <= pc {
				begin = max(begin, a)
			}
		}
		l.here = func(f *proc.Stackframe) bool { return f.FrameOffset() == at.at.offset && f.Current.PC == begin }
		return l, nil
	})
}

// standing is where a goroutine stands that is to go back.
type standing struct {
	end    moment
	at     Frame
	frames []Frame // from at on
}

// standing looks where the goroutine that is stopped stands. ok is false when
// there is no code of a program there: it has just ended, say.
func (t *Target) standing() (s standing, ok bool, err error) {
	if s.end, err = t.here(); err != nil {
		return s, false, err
	}
	if s.end.goroutine == 0 {
		return s, false, errors.New("no goroutine is stopped here: the simulator made this step")
	}
	frames, err := t.Frames(-1)
	if err != nil {
		return s, false, err
	}
	switch {
	case s.end.atStep:
		s.at = t.Place(frames)
	case len(frames) > 0:
		s.at = frames[0]
	}
	s.frames = frames[min(s.at.Index, len(frames)):]
	return s, !inSimulator(s.at.Func), nil
}

// stepBack goes back to the last of the lines that choose names.
func (t *Target) stepBack(ctx context.Context, choose func(standing) (*lines, error)) (ok bool, err error) {
	return t.lastLine(ctx, choose, func(_ standing, s *lineSearch, f found) (bool, error) {
		return true, s.land(ctx, f)
	})
}

// lastLine finds the last of the lines that choose names before the present
// moment, and calls then with it while the program's own breakpoints are silent.
// ok is false when there is none.
func (t *Target) lastLine(ctx context.Context, choose func(standing) (*lines, error),
	then func(standing, *lineSearch, found) (bool, error)) (ok bool, err error) {
	at, ok, err := t.standing()
	if err != nil || !ok {
		return false, err
	}
	l, err := choose(at)
	if errors.Is(err, errNoLines) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	quiet, err := t.silence()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, quiet()) }()
	s, err := t.searchLines(at.end.goroutine, l)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.drop()) }()
	f, err := s.last(ctx, at.end)
	if err != nil || f == nil {
		return false, err
	}
	return then(at, s, *f)
}

// lineSearch is a search for the lines of a goroutine.
type lineSearch struct {
	search
	drop func() error // takes the breakpoints out
}

func (t *Target) searchLines(goroutine int64, l *lines) (*lineSearch, error) {
	drop, err := t.breakAt(lineID, l.addrs)
	if err != nil {
		return nil, err
	}
	match := func(tgt *proc.Target) (bool, error) { return l.match(tgt, goroutine) }
	return &lineSearch{search{t: t, floor: 1, goroutine: goroutine, matches: match}, drop}, nil
}

// otherLines are the lines that may come before the present one: of the function
// that is shown and of its caller or, for out, of the caller alone.
func (t *Target) otherLines(at standing, out bool) (*lines, error) {
	frames := at.frames
	if out {
		frames = frames[min(1, len(frames)):]
	}
	l, err := t.linesOf(frames, !out)
	if err == nil {
		l.here = func(f *proc.Stackframe) bool {
			return f.FrameOffset() == at.at.offset && f.Current.Line == at.at.Line && f.Current.File == at.at.File
		}
	}
	return l, err
}

// lineID is the id of the breakpoint at all these places.
const lineID = stopID - 1

// errNoLines says that there is nothing to go back to.
var errNoLines = errors.New("the function has no lines of the program")

// lines are the places in the present function and its caller where a line
// begins.
type lines struct {
	addrs   []uint64
	offsets []int64 // of the frames
	// here is where the goroutine stands: stops there are not before it.
	here func(f *proc.Stackframe) bool
}

// linesOf collects the lines of the function on top of a stack and, for
// caller, of the function that called it.
func (t *Target) linesOf(frames []Frame, caller bool) (*lines, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	bi := grp.Selected.BinInfo()
	l := &lines{}
	seen := map[uint64]bool{}
	count := 1
	if caller {
		count = 2
	}
	for _, f := range frames[:min(count, len(frames))] {
		fn := bi.PCToFunc(f.PC)
		if fn == nil || inSimulator(fn.Name) {
			break // what calls a machine's main is a loop over all its init functions
		}
		pcs, err := fn.AllPCs("", 0)
		if err != nil {
			return nil, fmt.Errorf("find the lines of %s: %w", fn.Name, err)
		}
		begin := fn.PrologueEndPC()
		l.offsets = append(l.offsets, f.offset)
		for _, pc := range pcs {
			if pc >= begin && !seen[pc] {
				seen[pc] = true
				l.addrs = append(l.addrs, pc)
			}
		}
	}
	if len(l.addrs) == 0 {
		return nil, errNoLines
	}
	return l, nil
}

// match reports whether a stop is of one of the frames, at another place than
// the present one.
func (l *lines) match(tgt *proc.Target, goroutine int64) (bool, error) {
	g, err := proc.GetG(tgt.CurrentThread())
	if err != nil || g == nil || g.ID != goroutine {
		return false, err
	}
	frames, err := proc.ThreadStacktrace(tgt, tgt.CurrentThread(), 0)
	if err != nil || len(frames) == 0 {
		return false, err
	}
	return slices.Contains(l.offsets, frames[0].FrameOffset()) && (l.here == nil || !l.here(&frames[0])), nil
}
