//go:build linux && (amd64 || arm64)

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

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/sim/inject"
	"github.com/restep/restep/sim/steplog"
)

// defaultTimeout is the real time that a run may take.
const defaultTimeout = 2 * time.Minute

// testConfig is a parsed command line of restep test.
type testConfig struct {
	packages     []string
	run          *pattern
	skip         *pattern
	runText      string
	bench        *pattern // benchmarks to run; nil = none
	benchText    string
	shuffle      string // "off", "on" or a number
	vet          *inject.Vet
	verbose      bool
	json         bool
	short        bool
	fullPath     bool
	failFast     bool
	list         string
	count        int
	timeout      time.Duration // real time for one run, 0 = none
	memory       uint64        // bytes that one run may take, 0 = any
	seeds        seedSet
	variant      uint64 // of each run: its policy
	trace        []steplog.Kind
	workers      int
	tags         []string
	listTags     []string // tags, or those of GOFLAGS when there are none
	build        []string // further build flags
	env          []string
	flags        []string      // of the test binary, "-test.short"
	args         []string      // of the program
	cover        *inject.Cover // nil = no coverage
	coverProfile string        // path of -coverprofile
	locals       bool          // show the variables of the frame that failed
	exec         []string      // what runs test binaries, and its first arguments; nil = they themselves
	repeat       []string      // flags that a command to repeat a run needs
}

// refusedFlag is what a flag that is not supported leaves.
type refusedFlag struct{ name, why string }

func (e *refusedFlag) Error() string { return "-" + e.name + ": " + e.why }

// flagText holds values that are checked after parsing.
type flagText struct {
	run, skip, seed, seeds, trace, tags, bench, benchTime, vet string
	sched, preempt                                             string
	benchMem                                                   bool
	cover                                                      coverFlags
	refused                                                    error
}

// parseTest reads the arguments of restep test. Flags may stand before and
// after packages, as for go test. goflags are the flags of GOFLAGS: what they
// say of a test counts unless an argument says otherwise; build flags among
// them reach the go command by GOFLAGS itself.
func parseTest(args, goflags []string) (*testConfig, error) {
	c := &testConfig{}
	if i := slices.IndexFunc(args, func(a string) bool { return a == "-args" || a == "--args" }); i >= 0 {
		c.args, args = args[i+1:], args[:i]
	}
	var v flagText
	fs := c.flagSet(&v)
	if err := c.fromGoflags(fs, goflags); err != nil {
		return nil, err
	}
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
	fs.StringVar(&v.sched, "sched", "", "")
	fs.StringVar(&v.preempt, "preempt", "", "")
	fs.StringVar(&v.trace, "simtrace", "", "")
	fs.BoolVar(&c.locals, "locals", true, "")
	fs.StringVar(&v.tags, "tags", "", "")
	v.cover.define(fs)
	fs.StringVar(&v.bench, "bench", "", "")
	fs.StringVar(&v.benchTime, "benchtime", "", "")
	fs.BoolVar(&v.benchMem, "benchmem", false, "")
	fs.StringVar(&c.shuffle, "shuffle", "off", "")
	fs.StringVar(&v.vet, "vet", "", "")
	fs.BoolVar(&c.fullPath, "fullpath", false, "")
	fs.StringVar(&c.list, "list", "", "")
	fs.BoolVar(&c.json, "json", false, "")
	fs.BoolVar(&c.short, "short", false, "")
	fs.BoolVar(&c.failFast, "failfast", false, "")
	fs.IntVar(&c.count, "count", 1, "")
	c.timeout = defaultTimeout
	fs.Func("timeout", "", func(s string) (err error) {
		if c.timeout, err = time.ParseDuration(s); err != nil {
			return errors.New("write for example 10s or 2m")
		}
		return nil
	})
	c.memory = launch.Memory
	fs.Func("exec", "", func(s string) (err error) {
		if c.exec, err = inject.SplitQuoted(s); err == nil && len(c.exec) > 0 {
			c.repeat = append(c.repeat, "-exec="+s)
		}
		return err
	})
	fs.Func("memory", "", func(s string) (err error) {
		if c.memory, err = parseSize(s); err == nil && c.memory != launch.Memory {
			c.repeat = append(c.repeat, "-memory="+s)
		}
		return err
	})
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
		} else if key == "GODEBUG" {
			return errors.New("the runtime has read it before; write a //go:debug line into a test file, or a godebug line into go.mod")
		}
		c.env = append(c.env, s)
		c.repeat = append(c.repeat, "-env="+s)
		return nil
	})
	c.buildFlags(fs, v)
	return fs
}

// buildFlags defines the flags of go build, and those that are refused.
func (c *testConfig) buildFlags(fs *flag.FlagSet, v *flagText) {
	fs.Func("C", "", func(dir string) error { return os.Chdir(dir) })
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
			return fmt.Errorf("-seeds=%s: %w\n  write for example -seeds=1,2,5-10", v.seeds, err)
		}
	default:
		c.seeds = seedSet{{1, 1}}
	}
	policy, err := launch.ParsePolicy(v.sched, v.preempt)
	if err != nil {
		return err
	}
	c.variant = policy.Variant()
	c.repeat = append(c.repeat, launch.PolicyFlags(c.variant)...)
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
	if err := c.finishFlags(v); err != nil {
		return err
	}
	c.verbose = c.verbose || c.json
	for _, p := range c.packages {
		if isTest(p) {
			return fmt.Errorf("%s is a test, not a package; write -run '^%s$'", p, p)
		}
	}
	if len(c.packages) == 0 {
		c.packages = []string{"."}
	}
	return nil
}

// finishFlags takes over flags of the test binary, of the build and of vet.
func (c *testConfig) finishFlags(v *flagText) (err error) {
	if c.short {
		c.flags = append(c.flags, "-test.short=true")
		c.repeat = append(c.repeat, "-short")
	}
	if v.skip != "" {
		c.flags = append(c.flags, "-test.skip="+v.skip)
		c.repeat = append(c.repeat, "-skip="+v.skip)
	}
	if v.tags != "" {
		c.tags = splitTags(v.tags)
		c.repeat = append(c.repeat, "-tags="+v.tags)
	}
	if len(c.tags) > 0 {
		c.listTags = c.tags
	}
	if err := c.finishBench(v); err != nil {
		return err
	}
	if c.vet, err = parseVet(v.vet); err != nil {
		return err
	}
	if v.vet != "" {
		c.repeat = append(c.repeat, "-vet="+v.vet)
	}
	if c.timeout != defaultTimeout {
		c.repeat = append(c.repeat, "-timeout="+c.timeout.String())
	}
	return c.finishCover(&v.cover)
}
