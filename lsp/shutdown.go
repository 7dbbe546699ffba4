package lsp

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

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

// pollMs is how long one wait for the parent's death takes at most: until then
// an end for another reason is not seen.
const pollMs = 500

// outlive ends the server when a process is gone. LSP 3.17, InitializeParams:
// "If the parent process is not alive then the server should exit".
func (s *server) outlive(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		s.end(errors.New("the process that started the server is gone"))
		return
	}
	if err != nil { // a kernel before 5.3, or a filter of system calls
		s.outliveByKill(pid)
		return
	}
	defer unix.Close(fd)
	for s.ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, pollMs)
		if n > 0 {
			s.end(errors.New("the process that started the server is gone"))
			return
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			s.outliveByKill(pid)
			return
		}
	}
}

// outliveByKill does the same by asking again and again; kill(2), signal 0.
func (s *server) outliveByKill(pid int) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			s.end(errors.New("the process that started the server is gone"))
			return
		}
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
	}
}
