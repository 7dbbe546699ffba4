//go:build linux

package zygote

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Zygote is a process that forks runs. Its methods may be called by one
// goroutine at a time.
type Zygote struct {
	cmd     *exec.Cmd
	control *os.File
	gate    *os.File // write end; nil unless started with gates
	stderr  *tail
	done    chan struct{} // closed when the process has ended
	failure error         // how it ended; after done
}

// Config says how to start a zygote.
type Config struct {
	Binary string // path of the test binary
	Layout string // path of its encoded layout
	// Exec is a command and its first arguments that run the test binary, such
	// as an emulator for programs of another CPU; none for the binary itself.
	Exec []string
	// Memory bounds, in bytes, the memory of its own that a run may have; 0 is
	// no bound. What a run asks for depends on nothing but its request, so it
	// meets the bound at the same step each time.
	Memory uint64
}

// Start starts a zygote and waits until it can fork.
func Start(ctx context.Context, cfg Config) (*Zygote, error) {
	path, args, err := cfg.command()
	if err != nil {
		return nil, err
	}
	layout, err := os.Open(cfg.Layout)
	if err != nil {
		return nil, fmt.Errorf("open the layout of the test binary: %w; build again", err)
	}
	defer layout.Close()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket pair for the zygote: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "zygote"), os.NewFile(uintptr(pair[1]), "zygote")
	defer theirs.Close()
	gateRead, gateWrite, err := os.Pipe()
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("pipe for the zygote: %w", err)
	}
	defer gateRead.Close()
	stderr, stderrWrite, err := newTail()
	if err != nil {
		ours.Close()
		gateWrite.Close()
		return nil, err
	}
	defer stderrWrite.Close()
	z := &Zygote{control: ours, gate: gateWrite, stderr: stderr, done: make(chan struct{})}
	z.cmd = &exec.Cmd{
		Path: path, Args: args, Dir: "/",
		Env:        []string{"RESTEP_ZYGOTE=1", "GOMAXPROCS=1"},
		Stderr:     stderrWrite,
		ExtraFiles: []*os.File{theirs, layout, gateRead},
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true, // Ctrl-C in a terminal is for the one who started us
			Pdeathsig: syscall.SIGKILL,
		},
	}
	if err := startWithoutASLR(z.cmd); err != nil {
		ours.Close()
		gateWrite.Close()
		stderr.close()
		if errors.Is(err, syscall.ENOEXEC) {
			err = fmt.Errorf("%w: it is for another CPU; restep test -exec qemu-aarch64 runs those of linux/arm64", err)
		}
		return nil, fmt.Errorf("start the test binary: %w", err)
	}
	theirs.Close() // or the end of the process is not the end of the socket
	if errno := limitMemory(z.cmd.Process.Pid, cfg.Memory); errno != 0 {
		return nil, z.abandon(fmt.Errorf("limit the memory of runs: %w", errno))
	}
	go func() {
		err := z.cmd.Wait()
		z.failure = fmt.Errorf("the simulator's process ended: %w%s", orEOF(err), z.stderr.quote())
		z.stderr.close()
		close(z.done)
	}()
	r, err := z.read()
	if err == nil && r.what != replyReady {
		err = fmt.Errorf("unexpected first reply %d", r.what)
	}
	if err != nil {
		z.Close()
		return nil, fmt.Errorf("start the simulation of %s: %w", cfg.Binary, err)
	}
	return z, nil
}

// limitMemory bounds the memory of a process and its forks; 0 is no bound.
// setrlimit(2): RLIMIT_DATA counts private writable mappings since Linux 4.7,
// so neither what Go only reserves nor the step log. The hard limit leaves a
// little for the collector, see restepNoMemory in the runtime.
func limitMemory(pid int, most uint64) syscall.Errno {
	if most == 0 {
		return 0
	}
	limit := syscall.Rlimit{Cur: most, Max: most + most/8}
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_DATA,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	return errno
}

// command is what to start: the path of a program and its arguments.
func (cfg *Config) command() (path string, args []string, err error) {
	if len(cfg.Exec) == 0 {
		return cfg.Binary, []string{"restep.test"}, nil
	}
	if path, err = exec.LookPath(cfg.Exec[0]); err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", nil, fmt.Errorf("find the program that shall run the test binary: %w", err)
	}
	return path, append(slices.Clone(cfg.Exec), cfg.Binary), nil
}

// abandon ends a process that nobody waits for yet.
func (z *Zygote) abandon(err error) error {
	z.control.Close()
	z.gate.Close()
	z.cmd.Process.Kill()
	_ = z.cmd.Wait()
	z.stderr.close()
	return err
}

// addrNoRandomize is ADDR_NO_RANDOMIZE of personality(2).
const addrNoRandomize = 0x0040000

// startWithoutASLR starts cmd with a fixed address space. The personality is
// the calling thread's and is inherited by the child. Where personality(2) is
// not allowed the process starts all the same: Go's heap and static data do
// not move, and nothing else reaches a run.
func startWithoutASLR(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old, _, errno := syscall.RawSyscall(syscall.SYS_PERSONALITY, 0xffffffff, 0, 0)
	if errno == 0 {
		syscall.RawSyscall(syscall.SYS_PERSONALITY, old|addrNoRandomize, 0, 0)
		defer syscall.RawSyscall(syscall.SYS_PERSONALITY, old, 0, 0)
	}
	return cmd.Start()
}

func orEOF(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Request describes one run. It is all that the run depends on, the binary
// aside.
type Request struct {
	Seed, Variant uint64
	StopStep      uint64        // step at which to stop for a debugger, 0 for none
	Start         time.Time     // simulated time at the start
	Timeout       time.Duration // simulated time that the run may take, 0 for any
	Log           string        // path of the step log, its header block written; "" records nothing
	Root, Real    string        // folder of the module: where the program sees it, where it is
	Cwd           string        // working directory of machine main, below Root
	Export        string        // real file that takes main's /tmp/restep.cover at the end; "" for none
	Args, Env     []string      // of machine main
	Gate          bool          // the child waits for Release
	Check         Check         // for tests of the simulator itself
}

// Check makes a run hard for the simulator's own memory management. It is for
// tests of the simulator: heap addresses, and with them what a program sees of
// maps keyed by pointers, are not those of an ordinary run.
type Check uint32

const (
	// CheckGC lets the collector verify its marking (GODEBUG gccheckmark=1) and
	// clobber what it frees (clobberfree=1).
	CheckGC Check = 2
	// CheckCollect collects garbage at random turns of the goroutines.
	CheckCollect Check = 4
	// CheckPlain takes no shortcut past the scheduler. The steps are the same.
	CheckPlain Check = 8
	// CheckLast lets no other run follow in the same process.
	CheckLast Check = 16
	// CheckReuse ends the process with a message if another run would not find
	// its memory as a new process would.
	CheckReuse Check = 32
)

const (
	requestMagic = 0x52535450
	flagGate     = 1
	maxRequest   = 1<<16 - 1
)

// encode lays the request out as restep_zygote.go reads it.
func (r *Request) encode() ([]byte, error) {
	var b []byte
	le := binary.LittleEndian
	flags := uint32(0)
	if r.Gate {
		flags |= flagGate
	}
	flags |= uint32(r.Check)
	b = le.AppendUint32(b, requestMagic)
	b = le.AppendUint32(b, flags)
	for _, v := range []uint64{r.Seed, r.Variant, r.StopStep, uint64(r.Start.UnixNano()), uint64(r.Timeout)} {
		b = le.AppendUint64(b, v)
	}
	b = le.AppendUint32(b, uint32(len(r.Args)))
	b = le.AppendUint32(b, uint32(len(r.Env)))
	list := append([]string{r.Log, r.Cwd, r.Root, r.Real, r.Export}, r.Args...)
	for _, s := range append(list, r.Env...) {
		if bytes.IndexByte([]byte(s), 0) >= 0 {
			return nil, fmt.Errorf("argument %q contains a NUL byte", s)
		}
		b = append(append(b, s...), 0)
	}
	if len(b) > maxRequest {
		return nil, fmt.Errorf("arguments and environment of the test take %d bytes; the limit is %d", len(b), maxRequest)
	}
	return b, nil
}

// reply is what the zygote answers.
type reply struct {
	what, value uint32
	cpu         time.Duration
}

const (
	replyReady = iota + 1
	replyStarted
	replyEnded
	replyFailed
)

func (z *Zygote) read() (reply, error) {
	var b [16]byte
	n, err := z.control.Read(b[:])
	if err == nil && n == len(b) {
		le := binary.LittleEndian
		return reply{le.Uint32(b[:]), le.Uint32(b[4:]), time.Duration(le.Uint64(b[8:])) * time.Microsecond}, nil
	}
	<-z.done // the other end is gone
	return reply{}, z.failure
}

// Child is one run.
type Child struct {
	Pid  int
	z    *Zygote
	cpu  time.Duration
	mu   sync.Mutex // guards gone against Kill of a pid that is free again
	gone bool
}

// Run forks a child that runs the request. Wait must be called before the next
// Run.
func (z *Zygote) Run(r *Request) (*Child, error) {
	b, err := r.encode()
	if err != nil {
		return nil, err
	}
	if _, err := z.control.Write(b); err != nil {
		return nil, fmt.Errorf("ask the zygote for a run: %w%s", err, z.stderr.quote())
	}
	rep, err := z.read()
	switch {
	case err != nil:
		return nil, err
	case rep.what == replyFailed:
		return nil, fmt.Errorf("the zygote could not fork (%d)%s", rep.value, z.stderr.quote())
	case rep.what == replyEnded:
		return nil, fmt.Errorf("the process of the run ended before the run began (wait status %#x)%s", rep.value, z.stderr.quote())
	case rep.what != replyStarted:
		return nil, fmt.Errorf("unexpected reply %d (%#x) of the zygote%s", rep.what, rep.value, z.stderr.quote())
	}
	return &Child{Pid: int(rep.value), z: z}, nil
}

// Release lets a child that was started with Gate run; it stops for the
// debugger at step stop, 0 for nowhere. Its checkpoints may use budget bytes of
// memory together; the run is known to have total steps, 0 when it is not known.
func (c *Child) Release(stop, budget, total uint64) error {
	b := binary.LittleEndian.AppendUint64(nil, stop)
	b = binary.LittleEndian.AppendUint64(b, budget)
	_, err := c.z.gate.Write(binary.LittleEndian.AppendUint64(b, total))
	return err
}

// Wait waits for the child's end. The error is of the zygote; how the child
// ended is in the status.
func (c *Child) Wait() (syscall.WaitStatus, error) {
	rep, err := c.z.read()
	c.mu.Lock()
	c.gone = true
	c.mu.Unlock()
	if err == nil && rep.what != replyEnded {
		err = fmt.Errorf("unexpected reply %d (%#x) of the zygote%s", rep.what, rep.value, c.z.stderr.quote())
	}
	c.cpu = rep.cpu
	return syscall.WaitStatus(rep.value), err
}

// CPU returns the processor time, user and system, that the child took. It is
// known after Wait.
func (c *Child) CPU() time.Duration { return c.cpu }

// BusyExit is the exit code of a child that Quit has ended.
const BusyExit = 124

// Quit asks the child to print the goroutine that runs, which Stderr then
// holds, and to end.
func (c *Child) Quit() { c.signal(syscall.SIGQUIT) }

// Kill ends the child at once; Wait then returns. It may be called by another
// goroutine than Wait.
func (c *Child) Kill() { c.signal(syscall.SIGKILL) }

func (c *Child) signal(sig syscall.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		syscall.Kill(c.Pid, sig)
	}
}

// Stderr returns what the simulator itself printed last: nothing, unless it
// failed. What the program under test prints is in the step log.
func (z *Zygote) Stderr() string { return z.stderr.String() }

// Close ends the zygote and a child that still runs.
func (z *Zygote) Close() {
	z.control.Close()
	z.gate.Close()
	z.cmd.Process.Kill()
	<-z.done
}
