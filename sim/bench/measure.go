package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
	"github.com/restep/restep/sim/zygote"
)

// A runner runs a test of a program that counts to n, and returns the
// processor time of its process.
type runner interface {
	run(test string, n int) (time.Duration, error)
}

// native is a test binary as go makes it.
type native struct{ path string }

// buildNative compiles the package in dir; gcflags may be empty.
func buildNative(ctx context.Context, dir, gcflags, to string) (*native, error) {
	args := []string{"test", "-c", "-vet=off", "-trimpath", "-o", to}
	if gcflags != "" {
		args = append(args, "-gcflags="+gcflags)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go test -c in %s: %w\n%s", dir, err, out)
	}
	return &native{to}, nil
}

func (p *native) command(test string, n int) *exec.Cmd {
	cmd := exec.Command(p.path, "-test.run=^"+test+"$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), "RESTEP_BENCH_N="+strconv.Itoa(n))
	return cmd
}

func (p *native) run(test string, n int) (time.Duration, error) {
	cmd := p.command(test, n)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s natively: %w\n%s", test, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

// simulated is a test binary of restep, and its zygote.
type simulated struct {
	*inject.Binary
	z      *zygote.Zygote
	log    string // path of the step log
	silent bool   // record nothing
	pid    int    // of the process that made the last run
}

func buildSimulated(ctx context.Context, dir, temp string) (*simulated, error) {
	bin, err := inject.Build(ctx, inject.BuildConfig{Dir: dir})
	if err != nil {
		return nil, err
	}
	z, err := zygote.Start(ctx, zygote.Config{Binary: bin.Path, Layout: bin.LayoutPath})
	if err != nil {
		return nil, err
	}
	return &simulated{Binary: bin, z: z, log: filepath.Join(temp, filepath.Base(dir)+".steplog")}, nil
}

func (p *simulated) run(test string, n int) (time.Duration, error) {
	cpu, _, err := p.seed(test, n, 1)
	return cpu, err
}

// epoch is when simulated runs begin.
var epoch = time.Date(2020, 1, 15, 14, 10, 3, 0, time.UTC)

// seed runs one seed and returns the processor time of its process and the
// real time until its end.
func (p *simulated) seed(test string, n int, seed uint64) (cpu, wall time.Duration, err error) {
	start := time.Now()
	r := &zygote.Request{
		Seed: seed, Start: epoch, Timeout: 1000 * time.Hour, Cwd: "/",
		Args: []string{"/tmp/bench.test", "-test.run=^" + test + "$", "-test.v=test2json", "-test.timeout=0"},
		Env:  []string{"PATH=/usr/bin:/bin", "HOME=/root", "RESTEP_BENCH_N=" + strconv.Itoa(n)},
	}
	if !p.silent {
		head, err := steplog.EncodeHeader(&steplog.Header{Seed: seed, StartNs: epoch.UnixNano(), Test: test})
		if err != nil {
			return 0, 0, err
		}
		if err := os.WriteFile(p.log, head, 0o600); err != nil {
			return 0, 0, err
		}
		r.Log = p.log
	}
	child, err := p.z.Run(r)
	if err != nil {
		return 0, 0, err
	}
	p.pid = child.Pid
	status, err := child.Wait()
	if err != nil {
		return 0, 0, err
	}
	if status.ExitStatus() != 0 || status.Signaled() {
		return 0, 0, fmt.Errorf("%s, seed %d: exit %d, signal %v; %s\n%s", test, seed,
			status.ExitStatus(), status.Signal(), p.z.Stderr(), p.lastLines())
	}
	return child.CPU(), time.Since(start), nil
}

// lastLines are what a failed run printed.
func (p *simulated) lastLines() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	r, err := steplog.Open(b)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	for s := range r.Forward(steplog.Filter{Kinds: []steplog.Kind{steplog.KindLog}}) {
		out.Write(s.Text)
	}
	return out.String()
}

// steps is the number of steps in the last run's log.
func (p *simulated) steps() uint64 {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return 0
	}
	r, err := steplog.Open(b)
	if err != nil {
		return 0
	}
	return r.Steps()
}

// size is how often a test shall do its thing.
type size struct{ small, large int }

// perOperation is what one operation takes, in ns.
func perOperation(r runner, test string, s size) (float64, error) {
	a, err := r.run(test, s.small)
	if err != nil {
		return 0, err
	}
	b, err := r.run(test, s.large)
	return float64(b-a) / float64(s.large-s.small), err
}

// median sorts v.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[n/2] + v[(n-1)/2]) / 2
}
