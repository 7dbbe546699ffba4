package lsp

import (
	"os/exec"
	"syscall"
)

// detach keeps a command from the terminal's signals.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// outlive ends the server when a process is gone. LSP 3.17, InitializeParams:
// "If the parent process is not alive then the server should exit".
func (s *server) outlive(pid int) { s.outliveByKill(pid) }
