package lsp

import (
	"errors"
	"os"
	"os/exec"
)

// detach does nothing: there are no process groups here.
func detach(*exec.Cmd) {}

// outlive ends the server when a process is gone. LSP 3.17, InitializeParams:
// "If the parent process is not alive then the server should exit". A handle
// can be waited for whoever started the process.
func (s *server) outlive(pid int) {
	p, err := os.FindProcess(pid)
	if err == nil {
		_, err = p.Wait()
	}
	if err == nil {
		s.end(errors.New("the process that started the server is gone"))
	}
}
