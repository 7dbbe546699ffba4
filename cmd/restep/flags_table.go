//go:build linux && (amd64 || arm64)

package main

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
)

// notSupported are flags of go test that restep test does not have.
var notSupported = map[string]string{
	"fuzz":       "restep explores by -seeds; run plain go test for fuzzing",
	"race":       "the race detector brings threads of its own; run plain go test for it",
	"msan":       "the memory sanitizer needs cgo, which cannot be simulated",
	"asan":       "the address sanitizer needs cgo, which cannot be simulated",
	"cpuprofile": "profiles of simulated runs are not collected; run plain go test for them",
	"trace":      "execution traces are not collected; restep steps shows what a run did",
	"c":          "restep builds into its cache; run plain go test -c for a test binary",
	"n":          "restep does not print its build commands; run plain go test for them",
	"work":       "restep builds in its cache, and no work folder is left",
	"cpu":        "a simulated machine has a fixed number of processors",
	"toolexec":   "restep brings its own linker by -toolexec",
	"buildmode":  "only an ordinary executable can be simulated",
	"compiler":   "only the gc compiler's runtime can be patched",
	"linkshared": "only an ordinary executable can be simulated",
	"artifacts":  "files of a simulated machine stay in the simulation",
	"fuzztime":   "=fuzz", "fuzzminimizetime": "=fuzz", "fuzzcachedir": "=fuzz",
	"memprofile": "=cpuprofile", "memprofilerate": "=cpuprofile", "blockprofile": "=cpuprofile",
	"blockprofilerate": "=cpuprofile", "mutexprofile": "=cpuprofile", "mutexprofilefraction": "=cpuprofile",
	"o": "=c", "i": "=c", "x": "=n", "gccgoflags": "=compiler",
}

// Build flags that are passed on, with and without a value.
var (
	buildValues = []string{"mod", "modfile", "overlay", "gcflags", "asmflags", "ldflags", "pgo", "pkgdir", "installsuffix", "p"}
	buildBools  = []string{"a", "modcacherw", "trimpath", "buildvcs"}
)

// traceKinds are the words of -simtrace.
var traceKinds = map[string][]steplog.Kind{
	"syscall": {steplog.KindSyscall},
	"net": {steplog.KindConnect, steplog.KindAccept, steplog.KindClose, steplog.KindReset,
		steplog.KindSend, steplog.KindDeliver, steplog.KindDrop},
	"go":    {steplog.KindGo, steplog.KindGoExit},
	"clock": {steplog.KindClock},
	"fault": {steplog.KindFault, steplog.KindCrash, steplog.KindKill},
	"machine": {steplog.KindBoot, steplog.KindStop, steplog.KindKill, steplog.KindCrash, steplog.KindRestart,
		steplog.KindExit, steplog.KindSignal},
	"all": steplog.Kinds(),
}

// testFlagsOfGo are the flags of go test that count in GOFLAGS, too. (Build
// flags there are for the go command.)
var testFlagsOfGo = []string{
	"bench", "benchmem", "benchtime", "count", "cover", "covermode", "coverpkg", "coverprofile", "outputdir", "failfast", "fullpath",
	"json", "list", "parallel", "run", "short", "shuffle", "skip", "timeout", "v", "vet",
}

// fromGoflags sets what GOFLAGS says of tests.
func (c *testConfig) fromGoflags(fs *flag.FlagSet, goflags []string) error {
	for _, f := range goflags {
		name, value, hasValue := strings.Cut(strings.TrimPrefix(strings.TrimLeft(f, "-"), "test."), "=")
		if name == "tags" {
			c.listTags = splitTags(value)
		}
		if !slices.Contains(testFlagsOfGo, name) {
			continue
		}
		if !hasValue {
			value = "true"
		}
		if err := fs.Set(name, value); err != nil {
			return fmt.Errorf("GOFLAGS: %s: %w", f, err)
		}
	}
	return nil
}

func splitTags(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

// benchTimes are the values of -benchtime that can be simulated.
var benchTimes = regexp.MustCompile(`^[1-9][0-9]{0,8}x$`)

// finishBench checks -bench and its kin, and -shuffle.
func (c *testConfig) finishBench(v *flagText) (err error) {
	c.benchText = v.bench
	if c.bench, err = parsePattern("bench", v.bench); err != nil {
		return err
	}
	if v.benchTime != "" && !benchTimes.MatchString(v.benchTime) {
		return &refusedFlag{"benchtime", "simulated time says nothing about speed; give a number of iterations, as -benchtime=100x"}
	}
	if v.benchTime != "" && v.benchTime != "1x" {
		c.flags = append(c.flags, "-test.benchtime="+v.benchTime)
		c.repeat = append(c.repeat, "-benchtime="+v.benchTime)
	}
	if v.benchMem {
		c.flags = append(c.flags, "-test.benchmem=true")
		c.repeat = append(c.repeat, "-benchmem")
	}
	if c.shuffle != "on" && c.shuffle != "off" {
		if _, err := strconv.ParseInt(c.shuffle, 10, 64); err != nil {
			return fmt.Errorf("-shuffle=%s: give off, on, or a number", c.shuffle)
		}
	}
	return nil
}

// parseVet reads the value of -vet, nil for off.
func parseVet(list string) (*inject.Vet, error) {
	switch list {
	case "":
		return &inject.Vet{}, nil
	case "off":
		return nil, nil
	case "all":
		return &inject.Vet{Checks: []string{}}, nil
	}
	vet := &inject.Vet{}
	for name := range strings.SplitSeq(list, ",") {
		if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
			return nil, fmt.Errorf("-vet=%s: give off, all, or checks of go vet separated by commas", list)
		}
		vet.Checks = append(vet.Checks, name)
	}
	return vet, nil
}

const testHelp = `usage: restep test [flags] [packages] [-args arguments]

Runs each test, once for each seed, in a process and a simulated world of its
own. Packages, output and exit code are those of go test.

  -seed n          the seed (1)
  -seeds list      several seeds: 1,2,5-10
  -sched s         who runs next: random, or pct:D, which finds bugs that need
                   D events in one order among very many others (random)
  -preempt p       after what another goroutine may have its turn: points,
                   which are operations on channels, locks and atomic types;
                   atomics, the functions of sync/atomic as well; calls, each
                   call as well; memory, each access to memory as well; the
                   last three in your own modules (points)
  -run pattern     tests to run, sub-tests after a slash; -skip leaves out
  -list pattern    print the names of tests and stop
  -bench pattern   run benchmarks too, one iteration each (-benchtime=Nx: N);
                   sim-ns/op is simulated time, not speed; -benchmem counts
  -v               print log lines of passing tests too, as they come
  -simtrace list   print more steps: syscall, net, go, clock, fault, machine,
                   all; the numbers of steps do not change
  -locals=false    do not show the variables of the frame that failed, which
                   the debugger reads from the first failing seed of a test
  -count n         run each seed n times and check that all steps are equal
  -timeout d       real time that one run may take (2m); simulated time is
                   limited by sim.SetSimulationTimeout (10 minutes)
  -failfast        stop at the first test and seed that fails
  -short           tell tests to be short
  -j n             processes at a time (number of CPUs)
  -env K=V         environment of the simulated main machine; repeatable
  -memory size     memory that one run may take (2GiB), 0 for any
  -exec program    what runs the test binaries: an emulator for those of
                   GOARCH=arm64 elsewhere, as qemu-aarch64
  -json            print events like go test -json, with a field Seed:
                   gotestsum --raw-command -- restep test -json ./...
  -shuffle off,on,N -parallel n -vet list -fullpath
                   as for go test
  -cover -covermode -coverpkg -coverprofile -outputdir
                   as for go test; of all machines, all seeds together
  -C dir -tags -mod -modfile -overlay -gcflags -ldflags ...
                   as for go build; GOFLAGS counts too

Step logs of failures and of the last runs are kept in .restep in the module's
root; restep steps shows them.
`
