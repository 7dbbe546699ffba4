package lsp

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// detach keeps a command from the terminal's signals and lets it end with the
// server: PR_SET_PDEATHSIG of prctl(2).
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}

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
