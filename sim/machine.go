package sim

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// MachineConfig describes a machine. The zero value of every field is usable
// but MainFunc.
type MachineConfig struct {
	// Label names the machine in logs and step lists, and is its host name.
	// It must be unique; "" makes one up.
	Label string
	// Addr is the machine's IPv4 address; the zero Addr takes the next free
	// one of 11.0.0.0/8. IPv6 addresses go into Addrs.
	Addr netip.Addr
	// Addrs are further addresses of the machine, IPv4 or IPv6.
	Addrs []netip.Addr
	// MainFunc is the program the machine runs, as main.main would be. When
	// it returns the machine's process exits.
	MainFunc func()
	// MayExit says that a panic, os.Exit or fatal error on the machine is
	// expected. Without it such an end makes the test fail.
	MayExit bool
	// Env is the environment, "KEY=value" each; nil for that of the test.
	Env []string
	// Args is the command line, the program's name first; nil for the test
	// binary's name alone.
	Args []string
	// User is who the process is: a name of /etc/passwd on the machine, like
	// "nobody", or numbers, "1000" or "1000:100" for user and group. "" is root,
	// who may do everything.
	User string
	// Files are on the disk when the machine is made, by absolute path, with
	// permissions 0644 and all directories above them. They belong to User.
	Files map[string]string
	// Disk is what the machine stores on.
	Disk Disk
	// MaxFiles is how many files the process may have open (RLIMIT_NOFILE), 0
	// for 1,048,576.
	MaxFiles int
}

// Disk describes the disk of a new machine.
type Disk struct {
	// Size is how many bytes of files it holds before writes fail with ENOSPC,
	// 0 for a disk that never fills.
	Size int64
	// From is what is on it: a disk that a power failure of another machine
	// may leave. The zero DiskState is a fresh disk.
	From DiskState
}

// Machine is a simulated computer. It is a small comparable value; the zero
// Machine is none.
//
// At most 4,095 machines exist at a time, and 65,535 in one run.
type Machine struct {
	id     uint32 // of its process; used again when the machine was removed
	number uint32 // counts all machines of the run
}

// machine is the machine that has an id now.
func machine(id uint32) Machine {
	_, n := simOp(opNumber, id, "", "", 0)
	return Machine{id, uint32(n)}
}

// NewMachine makes a machine and boots it: its init functions and MainFunc
// start running at the caller's next opportunity to be scheduled. It panics if
// the label or the address is taken.
func NewMachine(cfg MachineConfig) Machine {
	need("NewMachine")
	if cfg.MainFunc == nil {
		panic("sim.NewMachine: MachineConfig.MainFunc is nil")
	}
	var addr uint32
	if cfg.Addr.IsValid() {
		if !cfg.Addr.Unmap().Is4() {
			panic("sim.NewMachine: MachineConfig.Addr " + cfg.Addr.String() + " is not an IPv4 address")
		}
		a := cfg.Addr.Unmap().As4()
		addr = uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	}
	id, err := simNewMachine(cfg.Label, addr, cfg.MayExit, cfg.MainFunc)
	if err != "" {
		panic("sim.NewMachine: " + err)
	}
	m := machine(id)
	if err := addAddrs(simLabel(id), cfg.Addrs); err != nil {
		panic("sim.NewMachine: " + err.Error())
	}
	m.configure(&cfg)
	simBoot(id)
	return m
}

// configure does what NewMachine promises beyond label and address.
func (m Machine) configure(cfg *MachineConfig) {
	if cfg.Disk.From != (DiskState{}) {
		m.adopt(cfg.Disk.From)
	}
	if cfg.Disk.Size > 0 {
		simOp(opDiskSize, m.id, "", "", cfg.Disk.Size)
	}
	if cfg.MaxFiles > 0 {
		simOp(opFDLimit, m.id, "", "", int64(cfg.MaxFiles))
	}
	if users, ok := cfg.Files[passwd]; ok {
		simOp(opWriteFile, m.id, passwd, users, 0o644)
	}
	if cfg.User != "" {
		if text, n := simOp(opUser, m.id, cfg.User, "", 0); n != 0 {
			panic("sim.NewMachine: MachineConfig.User: " + text)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(cfg.Files)) {
		if path == passwd {
			continue
		}
		if err := m.WriteFile(path, []byte(cfg.Files[path]), 0o644); err != nil {
			panic("sim.NewMachine: MachineConfig.Files: " + err.Error())
		}
	}
	if cfg.Env != nil {
		simSetEnv(m.id, slices.Clone(cfg.Env))
	}
	if cfg.Args != nil {
		simSetArgs(m.id, slices.Clone(cfg.Args))
	}
	simOp(opProcess, m.id, joinNUL(simArgs(m.id)), joinNUL(simEnv(m.id)), 0)
}

// passwd is the list of users, passwd(5).
const passwd = "/etc/passwd"

// joinNUL is how the kernel keeps command lines and environments.
func joinNUL(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s)
		b.WriteByte(0)
	}
	return b.String()
}

// NewSimpleMachine is NewMachine with a label and an address made up.
func NewSimpleMachine(mainFunc func()) Machine {
	return NewMachine(MachineConfig{MainFunc: mainFunc})
}

// CurrentMachine is the machine that the calling goroutine runs on.
func CurrentMachine() Machine {
	need("CurrentMachine")
	return machine(simCurrent())
}

// Label returns the machine's label.
func (m Machine) Label() string {
	m.check("Label")
	return simLabel(m.id)
}

// String is the label.
func (m Machine) String() string { return m.Label() }

// Crash cuts the machine's power. Nothing on it runs any further, what it has
// not synced to its disk is gone, and its peers hear nothing. A machine that
// is off stays off.
func (m Machine) Crash() {
	m.check("Crash")
	m.notMain("Crash")
	simCrash(m.id)
}

// Kill ends the machine's process as SIGKILL does: nothing of it runs any
// further, what it wrote stays in the page cache, and the kernel closes its
// connections.
func (m Machine) Kill() {
	m.check("Kill")
	m.notMain("Kill")
	simKill(m.id)
}

// stopGrace is how long Stop waits after SIGTERM, as container runtimes do.
const stopGrace = 10 * time.Second

// Stop asks the machine's process to end with SIGTERM, waits for ten simulated
// seconds, and then kills it.
func (m Machine) Stop() {
	m.check("Stop")
	m.notMain("Stop")
	if simStop(m.id) {
		return
	}
	ended := make(chan struct{})
	go func() {
		simWait(m.id)
		close(ended)
	}()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		simKill(m.id)
	}
}

// Restart boots a machine that is off; one that runs is killed first. It has
// fresh variables, runs its init functions again, and then MainFunc.
func (m Machine) Restart() {
	m.check("Restart")
	m.notMain("Restart")
	if !simBoot(m.id) {
		simKill(m.id)
		simBoot(m.id)
	}
}

// Wait waits until the machine is off.
func (m Machine) Wait() {
	m.check("Wait")
	m.notMain("Wait")
	simWait(m.id)
}

// SetMainFunc changes the program that the machine runs from its next boot on.
func (m Machine) SetMainFunc(mainFunc func()) {
	m.check("SetMainFunc")
	m.notMain("SetMainFunc")
	if mainFunc == nil {
		panic("sim.Machine.SetMainFunc: the function is nil")
	}
	simSetMain(m.id, mainFunc)
}

func (m Machine) check(method string) {
	need("Machine." + method)
	if m.id == 0 {
		panic("sim.Machine." + method + ": the zero Machine is no machine; NewMachine makes one")
	}
	if m != machine(m.id) {
		panic("sim.Machine." + method + ": the machine was removed")
	}
}

// notMain keeps the machine of the test itself from being ended or rebooted.
func (m Machine) notMain(method string) {
	if m.id == mainMachine {
		panic("sim.Machine." + method + ": machine main runs the test itself")
	}
}

const mainMachine = 1
