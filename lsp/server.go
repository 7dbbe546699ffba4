package lsp

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/source"
)

// Options is what a server needs of the program that it is in.
type Options struct {
	Version string
	// Restep starts restep itself: name and first arguments; "test" and its
	// flags follow.
	Restep []string
}

// ErrNoShutdown is returned by Serve when the client left without saying
// shutdown first.
var ErrNoShutdown = errors.New("the client ended without a shutdown request")

// phase is where the life of a connection is. LSP 3.17, "Server lifecycle".
type phase int

const (
	fresh phase = iota
	running
	shutDown
)

// server is one connection to a client.
type server struct {
	protocol.UnimplementedServer
	opt    Options
	ctx    context.Context // ends with the connection
	cancel context.CancelFunc
	conn   jsonrpc2.Conn
	client protocol.Client
	reach  source.Reach
	ended  chan error // capacity 1: why the connection is over
	dirty  chan bool  // capacity 1: the announcer has work
	work   sync.WaitGroup
	start  func(context.Context, *exec.Cmd) error // runs a process; replaced in tests

	mu       sync.Mutex
	phase    phase
	snap     *snapshot
	requests map[jsonrpc2.ID]context.CancelFunc // under way
	watching map[string]*watched                // by module folder
	selected map[lineKey]choice                 // step that a line's lens shows
	position *whereabouts                       // of a debug session, nil when there was none
	choices  int                                // how often one of the two was set
	refresh  bool                               // hints and lenses are not what the client shows
	progress map[string]context.CancelFunc      // runs under way, by progress token
	closing  bool                               // no work may begin
	tokens   int
}

// grace is how long Serve waits for handlers and children at the end.
const grace = 2 * time.Second

// Serve talks to one client until it says exit, its side of the connection
// ends, its process dies, or ctx is over. It closes conn. The error is nil for
// an orderly end.
func Serve(ctx context.Context, conn io.ReadWriteCloser, opt Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		opt: opt, ctx: ctx, cancel: cancel, ended: make(chan error, 1), dirty: make(chan bool, 1), start: runProcess,
		snap: newSnapshot(), requests: map[jsonrpc2.ID]context.CancelFunc{}, watching: map[string]*watched{}, selected: map[lineKey]choice{},
		progress: map[string]context.CancelFunc{},
	}
	s.conn = jsonrpc2.NewConn(newStream(conn, s.end), jsonrpc2.WithCodec(codec{}))
	s.client = protocol.ClientDispatcher(s.conn)
	s.conn.Go(ctx, s.handler())
	s.background(s.announce)
	var err error
	select {
	case err = <-s.ended:
	case <-ctx.Done():
	}
	cancel()
	_ = conn.Close()
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	finished := make(chan struct{})
	go func() {
		s.work.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-time.After(grace):
	}
	return err
}

// end says that the connection is over, and why. The first one counts.
func (s *server) end(err error) {
	s.mu.Lock()
	if errors.Is(err, io.EOF) {
		if err = nil; s.phase == running {
			err = ErrNoShutdown
		}
	}
	s.mu.Unlock()
	select {
	case s.ended <- err:
	default:
	}
	s.cancel()
}

// begin says that work begins for which Serve waits at its end, unless that is
// now. Call s.work.Done after it.
func (s *server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.work.Add(1)
	}
	return !s.closing
}

// background runs f in a goroutine for which Serve waits.
func (s *server) background(f func()) {
	if s.begin() {
		go func() {
			defer s.work.Done()
			f()
		}()
	}
}

// snapshot returns the state of now.
func (s *server) snapshot() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snap
}

// change replaces the snapshot. Refresh means that the client has to ask for
// hints and lenses again.
func (s *server) change(refresh bool, edit func(*snapshot)) {
	s.mu.Lock()
	next := s.snap.clone()
	edit(next)
	s.snap = next
	s.refresh = s.refresh || refresh
	s.mu.Unlock()
	s.wake()
}

// wake lets the announcer look at what there is to do.
func (s *server) wake() {
	select {
	case s.dirty <- true:
	default:
	}
}

// show lets the client show a message to the user.
func (s *server) show(kind protocol.MessageType, text string) {
	_ = s.client.ShowMessage(s.ctx, &protocol.ShowMessageParams{Type: kind, Message: "restep: " + plain(text, maxText)})
}

// log puts a message into the client's log. It does not wait: the goroutine
// that reads must go on even if the client does not read.
func (s *server) log(kind protocol.MessageType, text string) {
	s.background(func() { s.send(kind, text) })
}

func (s *server) send(kind protocol.MessageType, text string) {
	_ = s.client.LogMessage(s.ctx, &protocol.LogMessageParams{Type: kind, Message: "restep: " + plain(text, maxText)})
}
