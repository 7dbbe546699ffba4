package target

import (
	"io"

	"github.com/go-delve/delve/pkg/logflags"
	"github.com/go-delve/delve/service"
	delvedap "github.com/go-delve/delve/service/dap"
)

// Serve answers the requests that arrive on conn with Delve's own DAP session
// on this target, until conn is closed or a disconnect request came. The first
// requests must be initialize and attach in mode "remote".
//
// Serve does not end the program; Close does.
func (t *Target) Serve(conn io.ReadWriteCloser) {
	_ = logflags.Setup(false, "", "")
	config := &delvedap.Config{
		Config:        &service.Config{Debugger: t.cfg},
		StopTriggered: make(chan struct{}),
	}
	s := delvedap.NewSession(conn, config, t.dbg)
	s.ServeDAPCodec()
}

// Running reports whether the program runs at this moment.
func (t *Target) Running() bool { return t.dbg.IsRunning() }
