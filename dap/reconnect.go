package dap

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"sync"
	"time"

	"github.com/google/go-dap"
)

// A client of a listening adapter may give its session a name, by the launch
// argument reconnect. When the connection ends without a request to end the
// program, the session waits for another client, who takes it over by attach
// with {"session": NAME}; breakpoints and the place in the run are as they
// were.

// parkedFor is how long, in real time, a session waits for a client.
const parkedFor = 10 * time.Minute

// parked are the sessions of a server that wait for a client.
type parked struct {
	mu      sync.Mutex
	waiting map[string]*session
}

// attachArguments are those of an attach request.
type attachArguments struct {
	Session string `json:"session"`
	Token   string `json:"token"`
}

// authorize checks a token, before anything else is done for a client.
func (s *session) authorize(token string) error {
	if s.opt.Token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(s.opt.Token)) != 1 {
		s.setState(ended)
		return userError(idToken, "the argument \"token\" is missing or wrong; restep dap printed it when it started")
	}
	s.mu.Lock()
	s.trusted = true
	s.mu.Unlock()
	return nil
}

// isTrusted reports whether the client may hear more than the answer to
// initialize.
func (s *session) isTrusted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trusted || s.opt.Token == ""
}

// checkName refuses a name that is taken.
func (s *session) checkName() error {
	name := s.launch.Reconnect
	switch {
	case name == "":
		return nil
	case s.opt.parked == nil:
		return userError(idArguments, "\"reconnect\" needs restep dap --listen: on standard streams there is one client")
	}
	s.opt.parked.mu.Lock()
	defer s.opt.parked.mu.Unlock()
	if s.opt.parked.waiting[name] != nil {
		return userError(idArguments, "a session %q waits for its client: attach to it, or choose another name for \"reconnect\"", name)
	}
	return nil
}

// park lets a session wait for another client after its connection has ended.
// It returns true when one has taken the program over.
func (s *session) park(ctx context.Context) bool {
	p := s.opt.parked
	if p == nil || s.launch == nil || s.launch.Reconnect == "" || s.isLeaving() ||
		s.currentState()&(stopped|running) == 0 || s.lost() && s.currentState() == stopped {
		return false
	}
	name := s.launch.Reconnect
	s.taken = make(chan struct{})
	p.mu.Lock()
	if p.waiting[name] != nil {
		p.mu.Unlock()
		return false
	}
	p.waiting[name] = s
	p.mu.Unlock()
	timeout := time.NewTimer(parkedFor)
	defer timeout.Stop()
	select {
	case <-s.taken:
		return true
	case <-timeout.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting[name] == s {
		delete(p.waiting, name)
		return false
	}
	return true // at the last moment
}

// take returns a waiting session, which is the caller's then.
func (p *parked) take(name string) *session {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.waiting[name]
	delete(p.waiting, name)
	return old
}

// onAttach takes a session over that waits for a client.
func (s *session) onAttach(ctx context.Context, m dap.Message) error {
	req := m.(*dap.AttachRequest)
	var args attachArguments
	if len(req.Arguments) > 0 {
		if err := json.Unmarshal(req.Arguments, &args); err != nil {
			return userError(idArguments, "the attach configuration is wrong: %v", err)
		}
	}
	if err := s.authorize(args.Token); err != nil {
		return err
	}
	if args.Session == "" {
		return userError(idUnsupported, "not supported: attach to a process; a simulated run is launched, for it starts when it is debugged. "+
			"attach takes \"session\", the name that a launch gave as \"reconnect\"")
	}
	old := s.opt.parked.take(args.Session)
	if old == nil {
		return userError(idArguments, "no session %q waits for a client", args.Session)
	}
	if err := old.backend.idle(ctx); err != nil { // it waits no more: its program ends with it
		close(old.taken)
		old.endProgram()
		return err
	}
	b := old.backend
	b.redirect(s.onEvent, func() { s.inherit(old) })
	close(old.taken)
	s.out.send(&dap.AttachResponse{Response: response(&req.Request)})
	s.out.send(&dap.InitializedEvent{Event: event("initialized")})
	return nil
}

// inherit takes a session's program, place and settings.
func (s *session) inherit(old *session) {
	old.mu.Lock()
	s.mu.Lock()
	s.launch, s.launchRaw, s.prog, s.engine, s.backend = old.launch, old.launchRaw, old.prog, old.engine, old.backend
	s.rules, s.deps, s.threadFilter, s.points = old.rules, old.deps, old.threadFilter, old.points
	s.target, s.state, s.restarted, s.shown, s.changed = old.target, old.state, true, old.shown, old.changed
	s.conditions, s.attached = old.conditions, true
	old.target, old.backend, old.prog, old.state = nil, nil, nil, ended
	s.target.Resume = s.resume
	s.mu.Unlock()
	old.mu.Unlock()
}
