//go:build linux

package lsp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	wantHits = regexp.MustCompile(`// ×(\d+)$`)
	gotHits  = regexp.MustCompile(`^#\d+ main/\d+(?: ×(\d+))?$`)
)

// TestRealLoggers runs testdata/real/loggers.txt, which logs in all the ways
// that people do, with the real modules zap and zerolog: they are fetched as go
// does it, and are not this module's.
func TestRealLoggers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds restep and a test, and fetches modules")
	}
	restep, err := restepBinary()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile("testdata/real/loggers.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := unpack(t, string(archive))
	t.Setenv("GOFLAGS", "-mod=readonly")
	run := exec.Command(restep, "test", "-v", ".")
	run.Dir = dir
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := start(t, dir, nil)
	for _, name := range []string{"m.go", "m_test.go"} {
		id, content := c.openDisk(t, filepath.Join(dir, name))
		c.after(t, func() bool { return len(c.hints(t, id)) > 0 })
		hints := c.hints(t, id)
		for i, line := range strings.Split(content, "\n") {
			want := ""
			if m := wantHits.FindStringSubmatch(line); m != nil {
				want = m[1]
			}
			got := strings.Join(hints[uint32(i)], ", ")
			if m := gotHits.FindStringSubmatch(got); m != nil {
				if got = m[1]; got == "" {
					got = "1"
				}
			}
			if got != want {
				t.Errorf("%s:%d: %q steps, want %q: %s", name, i+1, got, want, line)
			}
		}
	}
	if t.Failed() {
		t.Logf("restep test:\n%s", out)
	}
}
