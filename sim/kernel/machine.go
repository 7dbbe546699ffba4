package kernel

import (
	"strconv"

	"github.com/restep/restep/sim/kernel/abi"
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
// stack and, while it runs, one process.
type Machine struct {
	k        *Kernel
	id       MachineID
	label    string
	hostname string
	addrs    []socket.IP // the first one is IPv4
	mayExit  bool
	env      []string
	args     []string
	state    State
	boots    int
	proc     *Process
	disk     *disk
	stack    *netStack
	clock    machineClock
	log      consoleLog
	exitCode int32
	fdLimit  int
	removed  bool
	// crash and crashes are what OpCrashStates found last.
	crash   *vfs.Crash
	crashes []vfs.CrashState
	// crashGen counts these calls.
	crashGen int64
}

// Process is the one process of a running machine.
type Process struct {
	m   *Machine
	pid int
	fds fdTable
	cwd string
	// cwdDir is the directory that cwd names, once it was needed.
	cwdDir *vfs.Inode
	umask  uint32
	// handled and ignored are the sets of signals with a handler and ignored
	// ones: bit n-1 for signal n.
	handled, ignored uint64
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
	id := MachineID(len(k.machines))
	if label == "" {
		label = "machine-" + strconv.Itoa(int(id))
	}
	if k.Lookup(label) != nil {
		return nil, "there is already a machine with label " + label
	}
	addr := socket.V4(cfg.Addr[0], cfg.Addr[1], cfg.Addr[2], cfg.Addr[3])
	if cfg.Addr == [4]byte{} {
		addr = k.freeAddr(id)
	}
	addrs := append([]socket.IP{addr}, cfg.Addrs...)
	for i, ip := range addrs {
		if text := k.usable(ip, addrs[:i]); text != "" {
			return nil, text
		}
	}
	m := &Machine{
		k: k, id: id, label: label, hostname: label, addrs: addrs, mayExit: cfg.MayExit,
		env: cfg.Env, args: cfg.Args, exitCode: -1, fdLimit: 1 << 20,
	}
	k.machines = append(k.machines, m)
	m.disk = newDisk(m)
	m.stack = k.net.attach(m)
	k.updateHosts()
	return m, ""
}

// freeAddr gives machine id 11.0.0.id, as programs written for earlier tools
// expect main at 11.0.0.1, or the next address that is free.
func (k *Kernel) freeAddr(id MachineID) socket.IP {
	for n := int(id); ; n++ {
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

// Boot starts the machine's process: standard descriptors on the console,
// working directory, empty signal sets. The caller runs its program.
func (m *Machine) Boot() {
	assert(m.state == Off, "boot of a running machine")
	m.boots++
	m.state = Running
	m.proc = &Process{m: m, pid: m.pid(), cwd: m.homeDir(), umask: 0o022}
	m.proc.fds.limit = m.fdLimit
	m.stack.up()
	t := m.Task()
	in, _ := t.proc.fds.install(newConsole(m, 0), 0, false)
	out, _ := t.proc.fds.install(newConsole(m, 1), 0, false)
	errFD, _ := t.proc.fds.install(newConsole(m, 2), 0, false)
	assert(in == 0 && out == 1 && errFD == 2, "standard descriptors")
	kind := steplog.KindBoot
	if m.boots > 1 {
		kind = steplog.KindRestart
	}
	m.k.record(&Event{Kind: kind, Machine: m.id, Text: []byte(m.label), FD: -1, Nr: -1})
}

// pid numbers processes so that two machines, and two boots of one machine,
// rarely share one.
func (m *Machine) pid() int { return 1000 + int(m.id)*100 + m.boots }

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
	m.proc.dropMaps(true)
	m.state = Off
	m.stack.powerOff()
	m.disk.powerOff()
	m.proc = nil
	m.exitCode = -1
	m.k.record(&Event{Kind: steplog.KindCrash, Machine: m.id, Text: []byte(m.label), FD: -1, Nr: -1})
}

// End is the death of the process alone, by SIGKILL, exit or panic: the page
// cache survives and the kernel closes what was open. kind is the step's.
func (m *Machine) End(kind steplog.Kind, code int32, text string) {
	assert(m.state == Running, "end of a machine that is off")
	t := m.Task()
	m.k.record(&Event{Kind: kind, Machine: m.id, Text: []byte(text), Code: code, Expected: m.mayExit, FD: -1, Nr: -1})
	t.proc.dropMaps(false)
	t.proc.fds.closeAll(t)
	m.state = Off
	m.disk.processEnded(t.proc)
	m.proc = nil
	m.exitCode = code
}

// SignalAction is what the world has to do for a signal.
type SignalAction uint8

// The actions: nothing, end the process, stop it, let it go on.
const (
	SignalNothing SignalAction = iota
	SignalEnd
	SignalStop
	SignalContinue
)

// Signal sends sig to the process and says what becomes of it. A handler gets
// the signal through Host.Signal. signal(7), "Standard signals".
func (m *Machine) Signal(sig uint32) SignalAction {
	assert(sig >= 1 && sig <= 64, "signal number")
	if m.state != Running {
		return SignalNothing
	}
	m.k.record(&Event{Kind: steplog.KindSignal, Machine: m.id, Code: int32(sig), FD: -1, Nr: -1})
	bit := uint64(1) << (sig - 1)
	handled, ignored := m.proc.handled&bit != 0, m.proc.ignored&bit != 0
	if handled && sig != abi.SIGKILL && sig != abi.SIGSTOP {
		m.k.host.Signal(m.id, sig)
	}
	switch {
	case sig == abi.SIGKILL:
		return SignalEnd
	case sig == abi.SIGSTOP:
		return SignalStop
	case sig == abi.SIGCONT:
		return SignalContinue
	case handled, ignored, sig == abi.SIGCHLD, sig == abi.SIGURG, sig == abi.SIGWINCH:
		return SignalNothing
	case sig == abi.SIGTSTP, sig == abi.SIGTTIN, sig == abi.SIGTTOU:
		return SignalStop
	}
	return SignalEnd
}

// Handle tells the kernel what the process does with a signal.
func (m *Machine) Handle(sig uint32, handled, ignored bool) {
	if m.proc == nil || sig < 1 || sig > 64 {
		return
	}
	bit := uint64(1) << (sig - 1)
	m.proc.handled &^= bit
	m.proc.ignored &^= bit
	if handled {
		m.proc.handled |= bit
	} else if ignored {
		m.proc.ignored |= bit
	}
}
