package target

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-delve/delve/pkg/dwarf/godwarf"
	"github.com/go-delve/delve/pkg/proc"

	"github.com/restep/restep/replay"
)

// wordConfig loads numbers and addresses, nothing behind them.
var wordConfig = proc.LoadConfig{MaxStructFields: 0}

// State says where the program is: see replay.Target. It must be stopped.
func (t *Target) State() (replay.State, error) {
	t.mu.Lock()
	closed, atGate, run, changed := t.closed, t.atGate, t.run, t.changed
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
		s, err := exitState(run.Ended, err)
		s.Changed = changed
		return s, err
	}
	s := replay.State{Changed: changed}
	tgt := grp.Selected
	vars, err := t.variables(tgt)
	if err != nil {
		return s, err
	}
	step, err := readWord(tgt.Memory(), vars.step, 8)
	if err != nil {
		return s, err
	}
	sum, err := readWord(tgt.Memory(), vars.sum, 8)
	if err != nil {
		return s, err
	}
	cur, err := readWord(tgt.Memory(), vars.cur, 4)
	if err != nil {
		return s, err
	}
	s.Step, s.Sum, s.Machine = step, uint32(sum), uint32(cur)
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

// variables are the addresses of the simulator's variables that are read at
// every stop. Delve looks through all variables of the program for each name.
type variables struct {
	step, stopStep, sum uint64 // 8 bytes each
	cur                 uint64 // 4 bytes
	stopping            uint64 // 1 byte
}

// variables finds the addresses, once. The debugger's lock must be held.
func (t *Target) variables(tgt *proc.Target) (*variables, error) {
	if t.vars != nil {
		return t.vars, nil
	}
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return nil, fmt.Errorf("read the program's state: %w", err)
	}
	v, err := scope.EvalExpression("runtime.restep", wordConfig)
	if err != nil {
		return nil, fmt.Errorf("find the simulator's state: %w", err)
	}
	typ, ok := v.RealType.(*godwarf.StructType)
	if !ok {
		return nil, fmt.Errorf("find the simulator's state: runtime.restep is a %v", v.RealType)
	}
	vars := &variables{}
	for _, f := range typ.Field {
		at := v.Addr + uint64(f.ByteOffset)
		switch f.Name {
		case "step":
			vars.step = at
		case "stopStep":
			vars.stopStep = at
		case "stopping":
			vars.stopping = at
		case "sum":
			vars.sum = at
		case "cur":
			vars.cur = at
		}
	}
	if vars.step == 0 || vars.stopping == 0 || vars.sum == 0 || vars.stopStep == 0 || vars.cur == 0 {
		return nil, errors.New("runtime.restep lacks a field: this restep does not match its own runtime")
	}
	t.vars = vars
	return vars, nil
}

// readWord reads a number of size bytes.
func readWord(mem proc.MemoryReadWriter, addr uint64, size int) (uint64, error) {
	b := make([]byte, 8)
	if _, err := mem.ReadMemory(b[:size], addr); err != nil {
		return 0, fmt.Errorf("read the program's state: %w", err)
	}
	return binary.LittleEndian.Uint64(b), nil
}
