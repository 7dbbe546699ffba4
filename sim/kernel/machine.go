package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/socket"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/steplog"
)

// State is what a machine is doing.
type State uint8

// A machine is Off before its first boot and after a crash, kill or exit.
const (
	Off State = iota
	Running
)

// MachineConfig describes a new machine.
type MachineConfig struct {
	Label string
	// Addr is the IPv4 address, {0,0,0,0} for the next free one.
	Addr [4]byte
	// Addrs are further addresses, IPv4 or IPv6.
	Addrs []socket.IP
	// MayExit says that the end of this machine by panic or exit is no
	// failure of the test.
	MayExit bool
	Env     []string
	Args    []string
}

// Machine is one simulated computer: label, host name, address, disk, network
// stack and, while it runs, processes.
type Machine struct {
	k        *Kernel
	id       MachineID
	slot     ProcessID // number of its first process, and its place in tables
	label    string
	hostname string
	addrs    []socket.IP // the first one is IPv4
	mayExit  bool
	env      []string
	args     []string
	state    State
	boots    int
	proc     *Process   // the first one
	procs    []*Process // all, in the order of their beginnings
	lastPid  int
	disk     *disk
	stack    *netStack
	clock    machineClock
	log      consoleLog
	exitCode int32
	fdLimit  int
	user     identity // of the first process
	// crash and crashes are what OpCrashStates found last.
	crash   *vfs.Crash
	crashes []vfs.CrashState
	// crashGen is which of these calls of all machines it was.
	crashGen int64
}

// Task is the context of one system call: who calls.
type Task struct {
	k    *Kernel
	m    *Machine
	proc *Process
	// caller is what Host.Ready wants when a call may be tried again, 0 for
	// a caller that cannot wait.
	caller uintptr
}

// NewMachine adds a machine; it is Off until Boot. The error text is for the
// user.
func (k *Kernel) NewMachine(cfg MachineConfig) (*Machine, string) {
	label := cfg.Label
	if k.made == maxMachines {
		return nil, "a run has at most 65,535 machines"
	}
	id := k.made + 1
	slot := ProcessID(len(k.slots))
	if slot == firstChild {
		if len(k.free) == 0 {
			return nil, "there are at most 4,095 machines at a time; Machine.Remove makes room"
		}
		slot = k.free[0]
	}
	if label == "" {
		label = "machine-" + strconv.Itoa(int(id))
	}
	if k.Lookup(label) != nil {
		return nil, "there is already a machine with label " + label
	}
	addr := socket.V4(cfg.Addr[0], cfg.Addr[1], cfg.Addr[2], cfg.Addr[3])
	if cfg.Addr == [4]byte{} {
		addr = k.freeAddr(slot)
	}
	addrs := append([]socket.IP{addr}, cfg.Addrs...)
	for i, ip := range addrs {
		if text := k.usable(ip, addrs[:i]); text != "" {
			return nil, text
		}
	}
	m := &Machine{
		k: k, id: id, slot: slot, label: label, hostname: label, addrs: addrs, mayExit: cfg.MayExit,
		env: cfg.Env, args: cfg.Args, exitCode: -1, fdLimit: 1 << 20,
	}
	k.made = id
	k.machines = append(k.machines, m)
	if int(slot) == len(k.slots) {
		k.slots = append(k.slots, m)
	} else {
		k.free = append(k.free[:0], k.free[1:]...)
		k.slots[slot] = m
	}
	m.disk = newDisk(m)
	m.stack = k.net.attach(m)
	k.updateHosts()
	return m, ""
}

// freeAddr gives the machine in slot n 11.0.0.n, as programs written for
// earlier tools expect main at 11.0.0.1, or the next address that is free.
func (k *Kernel) freeAddr(slot ProcessID) socket.IP {
	for n := int(slot); ; n++ {
		a := socket.V4(11, byte(n>>16), byte(n>>8), byte(n))
		if k.net.byIP[a] == nil {
			return a
		}
	}
}

// usable checks an address that a new machine is to have beside others; the
// answer is an error text.
func (k *Kernel) usable(ip socket.IP, others []socket.IP) string {
	taken := k.net.byIP[ip] != nil
	for _, o := range others {
		taken = taken || o == ip
	}
	switch {
	case taken:
		return "there is already a machine with address " + ip.String()
	case ip.Unspecified(), ip.Multicast(), ip.Loopback(), ip.Is4() && ip[12] == 0, ip.Is4() && ip[12] >= 240:
		return ip.String() + " cannot be the address of a machine"
	}
	return ""
}

// AddAddr gives the machine one more address. The error text is for the user.
func (m *Machine) AddAddr(ip socket.IP) string {
	if text := m.k.usable(ip, nil); text != "" {
		return text
	}
	m.addrs = append(m.addrs, ip)
	m.stack.addIP(ip)
	m.k.updateHosts()
	return ""
}

// ID, Label, Hostname, MayExit, Env and Args tell what the machine was made with.
func (m *Machine) ID() MachineID    { return m.id }
func (m *Machine) Label() string    { return m.label }
func (m *Machine) Hostname() string { return m.hostname }
func (m *Machine) MayExit() bool    { return m.mayExit }
func (m *Machine) Env() []string    { return m.env }
func (m *Machine) Args() []string   { return m.args }
func (m *Machine) State() State     { return m.state }
func (m *Machine) Addr() [4]byte    { return m.addrs[0].As4() }
func (m *Machine) addrText() string { return m.addrs[0].String() }
func (m *Machine) AddrText() string { return m.addrs[0].String() }

// Boot starts the machine's first process: standard descriptors on the console,
// working directory, empty signal sets. The caller runs its program.
func (m *Machine) Boot() {
	assert(m.state == Off, "boot of a running machine")
	m.boots++
	m.state = Running
	m.lastPid = m.pid()
	m.proc = &Process{m: m, id: m.slot, pid: m.lastPid, pgid: m.lastPid, sid: m.lastPid, cwd: m.homeDir(), umask: 0o022, who: m.user}
	m.procs = append(m.procs, m.proc)
	m.proc.fds.limit = m.fdLimit
	m.stack.up()
	t := m.Task()
	in, _ := t.proc.fds.install(newConsole(m, 0), 0, false)
	out, _ := t.proc.fds.install(newConsole(m, 1), 0, false)
	errFD, _ := t.proc.fds.install(newConsole(m, 2), 0, false)
	assert(in == 0 && out == 1 && errFD == 2, "standard descriptors")
	m.installPrograms()
	kind := steplog.KindBoot
	if m.boots > 1 {
		kind = steplog.KindRestart
	}
	m.k.record(&Event{Kind: kind, Machine: m.id, Text: []byte(m.label), FD: -1, Nr: -1})
}

// pid numbers processes so that two machines, and two boots of one machine,
// rarely share one.
func (m *Machine) pid() int { return 1000 + int(m.slot)*100 + m.boots }

func (m *Machine) homeDir() string {
	if m.id == Main {
		return m.k.cwd
	}
	return "/"
}

// Task is the context in which the machine's process makes a call.
func (m *Machine) Task() *Task { return &Task{k: m.k, m: m, proc: m.proc} }

// Crash is power loss: nothing that was not synced survives on disk, and the
// peers of its connections hear nothing.
func (m *Machine) Crash() {
	assert(m.state == Running, "crash of a machine that is off")
	m.pullAll()
	m.endChildren(true)
	m.proc.dropMaps(true)
	m.state = Off
	m.stack.powerOff()
	m.disk.powerOff()
	m.proc = nil
	m.exitCode = -1
	m.k.record(&Event{Kind: steplog.KindCrash, Machine: m.id, Text: []byte(m.label), FD: -1, Nr: -1})
}

// End is the death of the first process, by SIGKILL, exit or panic, and with it
// of all others: the page cache survives and the kernel closes what was open. kind is the step's.
func (m *Machine) End(kind steplog.Kind, code int32, text string) {
	assert(m.state == Running, "end of a machine that is off")
	t := m.Task()
	m.k.record(&Event{Kind: kind, Machine: m.id, Text: []byte(text), Code: code, Expected: m.mayExit, FD: -1, Nr: -1})
	m.endChildren(false)
	t.proc.leave()
	m.state = Off
	m.disk.processEnded(t.proc)
	m.proc = nil
	m.exitCode = code
}
