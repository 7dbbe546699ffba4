package dap

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/google/go-dap"
)

// backend is the connection to Delve's DAP session. Three goroutines belong to
// it: Delve's own; one that only reads what Delve sends, for Delve may hold
// the debugger's lock while it writes; and one that calls the handlers, in
// Delve's order, which may take that lock.
type backend struct {
	conn    net.Conn
	onEvent func(dap.Message) // guarded by handling
	done    chan struct{}     // Delve's session has ended and all is handled

	mu      sync.Mutex
	seq     int
	pending map[int]func(dap.Message) // by our number of the request
	queue   []dap.Message
	more    *sync.Cond    // queue has grown, or the reader is gone
	ended   bool          // the reader is gone
	open    int           // requests that are not answered, or whose answer is being handled
	quiet   chan struct{} // closed when open is 0 again; nil while it is

	writing  sync.Mutex
	handling sync.Mutex // held while a message is handled
}

// startBackend starts Delve's session, which serve runs on its end of the
// connection. Everything Delve sends that answers no request goes to onEvent.
func startBackend(serve func(io.ReadWriteCloser), onEvent func(dap.Message)) *backend {
	ours, theirs := net.Pipe()
	b := &backend{conn: ours, onEvent: onEvent, done: make(chan struct{}), pending: map[int]func(dap.Message){}}
	b.more = sync.NewCond(&b.mu)
	go serve(theirs)
	go b.read()
	go b.handle()
	return b
}

func (b *backend) read() {
	r := bufio.NewReader(b.conn)
	codec := dap.NewCodec()
	for {
		content, err := dap.ReadBaseMessage(r)
		var m dap.Message
		if err == nil {
			if m, err = codec.DecodeMessage(content); err != nil {
				continue // an event that go-dap does not know yet
			}
		}
		b.mu.Lock()
		if err != nil {
			b.ended = true
		} else {
			b.queue = append(b.queue, m)
		}
		b.more.Signal()
		b.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (b *backend) handle() {
	defer close(b.done)
	for {
		b.mu.Lock()
		for len(b.queue) == 0 && !b.ended {
			b.more.Wait()
		}
		if len(b.queue) == 0 {
			b.mu.Unlock()
			return
		}
		m := b.queue[0]
		b.queue = b.queue[1:]
		handle := b.handleEvent
		resp, answer := m.(dap.ResponseMessage)
		if answer {
			n := resp.GetResponse().RequestSeq
			handle = b.pending[n]
			delete(b.pending, n)
		}
		b.mu.Unlock()
		if handle == nil {
			continue // a second answer; Delve gives one when it panics after the first
		}
		b.handling.Lock()
		handle(m)
		b.handling.Unlock()
		if answer {
			b.answered()
		}
	}
}

// handleEvent hands an event to the session that the backend belongs to; with
// handling held.
func (b *backend) handleEvent(m dap.Message) { b.onEvent(m) }

// redirect gives the backend to another session, between two messages. f is
// called then.
func (b *backend) redirect(onEvent func(dap.Message), f func()) {
	b.handling.Lock()
	defer b.handling.Unlock()
	f()
	b.onEvent = onEvent
}

// answered counts a request as done.
func (b *backend) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open--; b.open == 0 {
		close(b.quiet)
		b.quiet = nil
	}
}

// idle waits until Delve has answered all that it was asked. Delve takes the
// debugger's lock several times for one request. When the process goes away in
// between, its next look at a goroutine panics ("send on closed channel"),
// sometimes with the lock held (onThreadsRequest), which then stays so.
func (b *backend) idle(ctx context.Context) error {
	b.mu.Lock()
	quiet := b.quiet
	b.mu.Unlock()
	if quiet == nil {
		return nil
	}
	b.probe()
	select {
	case <-quiet:
		return nil
	case <-b.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe asks for what Delve refuses without a look at the program. Delve answers
// one request after another: those before it that are not answered then never
// will be, and get an error instead.
func (b *backend) probe() {
	ask := &dap.CancelRequest{Request: newRequest("cancel")}
	_ = b.send(ask, func(m dap.Message) {
		last := m.(dap.ResponseMessage).GetResponse().RequestSeq
		b.mu.Lock()
		lost := map[int]func(dap.Message){}
		for seq, handle := range b.pending {
			if seq < last {
				lost[seq] = handle
				delete(b.pending, seq)
			}
		}
		b.mu.Unlock()
		for seq, handle := range lost {
			e := silentError(idDebugger, "the debugger gave no answer").response(&dap.Request{})
			e.RequestSeq = seq
			handle(e)
			b.answered()
		}
	})
}

// send gives Delve a request under a number of our own. handle gets the
// response, on the handling goroutine. The request is not changed.
func (b *backend) send(m dap.RequestMessage, handle func(dap.Message)) error {
	content, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.seq++
	seq := b.seq
	b.mu.Unlock()
	content, err = renumber(content, seq)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.pending[seq] = handle
	if b.open++; b.quiet == nil {
		b.quiet = make(chan struct{})
	}
	b.mu.Unlock()
	b.writing.Lock()
	defer b.writing.Unlock()
	if err := dap.WriteBaseMessage(b.conn, content); err != nil {
		b.mu.Lock()
		_, waits := b.pending[seq]
		delete(b.pending, seq)
		b.mu.Unlock()
		if waits {
			b.answered()
		}
		return silentError(idDebugger, "the debugger does not answer: %v", err)
	}
	return nil
}

// renumber gives an encoded message another number.
func renumber(content []byte, seq int) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, err
	}
	fields["seq"] = json.RawMessage(fmt.Sprint(seq))
	return json.Marshal(fields)
}

// call sends a request and waits for the response. A response that tells an
// error is an error.
func (b *backend) call(ctx context.Context, m dap.RequestMessage) (dap.Message, error) {
	answer := make(chan dap.Message, 1)
	if err := b.send(m, func(m dap.Message) { answer <- m }); err != nil {
		return nil, err
	}
	select {
	case m := <-answer:
		return m, responseError(m)
	case <-b.done:
		return nil, silentError(idDebugger, "the debugger has ended")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// responseError is the error that a response tells, nil for success.
func responseError(m dap.Message) error {
	r := m.(dap.ResponseMessage).GetResponse()
	if r.Success {
		return nil
	}
	if e, ok := m.(*dap.ErrorResponse); ok && e.Body.Error != nil && e.Body.Error.Format != "" {
		return silentError(idDebugger, "%s", e.Body.Error.Format)
	}
	return silentError(idDebugger, "%s", r.Message)
}

func (b *backend) close() { b.conn.Close() }
