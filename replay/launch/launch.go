// Package launch says what world a run starts in: simulated date, working
// folder, environment and arguments of machine main.
//
// A run that is recorded by the command line and one that a debugger repeats
// must start in the same world, or their steps differ; so there is one place
// that makes it, and what it made stands in the step log's header: [Request]
// needs nothing else but folders of this host.
//
// It deliberately starts nothing and reads nothing from the host. It may
// import sim/steplog, sim/zygote and the standard library; it must never know
// Delve, editors, terminals or the environment of its own process.
//
// Invariant: a [zygote.Request] depends on the header and two folders alone,
// and the program under test cannot see which folders they are.
//
// Sources: cmd/go/internal/test (flags of a test binary).
package launch

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/sim/steplog"
)

// SimTimeout is the simulated time that a run may take at the start.
const SimTimeout = 10 * time.Minute

// Memory is what a run may have of its own unless the user says otherwise, in
// bytes (zygote.Config).
const Memory = 2 << 30

const memoryKey = "memory" // in the header

// MemoryOf returns the bound that a run had, in bytes, 0 for none. A run that
// is repeated without it goes on where the first one ended.
func MemoryOf(h *steplog.Header) uint64 {
	for _, p := range h.Extra {
		if p.Key == memoryKey {
			n, _ := strconv.ParseUint(p.Value, 10, 63) // 0 for nonsense
			return n
		}
	}
	return 0
}

// Start is the simulated time at which every run begins. It is the same for all
// runs, and close to the time of restep's release: the certificates that people
// keep with their tests are valid then.
func Start() time.Time { return time.Date(2026, 11, 15, 14, 10, 3, 0, time.UTC) }

// CoverFile is where package testing writes the coverage profile, on the disk
// of machine main; a request with an Export hands it out (kernel.ExportPath).
const CoverFile = "/tmp/restep.cover"

const coverFlag = "-test.coverprofile="

// fixedEnv is the environment of machine main before what the user declares.
var fixedEnv = []string{
	"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/root", "USER=root", "TMPDIR=/tmp", "LANG=C.UTF-8",
}

// Spec is what the user chose for one run.
type Spec struct {
	Build   string // build id of the test binary
	Package string // import path
	Module  string // module path, a prefix of Package
	Go      string // "go1.26.8"
	GOARCH  string // of the test binary; "" = amd64
	Restep  string // version of the tool
	Test    string // "TestX" or "BenchmarkX"
	Run     string // pattern for -test.run or -test.bench; "" = the test and all below it
	Seed    uint64
	Variant uint64
	Cover   bool     // the binary counts coverage and shall write it to CoverFile
	Flags   []string // further flags of the test binary, "-test.short"
	Args    []string // arguments of the program, as after -args
	Env     []string // KEY=value, added to the fixed ones
	Memory  uint64   // bytes that the run may have of its own, 0 = any number
}

// Header returns the header of the run's step log.
func (s *Spec) Header() steplog.Header {
	run := s.Run
	if run == "" {
		run = "^" + s.Test + "$"
	}
	args := []string{
		"/tmp/" + path.Base(s.Package) + ".test", "-test.run=" + run, "-test.v=test2json", "-test.timeout=0",
		"-test.benchtime=1x",
	}
	if strings.HasPrefix(s.Test, "Benchmark") {
		args[1] = "-test.run=^$"
		args = append(args, "-test.bench="+run)
	}
	if s.Cover {
		args = append(args, coverFlag+CoverFile)
	}
	args = append(append(args, s.Flags...), s.Args...)
	h := steplog.Header{
		Version: steplog.Version, Seed: s.Seed, Variant: s.Variant, StartNs: Start().UnixNano(),
		Build: s.Build, Package: s.Package, Test: s.Test, Go: s.Go, Restep: s.Restep, Module: s.Module,
		Args: args, Env: mergeEnv(s.Env),
	}
	if s.Memory > 0 {
		h.Extra = []steplog.Pair{{Key: memoryKey, Value: strconv.FormatUint(s.Memory, 10)}}
	}
	if s.GOARCH != "" && s.GOARCH != "amd64" {
		h.Extra = append(h.Extra, steplog.Pair{Key: "goarch", Value: s.GOARCH})
	}
	return h
}

// ListHeader returns the header of a run that prints the names of the tests.
func (s *Spec) ListHeader() steplog.Header {
	h := s.Header()
	h.Test = ""
	h.Args = append([]string{h.Args[0], "-test.list=.", "-test.timeout=0"}, s.Args...)
	return h
}

// WithoutCover returns the arguments of a run for a binary that counts no
// coverage: package testing refuses the flag there.
func WithoutCover(args []string) []string {
	i := slices.Index(args, coverFlag+CoverFile)
	if i < 0 {
		return args
	}
	return slices.Concat(args[:i], args[i+1:])
}

// mergeEnv lets a later value of a key replace an earlier one in its place.
func mergeEnv(user []string) []string {
	env := slices.Clone(fixedEnv)
	for _, kv := range user {
		key, _, _ := strings.Cut(kv, "=")
		i := slices.IndexFunc(env, func(e string) bool { return strings.HasPrefix(e, key+"=") })
		if i < 0 {
			env = append(env, kv)
		} else {
			env[i] = kv
		}
	}
	return env
}

// EnvChanges names the variables that differ between two environments, one
// each: raw text.
func EnvChanges(then, now []string) []string {
	value := func(env []string, key string) (string, bool) {
		for _, kv := range env {
			if v, ok := strings.CutPrefix(kv, key+"="); ok {
				return v, true
			}
		}
		return "", false
	}
	var list []string
	seen := map[string]bool{}
	for _, kv := range slices.Concat(then, now) {
		key, _, _ := strings.Cut(kv, "=")
		old, was := value(then, key)
		v, is := value(now, key)
		if seen[key] || was == is && old == v {
			continue
		}
		seen[key] = true
		switch {
		case !is:
			list = append(list, fmt.Sprintf("%s is not set and was %q", key, old))
		case !was:
			list = append(list, fmt.Sprintf("%s is %q and was not set", key, v))
		default:
			list = append(list, fmt.Sprintf("%s is %q and was %q", key, v, old))
		}
	}
	return list
}
