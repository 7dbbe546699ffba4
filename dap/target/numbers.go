package target

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-delve/delve/pkg/dwarf/godwarf"
	"github.com/go-delve/delve/pkg/proc"
)

// A machine has two numbers. The step log's is never used twice. The runtime's,
// which is Machine.ID and Goroutine.Machine here, is the same for the first
// 4,095 machines of a run; later ones get the number of one that was removed
// (sim/kernel, Machine.slot).

// kLayout is where the simulated kernel keeps which machine has which number.
type kLayout struct {
	kernel    uint64 // address of the pointer to the kernel
	slots, id uint64 // offsets in Kernel and in Machine
}

// kernelLayout finds it, once. The debugger's lock must be held.
func (t *Target) kernelLayout(tgt *proc.Target) (*kLayout, error) {
	if t.kernel != nil {
		return t.kernel, nil
	}
	a, err := addresses(tgt, "runtime.restep.kernel")
	if err != nil {
		return nil, err
	}
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return nil, err
	}
	offset := func(typ, field string) (uint64, error) {
		v, err := scope.EvalExpression(fmt.Sprintf("*(*%q)(%d)", kernelPath+"."+typ, a[0]), wordConfig)
		if err != nil {
			return 0, err
		}
		s, ok := v.RealType.(*godwarf.StructType)
		if !ok {
			return 0, fmt.Errorf("%s is a %v", typ, v.RealType)
		}
		for _, f := range s.Field {
			if f.Name == field {
				return uint64(f.ByteOffset), nil
			}
		}
		return 0, fmt.Errorf("%s has no field %s: this restep does not match its own kernel", typ, field)
	}
	l := &kLayout{kernel: a[0]}
	if l.slots, err = offset("Kernel", "slots"); err == nil {
		l.id, err = offset("Machine", "id")
	}
	if err != nil {
		return nil, err
	}
	t.kernel = l
	return l, nil
}

// logIDs reads what the step log calls the machines of the numbers from on, n of
// them at most; 0 for a number that no machine has. The debugger's lock must be
// held.
func (t *Target) logIDs(tgt *proc.Target, from, n uint64) ([]uint32, error) {
	l, err := t.kernelLayout(tgt)
	if err != nil {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	mem := tgt.Memory()
	kernel, err := readWord(mem, l.kernel, 8)
	if err != nil {
		return nil, err
	}
	if kernel == 0 {
		return nil, nil // the simulation has not begun
	}
	slots := make([]byte, 16) // of a slice: where it is and its length
	if _, err := mem.ReadMemory(slots, kernel+l.slots); err != nil {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	at, count := binary.LittleEndian.Uint64(slots), binary.LittleEndian.Uint64(slots[8:])
	if count > FirstChild {
		return nil, errors.New("read the machines: their list is damaged")
	}
	if from >= count {
		return nil, nil
	}
	n = min(n, count-from)
	pointers := make([]byte, 8*n)
	if _, err := mem.ReadMemory(pointers, at+8*from); err != nil {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	ids := make([]uint32, n)
	for i := range ids {
		if m := binary.LittleEndian.Uint64(pointers[8*i:]); m != 0 {
			id, err := readWord(mem, m+l.id, 2)
			if err != nil {
				return nil, err
			}
			ids[i] = uint32(id)
		}
	}
	return ids, nil
}

// LabelExpr is an expression for the label of the machine that has a number when
// it is evaluated; number is an expression, too. It cannot be evaluated where
// no machine has the number.
func (t *Target) LabelExpr(number string) (string, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return "", err
	}
	l, err := t.kernelLayout(grp.Selected)
	if err != nil {
		return "", err
	}
	// The runtime's own pointer to the kernel is one to no type.
	return fmt.Sprintf("(**(**%q)(%#x)).slots[int(%s)].label", kernelPath+".Kernel", l.kernel, number), nil
}

// LogID is what the step log calls the machine that now has a number; false for
// one that is removed, and for a child process.
func (t *Target) LogID(number uint32) (uint32, bool) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return 0, false
	}
	ids, err := t.logIDs(grp.Selected, uint64(number), 1)
	if err != nil || len(ids) == 0 || ids[0] == 0 {
		return 0, false
	}
	return ids[0], true
}

// Labels gives the machines of the run, each with its id in the step log, the
// numbers that they have now, those that exist now first: a label may have
// belonged to others before, and a number, too. A machine that does not exist
// keeps its id where no other can have it as its number.
func (t *Target) Labels(run []Label) []Label {
	list, err := t.MachineList()
	if err != nil {
		return run // nothing runs, so that there is nothing to mistake
	}
	number := map[uint32]uint32{}
	for _, m := range list {
		if m.LogID != 0 {
			number[m.LogID] = m.ID
		}
	}
	var now, others []Label
	for _, l := range run {
		if n, ok := number[l.ID]; ok {
			now = append(now, Label{n, l.Name})
		} else if len(run) < FirstChild {
			others = append(others, l)
		}
	}
	return append(now, others...)
}
