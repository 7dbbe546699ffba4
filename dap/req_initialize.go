package dap

import (
	"context"

	"github.com/google/go-dap"
)

// onInitialize answers with what restep can do. Delve is asked for its part at
// launch, when there is one.
func (s *session) onInitialize(_ context.Context, m dap.Message) error {
	req := m.(*dap.InitializeRequest)
	args := req.Arguments
	switch {
	case args.PathFormat != "" && args.PathFormat != "path":
		return userError(idInitialize, "pathFormat %q is not supported: use \"path\"", args.PathFormat)
	case !args.LinesStartAt1 || !args.ColumnsStartAt1:
		return userError(idInitialize, "lines and columns are counted from 1 here: set linesStartAt1 and columnsStartAt1")
	}
	args.PathFormat = "path"
	s.client = args
	r := &dap.InitializeResponse{Response: response(&req.Request), Body: capabilities()}
	// VS Code then asks for one frame first, and 420 ms later for the others. At a
	// step the first frame is seldom the user's, and the arrow would wait for it.
	r.Body.SupportsDelayedStackTraceLoading = args.ClientID != "vscode"
	s.setState(initialized)
	s.out.send(r)
	return nil
}

// capabilities are Delve's, without what it refuses after all and with what
// the front adds.
func capabilities() dap.Capabilities {
	return dap.Capabilities{
		SupportsConfigurationDoneRequest:   true,
		SupportsFunctionBreakpoints:        true,
		SupportsConditionalBreakpoints:     true,
		SupportsHitConditionalBreakpoints:  true,
		SupportsEvaluateForHovers:          true,
		SupportsSetVariable:                true,
		SupportsExceptionInfoRequest:       true,
		SupportsDelayedStackTraceLoading:   true,
		SupportsLogPoints:                  true,
		SupportsTerminateRequest:           true,
		SupportsLoadedSourcesRequest:       true,
		SupportsDisassembleRequest:         true,
		SupportsReadMemoryRequest:          true,
		SupportsWriteMemoryRequest:         true,
		SupportsCancelRequest:              true,
		SupportsClipboardContext:           true,
		SupportsSteppingGranularity:        true,
		SupportsInstructionBreakpoints:     true,
		SupportsDataBreakpoints:            true,
		SupportsStepBack:                   true,
		SupportsGotoTargetsRequest:         true,
		SupportsRestartRequest:             true,
		SupportsRestartFrame:               true,
		SupportsCompletionsRequest:         true,
		CompletionTriggerCharacters:        []string{".", "@"},
		SupportsModulesRequest:             true,
		SupportsBreakpointLocationsRequest: true,
		SupportsSetExpression:              true,
		ExceptionBreakpointFilters:         exceptionFilters(),
	}
}

// exceptionFilters are Delve's and those on the simulation.
func exceptionFilters() []dap.ExceptionBreakpointsFilter {
	list := []dap.ExceptionBreakpointsFilter{
		{Filter: "unrecovered-panic", Label: "Unrecovered Panics", Default: true},
		{Filter: "runtime-fatal-throw", Label: "Fatal Throws", Default: true},
	}
	for _, e := range exceptionPoints {
		list = append(list, dap.ExceptionBreakpointsFilter{Filter: e.filter, Label: e.label, Description: e.description})
	}
	return list
}
