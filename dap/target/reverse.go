package target

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-delve/delve/pkg/proc"
)

// Reverse execution: where the program stood last at something that is looked
// for is found by running up to the present moment again and counting. The
// search looks at the last step first, then at twice as many each time, so it
// costs in proportion to how far back the answer lies.

// Limits of the stops that are counted in a window. A window of several steps
// is cut in two when it has more; one between two steps is given up.
const (
	limitWindow = 256
	limitWithin = 20_000
)

// found is an answer: the n-th stop at a breakpoint after step from.
type found struct {
	from uint64
	n    int
}

// search looks for the last stop that matches, among those of the breakpoints
// that are on.
type search struct {
	t       *Target
	matches func(*proc.Target) (bool, error)
	// whole makes each window begin with the run, because hit counts matter.
	whole bool
	floor uint64 // steps before this one are not looked at; at least 1
}

var errMany = errors.New("too many stops")

// last finds the last stop before end. It returns nil when there is none in
// the run.
func (s *search) last(ctx context.Context, end moment) (*found, error) {
	if s.whole {
		return s.window(ctx, 1, end)
	}
	if !end.atStep {
		if f, err := s.window(ctx, end.step, end); err != nil || f != nil {
			return f, err
		}
		end = moment{step: end.step, atStep: true}
	}
	for width := uint64(1); end.step > s.floor; width *= 2 {
		from := end.step - min(width, end.step-s.floor)
		if f, err := s.window(ctx, from, end); err != nil || f != nil {
			return f, err
		}
		end.step = from
	}
	return nil, nil
}

// window finds the last stop between step from and end, or nil.
func (s *search) window(ctx context.Context, from uint64, end moment) (*found, error) {
	for {
		f, err := s.count(ctx, from, end)
		if err != errMany {
			return f, err
		}
		if s.whole || end.step-from <= 1 {
			return nil, fmt.Errorf("a breakpoint was reached more than %d times after step #%d; "+
				"make its condition narrower, or go to an earlier step", limitWithin, from)
		}
		middle := from + (end.step-from)/2
		if f, err = s.window(ctx, middle, end); err != nil || f != nil {
			return f, err
		}
		end = moment{step: middle, atStep: true}
	}
}

// count looks at all stops between step from and end.
func (s *search) count(ctx context.Context, from uint64, end moment) (*found, error) {
	if err := s.begin(ctx, from); err != nil {
		return nil, err
	}
	limit := limitWindow
	if s.whole || end.step-from <= 1 {
		limit = limitWithin
	}
	var answer *found
	n := 0
	reached, err := s.t.until(ctx, end, func(tgt *proc.Target) (bool, error) {
		n++
		ok, err := s.matches(tgt)
		if ok {
			answer = &found{from, n}
		}
		return n < limit, err
	})
	if err == nil && !reached {
		err = errMany
	}
	return answer, err
}

// begin goes to the start of a window.
func (s *search) begin(ctx context.Context, from uint64) error {
	if err := s.t.rerunTo(ctx, from); err != nil {
		return err
	}
	if s.whole {
		s.t.clearHits()
	}
	return nil
}

// land goes to an answer, with the same breakpoints on. The last resumption
// goes through whatever is in front of the debugger.
func (s *search) land(ctx context.Context, f found) error {
	t := s.t
	if err := s.begin(ctx, f.from); err != nil {
		return err
	}
	if err := t.setStop(0); err != nil {
		return err
	}
	for i := 1; i < f.n; i++ {
		if err := t.proceed(ctx); err != nil {
			return err
		}
	}
	return t.resume(ctx)
}

// keepHits notes how often breakpoints were hit, for the search counts, too.
func (t *Target) keepHits() (restore func()) {
	type count struct {
		lbp   *proc.LogicalBreakpoint
		total uint64
		perG  map[int64]uint64
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	var counts []count
	for _, lbp := range grp.LogicalBreakpoints {
		counts = append(counts, count{lbp, lbp.TotalHitCount, maps.Clone(lbp.HitCount)})
	}
	return func() {
		_, unlock := t.dbg.LockTargetGroup()
		defer unlock()
		for _, c := range counts {
			c.lbp.TotalHitCount, c.lbp.HitCount = c.total, c.perG
		}
	}
}

func (t *Target) clearHits() {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	for _, lbp := range grp.LogicalBreakpoints {
		lbp.TotalHitCount = 0
		clear(lbp.HitCount)
	}
}

// countsHits reports whether a breakpoint's condition depends on how often it
// was hit.
func (t *Target) countsHits() bool {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	for _, lbp := range grp.LogicalBreakpoints {
		if lbp.Enabled() && lbp.HitCond() != "" {
			return true
		}
	}
	return false
}

// ReverseContinue goes back to the last hit of any of the user's breakpoints
// after step floor, 0 for the start of the run. It returns false, and leaves
// the program at an unknown place before the present one, when there is none.
func (t *Target) ReverseContinue(ctx context.Context, floor uint64) (bool, error) {
	end, err := t.here()
	if err != nil {
		return false, err
	}
	if !t.anyStops() {
		return false, nil
	}
	s := &search{t: t, whole: t.countsHits(), floor: max(floor, 1), matches: func(tgt *proc.Target) (bool, error) {
		bp := tgt.CurrentThread().Breakpoint().Breakpoint
		return bp != nil && (bp.Logical == nil || !bp.Logical.Tracepoint), nil
	}}
	if !s.whole {
		defer t.keepHits()()
	}
	f, err := s.last(ctx, end)
	if err != nil || f == nil {
		return false, err
	}
	return true, s.land(ctx, *f)
}

// anyStops reports whether a breakpoint of the user's is on.
func (t *Target) anyStops() bool {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	for _, lbp := range grp.LogicalBreakpoints {
		if lbp.LogicalID > 0 && lbp.Enabled() {
			return true
		}
	}
	return false
}

// StepBack goes back to the line that the goroutine which is stopped was at
// before: in the function that is shown, or in its caller. It returns false,
// and leaves the program at an unknown place, when there is none: nothing of
// the program is on the stack, or nothing ran before.
func (t *Target) StepBack(ctx context.Context) (bool, error) { return t.stepBack(ctx, false) }

// StepBackOut is StepBack to the function that called the one that is shown.
func (t *Target) StepBackOut(ctx context.Context) (bool, error) { return t.stepBack(ctx, true) }

func (t *Target) stepBack(ctx context.Context, out bool) (ok bool, err error) {
	end, err := t.here()
	if err != nil {
		return false, err
	}
	if end.goroutine == 0 {
		return false, errors.New("no goroutine is stopped here: the simulator made this step")
	}
	frames, err := t.Frames(-1)
	if err != nil {
		return false, err
	}
	var at Frame
	switch {
	case end.atStep:
		at = t.Place(frames)
	case len(frames) > 0:
		at = frames[0]
	}
	if inSimulator(at.Func) {
		return false, nil // the goroutine has just ended, say
	}
	from := at.Index
	if out {
		from++
	}
	lines, err := t.linesBefore(frames[min(from, len(frames)):], !out)
	if err != nil {
		return false, err
	}
	quiet, err := t.silence()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, quiet()) }()
	drop, err := t.breakAt(lineID, lines.addrs)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	s := &search{t: t, floor: 1, matches: func(tgt *proc.Target) (bool, error) { return lines.match(tgt, end.goroutine, at) }}
	f, err := s.last(ctx, end)
	if err != nil || f == nil {
		return false, err
	}
	return true, s.land(ctx, *f)
}

// lineID is the id of the breakpoint at all these places.
const lineID = stopID - 1

// lines are the places in the present function and its caller where a line
// begins.
type lines struct {
	addrs   []uint64
	offsets []int64 // of the frames
}

// linesBefore collects the lines of the function on top of a stack and, for
// caller, of the function that called it.
func (t *Target) linesBefore(frames []Frame, caller bool) (*lines, error) {
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
		if fn == nil {
			break
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
		return nil, errors.New("the function that is shown has no lines")
	}
	return l, nil
}

// match reports whether a stop is at another line of one of the frames than at.
func (l *lines) match(tgt *proc.Target, goroutine int64, at Frame) (bool, error) {
	g, err := proc.GetG(tgt.CurrentThread())
	if err != nil || g == nil || g.ID != goroutine {
		return false, err
	}
	frames, err := proc.ThreadStacktrace(tgt, tgt.CurrentThread(), 0)
	if err != nil || len(frames) == 0 {
		return false, err
	}
	offset := frames[0].FrameOffset()
	if !slices.Contains(l.offsets, offset) {
		return false, nil
	}
	return offset != at.offset || frames[0].Current.Line != at.Line || frames[0].Current.File != at.File, nil
}
