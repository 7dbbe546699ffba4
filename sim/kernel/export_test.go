package kernel

import (
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// exported is what Export hands over, and in how many pieces.
func (h *testHost) exported() (string, int) {
	h.t.Helper()
	from := len(h.events)
	var b strings.Builder
	pieces := 0
	h.k.Export(func(p []byte) {
		b.Write(p)
		pieces++
	})
	if len(h.events) != from {
		h.t.Errorf("the export made steps: %q", h.texts(from))
	}
	return b.String(), pieces
}

func TestExport(t *testing.T) {
	h := newTestHost(t, nil)
	if got, n := h.exported(); got != "" || n != 0 {
		t.Errorf("without machines: %q", got)
	}
	m := h.boot("main")
	other := h.boot("other")
	h.put(other, ExportPath, "not main's")
	if got, n := h.exported(); got != "" || n != 0 {
		t.Errorf("without the file: %q", got)
	}
	text := strings.Repeat("example.com/a/a.go:1.2,3.4 5 6\n", 3000)
	h.put(m, ExportPath, text)
	if got, n := h.exported(); got != text || n != (len(text)+exportPiece-1)/exportPiece {
		t.Errorf("%d bytes in %d pieces, want %d", len(got), n, len(text))
	}
	h.put(m, ExportPath, "")
	if got, n := h.exported(); got != "" || n != 0 {
		t.Errorf("empty file: %q", got)
	}
}

// TestExportTakesFilesOnly puts what is no file in its place.
func TestExportTakesFilesOnly(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	h.put(m, "/tmp/secret", "secret")
	h.must(m, abi.SYS_SYMLINKAT, "/tmp/secret", abi.AT_FDCWD, ExportPath)
	if got, _ := h.exported(); got != "" {
		t.Errorf("a link: %q", got)
	}
	h.unlink(m, ExportPath)
	h.mkdir(m, ExportPath)
	if got, _ := h.exported(); got != "" {
		t.Errorf("a directory: %q", got)
	}
}
