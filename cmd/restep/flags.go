//go:build linux && amd64

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
)

// testConfig is a parsed command line of restep test.
type testConfig struct {
	packages     []string
	run          *pattern
	skip         *pattern
	runText      string
	verbose      bool
	json         bool
	short        bool
	failFast     bool
	list         string
	count        int
	timeout      time.Duration // real time for one run, 0 = none
	seeds        seedSet
	trace        []steplog.Kind
	workers      int
	tags         []string
	build        []string // further build flags
	env          []string
	flags        []string      // of the test binary, "-test.short"
	args         []string      // of the program
	cover        *inject.Cover // nil = no coverage
	coverProfile string        // path of -coverprofile
	repeat       []string      // flags that a command to repeat a run needs
}

// notSupported are flags of go test that restep test does not have.
var notSupported = map[string]string{
	"bench":      "simulated time says nothing about speed; run plain go test for benchmarks",
	"fuzz":       "restep explores by -seeds; run plain go test for fuzzing",
	"race":       "the race detector brings threads of its own; run plain go test for it",
	"msan":       "the memory sanitizer needs cgo, which cannot be simulated",
	"asan":       "the address sanitizer needs cgo, which cannot be simulated",
	"cpuprofile": "profiles of simulated runs are not collected; run plain go test for them",
	"trace":      "execution traces are not collected; restep steps shows what a run did",
	"exec":       "the simulator starts the test binary itself",
	"c":          "restep builds into its cache; run plain go test -c for a test binary",
	"n":          "restep cannot print its commands without running them",
	"shuffle":    "each test runs on its own, and the seed fixes the order within it",
	"cpu":        "a simulated machine has a fixed number of processors",
	"toolexec":   "restep brings its own linker by -toolexec",
	"buildmode":  "only an ordinary executable can be simulated",
	"compiler":   "only the gc compiler's runtime can be patched",
	"linkshared": "only an ordinary executable can be simulated",
	"artifacts":  "files of a simulated machine stay in the simulation",
	"benchmem":   "=bench", "benchtime": "=bench",
	"fuzztime": "=fuzz", "fuzzminimizetime": "=fuzz", "fuzzcachedir": "=fuzz",
	"memprofile": "=cpuprofile", "memprofilerate": "=cpuprofile", "blockprofile": "=cpuprofile",
	"blockprofilerate": "=cpuprofile", "mutexprofile": "=cpuprofile", "mutexprofilefraction": "=cpuprofile",
	"outputdir": "=cpuprofile", "o": "=c", "i": "=c",
}

// Build flags that are passed on, with and without a value.
var (
	buildValues = []string{"mod", "modfile", "overlay", "gcflags", "asmflags", "ldflags", "pgo", "pkgdir", "installsuffix", "p"}
	buildBools  = []string{"a", "x", "work", "modcacherw", "trimpath", "buildvcs"}
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

// refusedFlag is what a flag that is not supported leaves.
type refusedFlag struct{ name, why string }

func (e *refusedFlag) Error() string { return "-" + e.name + ": " + e.why }

// flagText holds values that are checked after parsing.
type flagText struct {
	run, skip, seed, seeds, trace, tags string
	cover                               coverFlags
	refused                             error
}

// parseTest reads the arguments of restep test. Flags may stand before and
// after packages, as for go test.
func parseTest(args []string) (*testConfig, error) {
	c := &testConfig{}
	if i := slices.IndexFunc(args, func(a string) bool { return a == "-args" || a == "--args" }); i >= 0 {
		c.args, args = args[i+1:], args[:i]
	}
	var v flagText
	fs := c.flagSet(&v)
	for len(args) > 0 {
		if err := fs.Parse(trimTestPrefix(args)); err != nil {
			return nil, err
		}
		rest := fs.Args()
		n := 0
		for n < len(rest) && !strings.HasPrefix(rest[n], "-") {
			n++
		}
		c.packages, args = append(c.packages, rest[:n]...), rest[n:]
	}
	if v.refused != nil {
		return nil, v.refused
	}
	return c, c.finish(&v)
}

// trimTestPrefix lets -test.run stand for -run, as go test does.
func trimTestPrefix(args []string) []string {
	args = slices.Clone(args)
	for i, a := range args {
		if !strings.HasPrefix(a, "-") {
			continue
		}
		if name, ok := strings.CutPrefix(strings.TrimLeft(a, "-"), "test."); ok {
			args[i] = "-" + name
		}
	}
	return args
}

func (c *testConfig) flagSet(v *flagText) *flag.FlagSet {
	fs := flag.NewFlagSet("restep test", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&v.run, "run", "", "")
	fs.StringVar(&v.skip, "skip", "", "")
	fs.StringVar(&v.seed, "seed", "", "")
	fs.StringVar(&v.seeds, "seeds", "", "")
	fs.StringVar(&v.trace, "simtrace", "", "")
	fs.StringVar(&v.tags, "tags", "", "")
	fs.BoolVar(&v.cover.on, "cover", false, "")
	fs.StringVar(&v.cover.mode, "covermode", "", "")
	fs.StringVar(&v.cover.pkgs, "coverpkg", "", "")
	fs.StringVar(&v.cover.profile, "coverprofile", "", "")
	fs.StringVar(&c.list, "list", "", "")
	fs.BoolVar(&c.json, "json", false, "")
	fs.BoolVar(&c.short, "short", false, "")
	fs.BoolVar(&c.failFast, "failfast", false, "")
	fs.IntVar(&c.count, "count", 1, "")
	fs.DurationVar(&c.timeout, "timeout", 2*time.Minute, "")
	fs.IntVar(&c.workers, "j", runtime.NumCPU(), "")
	fs.BoolFunc("v", "", func(s string) error {
		c.verbose = s != "false"
		return nil
	})
	fs.Func("parallel", "", func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < 1 {
			return errors.New("give a number of at least 1")
		}
		c.flags = append(c.flags, "-test.parallel="+s)
		c.repeat = append(c.repeat, "-parallel="+s)
		return nil
	})
	fs.Func("env", "", func(s string) error {
		if key, _, ok := strings.Cut(s, "="); !ok || key == "" || strings.ContainsRune(s, 0) {
			return errors.New("write -env KEY=value")
		}
		c.env = append(c.env, s)
		c.repeat = append(c.repeat, "-env="+s)
		return nil
	})
	fs.Func("C", "", func(dir string) error { return os.Chdir(dir) })
	fs.Func("vet", "", func(string) error { return nil }) // vet is about the plain code
	for _, name := range buildValues {
		fs.Func(name, "", func(s string) error { return c.buildFlag(name, s) })
	}
	for _, name := range buildBools {
		fs.BoolFunc(name, "", func(s string) error { return c.buildFlag(name, s) })
	}
	for name, why := range notSupported {
		if same, ok := strings.CutPrefix(why, "="); ok {
			why = notSupported[same]
		}
		fs.BoolFunc(name, "", func(s string) error {
			if v.refused == nil && s != "false" {
				v.refused = &refusedFlag{name, why}
			}
			return nil
		})
	}
	return fs
}

func (c *testConfig) buildFlag(name, value string) error {
	if name == "ldflags" {
		for f := range strings.FieldsSeq(value) {
			switch f, _, _ := strings.Cut(strings.TrimLeft(f, "-"), "="); f {
			case "s", "w", "linkmode", "extld", "buildmode", "race", "d":
				return fmt.Errorf("the simulator needs the symbols of an ordinary binary; leave out -%s", f)
			}
		}
	}
	f := "-" + name + "=" + value
	c.build = append(c.build, f)
	if name != "x" && name != "work" && name != "a" && name != "p" {
		c.repeat = append(c.repeat, f)
	}
	return nil
}

// finish checks values and fills in what follows from them.
func (c *testConfig) finish(v *flagText) (err error) {
	c.runText = v.run
	if c.run, err = parsePattern("run", v.run); err != nil {
		return err
	}
	if c.skip, err = parsePattern("skip", v.skip); err != nil {
		return err
	}
	if _, err = parsePattern("list", c.list); err != nil {
		return err
	}
	switch {
	case v.seed != "" && v.seeds != "":
		return errors.New("give -seed or -seeds, not both")
	case v.seed != "":
		n, err := strconv.ParseUint(v.seed, 10, 64)
		if err != nil {
			return fmt.Errorf("-seed %s: give one whole number; -seeds takes several", v.seed)
		}
		c.seeds = seedSet{{n, n}}
	case v.seeds != "":
		if c.seeds, err = parseSeeds(v.seeds); err != nil {
			return fmt.Errorf("-seeds=%s: %w; write for example -seeds=1,2,5-10", v.seeds, err)
		}
	default:
		c.seeds = seedSet{{1, 1}}
	}
	if c.count < 1 || c.workers < 1 || c.timeout < 0 {
		return errors.New("-count and -j must be at least 1, -timeout at least 0")
	}
	for word := range strings.SplitSeq(v.trace, ",") {
		kinds, ok := traceKinds[word]
		if !ok && word != "" {
			return fmt.Errorf("-simtrace=%s: there is no %q; choose from syscall, net, go, clock, fault, machine, all", v.trace, word)
		}
		c.trace = append(c.trace, kinds...)
	}
	if c.short {
		c.flags = append(c.flags, "-test.short=true")
		c.repeat = append(c.repeat, "-short")
	}
	if v.skip != "" {
		c.flags = append(c.flags, "-test.skip="+v.skip)
		c.repeat = append(c.repeat, "-skip="+v.skip)
	}
	if v.tags != "" {
		c.tags = strings.FieldsFunc(v.tags, func(r rune) bool { return r == ',' || r == ' ' })
		c.repeat = append(c.repeat, "-tags="+v.tags)
	}
	if err := c.finishCover(&v.cover); err != nil {
		return err
	}
	c.verbose = c.verbose || c.json
	if len(c.packages) == 0 {
		c.packages = []string{"."}
	}
	return nil
}

const testHelp = `usage: restep test [flags] [packages] [-args arguments]

Runs each test, once for each seed, in a process and a simulated world of its
own. Packages, output and exit code are those of go test.

  -seed n          the seed (1)
  -seeds list      several seeds: 1,2,5-10
  -run pattern     tests to run, sub-tests after a slash; -skip leaves out
  -list pattern    print the names of tests and stop
  -v               print log lines of passing tests too
  -simtrace list   print more steps: syscall, net, go, clock, fault, machine,
                   all; the numbers of steps do not change
  -count n         run each seed n times and check that all steps are equal
  -timeout d       real time that one run may take (2m); simulated time is
                   limited by sim.SetSimulationTimeout (10 minutes)
  -failfast        stop at the first test and seed that fails
  -short           tell tests to be short
  -j n             processes at a time (number of CPUs)
  -env K=V         environment of the simulated main machine; repeatable
  -json            print events like go test -json, with a field Seed
  -parallel n      as for go test
  -cover -covermode -coverpkg -coverprofile
                   as for go test; of all machines, all seeds together
  -C dir -tags -mod -modfile -overlay -gcflags -ldflags ...
                   as for go build

Step logs of failures and of the last runs are kept in .restep in the module's
root; restep steps shows them.
`
