package dap

import (
	"context"
	"slices"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
)

// onExceptionBreakpoints passes Delve's filters on and refuses others by name,
// which Delve would ignore.
func (s *session) onExceptionBreakpoints(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetExceptionBreakpointsRequest)
	known := capabilities().ExceptionBreakpointFilters
	for _, f := range req.Arguments.Filters {
		found := false
		for _, k := range known {
			found = found || k.Filter == f
		}
		if !found {
			return userError(idArguments, "there is no exception filter %q", f)
		}
	}
	// Delve switches off each breakpoint of its own kind that is not named.
	all := append(slices.Clone(req.Arguments.Filters), target.StopName)
	passed := *req
	passed.Arguments.Filters = all
	return s.forward(nil, &passed)
}
