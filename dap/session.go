package dap

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/processes"
	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/replay/program"
)

// Options are the same for all sessions of a server.
type Options struct {
	Token   string // what a client must send as launch argument token, "" = nothing
	Dir     string // where relative programs are looked for; "" is the working directory
	Version string // of the tool

	// Host is a command that calls target.ServeProcess, for mode "processes".
	Host []string

	parked *parked // of a server that listens
}

// state is how far a session is. Which request is allowed in which state is
// in the table of requests.go.
type state uint8

const (
	fresh       state = 1 << iota // nothing was said
	initialized                   // initialize was answered
	configuring                   // launched; the client sets breakpoints
	stopped
	running // the program runs for the user
	exited  // the program has ended; a jump brings it back
	ended   // only disconnect is left
)

func (s state) String() string {
	switch s {
	case fresh:
		return "before initialize"
	case initialized:
		return "before launch"
	case configuring:
		return "before configurationDone"
	case stopped:
		return "while the program is stopped"
	case running:
		return "while the program runs"
	case exited:
		return "after the program has ended"
	}
	return "after the session has ended"
}

// session is one client. Its goroutines: read takes messages from the client
// and acts at once on what cannot wait; serve handles requests one by one; the
// backend's handler passes on what Delve says. mu guards what they share.
type session struct {
	opt    Options
	conn   io.Closer
	out    writer
	in     chan dap.Message
	ctx    context.Context // ends with the session
	cancel context.CancelFunc

	client       dap.InitializeRequestArguments
	launch       *launchArguments
	launchRaw    json.RawMessage    // as the client sent them
	table        map[string]request // requestTable
	settings     settings
	taken        chan struct{}      // closed when another client has taken the program over
	procs        *processes.Session // in mode "processes", in the place of the rest
	prog         *program.Program
	engine       *replay.Engine
	backend      *backend
	rules        []target.Rule
	deps         []target.Dependency
	threadFilter threadFilter // of threads
	moreThreads  uint64       // step after the one at which the client heard that there are more

	mu         sync.Mutex
	points     points
	state      state
	target     *target.Target
	busy       int                        // number of the request that serve handles, 0 for none
	stopBusy   context.CancelFunc         // cancels it
	capture    chan dap.Message           // takes stopped and terminated events that the client must not see
	dropEntry  bool                       // Delve's stop on entry is not the client's
	restarted  bool                       // the client has seen a debugger that was ready
	reason     string                     // of the next stop at a step
	terminated bool                       // the client knows
	trusted    bool                       // the client has sent the token
	attached   bool                       // to a session that waited, and is not configured yet
	leaving    bool                       // the client wants the end: terminate or disconnect has come
	shown      uint64                     // last step whose output the client has seen
	frames     map[int]frameOwner         // by frame id, reset at every stop
	owners     map[int]frameOwner         // by reference of variables, as well
	synthetic  []synthetic                // the front's own variables, as well
	held       bool                       // the program runs to its last step, which the client takes for its end
	stepping   bool                       // the program runs to the end of a step over, into or out
	conditions map[int]condition          // of breakpoints, by Delve's id, that Delve cannot evaluate
	logpoints  map[string]map[string]bool // that the client knows, by settingKey
	changed    uint64                     // step at which the user changed the program, 0 = it is the recorded run
	inPlace    uint32                     // machine whose variables are in place, 0 when that is not known
}

// frameOwner says whose frame a frame id is.
type frameOwner struct {
	goroutine int64
	machine   uint32
	index     int // from the innermost frame, those of the simulator included
}

// maxQueue bounds the requests of a client that wait.
const maxQueue = 4096

// Serve runs one session on a connection. It returns when the client has
// disconnected, closed the connection or broken the protocol, or when ctx
// ends; nothing that the session started is left then. The error is nil for a
// session that the client ended.
func Serve(ctx context.Context, conn io.ReadWriteCloser, opt Options) error {
	s := &session{
		opt: opt, conn: conn, out: writer{w: conn}, in: make(chan dap.Message, maxQueue),
		table: requestTable, state: fresh, frames: map[int]frameOwner{}, owners: map[int]frameOwner{},
	}
	s.out.edit = s.settings.outgoing
	s.ctx, s.cancel = context.WithCancel(ctx)
	defer s.shutdown()
	broken := make(chan error, 1)
	go func() { broken <- s.read(bufio.NewReader(conn)) }()
	for {
		select {
		case m, ok := <-s.in:
			if !ok {
				return s.gone(ctx, <-broken)
			}
			if s.handle(m) {
				return nil
			}
		case <-s.ctx.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return s.gone(ctx, <-broken)
		}
	}
}

// gone is what is left to do when the connection has ended.
func (s *session) gone(ctx context.Context, err error) error {
	if err == nil {
		s.conn.Close()
		s.park(ctx)
	}
	return err
}

// read takes messages until the connection ends or makes no sense.
func (s *session) read(r *bufio.Reader) error {
	defer s.cancel()
	defer close(s.in)
	codec := newCodec()
	for {
		content, err := readFrame(r)
		if err != nil {
			if err == io.EOF || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
				return nil
			}
			s.complain(fmt.Sprintf("malformed message: %v", err))
			return fmt.Errorf("read the client's message: %w", err)
		}
		m, err := codec.DecodeMessage(content)
		if err != nil {
			if !s.isTrusted() || !s.refuse(content, err) {
				return fmt.Errorf("read the client's message: %w", err)
			}
			continue
		}
		req, ok := m.(dap.RequestMessage)
		if !ok {
			continue // clients answer runInTerminal and startDebugging, which are never asked
		}
		if s.urgent(req) {
			continue
		}
		select {
		case s.in <- m:
		default:
			s.complain("too many requests wait")
			return errors.New("the client sent too many requests at once")
		}
	}
}

// urgent acts on requests that cannot wait until the present one is done. It
// returns true when there is nothing left to do for it.
func (s *session) urgent(m dap.RequestMessage) bool {
	s.mu.Lock()
	stopBusy, busy, resuming := s.stopBusy, s.busy, s.capture != nil
	s.mu.Unlock()
	switch m := m.(type) {
	case *dap.DisconnectRequest, *dap.TerminateRequest:
		s.mu.Lock()
		s.leaving = true
		s.mu.Unlock()
		if stopBusy != nil {
			stopBusy()
		}
	case *dap.CancelRequest:
		if a := m.Arguments; a != nil && stopBusy != nil && (a.RequestId == busy || a.ProgressId == progressID(busy)) {
			stopBusy()
		}
	case *dap.PauseRequest:
		if resuming { // serve waits for the program
			if err := s.forward(s.ctx, m); err != nil {
				s.out.send(jumpFailure(err).response(&m.Request))
			}
			return true
		}
	}
	return false
}

// refuse answers a message that is no request known here. It returns false
// when there is nothing to answer to.
func (s *session) refuse(content []byte, err error) bool {
	head, ok := requestHead(content)
	if !ok {
		s.complain(fmt.Sprintf("malformed message: %v", err))
		return false
	}
	var field *dap.DecodeProtocolMessageFieldError
	if errors.As(err, &field) {
		s.out.send(silentError(idUnknown, "there is no request %q", head.Command).response(head))
	} else {
		s.out.send(silentError(idMalformed, "the request %q is malformed: %v", head.Command, err).response(head))
	}
	return true
}

// complain tells a client what it did wrong when there is no request to
// answer to.
func (s *session) complain(what string) {
	if !s.isTrusted() {
		return
	}
	e := &dap.OutputEvent{Event: event("output")}
	e.Body = dap.OutputEventBody{Category: "stderr", Output: "restep: " + what + "\n"}
	s.out.send(e)
	s.sendTerminated()
}

// console tells the user something.
func (s *session) console(text string) {
	e := &dap.OutputEvent{Event: event("output")}
	e.Body = dap.OutputEventBody{Category: "console", Output: text + "\n"}
	s.out.send(e)
}

func (s *session) sendTerminated() {
	s.mu.Lock()
	first := !s.terminated
	s.terminated = true
	s.mu.Unlock()
	if first {
		s.out.send(&dap.TerminatedEvent{Event: event("terminated")})
	}
}

// setState goes to another state. Nothing leads back from the end.
func (s *session) setState(to state) {
	s.mu.Lock()
	if s.state != ended {
		s.state = to
	}
	s.mu.Unlock()
}

func (s *session) currentState() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// endProgram ends the program and Delve's session, and with them all but the
// end of the client's. What was sent to Delve is answered before.
func (s *session) endProgram() { s.endProgramIn(ended) }

// endProgramIn is endProgram for a session that goes on in another state.
func (s *session) endProgramIn(next state) {
	if s.procs != nil {
		s.setState(next)
		s.procs.Close()
		return
	}
	s.mu.Lock()
	t := s.target
	s.target = nil
	s.state = next
	s.mu.Unlock()
	if t != nil {
		t.Interrupt() // whatever Delve waits for ends
		if s.backend != nil {
			_ = s.backend.idle(context.Background())
		}
		t.Close()
	}
	if s.backend != nil {
		s.backend.close()
		<-s.backend.done
		s.backend = nil
	}
	if t == nil && s.prog != nil {
		s.prog.Close()
	}
	s.prog = nil
}

// shutdown ends everything.
func (s *session) shutdown() {
	s.cancel()
	s.conn.Close() // first: nobody may wait for a client that does not read
	s.endProgram()
}
