package processes

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-dap"
)

// Options are what a session needs from its surroundings.
type Options struct {
	Host []string          // command that runs target.ServeProcess on its standard streams and files 3 and 4
	Send func(dap.Message) // numbers a message and gives it to the client
	Say  func(string)      // tells of progress; nil tells nobody
}

// procState is how far a process is.
type procState uint8

const (
	waiting procState = iota // at its first instruction, until it is its turn
	running
	stopped
	ended
)

// proc is one process.
type proc struct {
	spec  *Process
	index int
	host  *host
	state procState

	started bool // it has run
	ready   bool // those who depend on it may start
	port    bool // somebody listens on its port
	logged  bool // the line that tells that it is ready has come
	readyBy *timer

	pausing bool              // it was asked to stop because another one did
	asked   bool              // that request is not answered
	stop    *dap.StoppedEvent // where it is stopped, with Delve's numbers
	told    bool              // to end, by SIGTERM
	killBy  *timer
	why     string // it ends, when the reason is not its own

	exit           *int        // its exit code, once that is known
	ids            map[int]int // the client's number by Delve's, of breakpoints
	stdout, stderr lines
}

// leaving is what the client wants after the end.
type leaving uint8

const (
	staying leaving = iota
	terminating
	restarting
)

// Session is several programs that are debugged as one. All its state belongs
// to one goroutine, the loop, to which everything is brought as a function.
type Session struct {
	opt    Options
	cfg    *Config
	dir    string // of the binaries
	ctx    context.Context
	cancel context.CancelFunc
	loop   chan func()
	quit   chan struct{} // closed by Close
	over   chan struct{} // the loop has ended
	once   sync.Once
	hosts  sync.WaitGroup // starts that are under way

	mu  sync.Mutex
	all []*host // that were ever started

	procs    []*proc
	clock    *clock
	begun    bool    // configurationDone has come
	stopped  bool    // all that run are stopped, and the client knows
	gather   *gather // from a stop until all are stopped
	selected *proc   // for expressions without a frame
	leaving  leaving
	restart  *dap.RestartRequest // that waits for the end
	finished bool                // the client has got its terminated event

	settings map[string]*setting
	order    []string // of settings
	lastID   int
}

// Launch builds the programs and starts each under a debugger of its own; none
// has run an instruction when it returns. Close must be called in the end.
func Launch(ctx context.Context, cfg *Config, opt Options) (*Session, error) {
	s := &Session{
		opt: opt, cfg: cfg, loop: make(chan func(), 256), quit: make(chan struct{}), over: make(chan struct{}),
		settings: map[string]*setting{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.clock = newClock(s.post)
	var err error
	if s.dir, err = os.MkdirTemp("", "restep-processes-"); err != nil {
		return nil, err
	}
	go s.run()
	procs, err := s.startAll(ctx, cfg)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.post(func() { s.procs = procs })
	return s, nil
}

func (s *Session) run() {
	defer close(s.over)
	for {
		select {
		case f := <-s.loop:
			f()
		case <-s.quit:
			return
		}
	}
}

// post brings a function to the loop. It must not be called there.
func (s *Session) post(f func()) {
	select {
	case s.loop <- f:
	case <-s.quit:
	}
}

// Close kills all processes, with what they have started, and returns when
// nothing of them is left.
func (s *Session) Close() {
	s.once.Do(func() {
		s.cancel()
		close(s.quit)
		<-s.over
		s.hosts.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		stopAll(s.all)
		_ = os.RemoveAll(s.dir)
	})
}

// startAll builds, and starts every program under its debugger.
func (s *Session) startAll(ctx context.Context, cfg *Config) ([]*proc, error) {
	say := s.opt.Say
	if say == nil {
		say = func(string) {}
	}
	programs, err := buildAll(ctx, cfg, s.dir, say)
	if err != nil {
		return nil, err
	}
	say("Starting the debuggers")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	procs := make([]*proc, len(programs))
	errs := make([]error, len(programs))
	var all sync.WaitGroup
	for i := range procs {
		p := &proc{spec: &cfg.Processes[i], index: i, ids: map[int]int{}}
		procs[i] = p
		all.Go(func() {
			if errs[i] = s.startOne(ctx, cfg, p, programs[i]); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	for i, err := range errs {
		if err == nil || ctx.Err() != nil && err == context.Canceled {
			continue
		}
		stopAll(hostsOf(procs))
		return nil, fmt.Errorf("start process %s: %w", procs[i].spec.Name, err)
	}
	if err := ctx.Err(); err != nil {
		stopAll(hostsOf(procs))
		return nil, err
	}
	return procs, nil
}

func hostsOf(procs []*proc) (list []*host) {
	for _, p := range procs {
		if p.host != nil {
			list = append(list, p.host)
		}
	}
	return list
}

// stopAll kills programs and waits until nothing of them is left.
func stopAll(hosts []*host) {
	for _, h := range hosts {
		h.kill()
	}
	for _, h := range hosts {
		<-h.done
	}
}

// startOne starts a program and brings its debugger to where it takes
// breakpoints.
func (s *Session) startOne(ctx context.Context, cfg *Config, p *proc, prog program) error {
	dir, args := p.spec.Cwd, p.spec.Args
	if p.spec.Test != "" {
		args = append([]string{"-test.v", "-test.run=" + testPattern(p.spec.Test)}, args...)
		if dir == "" {
			dir = prog.dir
		}
	} else if dir == "" {
		dir = cfg.Cwd
	}
	var err error
	p.host, err = startHost(ctx, s.opt.Host, append([]string{prog.path}, args...), cfg.environment(p.spec), dir, hostEvents{
		event:  func(m dap.Message) { s.post(func() { s.onEvent(p, m) }) },
		output: func(stderr bool, text []byte) { s.post(func() { s.onOutput(p, stderr, text) }) },
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.all = append(s.all, p.host)
	s.mu.Unlock()
	go func() {
		<-p.host.done
		s.post(func() { s.onEnded(p) })
	}()
	return p.host.attach(ctx, cfg.display)
}

// testPattern is the -test.run of one test: each part of its name, quoted.
func testPattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// attach starts Delve's session on a program that stands at its start.
func (h *host) attach(ctx context.Context, display map[string]any) error {
	hello := &dap.InitializeRequest{Request: request("initialize")}
	hello.Arguments = dap.InitializeRequestArguments{
		ClientID: "restep", AdapterID: "go", PathFormat: "path", LinesStartAt1: true, ColumnsStartAt1: true, SupportsVariableType: true,
	}
	if err := h.call(ctx, hello); err != nil {
		return err
	}
	args := map[string]any{"mode": "remote", "stopOnEntry": true}
	for k, v := range display {
		args[k] = v
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	if err := h.call(ctx, &dap.AttachRequest{Request: request("attach"), Arguments: raw}); err != nil {
		return err
	}
	return h.call(ctx, &dap.ConfigurationDoneRequest{Request: request("configurationDone")})
}

func request(command string) dap.Request {
	return dap.Request{ProtocolMessage: dap.ProtocolMessage{Type: "request"}, Command: command}
}

func response(r *dap.Request) dap.Response {
	return dap.Response{ProtocolMessage: dap.ProtocolMessage{Type: "response"}, Command: r.Command, RequestSeq: r.Seq, Success: true}
}

func event(name string) dap.Event {
	return dap.Event{ProtocolMessage: dap.ProtocolMessage{Type: "event"}, Event: name}
}
