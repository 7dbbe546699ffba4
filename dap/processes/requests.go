package processes

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/go-dap"
)

// CapabilitiesEvent tells the client what is not possible for several real
// programs at once, after the adapter has said what it can do with a run.
type CapabilitiesEvent struct {
	dap.Event
	Body struct {
		Capabilities map[string]any `json:"capabilities"`
	} `json:"body"`
}

// Capabilities is the event for a session.
func Capabilities() *CapabilitiesEvent {
	e := &CapabilitiesEvent{Event: event("capabilities")}
	e.Body.Capabilities = map[string]any{
		"exceptionBreakpointFilters": []dap.ExceptionBreakpointsFilter{
			{Filter: "unrecovered-panic", Label: "Unrecovered Panics", Default: true},
			{Filter: "runtime-fatal-throw", Label: "Fatal Throws", Default: true},
		},
	}
	for _, not := range []string{
		"supportsStepBack", "supportsGotoTargetsRequest", "supportsRestartFrame", "supportsCompletionsRequest",
		"supportsModulesRequest", "supportsLoadedSourcesRequest", "supportsBreakpointLocationsRequest", "supportsSetExpression",
		"supportsDataBreakpoints", "supportsInstructionBreakpoints", "supportsSteppingGranularity",
		"supportsDisassembleRequest", "supportsReadMemoryRequest", "supportsWriteMemoryRequest",
	} {
		e.Body.Capabilities[not] = false
	}
	return e
}

// Handle answers a request of the client, at once or later. It takes all but
// initialize, launch and disconnect.
func (s *Session) Handle(m dap.RequestMessage) {
	s.post(func() {
		if err := s.handle(m); err != nil {
			s.opt.Send(failed(m.GetRequest(), err))
		}
	})
}

func (s *Session) handle(m dap.RequestMessage) error {
	switch m := m.(type) {
	case *dap.SetBreakpointsRequest, *dap.SetFunctionBreakpointsRequest, *dap.SetExceptionBreakpointsRequest:
		s.onSetting(m)
	case *dap.ConfigurationDoneRequest:
		if s.begun {
			return errors.New("configurationDone was sent before")
		}
		s.begun = true
		s.opt.Send(&dap.ConfigurationDoneResponse{Response: response(&m.Request)})
		s.startNext()
	case *dap.ThreadsRequest:
		s.onThreads(m)
	case *dap.PauseRequest:
		return s.onPause(m)
	case *dap.ContinueRequest:
		if err := s.mustBeStopped(); err != nil {
			return err
		}
		r := &dap.ContinueResponse{Response: response(&m.Request), Body: dap.ContinueResponseBody{AllThreadsContinued: true}}
		s.opt.Send(r)
		s.resume(nil, nil)
	case *dap.NextRequest:
		return s.onStep(m, m.Arguments.ThreadId, &dap.NextResponse{Response: response(&m.Request)})
	case *dap.StepInRequest:
		return s.onStep(m, m.Arguments.ThreadId, &dap.StepInResponse{Response: response(&m.Request)})
	case *dap.StepOutRequest:
		return s.onStep(m, m.Arguments.ThreadId, &dap.StepOutResponse{Response: response(&m.Request)})
	case *dap.EvaluateRequest:
		return s.onEvaluate(m)
	case *dap.TerminateRequest:
		s.onTerminate(m)
	case *dap.RestartRequest:
		return s.onRestart(m)
	case *dap.CancelRequest:
		s.opt.Send(&dap.CancelResponse{Response: response(&m.Request)})
	default:
		return s.pass(m)
	}
	return nil
}

// pass gives a request to the process that its numbers name.
func (s *Session) pass(m dap.RequestMessage) error {
	var number *int
	switch m := m.(type) {
	case *dap.StackTraceRequest:
		number = &m.Arguments.ThreadId
	case *dap.ExceptionInfoRequest:
		number = &m.Arguments.ThreadId
	case *dap.ScopesRequest:
		number = &m.Arguments.FrameId
	case *dap.VariablesRequest:
		number = &m.Arguments.VariablesReference
	case *dap.SetVariableRequest:
		number = &m.Arguments.VariablesReference
	default:
		return fmt.Errorf("not supported in mode \"processes\": %s", m.GetRequest().Command)
	}
	if err := s.mustBeStopped(); err != nil {
		return err
	}
	p, inner := s.inner(*number)
	if p == nil || p.state != stopped {
		return errors.New("its process has ended, or it is of an earlier stop")
	}
	*number = inner
	s.forward(p, m)
	return nil
}

// forward gives a request with Delve's numbers to a process.
func (s *Session) forward(p *proc, m dap.RequestMessage) {
	head := *m.GetRequest()
	s.ask(p, m, func(answer dap.Message) {
		p.outward(answer)
		r := answer.(dap.ResponseMessage).GetResponse()
		r.RequestSeq, r.Command = head.Seq, head.Command
		s.opt.Send(answer)
	})
}

func (s *Session) mustBeStopped() error {
	if !s.stopped {
		return errors.New("the processes run")
	}
	return nil
}

// failed is the answer to a request that cannot be done.
func failed(r *dap.Request, err error) *dap.ErrorResponse {
	e := &dap.ErrorResponse{Response: response(r)}
	e.Success, e.Message = false, err.Error()
	e.Body.Error = &dap.ErrorMessage{Id: 10016, Format: strings.NewReplacer("{", "(", "}", ")").Replace(err.Error())}
	return e
}

// onPause stops all processes; the client will be at a thread of the one that
// it named.
func (s *Session) onPause(m *dap.PauseRequest) error {
	alive := s.inState(running)
	if len(alive) == 0 {
		return errors.New("no process runs")
	}
	asked, _ := s.inner(m.Arguments.ThreadId)
	if asked == nil || asked.state != running {
		asked = alive[0]
	}
	s.opt.Send(&dap.PauseResponse{Response: response(&m.Request)})
	if s.gather == nil {
		s.gather = &gather{}
	}
	s.gather.asked = asked
	s.pauseAll()
	return nil
}

// onStep lets one process make a step and the others run meanwhile: it may wait
// for one of them.
func (s *Session) onStep(m dap.RequestMessage, thread int, answer dap.Message) error {
	if err := s.mustBeStopped(); err != nil {
		return err
	}
	p, inner := s.inner(thread)
	if p == nil || p.state != stopped {
		return errors.New("the thread's process has ended")
	}
	switch m := m.(type) {
	case *dap.NextRequest:
		m.Arguments.ThreadId = inner
	case *dap.StepInRequest:
		m.Arguments.ThreadId = inner
	case *dap.StepOutRequest:
		m.Arguments.ThreadId = inner
	}
	s.opt.Send(answer)
	s.resume(p, m)
	return nil
}

// goName takes the goroutine's number and mark from Delve's name of a thread,
// "* [Go 16] main.serve (Thread 4711)".
var goName = regexp.MustCompile(`^(?:\* )?\[Go (\d+)\] (.*?)(?: \(Thread \d+\))?$`)

// onThreads lists the goroutines of all processes, each under its process's
// name: server/16 main.serve. While they run there is one for each process.
func (s *Session) onThreads(m *dap.ThreadsRequest) {
	answer := &dap.ThreadsResponse{Response: response(&m.Request)}
	answer.Body.Threads = []dap.Thread{}
	if !s.stopped {
		for _, p := range s.inState(running) {
			answer.Body.Threads = append(answer.Body.Threads, dap.Thread{Id: p.outer(1), Name: p.spec.Name + "/1 (running)"})
		}
		s.opt.Send(answer)
		return
	}
	of := map[*proc][]dap.Thread{}
	s.askAll(s.inState(stopped), func() dap.RequestMessage {
		return &dap.ThreadsRequest{Request: request("threads")}
	}, func(p *proc, m dap.Message) {
		if r, ok := m.(*dap.ThreadsResponse); ok {
			of[p] = r.Body.Threads
		}
	}, func() {
		for _, p := range s.procs {
			for _, t := range of[p] {
				name := p.spec.Name + " " + t.Name
				if part := goName.FindStringSubmatch(t.Name); part != nil {
					name = p.spec.Name + "/" + part[1] + " " + part[2]
				}
				answer.Body.Threads = append(answer.Body.Threads, dap.Thread{Id: p.outer(t.Id), Name: name})
			}
		}
		s.opt.Send(answer)
	})
}

// askAll asks several processes, and calls done when all have answered or
// ended.
func (s *Session) askAll(list []*proc, ask func() dap.RequestMessage, got func(*proc, dap.Message), done func()) {
	left := len(list)
	if left == 0 {
		done()
		return
	}
	for _, p := range list {
		s.ask(p, ask(), func(m dap.Message) {
			got(p, m)
			if left--; left == 0 {
				done()
			}
		})
	}
}

// naming is an expression that says in which process, or "@*".
var naming = regexp.MustCompile(`^\s*@(\*|[A-Za-z_][A-Za-z0-9_.-]*)\s+(\S.*)$`)

// onEvaluate evaluates an expression in a frame, in a process that it names, or
// in all: "@server count", "@* count".
func (s *Session) onEvaluate(m *dap.EvaluateRequest) error {
	if err := s.mustBeStopped(); err != nil {
		return err
	}
	if part := naming.FindStringSubmatch(m.Arguments.Expression); part != nil {
		return s.evaluateIn(m, part[1], part[2])
	}
	p, frame := s.inner(m.Arguments.FrameId)
	if m.Arguments.FrameId == 0 {
		p, frame = s.selected, 0
	}
	if p == nil || p.state != stopped {
		return errors.New("its process has ended, or it is of an earlier stop")
	}
	m.Arguments.FrameId = frame
	s.forward(p, m)
	return nil
}

func (s *Session) evaluateIn(m *dap.EvaluateRequest, name, expr string) error {
	m.Arguments.Expression, m.Arguments.FrameId = expr, 0
	if name != "*" {
		p := s.named(name)
		if p == nil || p.state != stopped {
			return fmt.Errorf("there is no process %s now", name)
		}
		s.forward(p, m)
		return nil
	}
	var values []string
	of := map[*proc]string{}
	list := s.inState(stopped)
	s.askAll(list, func() dap.RequestMessage {
		copied := *m
		return &copied
	}, func(p *proc, answer dap.Message) {
		if r, ok := answer.(*dap.EvaluateResponse); ok {
			of[p] = r.Body.Result
		} else {
			of[p] = "(" + responseError(answer).Error() + ")"
		}
	}, func() {
		for _, p := range list {
			values = append(values, p.spec.Name+": "+of[p])
		}
		r := &dap.EvaluateResponse{Response: response(&m.Request)}
		r.Body.Result = strings.Join(values, ", ")
		s.opt.Send(r)
	})
	return nil
}

// IsMode reports whether launch arguments ask for several processes.
func IsMode(raw json.RawMessage) bool {
	var head struct {
		Mode string `json:"mode"`
	}
	return json.Unmarshal(raw, &head) == nil && head.Mode == "processes"
}
