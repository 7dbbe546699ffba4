package program

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// startZygote starts the zygote from a thread of its own, which stays until
// the zygote is closed.
func (p *Program) startZygote(ctx context.Context) error {
	started := make(chan error)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		z, err := zygote.Start(ctx, zygote.Config{Binary: p.Bin.Path, Layout: p.Bin.LayoutPath, Memory: launch.MemoryOf(&p.Header)})
		p.zygote = z
		started <- err
		if err != nil {
			return
		}
		<-quit
		z.Close()
		// The thread ends with the goroutine, which never unlocks it.
	}()
	if err := <-started; err != nil {
		return err
	}
	p.stop = func() { close(quit); <-done }
	return nil
}

// Run is one copy of the run.
type Run struct {
	Pid   int
	child *zygote.Child
	file  *os.File // takes the step log; nil for a copy that a debugger holds
	bytes []byte   // mapping of file
	ended chan struct{}
	state syscall.WaitStatus
	err   error
}

// Start starts a copy of the run that waits at its start until Release. The
// run before must have ended. It writes no log: going to and fro, a debugger
// would leave one that is neither the old nor the new.
func (p *Program) Start() (*Run, error) {
	return p.begin(&Run{ended: make(chan struct{})}, "", true)
}

// startRecording starts a copy of the run that writes its log.
func (p *Program) startRecording() (*Run, error) {
	fd, err := unix.MemfdCreate("restep.steplog", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("memory for the step log: %w", err)
	}
	r := &Run{file: os.NewFile(uintptr(fd), "step log"), ended: make(chan struct{})}
	head, err := steplog.EncodeHeader(&p.Header)
	if err == nil {
		_, err = r.file.WriteAt(head, 0)
	}
	if err != nil {
		r.file.Close()
		return nil, fmt.Errorf("write the header of the step log: %w", err)
	}
	// The child opens the file by this name; the program never sees it.
	return p.begin(r, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), false)
}

func (p *Program) begin(r *Run, log string, gate bool) (*Run, error) {
	request, err := launch.Request(&p.Header, p.Bin.ModuleDir, log)
	if err == nil {
		request.Gate = gate
		r.child, err = p.zygote.Run(request)
	}
	if err != nil {
		if r.file != nil {
			r.file.Close()
		}
		return nil, fmt.Errorf("start the run: %w", err)
	}
	r.Pid = r.child.Pid
	go func() {
		r.state, r.err = r.child.Wait()
		close(r.ended)
	}()
	return r, nil
}

// Release opens the gate; the program makes note that it stops at step stop, 0
// for nowhere. Its checkpoints may use budget bytes of memory together; the
// recorded run has total steps.
func (r *Run) Release(stop, budget, total uint64) error {
	if err := r.child.Release(stop, budget, total); err != nil {
		return fmt.Errorf("let the program run: %w", err)
	}
	return nil
}

// Kill ends the run at once.
func (r *Run) Kill() { r.child.Kill() }

// Wait waits for the end of the run.
func (r *Run) Wait() (syscall.WaitStatus, error) {
	<-r.ended
	return r.state, r.err
}

// Ended reports whether the run is over, without waiting.
func (r *Run) Ended() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// EndsWithin waits for the end of the run, but not longer than d.
func (r *Run) EndsWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ended:
		return true
	case <-t.C:
		return r.Ended()
	}
}

// Bytes returns the step log as written so far, valid until the next call or
// Close.
func (r *Run) Bytes() ([]byte, error) {
	info, err := r.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the step log: %w", err)
	}
	if int64(len(r.bytes)) == info.Size() {
		return r.bytes, nil
	}
	r.unmap()
	b, err := unix.Mmap(int(r.file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the step log: %w", err)
	}
	r.bytes = b
	return b, nil
}

func (r *Run) unmap() {
	if r.bytes != nil {
		_ = unix.Munmap(r.bytes)
		r.bytes = nil
	}
}

// Close ends the run and waits for its end.
func (r *Run) Close() {
	r.Kill()
	<-r.ended
	r.unmap()
	if r.file != nil {
		r.file.Close()
	}
}

func describeStatus(s syscall.WaitStatus) string {
	if s.Signaled() {
		return "signal " + s.Signal().String()
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}
