package processes

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/google/go-dap"
)

// host is a debugger's host (target.ServeProcess) and the program that it
// holds. Goroutines: one writes to it, so that nobody waits for a debugger; one
// reads its messages; two read the program's output; one waits for its end.
type host struct {
	cmd *exec.Cmd
	pid int // of the program
	in  io.WriteCloser

	mu      sync.Mutex
	more    *sync.Cond
	queue   [][]byte
	closed  bool // nothing will be written any more
	deaf    bool // nothing is read any more
	seq     int
	pending map[int]func(dap.Message)

	stderr tail          // of the host itself
	done   chan struct{} // it has ended, all it said was passed on
}

// hostEvents is who hears of a host. The functions are called on goroutines of
// the host, one after another each.
type hostEvents struct {
	event  func(dap.Message)
	output func(stderr bool, text []byte)
}

// startHost starts a program, which stops before its first instruction.
func startHost(ctx context.Context, command, args, env []string, dir string, on hostEvents) (*host, error) {
	h := &host{cmd: exec.Command(command[0], command[1:]...), pending: map[int]func(dap.Message){}, done: make(chan struct{})}
	h.more = sync.NewCond(&h.mu)
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is for the adapter
	outputs, theirs, err := outputPipes()
	if err != nil {
		return nil, err
	}
	h.cmd.ExtraFiles = theirs[:]
	in, err := h.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.in = in
	err = h.cmd.Start()
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("start the debugger: %w", err)
	}
	var readers sync.WaitGroup
	for i, f := range outputs {
		readers.Go(func() {
			defer f.Close()
			readOutput(f, func(text []byte) { on.output(i == 1, text) })
		})
	}
	messages := bufio.NewReader(out)
	stop := context.AfterFunc(ctx, func() { in.Close() }) // the host ends with it
	defer stop()
	if h.pid, err = greet(in, messages, args, env, dir); err != nil {
		h.kill()
		readers.Wait()
		_ = h.cmd.Wait()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errors.Join(err, h.stderr.err())
	}
	go h.write()
	go func() {
		h.read(messages, on)
		h.mu.Lock()
		wanted := h.closed
		h.mu.Unlock()
		if !wanted { // somebody ended it; the program is left, or is being let go of
			h.kill()
		}
		h.failPending()
		readers.Wait()
		_ = h.cmd.Wait()
		close(h.done)
	}()
	return h, nil
}

// outputPipes are the pipes for standard output and error of a program.
func outputPipes() (read, write [2]*os.File, err error) {
	for i := range read {
		if read[i], write[i], err = os.Pipe(); err != nil {
			return read, write, fmt.Errorf("make a pipe for the output: %w", err)
		}
	}
	return read, write, nil
}

// greet tells the host what to run.
func greet(in io.Writer, out *bufio.Reader, args, env []string, dir string) (pid int, err error) {
	spec, err := json.Marshal(map[string]any{"args": args, "env": env, "dir": dir})
	if err != nil {
		return 0, err
	}
	if _, err := in.Write(append(spec, '\n')); err != nil {
		return 0, fmt.Errorf("talk to the debugger: %w", err)
	}
	line, err := out.ReadBytes('\n')
	if err != nil {
		return 0, fmt.Errorf("talk to the debugger: %w", err)
	}
	var started struct {
		Pid   int    `json:"pid"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(line, &started); err != nil {
		return 0, fmt.Errorf("talk to the debugger: %w", err)
	}
	if started.Error != "" {
		return 0, errors.New(started.Error)
	}
	return started.Pid, nil
}

func readOutput(f *os.File, got func([]byte)) {
	b := make([]byte, 32<<10)
	for {
		n, err := f.Read(b)
		if n > 0 {
			got(bytes.Clone(b[:n]))
		}
		if err != nil {
			return
		}
	}
}

func (h *host) read(r *bufio.Reader, on hostEvents) {
	codec := dap.NewCodec()
	for {
		content, err := dap.ReadBaseMessage(r)
		if err != nil {
			return
		}
		m, err := codec.DecodeMessage(content)
		if err != nil {
			continue // of a newer Delve
		}
		resp, ok := m.(dap.ResponseMessage)
		if !ok {
			on.event(m)
			continue
		}
		n := resp.GetResponse().RequestSeq
		h.mu.Lock()
		handle := h.pending[n]
		delete(h.pending, n)
		h.mu.Unlock()
		if handle != nil {
			handle(m)
		}
	}
}

// send gives Delve a request under a number of the host's own. handle gets the
// response, on a goroutine of the host's, or errHostEnded as one. The request is
// not changed.
func (h *host) send(m dap.RequestMessage, handle func(dap.Message)) {
	content, err := json.Marshal(m)
	var fields map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal(content, &fields)
	}
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deaf {
		go handle(endedResponse())
		return
	}
	h.seq++
	fields["seq"] = json.RawMessage(fmt.Sprint(h.seq))
	if content, err = json.Marshal(fields); err != nil {
		panic(err)
	}
	h.pending[h.seq] = handle
	h.queue = append(h.queue, content)
	h.more.Signal()
}

// errHostEnded is the answer of a host that has ended.
const errHostEnded = "the process has ended"

func endedResponse() dap.Message {
	r := &dap.ErrorResponse{Response: response(&dap.Request{})}
	r.Success, r.Message = false, errHostEnded
	return r
}

// failPending answers what will have no answer.
func (h *host) failPending() {
	h.mu.Lock()
	h.deaf = true
	lost := h.pending
	h.pending = nil
	h.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(lost)) {
		lost[n](endedResponse())
	}
}

// call is send for those who may wait.
func (h *host) call(ctx context.Context, m dap.RequestMessage) error {
	answer := make(chan dap.Message, 1)
	h.send(m, func(m dap.Message) { answer <- m })
	select {
	case m := <-answer:
		return responseError(m)
	case <-h.done:
		return errors.Join(errors.New("the debugger has ended"), h.stderr.err())
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *host) write() {
	for {
		h.mu.Lock()
		for len(h.queue) == 0 && !h.closed {
			h.more.Wait()
		}
		if h.closed {
			h.mu.Unlock()
			h.in.Close()
			return
		}
		content := h.queue[0]
		h.queue = h.queue[1:]
		h.mu.Unlock()
		if dap.WriteBaseMessage(h.in, content) != nil {
			h.kill() // the reader notices
			return
		}
	}
}

// end lets the host end: it kills the program and all that it has started.
func (h *host) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.more.Signal()
}

// kill ends the program at once, and the host in any state.
func (h *host) kill() {
	if h.pid > 0 && h.alive() {
		_ = syscall.Kill(-h.pid, syscall.SIGKILL)
	}
	h.end()
	h.in.Close() // should a write be stuck
}

// alive reports that the host has not ended.
func (h *host) alive() bool {
	select {
	case <-h.done:
		return false
	default:
		return true
	}
}

// responseError is the error that a response tells, nil for success.
func responseError(m dap.Message) error {
	r := m.(dap.ResponseMessage).GetResponse()
	if r.Success {
		return nil
	}
	if e, ok := m.(*dap.ErrorResponse); ok && e.Body.Error != nil && e.Body.Error.Format != "" {
		return errors.New(e.Body.Error.Format)
	}
	return errors.New(r.Message)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(b), nil
}

// err is what was written, nil for nothing.
func (t *tail) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := strings.TrimSpace(string(t.text)); text != "" {
		return errors.New(text)
	}
	return nil
}
