package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/waitq"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

// MachineID numbers the machines of a simulation from 1, in the order in which
// they were made; machine 1 is "main", the one the test itself runs on. 0 is
// nobody: the simulator. The number of a machine that was removed is not used
// again, so that a step says which one it is about.
type MachineID uint16

// maxMachines is how many machines there can have been in one run.
const maxMachines = 1<<16 - 1

// Main is the machine that the test runs on.
const Main MachineID = 1

// Nanos is simulated time in nanoseconds since the Unix epoch.
type Nanos int64

// Mode says which side of a file became ready: reading, writing or both.
type Mode = waitq.Mode

// The values are the runtime poller's: 'r', 'w' and 'r'+'w'.
const (
	ModeRead      = waitq.ModeRead
	ModeWrite     = waitq.ModeWrite
	ModeReadWrite = waitq.ModeReadWrite
)

// Host is what the kernel asks of the world it runs in: the patched runtime
// or a test. All fields are required but Ready, without which no call waits.
type Host struct {
	// Now is the simulated time.
	Now func() Nanos
	// Rand draws the next number of a stream.
	Rand func(sched.Stream) uint64
	// Record hands over one event, which becomes a step. The event and all
	// that it points to are only valid during the call.
	Record func(*Event)
	// Wake reports that the file registered with poll descriptor pd became
	// ready.
	Wake func(pd uintptr, mode Mode)
	// Ready reports that the call of caller that SyscallFrom made wait may be
	// tried again. A caller that does not wait, or is dead, is left alone.
	Ready func(caller uintptr)
	// Signal reports that a signal arrived for a process that has a handler
	// for it (Process.Handle).
	Signal func(p ProcessID, sig uint32)
	// Under is the read-only view of the real file system that the main
	// machine sees beneath its scratch layer; nil for none.
	Under Under
	// Memory is how mmap(2) gets memory; the zero value has none.
	Memory Memory
}

// Event describes one step for the recorder.
type Event struct {
	Kind    steplog.Kind
	Machine MachineID
	// Text is the human part: raw bytes of a log line, name of a call, a path.
	Text []byte
	// MessageOff is where the message starts in Text, past a log header.
	MessageOff int
	// Level is the log level (slog's numbers: -4 debug, 0 info, 4 warn, 8 error).
	Level int8
	// FD is the file descriptor concerned, -1 for none.
	FD int32
	// Nr is the system call number, -1 for none.
	Nr int32
	// Result and Errno are what the call answered.
	Result int64
	Errno  abi.Errno
	// Local and Peer are addresses "10.0.0.1:80", Conn numbers the connection.
	Local, Peer string
	Conn        uint64
	// Bytes is a length: of a message, a write.
	Bytes int
	// Link is the machine at the other end, 0 for none.
	Link MachineID
	// Goroutine is the one that the step is about: started or ended.
	Goroutine uint64
	// Expected says that the test announced this end of a machine (MayExit).
	Expected bool
	// Code is an exit code or signal number.
	Code int32
}

// Config describes a new simulation.
type Config struct {
	Host Host
	// Start is the simulated time at the start of the run.
	Start Nanos
	// Cwd is the directory of the package under test, where main starts.
	Cwd string
}

// Kernel is one simulated world: machines, their disks and the network
// between them.
type Kernel struct {
	host      Host
	start     Nanos
	cwd       string
	machines  []*Machine  // those in the world, by rising id
	slots     []*Machine  // index Machine.slot, [0] is nil
	free      []ProcessID // slots of machines that were removed, the longest ago first
	crashGen  int64
	made      MachineID // the last id that was given
	events    eventQueue
	maps      []*mapping // of all processes, in order of addresses
	caller    *Process   // whose system call was the last one
	children  []*Process // index ProcessID - firstChild; nil for numbers that are free
	child     *Process   // what the last clone(2) made
	programs  []namedProgram
	blocked   []blockedCall // in the order in which they began to wait
	lingering []lingering
	acts      []Act // what the host is to do for signals
	net       *network
	calls     *index
	rec       *Recorder
	// What the call that is being carried out needs, so that it allocates
	// nothing: there is one at a time.
	event Event // the one that is being recorded
	task  Task
	text  []byte              // of the step about it
	page  *[abi.PageSize]byte // for bytes on their way into a mapping
}

// New returns a world without machines.
func New(cfg Config) *Kernel {
	k := &Kernel{host: cfg.Host, start: cfg.Start, cwd: cfg.Cwd, machines: make([]*Machine, 0, 8), slots: make([]*Machine, 1, 8)}
	k.calls = newIndex()
	k.net = newNetwork(k)
	return k
}

// Machine returns machine id, nil when there is none.
func (k *Kernel) Machine(id MachineID) *Machine {
	for _, m := range k.machines {
		if m.id == id {
			return m
		}
	}
	return nil
}

// Machines returns how many machines there are.
func (k *Kernel) Machines() int { return len(k.machines) }

// Lookup returns the machine with that label or, in text form, that address.
func (k *Kernel) Lookup(name string) *Machine {
	for _, m := range k.machines {
		if m.label == name {
			return m
		}
		for _, ip := range m.addrs {
			if ip.String() == name {
				return m
			}
		}
	}
	return nil
}

// record hands e to the host.
func (k *Kernel) record(e *Event) {
	k.event = *e // or every step would need memory of its own
	k.host.Record(&k.event)
}

// now is the simulated time.
func (k *Kernel) now() Nanos { return k.host.Now() }

// assert stops the simulation when one of its own invariants is broken.
func assert(ok bool, what string) {
	if !ok {
		panic("restep kernel: " + what)
	}
}
