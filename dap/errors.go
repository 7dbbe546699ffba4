package dap

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-dap"

	"github.com/restep/restep/replay"
)

// errorID tells errors of the front apart. Delve's own are below 10000. A
// number is never used again for something else; TestErrorIDsUnique checks
// them.
type errorID int

// The errors of the front.
const (
	idMalformed    errorID = 10001 + iota // the message is no DAP message
	idUnknown                             // there is no such request
	idOrder                               // not now: the session is in another state
	idToken                               // wrong or missing token
	idArguments                           // the arguments do not make sense
	idLaunch                              // build, recording or attach failed
	idNoStep                              // the run has no such step
	idDivergence                          // the run did not repeat
	idJump                                // a jump failed for another reason
	idCancelled                           // the request was cancelled
	idUnsupported                         // the protocol has it, restep does not
	idDebugger                            // Delve does not answer any more
	idInitialize                          // the client wants what is not there
	idAlreadyThere                        // initialize or launch came twice
	idInternal                            // a bug of the adapter
)

// allErrorIDs is for the test.
var allErrorIDs = []errorID{
	idMalformed, idUnknown, idOrder, idToken, idArguments, idLaunch, idNoStep, idDivergence, idJump, idCancelled,
	idUnsupported, idDebugger, idInitialize, idAlreadyThere, idInternal,
}

// failure is an error of a request.
type failure struct {
	id   errorID
	text string
	show bool // to the user, not only in the client's log
}

func (f *failure) Error() string { return f.text }

// userError is a failure that the user should see.
func userError(id errorID, format string, args ...any) *failure {
	return &failure{id, fmt.Sprintf(format, args...), true}
}

// silentError is a failure that concerns the client alone.
func silentError(id errorID, format string, args ...any) *failure {
	return &failure{id, fmt.Sprintf(format, args...), false}
}

// jumpFailure gives an error of replay its id.
func jumpFailure(err error) *failure {
	var f *failure
	var outside *replay.RangeError
	var differs *replay.DivergenceError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &outside):
		return userError(idNoStep, "%v", err)
	case errors.As(err, &differs):
		return userError(idDivergence, "%v", err)
	case errors.Is(err, context.Canceled):
		return silentError(idCancelled, "cancelled")
	}
	return userError(idJump, "%v", err)
}

// response makes the failure the answer to a request.
func (f *failure) response(r *dap.Request) *dap.ErrorResponse {
	resp := &dap.ErrorResponse{Response: response(r)}
	resp.Success = false
	resp.Message = f.text
	resp.Body.Error = &dap.ErrorMessage{Id: int(f.id), Format: escapeFormat(f.text), ShowUser: f.show}
	return resp
}

// escapeFormat keeps clients from taking braces in the text for variables.
func escapeFormat(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		if c == '{' || c == '}' {
			c = "()"[btoi(c == '}')]
		}
		b = append(b, c)
	}
	return string(b)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// response is the head of the answer to a request. The writer numbers it.
func response(r *dap.Request) dap.Response {
	return dap.Response{
		ProtocolMessage: dap.ProtocolMessage{Type: "response"},
		Command:         r.Command, RequestSeq: r.Seq, Success: true,
	}
}

// event is the head of an event. The writer numbers it.
func event(name string) dap.Event {
	return dap.Event{ProtocolMessage: dap.ProtocolMessage{Type: "event"}, Event: name}
}
