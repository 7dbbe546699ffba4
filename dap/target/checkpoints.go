package target

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-delve/delve/pkg/dwarf/op"
	"github.com/go-delve/delve/pkg/proc"

	"github.com/restep/restep/replay"
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
	controlWant  = 40
	controlBack  = 48
	controlMade  = 56
	controlSaved = 64 // pairs of step and pid, pid 0 = free place

	controlPlaces = 48
	controlAt     = controlSaved + 16*controlPlaces
	controlHead   = controlAt + 8*controlPlaces
)

// control is what there is to know of checkpoints.
type control struct {
	entry  uint64        // address of the routine that goes back
	back   time.Duration // CPU time that it took last
	made   uint64        // how many were ever made
	places []place
}

// place is one checkpoint and where it stands in the control block.
type place struct {
	index int
	replay.Checkpoint
}

// readControl reads the control block.
func readControl(mem proc.MemoryReadWriter) (c control, err error) {
	var head [controlHead]byte
	if _, err := mem.ReadMemory(head[:], controlBase); err != nil {
		return c, fmt.Errorf("read the checkpoints: %w", err)
	}
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(head[at:]) }
	if word(controlSize) == 0 {
		return c, errors.New("the program makes no checkpoints: this restep does not match its own runtime")
	}
	for i := range controlPlaces {
		if step, pid := word(controlSaved+16*i), word(controlSaved+16*i+8); pid != 0 {
			at := time.Duration(word(controlAt + 8*i))
			c.places = append(c.places, place{i, replay.Checkpoint{Step: step, At: at}})
		}
	}
	c.entry, c.back, c.made = word(controlEntry), time.Duration(word(controlBack)), word(controlMade)
	return c, nil
}

func writeWord(mem proc.MemoryReadWriter, at int, v uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	if _, err := mem.WriteMemory(controlBase+uint64(at), b[:]); err != nil {
		return fmt.Errorf("write to the program's control block: %w", err)
	}
	return nil
}

// Checkpoints returns the checkpoints: see replay.Target.
func (t *Target) Checkpoints() (list replay.Checkpoints, err error) {
	t.mu.Lock()
	closed, atGate := t.closed, t.atGate
	t.mu.Unlock()
	if closed {
		return list, errClosed
	}
	if atGate {
		return list, nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return list, nil // they have ended with the program
	}
	c, err := readControl(grp.Selected.Memory())
	if err != nil {
		return list, err
	}
	list.Back = c.back
	for _, p := range c.places {
		list.List = append(list.List, p.Checkpoint)
	}
	slices.SortFunc(list.List, func(a, b replay.Checkpoint) int { return cmp.Compare(a.Step, b.Step) })
	return list, nil
}

// Restore goes to the checkpoint at step from and on to step n: see
// replay.Target.
func (t *Target) Restore(ctx context.Context, from, n uint64) error {
	restore, err := t.silence()
	if err != nil {
		return err
	}
	if err := t.prepareRestore(from, n, 0); err != nil {
		return errors.Join(err, restore())
	}
	err = t.resume(ctx)
	return errors.Join(err, restore())
}

// prepareRestore makes the thread go to the checkpoint at step from when it is
// resumed, and on to step n. It makes another one at step want on its way, 0 for
// none.
func (t *Target) prepareRestore(from, n, want uint64) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return err
	}
	mem := grp.Selected.Memory()
	c, err := readControl(mem)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(c.places, func(p place) bool { return p.Step == from })
	if i < 0 {
		return fmt.Errorf("there is no checkpoint at step #%d", from)
	}
	if err := writeWord(mem, controlStop, n); err != nil {
		return err
	}
	if err := writeWord(mem, controlFrom, uint64(c.places[i].index)); err != nil {
		return err
	}
	if err := writeWord(mem, controlWant, want); err != nil {
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
	if err := thread.SetReg(pc, op.DwarfRegisterFromUint64(c.entry)); err != nil {
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
