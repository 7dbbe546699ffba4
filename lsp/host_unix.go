//go:build unix

package lsp

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

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
