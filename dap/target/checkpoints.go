package target

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/go-delve/delve/pkg/dwarf/op"
	"github.com/go-delve/delve/pkg/proc"
)

// The control block of a process that makes checkpoints: restepControl in
// sim/inject/_goroot/runtime/restep_checkpoint.go. Words are 64 bits, little
// endian.
const (
	controlBase = 0x0e0000000000

	controlSize  = 0 // not 0 when the block is there
	controlEntry = 8
	controlStop  = 16
	controlFrom  = 24
	controlOff   = 32
	controlSaved = 40 // pairs of step and pid, pid 0 = free place

	controlPlaces = 48
	controlHead   = controlSaved + 16*controlPlaces
)

// place is one checkpoint and where it stands in the control block.
type place struct {
	index int
	step  uint64
}

// readControl reads the control block: the address of the routine that goes
// back, and the checkpoints.
func readControl(mem proc.MemoryReadWriter) (entry uint64, places []place, err error) {
	var head [controlHead]byte
	if _, err := mem.ReadMemory(head[:], controlBase); err != nil {
		return 0, nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(head[at:]) }
	if word(controlSize) == 0 {
		return 0, nil, errors.New("the program makes no checkpoints: this restep does not match its own runtime")
	}
	for i := range controlPlaces {
		if at := controlSaved + 16*i; word(at+8) != 0 {
			places = append(places, place{i, word(at)})
		}
	}
	return word(controlEntry), places, nil
}

func writeWord(mem proc.MemoryReadWriter, at int, v uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	if _, err := mem.WriteMemory(controlBase+uint64(at), b[:]); err != nil {
		return fmt.Errorf("write to the program's control block: %w", err)
	}
	return nil
}

// Checkpoints returns the steps of the checkpoints, in ascending order: see
// replay.Target.
func (t *Target) Checkpoints() ([]uint64, error) {
	t.mu.Lock()
	closed, atGate := t.closed, t.atGate
	t.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if atGate {
		return nil, nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil, nil // they have ended with the program
	}
	_, places, err := readControl(grp.Selected.Memory())
	if err != nil {
		return nil, err
	}
	steps := make([]uint64, 0, len(places))
	for _, p := range places {
		steps = append(steps, p.step)
	}
	slices.Sort(steps)
	return steps, nil
}

// Restore goes to the checkpoint at step from and on to step n: see
// replay.Target.
func (t *Target) Restore(ctx context.Context, from, n uint64) error {
	restore, err := t.silence()
	if err != nil {
		return err
	}
	if err := t.prepareRestore(from, n); err != nil {
		return errors.Join(err, restore())
	}
	err = t.resume(ctx)
	return errors.Join(err, restore())
}

// prepareRestore makes the thread go to the checkpoint when it is resumed.
func (t *Target) prepareRestore(from, n uint64) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return err
	}
	mem := grp.Selected.Memory()
	entry, places, err := readControl(mem)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(places, func(p place) bool { return p.step == from })
	if i < 0 {
		return fmt.Errorf("there is no checkpoint at step #%d", from)
	}
	if err := writeWord(mem, controlStop, n); err != nil {
		return err
	}
	if err := writeWord(mem, controlFrom, uint64(places[i].index)); err != nil {
		return err
	}
	t.mu.Lock()
	changed := t.changed
	t.changed = false
	t.mu.Unlock()
	if changed {
		if err := writeWord(mem, controlOff, 0); err != nil {
			return err
		}
	}
	thread := grp.Selected.CurrentThread()
	pc := thread.BinInfo().Arch.PCRegNum
	if err := thread.SetReg(pc, op.DwarfRegisterFromUint64(entry)); err != nil {
		return fmt.Errorf("send the program back: %w", err)
	}
	return nil
}

// Changed says that the user has changed the program where it is: a variable
// was set, a function called. What it does from here on is not the recorded
// run, and no checkpoint is made of it; those that are there are of the
// recorded run. Going to a step undoes the change.
func (t *Target) Changed() error {
	t.mu.Lock()
	t.changed = true
	t.mu.Unlock()
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil
	}
	return writeWord(grp.Selected.Memory(), controlOff, 1)
}

// budget is what all checkpoints of a program may use together, in bytes: a
// quarter of what the host has to give.
func budget() uint64 { return max(availableMemory()/4, 64<<20) }

// availableMemory is MemAvailable of proc_meminfo(5), in bytes; 0 when it is
// not known.
func availableMemory() uint64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for {
		var name, unit string
		var kb uint64
		if _, err := fmt.Fscanf(f, "%s %d %s\n", &name, &kb, &unit); err != nil {
			return 0
		}
		if name == "MemAvailable:" {
			return kb << 10
		}
	}
}
