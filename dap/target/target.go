package target

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/native"
	"github.com/go-delve/delve/service/api"
	"github.com/go-delve/delve/service/debugger"

	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
)

// Target is a run under Delve.
type Target struct {
	prog *program.Program
	cfg  debugger.Config
	dbg  *debugger.Debugger

	// Resume lets the program go on until it stops or ends. It is Delve's
	// session's or terminal's way of doing so when one of them is in front;
	// nil resumes directly.
	Resume func(context.Context) error

	vars     *variables       // guarded by the debugger's lock
	stopLine int              // where the breakpoint is in stopFile
	watches  []*Watch         // see SetWatches
	firsts   map[int64]uint64 // see startOf

	mu       sync.Mutex // guards run and closed
	run      *program.Run
	closed   bool
	changed  bool // see Changed
	atGate   bool // the run waits at its start
	layout   *gLayout
	machines *mLayout
	kernel   *kLayout
	starts   map[uint64]string // names of the functions that goroutines start with, by address
}

// stopFile is the file with the branch that is taken at the wanted step, as
// debug information names it; stopText is the statement on it.
const (
	stopFile = "runtime/restep_kernel.go"
	stopText = "restep.stopping = true"
)

// stopID is the breakpoint's id. Delve shows and restores negative ones as its
// own; -1 to -4 are taken.
const stopID = -412

// StopName is the breakpoint's name.
const StopName = "restep step"

// errClosed is returned after Close.
var errClosed = errors.New("the debug session has ended")

// Open starts a copy of the program's run, attaches to it and stops before
// its first instruction of interest. Close also ends the program's zygote.
func Open(prog *program.Program) (*Target, error) {
	t := &Target{prog: prog}
	line, err := findLine(filepath.Join(prog.Bin.OverlayDir, filepath.FromSlash(stopFile)), stopText)
	if err != nil {
		return nil, err
	}
	t.stopLine = line
	run, err := prog.Start()
	if err != nil {
		return nil, err
	}
	t.run, t.atGate = run, true
	t.cfg = debugger.Config{AttachPid: run.Pid, Backend: "native"}
	t.dbg, err = debugger.New(&t.cfg, []string{prog.Bin.Path})
	if err != nil {
		run.Close()
		return nil, attachError(err)
	}
	// From now on Delve treats the process as one it started: it ends it and
	// does not ask.
	t.cfg.AttachPid = 0
	if err := t.addStop(); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// findLine returns the number of the only line of a file with a text.
func findLine(path, text string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("the patched runtime is gone from the cache: %w; build again", err)
	}
	defer f.Close()
	found := 0
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if strings.TrimSpace(s.Text()) == text {
			if found != 0 {
				return 0, fmt.Errorf("%s has %q twice, in lines %d and %d: this restep does not match its own runtime", path, text, found, n)
			}
			found = n
		}
	}
	if err := s.Err(); err != nil {
		return 0, err
	}
	if found == 0 {
		return 0, fmt.Errorf("%s lacks %q: this restep does not match its own runtime", path, text)
	}
	return found, nil
}

// addStop sets the breakpoint of this package.
func (t *Target) addStop() error {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	lbp := &proc.LogicalBreakpoint{
		LogicalID: stopID, Name: StopName, HitCount: map[int64]uint64{},
		Set: proc.SetBreakpoint{File: stopFile, Line: t.stopLine},
	}
	grp.LogicalBreakpoints[stopID] = lbp
	if err := grp.SetBreakpointEnabled(lbp, true); err != nil {
		return fmt.Errorf("set the breakpoint for steps: %w", err)
	}
	return nil
}

// Program returns what is being debugged.
func (t *Target) Program() *program.Program { return t.prog }

// Rewind starts the run again: see replay.Target.
func (t *Target) Rewind(context.Context) error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return errClosed
	}
	atGate, old := t.atGate, t.run
	t.mu.Unlock()
	if atGate {
		return nil
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	_ = t.disarmLocked(grp)
	_ = grp.Detach(true) // it may have ended by itself
	finish(old)
	run, err := t.prog.Start()
	if err != nil {
		return err
	}
	next, err := native.Attach(run.Pid, nil, nil)
	if err != nil {
		run.Close()
		return attachError(err)
	}
	keepAddresses(grp)
	var lost []string
	proc.Restart(next, grp, func(lbp *proc.LogicalBreakpoint, err error) {
		lost = append(lost, fmt.Sprintf("%s: %v", lbp.Name, err))
	})
	keep := grp.KeepSteppingBreakpoints
	*grp = *next
	grp.KeepSteppingBreakpoints = keep
	t.mu.Lock()
	t.run, t.atGate, t.changed = run, true, false
	closed := t.closed
	t.mu.Unlock()
	if closed {
		_ = grp.Detach(true)
		finish(run)
		return errClosed
	}
	if len(lost) > 0 {
		return fmt.Errorf("breakpoints were lost: %s; set them again", strings.Join(lost, "; "))
	}
	return nil
}

// keepAddresses lets breakpoints that were set at addresses survive a restart:
// it is the same program at the same place.
func keepAddresses(grp *proc.TargetGroup) {
	for _, lbp := range grp.LogicalBreakpoints {
		if len(lbp.Set.PidAddrs) == 0 || lbp.Set.Expr != nil {
			continue
		}
		var addrs []uint64
		for _, a := range lbp.Set.PidAddrs {
			addrs = append(addrs, a.Addr)
		}
		lbp.Set.Expr = func(*proc.Target) []uint64 { return addrs }
	}
}

// RunTo goes on until step n: see replay.Target.
func (t *Target) RunTo(ctx context.Context, n uint64) error {
	if err := t.setStop(n); err != nil {
		return err
	}
	restore, err := t.silence()
	if err != nil {
		return err
	}
	err = t.resume(ctx)
	return errors.Join(err, restore())
}

// setStop tells the program where to stop.
func (t *Target) setStop(n uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed
	}
	if t.atGate {
		t.atGate = false
		return t.run.Release(n, budget(), t.prog.Log.Steps())
	}
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if _, err := grp.Valid(); err != nil {
		return err
	}
	vars, err := t.variables(grp.Selected)
	if err != nil {
		return err
	}
	if _, err := grp.Selected.Memory().WriteMemory(vars.stopStep, binary.LittleEndian.AppendUint64(nil, n)); err != nil {
		return fmt.Errorf("tell the program where to stop: %w", err)
	}
	return nil
}

// Start lets a run that waits at its start go when it is resumed next; nothing
// but breakpoints will stop it.
func (t *Target) Start() error { return t.setStop(0) }

// StartTo is Start for a run that shall stop at step n as well.
func (t *Target) StartTo(n uint64) error { return t.setStop(n) }

// silence takes all breakpoints but our own out. The function returned puts
// them back.
func (t *Target) silence() (restore func() error, err error) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if err := grp.ClearSteppingBreakpoints(); err != nil {
		return nil, err
	}
	hits := t.watchHits(grp)
	if err := t.disarmLocked(grp); err != nil {
		return nil, err
	}
	var off []*proc.LogicalBreakpoint
	for _, lbp := range grp.LogicalBreakpoints {
		if lbp.LogicalID == stopID || !lbp.Enabled() {
			continue
		}
		if err := grp.SetBreakpointEnabled(lbp, false); err != nil {
			return nil, fmt.Errorf("switch breakpoint %d off: %w", lbp.LogicalID, err)
		}
		off = append(off, lbp)
	}
	return func() error {
		grp, unlock := t.dbg.LockTargetGroup()
		defer unlock()
		if ok, _ := grp.Valid(); !ok {
			return nil
		}
		for _, lbp := range off {
			if grp.LogicalBreakpoints[lbp.LogicalID] != lbp {
				continue // the user removed it meanwhile
			}
			if err := grp.SetBreakpointEnabled(lbp, true); err != nil {
				return fmt.Errorf("switch breakpoint %d on again: %w", lbp.LogicalID, err)
			}
		}
		if err := t.armLocked(grp); err != nil {
			return err
		}
		hits()
		return nil
	}, nil
}

func (t *Target) resume(ctx context.Context) error {
	if t.Resume != nil {
		return t.Resume(ctx)
	}
	stop := context.AfterFunc(ctx, t.Interrupt)
	defer stop()
	_, err := t.dbg.Command(&api.DebuggerCommand{Name: api.Continue}, nil, nil, nil)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Interrupt kills a program that runs, so that whoever waits for it returns.
// It may be called at any time by any goroutine.
func (t *Target) Interrupt() {
	t.mu.Lock()
	run := t.run
	t.mu.Unlock()
	run.Kill()
}

// Repeat makes the run once more, without a debugger: see replay.Target.
func (t *Target) Repeat(ctx context.Context) ([]byte, error) { return t.prog.Repeat(ctx) }

// Close ends the program, its zygote and the debugger. It may be called at any
// time by any goroutine, and more than once.
func (t *Target) Close() error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	run := t.run
	t.mu.Unlock()
	// Killed first: whoever waits for the program gets its end and lets go of
	// the debugger's lock.
	run.Kill()
	if t.dbg != nil {
		_ = t.dbg.Detach(true)
	}
	finish(run)
	t.prog.Close()
	return nil
}

// finish ends a run that Delve has let go of and waits for its end. The kernel
// tells a tracer of a process's end before the parent, and the parent only
// when the tracer has taken note or is gone; Delve does neither when the
// process was killed while it was stopped. Any thread may take note, but may
// not sleep until there is something to note: nothing wakes it when the tracer
// goes first. wait(2); ptrace(2), "Death under ptrace".
func finish(run *program.Run) {
	run.Kill()
	for !run.EndsWithin(time.Millisecond) {
		var status syscall.WaitStatus
		_, _ = syscall.Wait4(run.Pid, &status, syscall.WALL|syscall.WNOHANG, nil)
	}
	run.Close()
}

var _ replay.Target = (*Target)(nil)

// Internal reports whether a breakpoint id is one of this package.
func Internal(id int) bool { return id <= stopID }
