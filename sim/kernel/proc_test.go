package kernel

import (
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// TestProc: what OpProcess told shows in /proc, for whoever asks.
func TestProc(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	m.Do(OpProcess, "/tmp/prog\x00-v\x00", "PATH=/bin\x00HOME=/root\x00", 0)
	for path, want := range map[string]string{
		"/proc/self/cmdline": "/tmp/prog\x00-v\x00", "/proc/self/environ": "PATH=/bin\x00HOME=/root\x00",
		"/proc/self/comm": "prog\n", "/proc/self/status": "Name:\tprog\n",
	} {
		fd := h.must(m, abi.SYS_OPEN, path, abi.O_RDONLY, 0)
		b := make([]byte, 1000)
		n := h.must(m, abi.SYS_READ, fd, b, len(b))
		if got := string(b[:n]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		h.must(m, abi.SYS_CLOSE, fd)
	}
}
