package target

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/service/debugger"
	"github.com/google/go-dap"
	"golang.org/x/sys/unix"
)

// ProcessSpec says which real program ServeProcess runs. It is the first line,
// as JSON, that a debugger's host reads.
type ProcessSpec struct {
	Args []string `json:"args"` // Args[0] is the program
	Dir  string   `json:"dir"`
	Env  []string `json:"env"`
}

// ProcessStarted is the first line that the host answers, as JSON.
type ProcessStarted struct {
	Pid   int    `json:"pid"`
	Error string `json:"error,omitempty"`
}

// ServeProcess is the life of a debugger's host: a process that holds one real
// program under Delve, for Delve's waiting for "any child" (wait4(-1)) would
// take the events of another debugger in the same process. It reads a
// ProcessSpec from conn, starts the program, which stops at its first
// instruction, answers with ProcessStarted and then serves Delve's DAP session,
// whose first requests must be initialize and attach in mode "remote". The
// program's output goes to the files given.
//
// When conn ends, so does the program with all that it has started, and
// ServeProcess returns. It owns the whole process: its environment, and its
// children, which orphans of the program become.
func ServeProcess(conn io.ReadWriteCloser, stdout, stderr *os.File) error {
	in := bufio.NewReader(conn)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read what to run: %w", err)
	}
	var spec ProcessSpec
	if err := json.Unmarshal(line, &spec); err != nil || len(spec.Args) == 0 {
		return fmt.Errorf("what to run is malformed: %w", err)
	}
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) // orphans come here: prctl(2)
	// A write to an adapter that is gone must fail and not end this process: the
	// program would live on. Caught, not ignored: the program would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Clearenv()
	for _, kv := range spec.Env {
		if k, v, ok := bytes.Cut([]byte(kv), []byte("=")); ok && len(k) > 0 {
			_ = os.Setenv(string(k), string(v))
		}
	}
	t := &Target{}
	t.cfg = debugger.Config{
		WorkingDir: spec.Dir, Backend: "native",
		Stdout: proc.OutputRedirect{File: stdout}, Stderr: proc.OutputRedirect{File: stderr},
	}
	var started ProcessStarted
	if t.dbg, err = debugger.New(&t.cfg, spec.Args); err != nil {
		started.Error = err.Error()
	} else {
		started.Pid = t.dbg.ProcessPid()
	}
	answer, _ := json.Marshal(started)
	if _, err := conn.Write(append(answer, '\n')); err != nil || started.Error != "" {
		endAll(started.Pid)
		return err
	}
	p := &pauses{t: t, told: map[int]uint64{}}
	p.more = sync.NewCond(&p.mu)
	ours, theirs := net.Pipe()
	go func() {
		p.requests(ours, in)
		endAll(started.Pid) // whatever Delve waits for ends
		ours.Close()
	}()
	go p.read(bufio.NewReader(ours))
	go t.Serve(theirs)
	p.write(conn)
	ours.Close()
	endAll(started.Pid)
	return nil
}

// endAll kills a process group and all children and orphans that this process
// has, and waits for them.
func endAll(group int) {
	if group > 0 {
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	for {
		for _, pid := range children() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		var status syscall.WaitStatus
		_, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		if err == syscall.ECHILD {
			return
		}
	}
}

// children are the children of all threads of this process.
// proc_tid_children(5).
func children() (pids []int) {
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		b, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for _, f := range bytes.Fields(b) {
			pid := 0
			if _, err := fmt.Sscan(string(f), &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// pauses passes on what Delve says and looks at its stops. When a breakpoint
// was hit at the moment at which a pause was asked for, Delve tells of the pause
// alone, and the hit never (service/dap/server.go, onPauseRequest): such a stop
// becomes one at the breakpoint. When the pause comes before the program has
// really been resumed, Delve tells of the hit before once more: such a stop
// becomes a pause. Delve may hold the debugger's lock while it writes, so one
// goroutine reads and another one looks.
type pauses struct {
	t *Target

	mu    sync.Mutex
	more  *sync.Cond
	queue [][]byte
	ended bool // nothing comes any more

	told map[int]uint64 // hits of a breakpoint that were told, by its id; of write
}

func (p *pauses) read(r *bufio.Reader) {
	for {
		content, err := dap.ReadBaseMessage(r)
		p.mu.Lock()
		if err != nil {
			p.ended = true
		} else {
			p.queue = append(p.queue, content)
		}
		p.more.Signal()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// requests passes on what Delve is asked, until it is asked no more.
func (p *pauses) requests(out io.Writer, in *bufio.Reader) {
	for {
		content, err := dap.ReadBaseMessage(in)
		if err != nil {
			return
		}
		var head struct {
			Command string `json:"command"`
		}
		_ = json.Unmarshal(content, &head)
		switch head.Command {
		case "continue", "next", "stepIn", "stepOut":
			p.t.takeLateHalt()
		}
		if dap.WriteBaseMessage(out, content) != nil {
			return
		}
	}
}

// takeLateHalt takes the signal with which Delve halts a process, SIGTRAP, away
// when it came too late: the process had stopped by itself. It would still be
// there when the thread is made to step over its breakpoint, and end that step
// before it was done; the same hit would be told once more. A thread that is
// made to step takes pending signals before its next instruction (Linux
// kernel/signal.c, ptrace_stop, recalc_sigpending), so the program stays where
// it is.
func (t *Target) takeLateHalt() {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok || !pending(grp.Selected.Pid(), syscall.SIGTRAP) {
		return
	}
	reason, g := grp.Selected.StopReason, grp.Selected.SelectedGoroutine()
	if g == nil || g.Thread == nil { // or Delve would let all threads run
		_ = grp.Selected.SwitchThread(grp.Selected.CurrentThread().ThreadID())
	}
	if now := grp.Selected.SelectedGoroutine(); now == nil || now.Thread != nil {
		_ = grp.StepInstruction(false)
	}
	if g != nil {
		_ = grp.Selected.SwitchGoroutine(g)
	}
	grp.Selected.StopReason = reason
}

// pending reports whether a signal waits for a process. proc_pid_status(5).
func pending(pid int, sig syscall.Signal) bool {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := bytes.Cut(b, []byte("\nShdPnd:\t"))
	var mask uint64
	_, err := fmt.Sscanf(string(after), "%x", &mask)
	return err == nil && mask&(1<<(sig-1)) != 0
}

// write passes everything on until Delve's session has ended.
func (p *pauses) write(out io.Writer) {
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.ended {
			p.more.Wait()
		}
		if len(p.queue) == 0 {
			p.mu.Unlock()
			return
		}
		content := p.queue[0]
		p.queue = p.queue[1:]
		p.mu.Unlock()
		_ = dap.WriteBaseMessage(out, p.explain(content)) // who reads conn notices its end
	}
}

// explain gives a stop its reason.
func (p *pauses) explain(content []byte) []byte {
	if !bytes.Contains(content, []byte(`"event":"stopped"`)) {
		return content
	}
	var e dap.StoppedEvent
	if json.Unmarshal(content, &e) != nil {
		return content
	}
	id, goroutine := p.hit()
	told := e.Body.Reason == "breakpoint" || e.Body.Reason == "function breakpoint"
	switch {
	case id > 0 && e.Body.Reason == "pause":
		e.Body.Reason, e.Body.HitBreakpointIds, e.Body.ThreadId = "breakpoint", []int{id}, int(goroutine)
	case id == 0 && told && len(e.Body.HitBreakpointIds) == 1 && p.told[e.Body.HitBreakpointIds[0]] > 0:
		e.Body.Reason, e.Body.HitBreakpointIds = "pause", nil
	default:
		return content
	}
	changed, err := json.Marshal(&e)
	if err != nil {
		return content
	}
	return changed
}

// hit returns a breakpoint of the user that a thread has hit since the last stop,
// and the goroutine there; 0 when there is none.
func (p *pauses) hit() (id int, goroutine int64) {
	grp, unlock := p.t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return 0, 0
	}
	var at *proc.G
	for _, th := range grp.Selected.ThreadList() {
		bp := th.Breakpoint()
		if bp == nil || bp.Breakpoint == nil || !bp.Active {
			continue
		}
		lbp := bp.Breakpoint.Logical
		if lbp == nil || lbp.LogicalID <= 0 || lbp.Tracepoint || lbp.TotalHitCount <= p.told[lbp.LogicalID] {
			continue
		}
		if g, err := proc.GetG(th); err == nil && g != nil {
			id, at = lbp.LogicalID, g
		}
	}
	for n, lbp := range grp.LogicalBreakpoints {
		p.told[n] = lbp.TotalHitCount
	}
	if at == nil {
		return 0, 0
	}
	return id, at.ID
}
