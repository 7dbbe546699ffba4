package programs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

const coverFile = "/tmp/restep.cover"

// TestExport runs a binary that counts coverage with and without a file that
// takes the profile: the run is the same byte for byte, whatever the path.
func TestExport(t *testing.T) {
	bin, err := inject.Build(context.Background(), inject.BuildConfig{
		Dir: filepath.Join("testdata", "ends"), Cover: &inject.Cover{Mode: "count", Packages: []string{"github.com/restep/restep/sim"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	z := start(t, bin)
	dir := t.TempDir()
	short, long := filepath.Join(dir, "x"), filepath.Join(dir, strings.Repeat("long", 50))
	var logs [][]byte
	for _, export := range []string{"", short, long} {
		logs = append(logs, exportingRun(t, z, "TestStop", export))
	}
	for i := range logs[1:] {
		if !bytes.Equal(logs[0], logs[i+1]) {
			t.Errorf("the log of run %d is another one", i+1)
		}
	}
	first, err := os.ReadFile(short)
	if err != nil || !bytes.HasPrefix(first, []byte("mode: count\n")) || !bytes.Contains(first, []byte("/sim/machine.go:")) {
		t.Errorf("the file holds %q, %v", first, err)
	}
	if second, err := os.ReadFile(long); err != nil || !bytes.Equal(first, second) {
		t.Errorf("%v\n%s\n%s", err, first, second)
	}
	// A run that has no profile leaves an empty file, not the last one's.
	exportingRun(t, z, "TestMainPanics", short)
	if b, err := os.ReadFile(short); err != nil || len(b) > 0 {
		t.Errorf("after a panic of main: %q, %v", b, err)
	}
}

// exportingRun makes one run and returns its log.
func exportingRun(t *testing.T, z *zygote.Zygote, test, export string) []byte {
	t.Helper()
	epoch := time.Date(2020, 1, 15, 14, 10, 3, 0, time.UTC)
	head, err := steplog.EncodeHeader(&steplog.Header{Seed: 1, StartNs: epoch.UnixNano(), Test: test})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	child, err := z.Run(&zygote.Request{
		Seed: 1, Start: epoch, Timeout: time.Minute, Log: path, Cwd: "/", Export: export,
		Args: []string{"/tmp/restep.test", "-test.run=^" + test + "$", "-test.v=test2json", "-test.timeout=0", "-test.coverprofile=" + coverFile},
		Env:  []string{"PATH=/usr/bin:/bin", "HOME=/root"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if s := z.Stderr(); s != "" {
		t.Fatalf("the simulator failed:\n%s", s)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
