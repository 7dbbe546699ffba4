package target

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/go-delve/delve/pkg/proc"
)

// Machine is what the runtime knows of one machine of the stopped program.
type Machine struct {
	ID    uint32 // by which the runtime knows it
	LogID uint32 // by which the step log does; 0 for a child and for a machine that was removed
	Alive bool
	// Pid is 0 for a machine; another process of machine Host has a number
	// from FirstChild on and counts as a machine, too.
	Host, Pid uint32
	image     uint64 // address of its saved variables, 0 when it is off
}

// FirstChild is restepMaxMachines of the patched runtime, which bounds the
// machines; child processes are numbered from there on.
const FirstChild = 4096

// maxChildren is restepMaxChildren of the patched runtime.
const maxChildren = 1024

// MachineList returns the machines that exist at this stop, by id, and behind
// them the child processes that run.
func (t *Target) MachineList() ([]Machine, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, err
	}
	list, _, err := t.readMachines(grp.Selected)
	if err != nil {
		return nil, err
	}
	ids, err := t.logIDs(grp.Selected, 1, FirstChild)
	for i := range ids {
		if i < len(list) && list[i].ID == uint32(i+1) {
			list[i].LogID = ids[i]
		}
	}
	return list, err
}

// mLayout is where the runtime keeps its machines.
type mLayout struct {
	cur, count       uint64 // addresses of restep.cur and restep.nmachine
	image, alive     uint64 // addresses of those fields of machine 0
	stride           uint64 // from one machine to the next
	children         uint64 // address of restep.nchild
	host, pid        uint64 // addresses of those fields of machine 0
	pieces, numPiece uint64 // addresses of restepPages.runs and nruns
}

// addresses evaluates expressions and returns where their values are.
func addresses(tgt *proc.Target, exprs ...string) ([]uint64, error) {
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return nil, err
	}
	out := make([]uint64, len(exprs))
	for i, expr := range exprs {
		v, err := scope.EvalExpression(expr, wordConfig)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", expr, err)
		}
		out[i] = v.Addr
	}
	return out, nil
}

// readMachines also returns the machine whose variables are in place.
func (t *Target) readMachines(tgt *proc.Target) (list []Machine, inPlace uint32, err error) {
	if t.machines == nil {
		a, err := addresses(tgt, "runtime.restep.cur", "runtime.restep.nmachine", "runtime.restep.machine[0].image",
			"runtime.restep.machine[0].alive", "runtime.restep.machine[1].image", "runtime.restepPages.runs", "runtime.restepPages.nruns",
			"runtime.restep.nchild", "runtime.restep.machine[0].host", "runtime.restep.machine[0].pid")
		if err != nil {
			return nil, 0, fmt.Errorf("read the machines: %w", err)
		}
		t.machines = &mLayout{
			cur: a[0], count: a[1], image: a[2], alive: a[3], stride: a[4] - a[2], pieces: a[5], numPiece: a[6],
			children: a[7], host: a[8], pid: a[9],
		}
	}
	l, mem := t.machines, tgt.Memory()
	cur, err := readWord(mem, l.cur, 4)
	if err != nil {
		return nil, 0, err
	}
	count, err := readWord(mem, l.count, 4)
	if err != nil {
		return nil, 0, err
	}
	if count >= FirstChild {
		return nil, 0, fmt.Errorf("the program has %d machines; the limit is %d", count, FirstChild)
	}
	children, err := readWord(mem, l.children, 4)
	if err != nil {
		return nil, 0, err
	}
	if children > maxChildren {
		return nil, 0, fmt.Errorf("the program has %d child processes; the limit is %d", children, maxChildren)
	}
	machines, err := l.read(mem, 1, count)
	if err != nil {
		return nil, 0, err
	}
	processes, err := l.read(mem, FirstChild, children)
	if err != nil {
		return nil, 0, err
	}
	processes = slices.DeleteFunc(processes, func(m Machine) bool { return !m.Alive })
	return append(machines, processes...), uint32(cur), nil
}

// read returns n machines from number from on.
func (l *mLayout) read(mem proc.MemoryReadWriter, from, n uint64) ([]Machine, error) {
	first := min(l.image, l.alive, l.host, l.pid)
	b := make([]byte, l.stride*n)
	if _, err := mem.ReadMemory(b, first+from*l.stride); err != nil && n > 0 {
		return nil, fmt.Errorf("read the machines: %w", err)
	}
	var list []Machine
	for i := range n {
		at := b[i*l.stride:]
		m := Machine{ID: uint32(from + i), Alive: at[l.alive-first] != 0, image: binary.LittleEndian.Uint64(at[l.image-first:])}
		if m.ID >= FirstChild {
			m.Host, m.Pid = binary.LittleEndian.Uint32(at[l.host-first:]), binary.LittleEndian.Uint32(at[l.pid-first:])
		}
		list = append(list, m)
	}
	return list, nil
}

// Child is the child process with that number.
func (t *Target) Child(id uint32) (Machine, bool) {
	list, err := t.MachineList()
	i := slices.IndexFunc(list, func(m Machine) bool { return m.ID == id && m.Pid != 0 })
	if err != nil || i < 0 {
		return Machine{}, false
	}
	return list[i], true
}

// piece is a part of the machines' variables that differs between machines:
// restepRun of the patched runtime (restep_pages.go).
type piece struct {
	addr, size, off uint64
	saved           []byte
}

const (
	maxPieces     = 512
	maxPiecesSize = 1 << 30
)

// readPieces lists what the runtime copies when it switches machines; after
// readMachines.
func (t *Target) readPieces(tgt *proc.Target) ([]piece, error) {
	n, err := readWord(tgt.Memory(), t.machines.numPiece, 8)
	if err != nil {
		return nil, err
	}
	if n > maxPieces {
		return nil, errors.New("the variables of machines are laid out in another way: this restep does not match its own runtime")
	}
	b := make([]byte, n*24)
	if n > 0 {
		if _, err := tgt.Memory().ReadMemory(b, t.machines.pieces); err != nil {
			return nil, err
		}
	}
	list := make([]piece, n)
	total := uint64(0)
	for i := range list {
		w := b[i*24:]
		list[i] = piece{addr: binary.LittleEndian.Uint64(w), size: binary.LittleEndian.Uint64(w[8:]), off: binary.LittleEndian.Uint64(w[16:])}
		if total += list[i].size; list[i].size > maxPiecesSize || total > maxPiecesSize {
			return nil, errors.New("the variables of machines are too large")
		}
	}
	return list, nil
}

// OffError says that a machine has no variables at this stop.
type OffError struct{ Machine uint32 }

func (e *OffError) Error() string { return fmt.Sprintf("machine %d is off at this step", e.Machine) }

// In calls f while the package variables of a machine are in place, as if it
// were the one that is stopped: Delve, which knows one address for each
// variable, then shows that machine's. The program must be stopped and stay so;
// whatever f changes is undone, unless keep is set: then it is the machine's
// new state. Machine 0 stands for the one that is in place anyway.
//
// When the old state cannot be put back the program is ended: it would go on
// with the wrong variables.
func (t *Target) In(machine uint32, keep bool, f func() error) error {
	swapped, image, err := t.swapIn(machine)
	if err != nil {
		return err
	}
	err = f()
	if swapped == nil {
		return err
	}
	if back := t.swapBack(swapped, image, keep); back != nil {
		t.Interrupt()
		return fmt.Errorf("put the variables back: %w; the program was ended", back)
	}
	return err
}

// swapIn returns nil when there was nothing to do.
func (t *Target) swapIn(machine uint32) (swapped []piece, image uint64, err error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, 0, err
	}
	tgt := grp.Selected
	list, cur, err := t.readMachines(tgt)
	if err != nil || machine == 0 || machine == cur {
		return nil, 0, err
	}
	for _, m := range list {
		if m.ID == machine {
			image = m.image
		}
	}
	if image == 0 {
		return nil, 0, &OffError{machine}
	}
	pieces, err := t.readPieces(tgt)
	if err != nil {
		return nil, 0, fmt.Errorf("read the variables of machine %d: %w", machine, err)
	}
	mem := tgt.Memory()
	theirs := make([][]byte, len(pieces))
	for i := range pieces { // all is read before anything is written
		p := &pieces[i]
		p.saved, theirs[i] = make([]byte, p.size), make([]byte, p.size)
		if _, err := mem.ReadMemory(p.saved, p.addr); err != nil {
			return nil, 0, fmt.Errorf("read the variables in place: %w", err)
		}
		if _, err := mem.ReadMemory(theirs[i], image+p.off); err != nil {
			return nil, 0, fmt.Errorf("read the variables of machine %d: %w", machine, err)
		}
	}
	for i := range pieces {
		if _, err := mem.WriteMemory(pieces[i].addr, theirs[i]); err != nil {
			err = fmt.Errorf("put the variables of machine %d in place: %w", machine, err)
			if back := restore(mem, pieces[:i+1]); back != nil {
				t.Interrupt()
				err = errors.Join(err, back)
			}
			return nil, 0, err
		}
	}
	return pieces, image, nil
}

func restore(mem proc.MemoryReadWriter, pieces []piece) error {
	for i := range pieces {
		if _, err := mem.WriteMemory(pieces[i].addr, pieces[i].saved); err != nil {
			return err
		}
	}
	return nil
}

func (t *Target) swapBack(pieces []piece, image uint64, keep bool) error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return nil // it has ended: there is nothing to go on with
	}
	mem := grp.Selected.Memory()
	for i := 0; keep && i < len(pieces); i++ {
		b := make([]byte, pieces[i].size)
		if _, err := mem.ReadMemory(b, pieces[i].addr); err != nil {
			return err
		}
		if _, err := mem.WriteMemory(image+pieces[i].off, b); err != nil {
			return err
		}
	}
	return restore(mem, pieces)
}
