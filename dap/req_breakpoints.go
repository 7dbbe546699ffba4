package dap

import (
	"context"

	"github.com/google/go-dap"
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
	return s.forward(nil, req)
}
