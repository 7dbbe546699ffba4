package dap

import (
	"context"
	"encoding/json"
	"runtime/debug"

	"github.com/google/go-dap"
)

// request is one row of the table of requests.
type request struct {
	in state // where it is allowed
	do func(*session, context.Context, dap.Message) error
}

const (
	launched = configuring | stopped | running | exited
	halted   = configuring | stopped
	anyState = fresh | initialized | launched | ended
)

// requests says what the front does with each request. do answers it, or
// returns an error, which then is the answer.
func requests() map[string]request {
	return map[string]request{
		"initialize":        {fresh, (*session).onInitialize},
		"launch":            {initialized, (*session).onLaunch},
		"attach":            {initialized, (*session).onAttach},
		"configurationDone": {configuring | stopped | running, (*session).onConfigurationDone},
		"disconnect":        {anyState, (*session).onDisconnect},
		"terminate":         {anyState, (*session).onTerminate},
		"cancel":            {anyState, (*session).onCancel},

		"continue":        {stopped, (*session).onContinue},
		"next":            {stopped, (*session).onStep},
		"stepIn":          {stopped, (*session).onStep},
		"stepOut":         {stopped, (*session).onStep},
		"stepBack":        {stopped, (*session).onStepBack},
		"reverseContinue": {stopped | exited, (*session).onReverseContinue},
		"pause":           {launched, (*session).onPause},

		"threads":       {launched, (*session).onThreads},
		"stackTrace":    {halted, (*session).onStackTrace},
		"scopes":        {halted, (*session).onScopes},
		"variables":     {halted, (*session).onVariables},
		"evaluate":      {halted, (*session).onEvaluate},
		"completions":   {halted, (*session).onCompletions},
		"setVariable":   {halted, (*session).onSetVariable},
		"setExpression": {halted, (*session).onSetExpression},
		"exceptionInfo": {halted, (*session).onExceptionInfo},
		"readMemory":    {halted, (*session).forward},
		"writeMemory":   {halted, (*session).onWriteMemory},
		"disassemble":   {halted, (*session).onDisassemble},

		"setBreakpoints":            {configuring | stopped | running, (*session).onSetBreakpoints},
		"setFunctionBreakpoints":    {configuring | stopped | running, (*session).onFunctionBreakpoints},
		"setInstructionBreakpoints": {configuring | stopped | running, (*session).forward},
		"setExceptionBreakpoints":   {configuring | stopped | running, (*session).onExceptionBreakpoints},
		"dataBreakpointInfo":        {halted, (*session).onDataBreakpointInfo},
		"setDataBreakpoints":        {halted, (*session).onSetDataBreakpoints},
		"breakpointLocations":       {configuring | stopped | running, (*session).onBreakpointLocations},
		"loadedSources":             {launched, (*session).onLoadedSources},
		"modules":                   {launched, (*session).onModules},
		"source":                    {launched, (*session).onSource},

		"gotoTargets":  {launched, (*session).onGotoTargets},
		"goto":         {stopped | exited, (*session).onGoto},
		"restart":      {stopped | running | exited, (*session).onRestart},
		"restartFrame": {stopped, (*session).onRestartFrame},

		commandOut:     {stopped, (*session).onStepBack},
		commandIn:      {stopped, (*session).onStepBack},
		commandWrite:   {stopped, (*session).onLastWrite},
		commandJump:    {stopped | exited, (*session).onJump},
		commandSteps:   {launched, (*session).onSteps},
		commandThreads: {halted, (*session).onThreadList},

		"terminateThreads":     {anyState, unsupported("terminateThreads")},
		"stepInTargets":        {anyState, unsupported("stepInTargets: Delve cannot choose among the calls of a line")},
		"locations":            {anyState, unsupported("locations")},
		"runInTerminal":        {anyState, unsupported("runInTerminal")},
		"startDebugging":       {anyState, unsupported("startDebugging")},
		"testGenericExtension": {anyState, unsupported("testGenericExtension")},
	}
}

var requestTable = requests()

func unsupported(what string) func(*session, context.Context, dap.Message) error {
	return func(*session, context.Context, dap.Message) error {
		return silentError(idUnsupported, "not supported: %s", what)
	}
}

// forStrangers are the requests of a client that has not sent the token. They
// are also those that the front answers in mode "processes".
var forStrangers = map[string]bool{"initialize": true, "launch": true, "attach": true, "disconnect": true}

// handle answers one request. It returns true when the session is over.
func (s *session) handle(m dap.Message) (over bool) {
	req := m.(dap.RequestMessage).GetRequest()
	row, ok := requestTable[req.Command]
	now := s.currentState()
	if !s.isTrusted() && !forStrangers[req.Command] {
		return true // who has no token gets no answer
	}
	if s.procs != nil && !forStrangers[req.Command] {
		s.procs.Handle(m.(dap.RequestMessage))
		return false
	}
	switch {
	case !ok:
		s.out.send(silentError(idUnknown, "there is no request %q", req.Command).response(req))
		return false
	case now&row.in == 0 && (now != fresh && req.Command == "initialize" || now&(fresh|initialized) == 0 && req.Command == "launch"):
		s.out.send(silentError(idAlreadyThere, "%s was done before in this session", req.Command).response(req))
		return false
	case now&row.in == 0:
		s.out.send(silentError(idOrder, "%s is not possible %s", req.Command, now).response(req))
		return false
	}
	s.settings.note(m)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	s.mu.Lock()
	s.busy, s.stopBusy = req.Seq, cancel
	s.mu.Unlock()
	err := s.guarded(ctx, row, m)
	s.mu.Lock()
	s.busy, s.stopBusy = 0, nil
	s.mu.Unlock()
	if err != nil {
		s.out.send(jumpFailure(err).response(req))
	}
	return req.Command == "disconnect" || !s.isTrusted() && req.Command != "initialize"
}

// guarded runs a handler. A bug in it costs the request, not the other sessions
// of the process.
func (s *session) guarded(ctx context.Context, row request, m dap.Message) (err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = userError(idInternal, "bug in restep, please report it: %v\n%s", bug, debug.Stack())
		}
	}()
	return row.do(s, ctx, m)
}

// forward gives a request to Delve and its answer to the client.
func (s *session) forward(_ context.Context, m dap.Message) error {
	return s.forwardWith(m, nil)
}

// forwardWith is forward with a look at the answer on its way.
func (s *session) forwardWith(m dap.Message, rewrite func(dap.Message)) error {
	req := m.(dap.RequestMessage)
	head := *req.GetRequest()
	return s.backend.send(req, func(answer dap.Message) {
		if rewrite != nil {
			rewrite(answer)
		}
		s.pass(&head, answer)
	})
}

// pass gives Delve's answer to a request to the client.
func (s *session) pass(head *dap.Request, answer dap.Message) {
	r := answer.(dap.ResponseMessage).GetResponse()
	if !r.Success && s.noProgram() {
		s.out.send(silentError(idDebugger, "the program has ended").response(head))
		return
	}
	r.RequestSeq, r.Command = head.Seq, head.Command // Delve's own errors lack the command
	s.out.send(answer)
}

// noProgram reports that the program is being ended or has been.
func (s *session) noProgram() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target == nil
}

// requestHead reads what is needed to answer a request that cannot be decoded.
func requestHead(content []byte) (*dap.Request, bool) {
	var head struct {
		Seq     int    `json:"seq"`
		Type    string `json:"type"`
		Command string `json:"command"`
	}
	if json.Unmarshal(content, &head) != nil || head.Type != "request" {
		return nil, false
	}
	r := &dap.Request{Command: head.Command}
	r.Seq, r.Type = head.Seq, head.Type
	return r, true
}
