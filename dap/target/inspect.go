package target

import (
	"encoding/binary"
	"errors"
	"fmt"
	"go/constant"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/service/api"
)

// What the simulated world looks like at a stop is read from the simulator's
// own variables, by their names: the program exports nothing and does not run.
// inspect_test.go reads all of it, so a name that has changed is found.

// Item is one line of the simulation's state.
type Item struct {
	Name, Value string
	Children    []Item
	Machine     uint32 // of a list of machines: by which the runtime knows it
}

// maxItems bounds each list.
const maxItems = 200

const kernelPath = "internal/restep/kernel"

// inspector reads the simulator's variables. The first error stays.
type inspector struct {
	scope *proc.EvalScope
	mem   proc.MemoryReadWriter
	bi    *proc.BinaryInfo
	k     string // expression for the kernel
	now   int64
	err   error
}

// inspect calls f with the debugger's lock held.
func (t *Target) inspect(f func(in *inspector) []Item) ([]Item, error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return nil, err
	}
	tgt := grp.Selected
	scope, err := proc.ThreadScope(tgt, tgt.CurrentThread())
	if err != nil {
		return nil, fmt.Errorf("read the simulation: %w", err)
	}
	in := &inspector{scope: scope, mem: tgt.Memory(), bi: tgt.BinInfo()}
	kernel := in.num("runtime.restep.kernel")
	if in.err == nil && kernel == 0 {
		return nil, errors.New("the simulation has not begun")
	}
	in.k = fmt.Sprintf("(*(*%q)(%#x))", kernelPath+".Kernel", kernel)
	in.now = in.num("runtime.restep.now")
	list := f(in)
	if in.err != nil {
		return nil, fmt.Errorf("read the simulation: %w", in.err)
	}
	return list, nil
}

var (
	inspectWord = proc.LoadConfig{MaxStringLen: 256, MaxStructFields: 0}
	inspectFlat = proc.LoadConfig{MaxStringLen: 256, MaxArrayValues: 16, MaxStructFields: -1, MaxVariableRecurse: 1, FollowPointers: false}
)

func (in *inspector) eval(expr string, cfg proc.LoadConfig) *proc.Variable {
	if in.err != nil {
		return nil
	}
	v, err := in.scope.EvalExpression(expr, cfg)
	if err == nil && v.Unreadable != nil {
		err = v.Unreadable
	}
	if err != nil {
		in.err = fmt.Errorf("%s: %w", expr, err)
		return nil
	}
	return v
}

// num is a number, a bool as 0 or 1, or an address.
func (in *inspector) num(expr string) int64 {
	v := in.eval(expr, inspectWord)
	if v == nil {
		return 0
	}
	size := v.RealType.Size()
	if v.Kind == reflect.Interface || size < 1 || size > 8 {
		size = 8
	}
	b := make([]byte, 8)
	if _, err := in.mem.ReadMemory(b[:size], v.Addr); err != nil {
		in.err = fmt.Errorf("%s: %w", expr, err)
	}
	return int64(binary.LittleEndian.Uint64(b))
}

func (in *inspector) str(expr string) string {
	v := in.eval(expr, inspectWord)
	if v == nil || v.Value == nil {
		return ""
	}
	return constant.StringVal(v.Value)
}

// length is that of a slice, at most maxItems, and whether there is more.
func (in *inspector) length(expr string) (n int, more bool) {
	v := in.eval(expr, inspectWord)
	if v == nil {
		return 0, false
	}
	return int(min(v.Len, maxItems)), v.Len > maxItems
}

// flat shows a value on one line, times as durations.
func (in *inspector) flat(expr string) string {
	v := in.eval(expr, inspectFlat)
	if v == nil {
		return ""
	}
	if v.Kind != reflect.Struct {
		return api.ConvertVar(v).SinglelineString()
	}
	return strings.Join(in.fields(v), ", ")
}

// fields shows what is set in a structure and those inside it.
func (in *inspector) fields(v *proc.Variable) (parts []string) {
	for i := range v.Children {
		c := &v.Children[i]
		if c.Kind == reflect.Struct {
			parts = append(parts, in.fields(c)...)
		} else if text, ok := in.plain(c); ok {
			parts = append(parts, c.Name+" "+text)
		}
	}
	return parts
}

// plain shows a field that is no structure of its own; false for others, and
// for what is not set.
func (in *inspector) plain(c *proc.Variable) (string, bool) {
	if c.Value == nil {
		return "", false
	}
	switch {
	case c.Kind == reflect.Bool:
		return "yes", constant.BoolVal(c.Value)
	case c.Kind == reflect.String:
		return constant.StringVal(c.Value), constant.StringVal(c.Value) != ""
	}
	n, _ := constant.Int64Val(c.Value)
	if c.DwarfType != nil && strings.HasSuffix(c.DwarfType.String(), ".Nanos") {
		if n > int64(24*time.Hour) { // a moment, not a duration
			return in.when(n), true
		}
		return time.Duration(n).String(), n != 0
	}
	return fmt.Sprint(n), n != 0
}

// when shows a simulated moment relative to now.
func (in *inspector) when(ns int64) string {
	d := time.Duration(ns - in.now)
	if d < 0 {
		return "overdue by " + (-d).String()
	}
	return "in " + d.String()
}

// Clock returns the counters of the simulation: steps, scheduling decisions,
// and simulated time in nanoseconds since the Unix epoch.
func (t *Target) Clock() (step, tick uint64, now int64, err error) {
	_, err = t.inspect(func(in *inspector) []Item {
		step, tick, now = uint64(in.num("runtime.restep.step")), uint64(in.num("runtime.restep.tick")), in.now
		return nil
	})
	return step, tick, now, err
}

// MachineStates lists the machines: state, boots and working directory of each.
func (t *Target) MachineStates() ([]Item, error) {
	return t.inspect(func(in *inspector) []Item {
		n, _ := in.length(in.k + ".slots")
		var list []Item
		for i := 1; i < n && in.err == nil; i++ {
			slot := fmt.Sprintf("%s.slots[%d]", in.k, i)
			if in.num(slot) == 0 {
				continue // it was removed
			}
			m := slot + "."
			item := Item{Name: in.str(m + "label"), Value: "off", Machine: uint32(i)}
			if in.num(m+"state") != 0 {
				item.Value = fmt.Sprintf("on, pid %d, in %s", in.num(m+"proc.pid"), in.str(m+"proc.cwd"))
			}
			if boots := in.num(m + "boots"); boots > 1 {
				item.Value += fmt.Sprintf(", boot %d", boots)
			}
			list = append(list, item)
		}
		return list
	})
}

// Links lists the directions between machines about which there is something
// to say.
func (t *Target) Links() ([]Item, error) {
	return t.inspect(func(in *inspector) []Item {
		n, _ := in.length(in.k + ".slots")
		var list []Item
		for from := 1; from < n && in.err == nil; from++ {
			machine := fmt.Sprintf("%s.slots[%d]", in.k, from)
			if in.num(machine) == 0 || in.num(machine+".stack") == 0 {
				continue
			}
			out := machine + ".stack.out"
			m, _ := in.length(out)
			for to := 1; to < m && in.err == nil; to++ {
				text := in.flat(fmt.Sprintf("%s[%d]", out, to))
				if text == "" {
					continue // nothing was ever sent
				}
				list = append(list, Item{Name: in.label(from) + " → " + in.label(to), Value: text})
			}
		}
		return list
	})
}

func (in *inspector) label(machine int) string {
	slot := fmt.Sprintf("%s.slots[%d]", in.k, machine)
	if in.num(slot) == 0 {
		return fmt.Sprintf("machine-%d", machine) // it was removed
	}
	return in.str(slot + ".label")
}

// due is one event that the simulated kernel waits for.
type due struct {
	when int64
	fn   string
	recv uint64 // receiver of a method value
}

// kernelEvents reads the kernel's queue, in the order in which it comes due.
func (in *inspector) kernelEvents() (list []due) {
	q := in.k + ".events.heap"
	n, _ := in.length(q)
	for i := 0; i < n && in.err == nil; i++ {
		e := fmt.Sprintf("%s[%d].", q, i)
		d := due{when: in.num(e + "when")}
		if closure := uint64(in.num(e + "fn")); closure != 0 {
			b := make([]byte, 16)
			if _, err := in.mem.ReadMemory(b, closure); err == nil {
				if fn := in.bi.PCToFunc(binary.LittleEndian.Uint64(b)); fn != nil {
					d.fn = strings.TrimSuffix(fn.Name, "-fm")
				}
				d.recv = binary.LittleEndian.Uint64(b[8:])
			}
		}
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(a, b due) int { return int(a.when - b.when) })
	return list
}

const packetArrives = kernelPath + ".(*packet).arrive"

// Packets lists the messages that are under way.
func (t *Target) Packets() ([]Item, error) {
	return t.inspect(func(in *inspector) []Item {
		var list []Item
		for _, d := range in.kernelEvents() {
			if d.fn != packetArrives || in.err != nil {
				continue
			}
			p := fmt.Sprintf("(*(*%q)(%#x)).", kernelPath+".packet", d.recv)
			item := Item{Name: in.str(p+"from.m.label") + " → " + in.str(p+"to.m.label")}
			if in.num(p+"gram") != 0 {
				n, _ := in.lengthOf(p + "gram.data")
				item.Value = fmt.Sprintf("%s, UDP %s → %s, %d bytes", in.when(d.when), in.str(p+"gram.srcText"), in.str(p+"gram.dstText"), n)
			} else {
				n, _ := in.lengthOf(p + "seg.Data")
				item.Value = fmt.Sprintf("%s, TCP %s, %d bytes, connection %d", in.when(d.when), in.flags(p+"seg.Flags"), n, in.num(p+"seg.Conn"))
			}
			list = append(list, item)
		}
		return list
	})
}

// lengthOf is length without a bound.
func (in *inspector) lengthOf(expr string) (int64, bool) {
	v := in.eval(expr, inspectWord)
	if v == nil {
		return 0, false
	}
	return v.Len, true
}

// flags are the control bits of a TCP segment, RFC 9293 3.1.
func (in *inspector) flags(expr string) string {
	bits := in.num(expr)
	var names []string
	for i, name := range []string{"FIN", "SYN", "RST", "PSH", "ACK"} {
		if bits>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// Timers lists what comes due: timers of the program and of the simulated
// kernel, the next one first.
func (t *Target) Timers() ([]Item, error) {
	return t.inspect(func(in *inspector) []Item {
		type timer struct {
			when int64
			Item
		}
		var list []timer
		for _, d := range in.kernelEvents() {
			if d.fn != packetArrives {
				list = append(list, timer{d.when, Item{Name: "kernel", Value: shortName(d.fn)}})
			}
		}
		n, _ := in.length("runtime.allp[0].timers.heap")
		for i := 0; i < n && in.err == nil; i++ {
			e := fmt.Sprintf("runtime.allp[0].timers.heap[%d].", i)
			item := Item{Name: "runtime"}
			if m := in.num(e + "timer.restepMachine"); m > 0 && m < FirstChild {
				item.Name = in.label(int(m))
			}
			if f := in.eval(e+"timer.f", inspectWord); f != nil {
				if fn := in.bi.PCToFunc(f.Base); fn != nil {
					item.Value = shortName(fn.Name)
				}
			}
			list = append(list, timer{in.num(e + "when"), item})
		}
		slices.SortStableFunc(list, func(a, b timer) int { return int(a.when - b.when) })
		out := make([]Item, 0, len(list))
		for _, l := range list {
			l.Value = in.when(l.when) + ", " + l.Value
			out = append(out, l.Item)
		}
		return out
	})
}

func shortName(fn string) string { return strings.TrimPrefix(path.Base(fn), "restep/") }

// OpenFiles lists the descriptors of a machine's process. name says what a
// descriptor was opened as, "" when that is not known.
func (t *Target) OpenFiles(machine uint32, name func(fd int) string) ([]Item, error) {
	return t.inspect(func(in *inspector) []Item {
		if n, _ := in.lengthOf(in.k + ".slots"); int64(machine) >= n {
			return nil
		}
		slot := fmt.Sprintf("%s.slots[%d]", in.k, machine)
		m := slot + "."
		if in.num(slot) == 0 || in.num(m+"state") == 0 {
			return nil
		}
		n, _ := in.length(m + "proc.fds.slots")
		var list []Item
		for fd := 0; fd < n && in.err == nil; fd++ {
			file := fmt.Sprintf("%sproc.fds.slots[%d].file", m, fd)
			if in.num(file) == 0 {
				continue
			}
			item := Item{Name: fmt.Sprint(fd), Value: in.file(file + ".File")}
			if opened := name(fd); opened != "" {
				item.Value = opened + ", " + item.Value
			}
			list = append(list, item)
		}
		return list
	})
}

// file describes an open file description by its concrete type.
func (in *inspector) file(expr string) string {
	v := in.eval(expr, proc.LoadConfig{FollowPointers: true, MaxVariableRecurse: 1, MaxStructFields: 0})
	if v == nil || len(v.Children) == 0 || v.Children[0].DwarfType == nil {
		return "?"
	}
	full := v.Children[0].DwarfType.String()
	kind := shortName(strings.TrimPrefix(full, "*"))
	kind = kind[strings.LastIndexByte(kind, '.')+1:]
	f := expr + ".(data)." // Delve's notation for what an interface holds
	switch kind {
	case "diskFile":
		return fmt.Sprintf("file, inode %d, at byte %d", in.num(f+"inode.ino"), in.num(f+"pos"))
	case "tcpSocket":
		switch {
		case in.num(f+"conn") != 0:
			return fmt.Sprintf("TCP %s → %s, connection %d", in.str(f+"conn.LocalText"), in.str(f+"conn.RemoteText"), in.num(f+"conn.ID"))
		case in.num(f+"lis") != 0:
			return fmt.Sprintf("TCP, listens on port %d", in.num(f+"lis.bind.Addr.Port"))
		}
		return "TCP socket"
	case "udpSocket":
		return fmt.Sprintf("UDP, port %d", in.num(f+"addr.Port"))
	}
	return kind
}
