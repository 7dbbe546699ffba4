package lsp

import (
	"context"

	"go.lsp.dev/protocol"
)

// Shutdown lets go of everything but the connection.
func (s *server) Shutdown(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = shutDown
	for dir, w := range s.watching {
		w.stop()
		delete(s.watching, dir)
	}
	for _, cancel := range s.progress {
		cancel()
	}
	return nil
}

// Exit ends the connection.
func (s *server) Exit(context.Context) error {
	s.mu.Lock()
	err := ErrNoShutdown
	if s.phase == shutDown {
		err = nil
	}
	s.mu.Unlock()
	s.end(err)
	return nil
}

// SetTrace is not needed: there is no trace.
func (s *server) SetTrace(context.Context, *protocol.SetTraceParams) error { return nil }
