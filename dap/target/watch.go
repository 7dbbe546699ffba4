package target

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
)

// Watching variables. The processor stops the program when it writes to one of
// four places of up to eight bytes; Delve sets them up, and this file keeps them
// right while the program goes to and fro. A package variable is watched for one
// machine: while the variables of another are in place, writes do not count. A
// local variable is watched where the goroutine's stack is at that time, and a
// write counts while the function that declared it is on the stack.

// Watch is a variable that is watched.
type Watch struct {
	ID      int // of the breakpoint, positive
	Expr    string
	Read    bool // stop at reads as well
	Cond    string
	HitCond string

	addr, size uint64
	machine    uint32 // whose package variable it is, 0 when it is none
	goroutine  int64  // on whose stack it is, 0 when it is on none
	function   string // that declared it
	frame      int64  // of the frame, from the end of the stack
	fromTop    int64  // of the variable, the same way

	on []uint64 // addresses at which the processor watches it now
}

// watchID is the first id of a breakpoint of a watch; Delve counts its own
// from 1.
const watchID = 1 << 29

// WatchID numbers the i-th watch.
func WatchID(i int) int { return watchID + i }

// watchPiece is how many bytes the processor can watch at one place, and
// maxPlaces at how many places.
const (
	watchPiece = 8
	maxPlaces  = 4
)

// FindWatch finds the variable that an expression names. Its ID and conditions
// are the caller's.
func (t *Target) FindWatch(s Scope, expr string) (*Watch, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, err
	}
	tgt := grp.Selected
	scope, err := proc.ConvertEvalScope(tgt, s.Goroutine, s.Frame, 0)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", expr, err)
	}
	v, err := scope.EvalExpression(expr, wordConfig)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", expr, err)
	}
	if v.Unreadable != nil {
		return nil, fmt.Errorf("watch %s: %w", expr, v.Unreadable)
	}
	if v.Addr == 0 || v.Flags&proc.VariableFakeAddress != 0 || v.DwarfType == nil || v.Kind == reflect.Invalid {
		return nil, fmt.Errorf("watch %s: it is no variable, or in a register", expr)
	}
	w := &Watch{Expr: expr, addr: v.Addr, size: uint64(v.DwarfType.Size())}
	if w.size == 0 || (w.addr+w.size-1)/watchPiece-w.addr/watchPiece >= maxPlaces {
		return nil, fmt.Errorf("watch %s: it has %d bytes; the processor can watch up to %d, so name a part of it", expr, w.size, watchPiece*maxPlaces)
	}
	if err := t.placeWatch(tgt, s, w); err != nil {
		return nil, fmt.Errorf("watch %s: %w", expr, err)
	}
	return w, nil
}

// placeWatch finds out on whose stack or in whose package variables a watched
// variable lies. The debugger's lock must be held.
func (t *Target) placeWatch(tgt *proc.Target, s Scope, w *Watch) error {
	g, err := proc.FindGoroutine(tgt, s.Goroutine)
	if err != nil || g == nil {
		return err
	}
	frames, err := proc.GoroutineStacktrace(tgt, g, stackDepth, 0)
	if err != nil {
		return err
	}
	for i := range frames {
		f := &frames[i]
		if hi := stackEnd(f); !f.SystemStack && i >= s.Frame && w.addr < hi && int64(w.addr) >= int64(f.Regs.SP()) {
			if f = declaring(frames, w.addr); f == nil {
				return errors.New("it is on the stack, but in no function's frame")
			}
			w.goroutine, w.fromTop = g.ID, int64(w.addr)-int64(hi)
			w.frame, w.function = f.FrameOffset(), f.Current.Fn.Name
			return nil
		}
	}
	data, err := packageVariables(tgt)
	if err != nil || w.addr < data.lo || w.addr >= data.hi {
		return err
	}
	vars, err := t.variables(tgt)
	if err != nil {
		return err
	}
	cur, err := readWord(tgt.Memory(), vars.cur, 4)
	w.machine = uint32(cur)
	return err
}

// Of makes it the variable of another machine, if it is a package variable.
func (w *Watch) Of(machine uint32) {
	if w.machine != 0 {
		w.machine = machine
	}
}

// stackEnd is where the stack of a frame's goroutine ends.
func stackEnd(f *proc.Stackframe) uint64 { return uint64(f.Regs.CFA - f.FrameOffset()) }

// declaring is the frame that an address lies in.
func declaring(frames []proc.Stackframe, addr uint64) *proc.Stackframe {
	for i := range frames {
		f := &frames[i]
		if !f.SystemStack && !f.Inlined && f.Current.Fn != nil && int64(addr) < f.Regs.CFA {
			return f
		}
	}
	return nil
}

// span is a piece of memory.
type span struct{ lo, hi uint64 }

// packageVariables is where the variables of the machine that is in place lie.
func packageVariables(tgt *proc.Target) (span, error) {
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return span{}, err
	}
	var words [2]uint64
	for i, name := range [...]string{"base", "n"} {
		v, err := scope.EvalExpression("runtime.restepPages."+name, wordConfig)
		if err != nil {
			return span{}, fmt.Errorf("find the package variables: %w", err)
		}
		if words[i], err = readWord(tgt.Memory(), v.Addr, 8); err != nil {
			return span{}, err
		}
	}
	return span{words[0], words[0] + words[1]*pageSize}, nil
}

// Watches returns what is watched.
func (t *Target) Watches() []*Watch { return t.watches }

// SetWatches watches these variables and no others. It returns an error for each
// of them, nil where there is none.
func (t *Target) SetWatches(list []*Watch) ([]error, error) {
	if err := t.disarm(); err != nil {
		return nil, err
	}
	errs := make([]error, len(list))
	t.watches = nil
	pieces := 0
	for i, w := range list {
		n := len(w.pieces(w.addr))
		switch {
		case pieces+n > maxPlaces:
			errs[i] = fmt.Errorf("the processor can watch %d places of %d bytes; those before this one take %d", maxPlaces, watchPiece, pieces)
		case w.HitCond != "" && w.goroutine != 0:
			errs[i] = errors.New("hits of a variable on a goroutine's stack cannot be counted")
		default:
			pieces += n
			t.watches = append(t.watches, w)
		}
	}
	return errs, t.arm()
}

// pieces cuts the variable into what the processor can watch: places of 1, 2, 4
// or 8 bytes that are multiples of their size.
func (w *Watch) pieces(addr uint64) (list []span) {
	for end := addr + w.size; addr < end; {
		n := uint64(watchPiece)
		for n > 1 && (addr%n != 0 || addr+n > end) {
			n /= 2
		}
		list = append(list, span{addr, addr + n})
		addr += n
	}
	if len(list) > maxPlaces { // an odd size: the words that it touches
		lo, hi := list[0].lo&^(watchPiece-1), (list[len(list)-1].hi+watchPiece-1)&^(watchPiece-1)
		list = nil
		for ; lo < hi; lo += watchPiece {
			list = append(list, span{lo, lo + watchPiece})
		}
	}
	return list
}

// arm tells the processor what to watch, as far as it exists at present.
func (t *Target) arm() error {
	if len(t.watches) == 0 {
		return nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil
	}
	return t.armLocked(grp)
}

func (t *Target) armLocked(grp *proc.TargetGroup) error {
	onStacks := false
	for _, w := range t.watches {
		onStacks = onStacks || w.goroutine != 0
		if err := t.armOne(grp, w); err != nil {
			return fmt.Errorf("watch %s: %w", w.Expr, err)
		}
	}
	if !onStacks || grp.LogicalBreakpoints[movedID] != nil {
		return nil
	}
	addrs, err := returnsOf(grp.Selected, "runtime.copystack")
	if err != nil {
		return err
	}
	lbp := &proc.LogicalBreakpoint{LogicalID: movedID, Name: StopName, HitCount: map[int64]uint64{}}
	for _, a := range addrs {
		lbp.Set.PidAddrs = append(lbp.Set.PidAddrs, proc.PidAddr{Pid: grp.Selected.Pid(), Addr: a})
	}
	grp.LogicalBreakpoints[movedID] = lbp
	return grp.SetBreakpointEnabled(lbp, true)
}

// movedID is the id of the breakpoint where a goroutine's stack has moved.
const movedID = stopID - 2

func (t *Target) armOne(grp *proc.TargetGroup, w *Watch) error {
	tgt := grp.Selected
	addr := w.addr
	if w.goroutine != 0 {
		g, err := proc.FindGoroutine(tgt, w.goroutine)
		if err != nil || g == nil {
			return nil // not yet, or no more
		}
		frames, err := proc.GoroutineStacktrace(tgt, g, stackDepth, 0)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(frames, func(f proc.Stackframe) bool { return !f.SystemStack })
		if i < 0 {
			return errNoStack
		}
		addr = uint64(int64(stackEnd(&frames[i])) + w.fromTop)
	}
	// Without a goroutine: Delve's own way with stacks knows no way back.
	frames, err := proc.ThreadStacktrace(tgt, tgt.CurrentThread(), 1)
	if err != nil || len(frames) == 0 {
		return errors.Join(err, errNoStack)
	}
	scope := proc.FrameToScope(tgt, tgt.Memory(), nil, tgt.CurrentThread().ThreadID(), frames...)
	typ := proc.WatchWrite
	if w.Read {
		typ |= proc.WatchRead
	}
	for _, p := range w.pieces(addr) {
		bp, err := tgt.SetWatchpoint(w.ID, scope, fmt.Sprintf("*(*[%d]byte)(%#x)", p.hi-p.lo, p.lo), typ, nil)
		if err != nil {
			return err
		}
		w.on = append(w.on, p.lo)
		bp.WatchExpr = w.Expr
	}
	cond := w.Cond
	if w.machine != 0 {
		own := fmt.Sprintf("runtime.restep.cur == %d", w.machine)
		if cond = strings.TrimSpace(cond); cond != "" {
			own += " && (" + cond + ")"
		}
		cond = own
	}
	return grp.ChangeBreakpointCondition(grp.LogicalBreakpoints[w.ID], cond, w.HitCond, false)
}

// disarm takes all out of the processor.
func (t *Target) disarm() error {
	if len(t.watches) == 0 {
		return nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	return t.disarmLocked(grp)
}

func (t *Target) disarmLocked(grp *proc.TargetGroup) (err error) {
	ok, _ := grp.Valid()
	for _, w := range t.watches {
		for _, a := range w.on {
			if ok && grp.Selected.Breakpoints().M[a] != nil {
				if at := grp.Selected.CurrentThread().Breakpoint(); at.Breakpoint == grp.Selected.Breakpoints().M[a] {
					at.Clear()
				}
				err = errors.Join(err, grp.Selected.ClearBreakpoint(a))
			}
		}
		w.on = nil
		delete(grp.LogicalBreakpoints, w.ID)
	}
	if lbp := grp.LogicalBreakpoints[movedID]; lbp != nil {
		if ok {
			err = errors.Join(err, grp.SetBreakpointEnabled(lbp, false))
		}
		delete(grp.LogicalBreakpoints, movedID)
	}
	if err != nil {
		return fmt.Errorf("take watches out: %w", err)
	}
	return nil
}

// Follow reports whether the program has stopped only because a stack on which
// variables are watched has moved, or at a write that does not count; the
// watches are right again then, and it shall go on.
func (t *Target) Follow() (bool, error) {
	if len(t.watches) == 0 {
		return false, nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return false, nil
	}
	return t.follow(grp)
}

func (t *Target) follow(grp *proc.TargetGroup) (bool, error) {
	bp := grp.Selected.CurrentThread().Breakpoint().Breakpoint
	if bp == nil || bp.Logical == nil {
		return false, nil
	}
	if bp.LogicalID() == movedID {
		hits := t.watchHits(grp)
		if err := t.disarmLocked(grp); err != nil {
			return true, err
		}
		if err := t.armLocked(grp); err != nil {
			return true, err
		}
		hits()
		return true, nil
	}
	i := slices.IndexFunc(t.watches, func(w *Watch) bool { return w.ID == bp.LogicalID() })
	if i < 0 || t.watches[i].goroutine == 0 {
		return false, nil
	}
	alive, err := t.watches[i].alive(grp.Selected)
	return !alive, err
}

// watchHits keeps the hit counts of watches that are about to be set anew.
func (t *Target) watchHits(grp *proc.TargetGroup) (restore func()) {
	counts := map[int]uint64{}
	for _, w := range t.watches {
		if lbp := grp.LogicalBreakpoints[w.ID]; lbp != nil {
			counts[w.ID] = lbp.TotalHitCount
		}
	}
	return func() {
		for id, n := range counts {
			if lbp := grp.LogicalBreakpoints[id]; lbp != nil {
				lbp.TotalHitCount = n
			}
		}
	}
}

// alive reports whether the function that declared the variable is on the stack
// of its goroutine.
func (w *Watch) alive(tgt *proc.Target) (bool, error) {
	g, err := proc.FindGoroutine(tgt, w.goroutine)
	if err != nil || g == nil {
		return false, nil
	}
	frames, err := proc.GoroutineStacktrace(tgt, g, stackDepth, 0)
	if err != nil {
		return false, fmt.Errorf("watch %s: %w", w.Expr, err)
	}
	return slices.ContainsFunc(frames, func(f proc.Stackframe) bool {
		return !f.SystemStack && f.FrameOffset() == w.frame && f.Current.Fn != nil && f.Current.Fn.Name == w.function
	}), nil
}

// returnsOf are the addresses at which a function returns.
func returnsOf(tgt *proc.Target, name string) ([]uint64, error) {
	fns, err := tgt.BinInfo().FindFunction(name)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	var list []uint64
	for _, fn := range fns {
		code, err := proc.Disassemble(tgt.Memory(), nil, tgt.Breakpoints(), tgt.BinInfo(), fn.Entry, fn.End)
		if err != nil {
			return nil, fmt.Errorf("disassemble %s: %w", name, err)
		}
		for _, in := range code {
			if in.IsRet() {
				list = append(list, in.Loc.PC)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s does not return", name)
	}
	return list, nil
}

// DataID is the text by which FindData finds a variable again later, from
// anywhere in the run.
func (w *Watch) DataID() string {
	return fmt.Sprintf("%#x,%d,%d,%d,%d,%d,%s,%s", w.addr, w.size, w.machine, w.goroutine, w.fromTop, w.frame, w.function, w.Expr)
}

// FindData is the watch of a DataID.
func FindData(id string) (*Watch, error) {
	w := &Watch{}
	f := strings.SplitN(id, ",", 8)
	if len(f) != 8 {
		return nil, fmt.Errorf("malformed data id %q", id)
	}
	if _, err := fmt.Sscanf(strings.Join(f[:6], " "), "%v %d %d %d %d %d", &w.addr, &w.size, &w.machine, &w.goroutine, &w.fromTop, &w.frame); err != nil {
		return nil, fmt.Errorf("malformed data id %q: %w", id, err)
	}
	w.function, w.Expr = f[6], f[7]
	if w.size == 0 || w.size > watchPiece*maxPlaces || len(w.pieces(w.addr)) > maxPlaces {
		return nil, fmt.Errorf("malformed data id %q: %d bytes at %#x", id, w.size, w.addr)
	}
	return w, nil
}
