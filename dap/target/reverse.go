package target

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/go-delve/delve/pkg/proc"

	"github.com/restep/restep/sim/steplog"
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
	matches func(*proc.Target) (bool, error) // with the debugger's lock
	holds   func(id int) (bool, error)       // of a breakpoint that matches, without it; nil = all do
	// whole makes each window begin with the run, because hit counts matter.
	whole bool
	floor uint64 // steps before this one are not looked at; at least 1
	// goroutine is the only one that is looked for, 0 for all: nothing before
	// its start is looked at.
	goroutine int64
	// splits are steps at which a window must begin: a goroutine starts there
	// on whose stack a variable is watched.
	splits []uint64
}

// farWindow is the width of the first window for which it pays to know where a
// goroutine starts.
const farWindow = 64

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
		if s.goroutine != 0 && width == farWindow {
			n, err := s.t.startOf(s.goroutine)
			if err != nil {
				return nil, err
			}
			if s.floor = max(s.floor, n); end.step <= s.floor {
				break
			}
		}
		from := end.step - min(width, end.step-s.floor)
		for _, n := range s.splits {
			if n > from && n < end.step {
				from = n
			}
		}
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
	room := max(3*(end.step-from), minRoom) // of the window that may come next
	if s.whole {
		room = 0
	}
	if err := s.begin(ctx, from, room); err != nil {
		return nil, err
	}
	limit := limitWindow
	if s.whole || end.step-from <= 1 {
		limit = limitWithin
	}
	var answer *found
	n := 0
	reached, err := s.t.until(ctx, end, func() (bool, error) {
		n++
		ok, err := s.accepts()
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

// accepts reports whether the stop at which the program is matches.
func (s *search) accepts() (bool, error) {
	grp, unlock := s.t.dbg.LockTargetGroup()
	ok, err := s.matches(grp.Selected)
	id := 0
	if bp := grp.Selected.CurrentThread().Breakpoint().Breakpoint; bp != nil {
		id = bp.LogicalID()
	}
	unlock()
	if ok && err == nil && s.holds != nil {
		return s.holds(id)
	}
	return ok, err
}

// minRoom is how many steps before the first window may soon be looked at.
const minRoom = 32

// begin goes to the start of a window, before which room steps may be next.
func (s *search) begin(ctx context.Context, from, room uint64) error {
	if s.whole {
		// Before breakpoints are set again: Delve does not set those that their
		// hit counts will not let stop any more.
		s.t.clearHits()
	}
	return s.t.rerunTo(ctx, from, room)
}

// land goes to an answer, with the same breakpoints on. The last resumption
// goes through whatever is in front of the debugger.
func (s *search) land(ctx context.Context, f found) error {
	t := s.t
	if err := s.begin(ctx, f.from, 0); err != nil {
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
	for {
		if err := t.resume(ctx); err != nil {
			return err
		}
		if again, err := t.Follow(); err != nil || !again {
			return err
		}
	}
}

// keepHits notes how often breakpoints were hit, for the search counts, too.
func (t *Target) keepHits() (restore func()) {
	type count struct {
		id    int
		total uint64
		perG  map[int64]uint64
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	var counts []count
	for _, lbp := range grp.LogicalBreakpoints {
		counts = append(counts, count{lbp.LogicalID, lbp.TotalHitCount, maps.Clone(lbp.HitCount)})
	}
	return func() {
		grp, unlock := t.dbg.LockTargetGroup()
		defer unlock()
		for _, c := range counts {
			if lbp := grp.LogicalBreakpoints[c.id]; lbp != nil {
				lbp.TotalHitCount, lbp.HitCount = c.total, c.perG
			}
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
// after step floor, 0 for the start of the run. holds is asked for conditions
// that Delve does not know, by the breakpoint's id; it is nil when there are none.
// It returns false, and leaves the program at an unknown place before the present
// one, when there is no such hit.
func (t *Target) ReverseContinue(ctx context.Context, floor uint64, holds func(id int) (bool, error)) (bool, error) {
	end, err := t.here()
	if err != nil {
		return false, err
	}
	if !t.anyStops() {
		return false, nil
	}
	s := &search{t: t, whole: t.countsHits(), floor: max(floor, 1), holds: holds, matches: func(tgt *proc.Target) (bool, error) {
		bp := tgt.CurrentThread().Breakpoint().Breakpoint
		return bp != nil && (bp.Logical == nil || !bp.Logical.Tracepoint), nil
	}}
	if !s.whole {
		defer t.keepHits()()
	}
	if s.splits, err = t.startsOfStacks(); err != nil {
		return false, err
	}
	f, err := s.last(ctx, end)
	if err != nil || f == nil {
		return false, err
	}
	return true, s.land(ctx, *f)
}

// LastWrite goes back to the last write to a variable: to the instruction after
// it. It returns false, and leaves the program at an unknown place, when it was
// not written before.
func (t *Target) LastWrite(ctx context.Context, w *Watch) (ok bool, err error) {
	end, err := t.here()
	if err != nil {
		return false, err
	}
	quiet, err := t.silence()
	if err != nil {
		return false, err
	}
	before := t.watches
	defer func() {
		err = errors.Join(err, t.disarm())
		t.watches = before
		err = errors.Join(err, quiet())
	}()
	w.ID = WatchID(maxWatches)
	t.watches = []*Watch{w}
	if err := t.arm(); err != nil {
		return false, err
	}
	s := &search{t: t, floor: 1, matches: func(tgt *proc.Target) (bool, error) {
		bp := tgt.CurrentThread().Breakpoint().Breakpoint
		return bp != nil && bp.LogicalID() == w.ID, nil
	}}
	if s.splits, err = t.startsOfStacks(); err != nil {
		return false, err
	}
	f, err := s.last(ctx, end)
	if err != nil || f == nil {
		return false, err
	}
	return true, s.land(ctx, *f)
}

// maxWatches is more than the processor can watch.
const maxWatches = 64

// startsOfStacks returns the steps at which the goroutines start on whose
// stacks variables are watched.
func (t *Target) startsOfStacks() (list []uint64, err error) {
	for _, w := range t.watches {
		if w.goroutine == 0 {
			continue
		}
		n, err := t.startOf(w.goroutine)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			list = append(list, n)
		}
	}
	return list, nil
}

// startOf returns the step at which a goroutine starts, 0 for the first one.
func (t *Target) startOf(goroutine int64) (uint64, error) {
	if n, ok := t.firsts[goroutine]; ok {
		return n, nil
	}
	found := uint64(0)
	c := t.prog.Log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindGo}})
	for found == 0 && c.Next() {
		if f, ok := c.Step().Field(steplog.TagGoroutine); ok && int64(f.Num) == goroutine {
			found = c.Step().Number
		}
	}
	if err := c.Err(); err != nil {
		return 0, fmt.Errorf("read the recorded run: %w", err)
	}
	if t.firsts == nil {
		t.firsts = map[int64]uint64{}
	}
	t.firsts[goroutine] = found
	return found, nil
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
