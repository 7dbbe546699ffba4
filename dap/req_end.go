package dap

import (
	"context"

	"github.com/google/go-dap"
)

// onTerminate ends the program. The session stays until disconnect.
func (s *session) onTerminate(_ context.Context, m dap.Message) error {
	req := m.(*dap.TerminateRequest)
	s.endProgram()
	s.out.send(&dap.TerminateResponse{Response: response(&req.Request)})
	s.sendTerminated()
	return nil
}

// onDisconnect ends the program and, after the answer, the session.
func (s *session) onDisconnect(_ context.Context, m dap.Message) error {
	req := m.(*dap.DisconnectRequest)
	s.endProgram()
	s.out.send(&dap.DisconnectResponse{Response: response(&req.Request)})
	s.sendTerminated()
	return nil
}

// onCancel confirms: what was to be cancelled is over when this is handled,
// see session.urgent.
func (s *session) onCancel(_ context.Context, m dap.Message) error {
	req := m.(*dap.CancelRequest)
	s.out.send(&dap.CancelResponse{Response: response(&req.Request)})
	return nil
}
