package target

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/service/api"
)

// gLayout is where the runtime's goroutine descriptors have what is read here.
// The offsets count from base, an offset in runtime.g itself: one read of size
// bytes gets them all.
type gLayout struct {
	allgs      uint64 // address of the slice runtime.allgs
	base, size uint64
	goid, machine, status,
	startpc uint64
}

const maxGoroutines = 1 << 20

// States of a goroutine that is no more: runtime2.go, _Gidle and _Gdead.
const (
	gIdle = 0
	gDead = 6
	gScan = 0x1000
)

// Goroutine is one goroutine of the stopped program.
type Goroutine struct {
	ID      int64
	Machine uint32 // 0 = the runtime's own
	Start   string // function that it was started with

	startPC uint64
}

// Machines returns the machine of each goroutine by goroutine id. The program
// must be stopped.
func (t *Target) Machines() (map[int64]uint32, error) {
	list, err := t.descriptors()
	if err != nil {
		return nil, err
	}
	out := make(map[int64]uint32, len(list))
	for i := range list {
		g := &list[i]
		if old, ok := out[g.ID]; !ok || old == 0 {
			out[g.ID] = g.Machine
		}
	}
	return out, nil
}

// Goroutines returns the goroutines in the runtime's order, at most limit of
// them unless that is 0.
func (t *Target) Goroutines(limit int) ([]Goroutine, error) {
	list, err := t.descriptors()
	if err != nil {
		return nil, err
	}
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, err
	}
	if t.starts == nil {
		t.starts = map[uint64]string{}
	}
	for i := range list {
		g := &list[i]
		name, known := t.starts[g.startPC]
		if !known {
			name = startName(grp.Selected, g.startPC)
			t.starts[g.startPC] = name
		}
		g.Start = name
		if name == machineEntry {
			if own := mainName(grp.Selected, g.Machine); own != "" {
				g.Start = own
			}
		}
	}
	return list, nil
}

// machineEntry is the simulator's function that the first goroutine of a machine
// starts with (sim/inject/_goroot/runtime/restep_machine.go); it calls the
// user's.
const machineEntry = "internal/restep/kernel.linkEntry"

// mainName names the function that a machine runs, "" when that is not known.
func mainName(tgt *proc.Target, machine uint32) string {
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return ""
	}
	v, err := scope.EvalExpression(fmt.Sprintf("runtime.restep.machine[%d].main", machine), wordConfig)
	if err != nil || v.Kind != reflect.Func || v.Base == 0 {
		return ""
	}
	if fn := tgt.BinInfo().PCToFunc(v.Base); fn != nil {
		return fn.Name
	}
	return ""
}

// startName names the function that a go statement starts. With arguments the
// compiler makes a wrapper, whose first call is meant: cmd/compile, "wrapCall".
func startName(tgt *proc.Target, pc uint64) string {
	fn := tgt.BinInfo().PCToFunc(pc)
	switch {
	case fn == nil:
		return ""
	case !fn.Trampoline:
		return fn.Name
	}
	text, err := proc.Disassemble(tgt.Memory(), nil, tgt.Breakpoints(), tgt.BinInfo(), fn.Entry, fn.End)
	if err != nil {
		return fn.Name
	}
	for _, in := range text {
		if !in.IsCall() || in.DestLoc == nil || in.DestLoc.Fn == nil {
			continue
		}
		called := in.DestLoc.Fn.Name
		if rest, ok := strings.CutPrefix(called, "runtime."); !ok || rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
			return called
		}
	}
	return fn.Name
}

// descriptors reads the descriptors of all goroutines that are alive, without
// the names of their functions. Delve's own list costs some hundred reads of
// memory a goroutine; this costs one.
func (t *Target) descriptors() ([]Goroutine, error) {
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
	all := make([]byte, 8*n)
	if n > 0 {
		if _, err := mem.ReadMemory(all, addr); err != nil {
			return nil, fmt.Errorf("read the list of goroutines: %w", err)
		}
	}
	out := make([]Goroutine, 0, n)
	g := make([]byte, l.size)
	for ; len(all) > 0; all = all[8:] {
		if _, err := mem.ReadMemory(g, binary.LittleEndian.Uint64(all)+l.base); err != nil {
			continue
		}
		if status := binary.LittleEndian.Uint32(g[l.status:]) &^ gScan; status == gIdle || status == gDead {
			continue
		}
		out = append(out, Goroutine{
			ID: int64(binary.LittleEndian.Uint64(g[l.goid:])), Machine: binary.LittleEndian.Uint32(g[l.machine:]),
			startPC: binary.LittleEndian.Uint64(g[l.startpc:]),
		})
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
	g0, allgs := addr("runtime.g0"), addr("runtime.allgs")
	goid, machine := addr("runtime.g0.goid"), addr("runtime.g0.restepMachine")
	status, startpc := addr("runtime.g0.atomicstatus.value"), addr("runtime.g0.startpc")
	if err != nil {
		return nil, err
	}
	lo := min(goid, machine, status, startpc)
	return &gLayout{
		allgs: allgs, base: lo - g0, size: max(goid, machine, status, startpc) + 8 - lo,
		goid: goid - lo, machine: machine - lo, status: status - lo, startpc: startpc - lo,
	}, nil
}

// Filter returns the ids of the goroutines that Delve's filters select, in
// the notation of its command goroutines.
func (t *Target) Filter(filters string) (map[int64]bool, error) {
	parsed, _, _, _, _, _, _, err := api.ParseGoroutineArgs(filters)
	if err != nil {
		return nil, fmt.Errorf("goroutineFilters: %w", err)
	}
	all, _, err := t.dbg.Goroutines(0, 0)
	if err != nil {
		return nil, fmt.Errorf("list the goroutines: %w", err)
	}
	out := map[int64]bool{}
	for _, g := range t.dbg.FilterGoroutines(all, parsed) {
		out[g.ID] = true
	}
	return out, nil
}
