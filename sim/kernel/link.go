package kernel

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// This file is the injected kernel's face to the patched runtime, which pulls
// these functions by linkname and declares the same argument types
// (sim/inject/_goroot/runtime/restep_kernel.go). In the ordinary build nothing
// calls them but tests.

// hostFuncs are the runtime's functions; plain ones, never closures.
type hostFuncs struct {
	now       func() int64
	rand      func(stream uint8) uint64
	wake      func(pd uintptr, mode uint8)
	ready     func(caller uintptr)
	signal    func(process, sig uint32)
	context   func(c *Caller)
	symbolize func(pc uintptr, emit func(function, file string, line int))
	grow      func(need uint64) bool
	memory    func(size uintptr) unsafe.Pointer
	stepped   func(n, sum uint64) // number of the step just made, rolling checksum after it
	main      func()
	real      func(nr uintptr, a *[6]uintptr) (r, errno uintptr)
	store     func(addr uintptr, p unsafe.Pointer, n uintptr) bool
}

// linkConfig says what run this is.
type linkConfig struct {
	seed, variant uint64
	start         int64
	cwd           string
	root, real    string // the module under test: where the program sees it, where it is
	log           []byte
	textBase      uintptr
}

// linked is the one kernel of the process. It is set once, before the program
// under test starts, because functions that the runtime calls through plain
// pointers have nowhere else to find it.
var linked struct {
	host hostFuncs
	w    *steplog.Writer
	// args are those of a call of the real kernel: a fault must not allocate.
	args [6]uintptr
}

// linkNew makes the world of a run.
//
//go:linkname linkNew
func linkNew(h *hostFuncs, cfg *linkConfig) *Kernel {
	linked.host = *h
	w := (*steplog.Writer)(h.memory(steplog.WriterSize))
	linked.w = w
	k := New(Config{
		Host: Host{
			Now:    func() Nanos { return Nanos(linked.host.now()) },
			Rand:   func(s sched.Stream) uint64 { return linked.host.rand(uint8(s)) },
			Wake:   func(pd uintptr, mode Mode) { linked.host.wake(pd, uint8(mode)) },
			Ready:  func(caller uintptr) { linked.host.ready(caller) },
			Signal: func(p ProcessID, sig uint32) { linked.host.signal(uint32(p), sig) },
			Under:  newRealFiles(h.real, cfg.root, cfg.real),
			Memory: linkedMemory,
		},
		Start: Nanos(cfg.start),
		Cwd:   cfg.cwd,
	})
	k.rec = &Recorder{k: k, w: w, context: h.context, stepped: h.stepped, textBase: cfg.textBase}
	k.host.Record = k.rec.record
	table := steplog.TableSize(1 << 12)
	err := w.Init(&steplog.WriterConfig{
		Seed: cfg.seed, Variant: cfg.variant, Log: cfg.log, Grow: h.grow,
		Table:     unsafe.Slice((*byte)(h.memory(uintptr(table))), table),
		GrowTable: growTable, Symbolize: symbolize, TextBase: cfg.textBase,
	})
	assert(err == nil, "the step log cannot be written")
	return k
}

func growTable(need uint64) []byte {
	return unsafe.Slice((*byte)(linked.host.memory(uintptr(need))), need)
}

func symbolize(w *steplog.Writer, pc uintptr) {
	linked.host.symbolize(pc, emitFrame)
}

func emitFrame(function, file string, line int) { linked.w.Frame(function, file, line) }

// linkEntry is the first function of a machine's first goroutine.
//
//go:linkname linkEntry
func linkEntry() { linked.host.main() }

//go:linkname linkSyscall
func linkSyscall(k *Kernel, process uint32, caller, nr uintptr, a *[6]uintptr) (r, errno uintptr) {
	result, e := k.SyscallFrom(ProcessID(process), caller, nr, (*Args)(a))
	return result, uintptr(e)
}

//go:linkname linkNext
func linkNext(k *Kernel) int64 { return int64(k.NextEvent()) }

//go:linkname linkRun
func linkRun(k *Kernel, now int64) { k.RunEvents(Nanos(now)) }

//go:linkname linkNewMachine
func linkNewMachine(k *Kernel, label string, addr uint32, mayExit bool) (id uint32, err string) {
	m, err := k.NewMachine(MachineConfig{
		Label: label, Addr: [4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}, MayExit: mayExit,
	})
	if err != "" {
		return 0, err
	}
	k.rec.w.Machine(steplog.Machine{ID: steplog.MachineID(m.id), Label: m.label, Host: m.hostname, Addr: m.addrText()})
	return uint32(m.slot), ""
}

//go:linkname linkBootMachine
func linkBootMachine(k *Kernel, id uint32) { k.owner(ProcessID(id)).Boot() }

//go:linkname linkCrashMachine
func linkCrashMachine(k *Kernel, id uint32) { k.owner(ProcessID(id)).Crash() }

//go:linkname linkEndMachine
func linkEndMachine(k *Kernel, id uint32, kind uint8, code int32, text string) {
	k.owner(ProcessID(id)).End(steplog.Kind(kind), code, text)
}

//go:linkname linkSignal
func linkSignal(k *Kernel, id, sig uint32) uint8 { return uint8(k.owner(ProcessID(id)).Signal(sig)) }

//go:linkname linkHandle
func linkHandle(k *Kernel, id, sig uint32, handled, ignored bool) {
	if p := k.process(ProcessID(id)); p != nil {
		p.Handle(sig, handled, ignored)
	}
}

//go:linkname linkPollOpen
func linkPollOpen(k *Kernel, id uint32, fd, pd uintptr) uintptr {
	p := k.process(ProcessID(id))
	return uintptr(p.pollOpen(int(fd), pd))
}

//go:linkname linkPollClose
func linkPollClose(k *Kernel, id uint32, fd, pd uintptr) {
	p := k.process(ProcessID(id))
	if f, errno := p.fds.get(int(fd)); errno == abi.OK {
		p.pollClosed(f, pd)
	}
}

// linkRecord makes a step that the runtime saw. number is the goroutine
// started or ended, an exit code, a system call, or for a log line 1 when the runtime itself
// printed it.
//
//go:linkname linkRecord
func linkRecord(k *Kernel, kind uint8, process uint32, number uint64, text string, level int8) {
	m := k.owner(ProcessID(process))
	e := Event{Kind: steplog.Kind(kind), Level: level, FD: -1, Nr: -1}
	if m != nil {
		e.Machine = m.id
	}
	if text != "" {
		e.Text = unsafe.Slice(unsafe.StringData(text), len(text))
	}
	if e.Kind == steplog.KindLog && number == 1 && k.printed(ProcessID(process), e.Text) {
		return
	}
	switch e.Kind {
	case steplog.KindGo, steplog.KindGoExit:
		e.Goroutine = number
	case steplog.KindEnd:
		e.Code = int32(number)
	case steplog.KindUnsupported: // a call that assembly made
		e.Nr, e.Errno, e.Text = int32(number), abi.ENOSYS, []byte(callName(uintptr(number)))
	}
	if m != nil && e.Kind == steplog.KindLog {
		m.log.append(e.Text, false)
	}
	k.record(&e)
}

// Operations of linkLink: what its arguments are. Package sim has the same
// numbers.
const (
	linkDelay     = iota // two machines; value is a time in ns
	linkConnected        // two machines; value is 0 or 1
	linkSet              // from; to, a NUL and settings (parseLink)
	linkPartition        // names, each with a NUL behind it; an empty one ends a set
	linkHeal             // nothing
	linkAddAddr          // a label; an address of 16 bytes
	linkDNS              // a name; records, each with a NUL behind it
	linkDNSFault         // a machine or *; value is a DNSFault
	linkDNSStale         // value is a time in ns
)

// linkLink changes the network; it answers an error text.
//
//go:linkname linkLink
func linkLink(k *Kernel, op uint8, a, b string, value int64) string {
	switch op {
	case linkDelay:
		return k.SetDelay(a, b, Nanos(value))
	case linkConnected:
		return k.SetConnected(a, b, value != 0)
	case linkSet:
		to, spec, _ := strings.Cut(b, "\x00")
		set, text := parseLink(spec)
		if text != "" {
			return text
		}
		return k.SetLink(a, to, set)
	case linkPartition:
		return k.Partition(parseSets(a))
	case linkHeal:
		k.Heal()
		return ""
	case linkAddAddr:
		m := k.Lookup(a)
		if m == nil || len(b) != len(socket.IP{}) {
			return "there is no machine " + a
		}
		return m.AddAddr(socket.IP([]byte(b)))
	}
	return k.linkName(op, a, b, value)
}

// linkName is the part of linkLink about names.
func (k *Kernel) linkName(op uint8, a, b string, value int64) string {
	switch op {
	case linkDNS:
		var records []string
		for b != "" {
			r, rest, _ := strings.Cut(b, "\x00")
			records, b = append(records, r), rest
		}
		return k.SetDNS(a, records)
	case linkDNSFault:
		return k.SetDNSFault(a, DNSFault(min(uint64(value), 255)))
	case linkDNSStale:
		return k.SetDNSStale(Nanos(value))
	}
	return "unknown operation"
}

// parseLink reads settings as nine numbers with blanks between them: delay in
// ns or -1, jitter in ns, four chances, bandwidth, queue, state.
func parseLink(spec string) (set LinkSettings, text string) {
	var v [9]int64
	for i := range v {
		word, rest, more := strings.Cut(spec, " ")
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || more != (i < len(v)-1) {
			return set, "the settings of the link are not understood"
		}
		v[i], spec = n, rest
	}
	if set.Fixed = v[0] != -1; set.Fixed {
		set.Delay = Nanos(v[0])
	}
	set.Jitter = Nanos(v[1])
	for i, c := range [...]*Chance{&set.Loss, &set.Duplicate, &set.Reorder, &set.Corrupt} {
		*c = Chance(v[2+i])
	}
	set.Bandwidth, set.Queue = v[6], v[7]
	set.State = LinkState(min(uint64(v[8]), 255))
	return set, ""
}

// parseSets reads the sets of a partition.
func parseSets(s string) (sets [][]string) {
	set := []string{}
	for s != "" {
		name, rest, _ := strings.Cut(s, "\x00")
		s = rest
		if name == "" {
			sets, set = append(sets, set), []string{}
			continue
		}
		set = append(set, name)
	}
	return sets
}

//go:linkname linkLabel
func linkLabel(k *Kernel, id uint32) string {
	m := k.owner(ProcessID(id))
	switch {
	case m == nil:
		return ""
	case ProcessID(id) >= firstChild:
		return m.label + ", process " + itoa(k.process(ProcessID(id)).pid)
	}
	return m.label
}

// linkExport hands over the file that may leave the simulation.
//
//go:linkname linkExport
func linkExport(k *Kernel, write func(piece []byte)) { k.Export(write) }

// linkForget is told that a goroutine died whose call was waiting.
//
//go:linkname linkForget
func linkForget(k *Kernel, id uint32, caller uintptr) { k.Forget(ProcessID(id), caller) }

// linkFault is told of an access to memory of mappings that was forbidden.
//
//go:linkname linkFault
func linkFault(k *Kernel, addr uintptr) bool { return k.Fault(addr) }

// linkOp is Machine.Do.
//
//go:linkname linkOp
func linkOp(k *Kernel, op uint8, id uint32, a, b string, v int64) (text string, n int64) {
	m := k.owner(ProcessID(id))
	if m == nil {
		return "", -1
	}
	return m.Do(Op(op), a, b, v)
}

// linkedMemory is the memory of the program, by the real kernel's calls mmap,
// munmap, madvise and mprotect.
var linkedMemory = Memory{
	Base: 0x200000000000, Size: 1 << 44, Faults: true,
	Map: func(addr, size uintptr) bool {
		const flags = abi.MAP_PRIVATE | abi.MAP_ANONYMOUS | abi.MAP_NORESERVE | abi.MAP_FIXED_NOREPLACE
		return linkedReal(abi.SYS_MMAP, addr, size, abi.PROT_NONE, flags)
	},
	Unmap:   func(addr, size uintptr) bool { return linkedReal(abi.SYS_MUNMAP, addr, size, 0, 0) },
	Discard: func(addr, size uintptr) bool { return linkedReal(abi.SYS_MADVISE, addr, size, abi.MADV_DONTNEED, 0) },
	Protect: func(addr, size uintptr, prot int) bool {
		return linkedReal(abi.SYS_MPROTECT, addr, size, uintptr(prot), 0)
	},
	Store: func(addr uintptr, p []byte) bool {
		return linked.host.store(addr, unsafe.Pointer(unsafe.SliceData(p)), uintptr(len(p)))
	},
}

func linkedReal(nr, addr, size, c, d uintptr) bool {
	linked.args = [6]uintptr{addr, size, c, d, ^uintptr(0), 0}
	_, errno := linked.host.real(nr, &linked.args)
	return errno == 0
}

// linkClose finishes the step log.
//
//go:linkname linkClose
func linkClose(k *Kernel) { k.rec.w.Close() }
