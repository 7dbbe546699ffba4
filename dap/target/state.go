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
