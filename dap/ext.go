package dap

import (
	"github.com/google/go-dap"

	"github.com/restep/restep/replay/text"
)

// The requests that restep adds to the protocol. Clients call them by name,
// VS Code by DebugSession.customRequest.

// Names of the requests.
const (
	commandJump    = "restep/jump"
	commandOut     = "restep/stepBackOut"
	commandIn      = "restep/stepBackIn"
	commandWrite   = "restep/lastWrite"
	commandSteps   = "restep/steps"
	commandThreads = "restep/threads"
)

// JumpRequest goes to a step of the run, forwards or backwards.
//
//	-> {"command": "restep/jump", "arguments": {"step": 412}}
//	<- {"command": "restep/jump", "success": true, "body": {"step": 412}}
//	<- {"event": "stopped", "body": {"reason": "goto", "text": "#412", ...}}
//
// The response comes when the program is stopped at the step, right before the
// event. User breakpoints do not stop the program on its way and are as before
// afterwards. It fails while the program runs and for a step that the run does
// not have; the program has not moved then.
//
// In place of step, to names an event as a breakpoint on the simulation does
// (package replay/match): the next one after the present step or, with
// backward, the last one before it. goroutine and machine keep to events of
// one; the answer has the step.
//
//	-> {"command": "restep/jump", "arguments": {"to": "kind:*", "backward": true, "goroutine": 7}}
//	-> {"command": "restep/jump", "arguments": {"to": "time:3.5s"}}
type JumpRequest struct {
	dap.Request
	Arguments JumpArguments `json:"arguments"`
}

// JumpArguments name the step.
type JumpArguments struct {
	Step      uint64 `json:"step"`
	To        string `json:"to,omitempty"`
	Backward  bool   `json:"backward,omitempty"`
	Goroutine uint32 `json:"goroutine,omitempty"`
	Machine   string `json:"machine,omitempty"`
}

// StepBackOutRequest goes back to the line that called the function which is
// shown. Its arguments and its answer are those of stepBack.
//
//	-> {"command": "restep/stepBackOut", "arguments": {"threadId": 7}}
//	<- {"command": "restep/stepBackOut", "success": true}
//	<- {"event": "stopped", "body": {"reason": "step", ...}}
type StepBackOutRequest struct {
	dap.Request
	Arguments dap.StepBackArguments `json:"arguments"`
}

// StepBackOutResponse confirms that the search has begun.
type StepBackOutResponse struct{ dap.Response }

// StepBackInRequest goes back into the last call that returned since the line
// before, to its last line; without one it is stepBack. Its arguments and its
// answer are those of stepBack.
//
//	-> {"command": "restep/stepBackIn", "arguments": {"threadId": 7}}
type StepBackInRequest struct {
	dap.Request
	Arguments dap.StepBackArguments `json:"arguments"`
}

// StepBackInResponse confirms that the search has begun.
type StepBackInResponse struct{ dap.Response }

// LastWriteRequest goes back to the last write to a variable: the program stops
// behind the instruction that wrote it. A variable is an expression in a frame,
// or the dataId of a dataBreakpointInfo response, which is good anywhere in the
// run. Data breakpoints and others are not looked at.
//
//	-> {"command": "restep/lastWrite", "arguments": {"expression": "a.balance", "frameId": 1000}}
//	<- {"command": "restep/lastWrite", "success": true}
//	<- {"event": "stopped", "body": {"reason": "data breakpoint", ...}}
type LastWriteRequest struct {
	dap.Request
	Arguments LastWriteArguments `json:"arguments"`
}

// LastWriteArguments name the variable.
type LastWriteArguments struct {
	Expression string `json:"expression,omitempty"`
	FrameID    int    `json:"frameId,omitempty"`
	DataID     string `json:"dataId,omitempty"`
}

// LastWriteResponse confirms that the search has begun.
type LastWriteResponse struct{ dap.Response }

// JumpResponse confirms a jump.
type JumpResponse struct {
	dap.Response
	Body JumpArguments `json:"body"`
}

// StepsRequest lists steps of the recorded run. It is answered at any time
// between launch and the end of the session, also while the program runs.
//
//	-> {"command": "restep/steps", "arguments": {
//	     "from": 100, "count": 2, "machine": "server", "kind": "log", "grep": "got a"}}
//	<- {"body": {"total": 154, "steps": [{"step": 104, "tick": 377,
//	     "time": "2026-11-15T14:10:04.00002Z", "machine": "server", "goroutine": 7,
//	     "kind": "log", "text": "got a request from 11.0.0.1:10000",
//	     "path": "/home/me/m/machines_test.go", "line": 21}, ...]}}
//
// All arguments are optional: from is the first number (1), count the most
// steps that are answered (100, at most 10000), machine a label, kind one name
// or several with commas, grep a regular expression (RE2) on the text. total
// is the number of steps of the run, whatever the arguments select.
type StepsRequest struct {
	dap.Request
	Arguments StepsArguments `json:"arguments"`
}

// StepsArguments select steps.
type StepsArguments struct {
	From    uint64 `json:"from"`
	Count   int    `json:"count"`
	Machine string `json:"machine"`
	Kind    string `json:"kind"`
	Grep    string `json:"grep"`
}

// StepsResponse holds the selected steps.
type StepsResponse struct {
	dap.Response
	Body StepsBody `json:"body"`
}

// StepsBody is the body of a StepsResponse.
type StepsBody struct {
	Steps []text.Step `json:"steps"` // never null
	Total uint64      `json:"total"`
}

// ThreadsPageRequest lists goroutines of the stopped program, page by page. The
// protocol's own request threads has no pages and answers the first 1,024, or
// maxThreads of the launch configuration.
//
//	-> {"command": "restep/threads", "arguments": {
//	     "machine": "server", "grep": "conn", "start": 1024, "count": 2, "apply": false}}
//	<- {"body": {"total": 20012, "threads": [{"id": 1041,
//	     "name": "server/1041 net/http.(*conn).serve", "machine": "server",
//	     "start": "net/http.(*conn).serve"}, ...]}}
//
// All arguments are optional: machine is a label, grep a regular expression
// (RE2) on the name, start the first one of the page, from 0, count the most
// that are answered (1024, at most 10000). total is how many there are in all
// pages. apply makes machine and grep the filter of threads as well, and lets
// the client read its threads anew (event invalidated).
type ThreadsPageRequest struct {
	dap.Request
	Arguments ThreadsPageArguments `json:"arguments"`
}

// ThreadsPageArguments select goroutines.
type ThreadsPageArguments struct {
	Machine string `json:"machine"`
	Grep    string `json:"grep"`
	Start   int    `json:"start"`
	Count   int    `json:"count"`
	Apply   bool   `json:"apply"`
}

// ThreadsPageResponse holds a page.
type ThreadsPageResponse struct {
	dap.Response
	Body ThreadsPageBody `json:"body"`
}

// ThreadsPageBody is the body of a ThreadsPageResponse.
type ThreadsPageBody struct {
	Threads []ThreadInfo `json:"threads"` // never null
	Total   int          `json:"total"`
}

// ThreadInfo is one goroutine.
type ThreadInfo struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Machine string `json:"machine"`
	Start   string `json:"start"` // function that it was started with
}

// newCodec returns a codec that knows the requests above.
func newCodec() *dap.Codec {
	c := dap.NewCodec()
	for _, err := range []error{
		c.RegisterRequest(commandOut, func() dap.Message { return new(StepBackOutRequest) }, func() dap.Message { return new(StepBackOutResponse) }),
		c.RegisterRequest(commandIn, func() dap.Message { return new(StepBackInRequest) }, func() dap.Message { return new(StepBackInResponse) }),
		c.RegisterRequest(commandWrite, func() dap.Message { return new(LastWriteRequest) }, func() dap.Message { return new(LastWriteResponse) }),
		c.RegisterRequest(commandJump, func() dap.Message { return new(JumpRequest) }, func() dap.Message { return new(JumpResponse) }),
		c.RegisterRequest(commandSteps, func() dap.Message { return new(StepsRequest) }, func() dap.Message { return new(StepsResponse) }),
		c.RegisterRequest(commandThreads, func() dap.Message { return new(ThreadsPageRequest) }, func() dap.Message { return new(ThreadsPageResponse) }),
	} {
		if err != nil {
			panic("dap: " + err.Error()) // a name registered twice
		}
	}
	return c
}
