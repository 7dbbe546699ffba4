package programs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

var (
	built   = map[string]*inject.Binary{}
	builtMu sync.Mutex
)

// build builds testdata/dir, once for all tests.
func build(t testing.TB, dir string) *inject.Binary {
	t.Helper()
	return buildWith(t, inject.BuildConfig{Dir: filepath.Join("testdata", dir)})
}

// instrumented builds testdata/dir for the levels of preemption above points.
func instrumented(t testing.TB, dir string) *inject.Binary {
	t.Helper()
	return buildWith(t, inject.BuildConfig{Dir: filepath.Join("testdata", dir), Instrument: true})
}

func buildWith(t testing.TB, cfg inject.BuildConfig) *inject.Binary {
	t.Helper()
	cfg.Env = targetEnv()
	key := cfg.Dir
	if cfg.Instrument {
		key += " instrumented"
	}
	builtMu.Lock()
	defer builtMu.Unlock()
	if b := built[key]; b != nil {
		return b
	}
	b, err := inject.Build(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	built[key] = b
	return b
}

func start(t testing.TB, b *inject.Binary) *zygote.Zygote {
	t.Helper()
	z, err := zygote.Start(context.Background(), zygote.Config{Binary: b.Path, Layout: b.LayoutPath, Exec: emulator})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(z.Close)
	return z
}

// run is what is left of one simulation.
type run struct {
	pid    int
	status syscall.WaitStatus
	log    []byte
	*steplog.Reader
}

// simulate runs one test with one seed.
func simulate(t testing.TB, z *zygote.Zygote, test string, seed uint64) run {
	t.Helper()
	return simulateWith(t, z, request(test, seed, ""))
}

// runVariant is simulate with another policy than the usual one.
func runVariant(t testing.TB, z *zygote.Zygote, test string, seed, variant uint64) run {
	t.Helper()
	req := request(test, seed, "")
	req.Variant = variant
	return simulateWith(t, z, req)
}

// simulateWith records a run in a log of its own and reads it.
func simulateWith(t testing.TB, z *zygote.Zygote, req *zygote.Request) run {
	t.Helper()
	path := newLog(t, "run", req.Seed, req.Variant)
	defer os.Remove(path)
	req.Log = path
	pid, status := wait(t, z, req)
	if s := z.Stderr(); s != "" {
		t.Fatalf("the simulator failed in %v, seed %d, variant %x:\n%s", req.Args, req.Seed, req.Variant, s)
	}
	r := run{pid: pid, status: status}
	r.read(t, path)
	return r
}

// read reads the step log of a run that has ended.
func (r *run) read(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Reader, err = steplog.Open(b); err != nil {
		t.Fatal(err)
	}
	r.log = bytes.TrimRight(b, "\x00")
}

// newLog makes the file of a step log with its header.
func newLog(t testing.TB, test string, seed, variant uint64) string {
	t.Helper()
	head, err := steplog.EncodeHeader(&steplog.Header{Seed: seed, Variant: variant, StartNs: epoch.UnixNano(), Test: test})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("%s-%d.steplog", strings.ReplaceAll(test, "/", "_"), seed))
	if err := os.WriteFile(path, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unrecorded runs one test with one seed without a step log.
func unrecorded(t testing.TB, z *zygote.Zygote, test string, seed uint64) syscall.WaitStatus {
	t.Helper()
	_, status := wait(t, z, request(test, seed, ""))
	return status
}

var epoch = time.Date(2020, 1, 15, 14, 10, 3, 0, time.UTC)

func request(test string, seed uint64, log string) *zygote.Request {
	return &zygote.Request{
		Seed: seed, Start: epoch, Timeout: 2 * time.Hour, Log: log, Cwd: "/", Args: []string{
			"/tmp/restep.test", "-test.run=^" + test + "$", "-test.v=test2json", "-test.timeout=0",
		},
		Env: []string{"PATH=/usr/bin:/bin", "HOME=/root"},
	}
}

// wait runs a request to its end; a run that hangs is killed.
func wait(t testing.TB, z *zygote.Zygote, r *zygote.Request) (pid int, status syscall.WaitStatus) {
	t.Helper()
	child, err := z.Run(r)
	if err != nil {
		t.Fatal(err)
	}
	patience := 5 * time.Minute // a stack overflow takes half a minute on a busy computer
	if emulator != nil {
		patience *= 10
	}
	var killed atomic.Bool
	limit := time.AfterFunc(patience, func() { killed.Store(true); child.Kill() })
	defer limit.Stop()
	status, err = child.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if killed.Load() {
		t.Fatalf("%v, seed %d: killed after %v", r.Args, r.Seed, patience)
	}
	return child.Pid, status
}

// lines are the messages of the steps of some kinds, "machine: message".
func (r run) lines(kinds ...steplog.Kind) []string {
	var out []string
	for s := range r.Forward(steplog.Filter{Kinds: kinds}) {
		m, _ := r.Machine(s.Machine)
		out = append(out, m.Label+": "+strings.TrimSuffix(string(s.Message()), "\n"))
	}
	return out
}

// passes fails the test unless the run passed.
func (r run) passes(t testing.TB) {
	t.Helper()
	if r.status.ExitStatus() != 0 || r.status.Signaled() {
		t.Errorf("exit %d, signal %v:\n%s", r.status.ExitStatus(), r.status.Signal(),
			strings.Join(r.lines(steplog.KindLog, steplog.KindTest, steplog.KindDeadlock), "\n"))
	}
}
