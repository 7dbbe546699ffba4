package target

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-delve/delve/pkg/proc"

	"github.com/restep/restep/replay"
)

// wordConfig loads numbers and addresses, nothing behind them.
var wordConfig = proc.LoadConfig{MaxStructFields: 0}

// State says where the program is: see replay.Target. It must be stopped.
func (t *Target) State() (replay.State, error) {
	t.mu.Lock()
	closed, atGate, run := t.closed, t.atGate, t.run
	t.mu.Unlock()
	if closed {
		return replay.State{}, errClosed
	}
	if atGate {
		return replay.State{Machine: 1}, nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return exitState(run.Ended, err)
	}
	var s replay.State
	tgt := grp.Selected
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return s, fmt.Errorf("read the program's state: %w", err)
	}
	step, err := readUint(scope, "runtime.restep.step")
	if err != nil {
		return s, err
	}
	cur, err := readUint(scope, "runtime.restep.cur")
	if err != nil {
		return s, err
	}
	s.Step, s.Machine = step, uint32(cur)
	if g, err := proc.GetG(tgt.CurrentThread()); err == nil && g != nil {
		s.Goroutine = g.ID // not the selected one, which a user may change
	}
	if bp := tgt.CurrentThread().Breakpoint(); bp != nil && bp.Breakpoint != nil && bp.LogicalID() == stopID {
		s.AtStep = true
	}
	return s, nil
}

func exitState(ended func() bool, err error) (replay.State, error) {
	var exited proc.ErrProcessExited
	if errors.As(err, &exited) {
		return replay.State{Exited: true, Status: exited.Status}, nil
	}
	if errors.Is(err, proc.ErrProcessDetached) || ended() {
		return replay.State{Exited: true}, nil
	}
	return replay.State{}, err
}

func readUint(scope *proc.EvalScope, expr string) (uint64, error) {
	v, err := scope.EvalExpression(expr, wordConfig)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", expr, err)
	}
	b := make([]byte, 8)
	size := min(v.RealType.Size(), 8)
	if size < 1 {
		return 0, fmt.Errorf("read %s: it has no size", expr)
	}
	if _, err := scope.Mem.ReadMemory(b[:size], v.Addr); err != nil {
		return 0, fmt.Errorf("read %s: %w", expr, err)
	}
	return binary.LittleEndian.Uint64(b), nil
}

// gLayout is where the runtime's goroutine descriptors have what is read here.
type gLayout struct {
	allgs         uint64 // address of the slice runtime.allgs
	goid, machine uint64 // offsets in runtime.g
}

const maxGoroutines = 1 << 20

// Machines returns the machine of each goroutine by goroutine id. The program
// must be stopped.
func (t *Target) Machines() (map[int64]uint32, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, err
	}
	tgt := grp.Selected
	mem := tgt.Memory()
	if t.layout == nil {
		l, err := findLayout(tgt)
		if err != nil {
			return nil, err
		}
		t.layout = l
	}
	l := t.layout
	head := make([]byte, 16)
	if _, err := mem.ReadMemory(head, l.allgs); err != nil {
		return nil, fmt.Errorf("read runtime.allgs: %w", err)
	}
	addr, n := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:])
	if n > maxGoroutines {
		return nil, fmt.Errorf("the program has %d goroutines; the limit is %d", n, maxGoroutines)
	}
	list := make([]byte, 8*n)
	if n > 0 {
		if _, err := mem.ReadMemory(list, addr); err != nil {
			return nil, fmt.Errorf("read the list of goroutines: %w", err)
		}
	}
	out := make(map[int64]uint32, n)
	word := make([]byte, 8)
	for ; len(list) > 0; list = list[8:] {
		g := binary.LittleEndian.Uint64(list)
		if _, err := mem.ReadMemory(word, g+l.goid); err != nil {
			continue
		}
		id := int64(binary.LittleEndian.Uint64(word))
		if _, err := mem.ReadMemory(word[:4], g+l.machine); err != nil {
			continue
		}
		m := binary.LittleEndian.Uint32(word)
		if old, ok := out[id]; !ok || old == 0 {
			out[id] = m
		}
	}
	return out, nil
}

// findLayout reads the layout from the debug information.
func findLayout(tgt *proc.Target) (*gLayout, error) {
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return nil, fmt.Errorf("read the list of goroutines: %w", err)
	}
	addr := func(expr string) uint64 {
		if err != nil {
			return 0
		}
		var v *proc.Variable
		if v, err = scope.EvalExpression(expr, wordConfig); err != nil {
			err = fmt.Errorf("read %s: %w", expr, err)
			return 0
		}
		return v.Addr
	}
	base := addr("runtime.g0")
	l := &gLayout{
		allgs:   addr("runtime.allgs"),
		goid:    addr("runtime.g0.goid") - base,
		machine: addr("runtime.g0.restepMachine") - base,
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Goroutine is one goroutine of the stopped program.
type Goroutine struct {
	ID      int64
	Machine uint32 // 0 = the runtime's own
	Start   string // function that it was started with
}

// Goroutines returns at most limit goroutines in the runtime's order.
func (t *Target) Goroutines(limit int) ([]Goroutine, error) {
	machines, err := t.Machines()
	if err != nil {
		return nil, err
	}
	list, _, err := t.dbg.Goroutines(0, limit)
	if err != nil {
		return nil, fmt.Errorf("list the goroutines: %w", err)
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	out := make([]Goroutine, 0, len(list))
	for _, g := range list {
		if g.Unreadable != nil {
			continue
		}
		one := Goroutine{ID: g.ID, Machine: machines[g.ID]}
		if loc := g.StartLoc(grp.Selected); loc.Fn != nil {
			one.Start = loc.Fn.Name
		}
		out = append(out, one)
	}
	return out, nil
}
