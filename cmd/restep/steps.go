package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	link "github.com/restep/restep/replay/moment"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const stepsHelp = `usage: restep steps [flags] [TestX | file.steplog | file.zip | link]

Lists the steps of the newest recorded run, of a test, of a file or archive
(restep export), or of the run that a link (restep://...) is about.

  -seed n          of the newest run with this seed
  -package path    of a test in this package (import path)
  -machine a,b     steps of these machines
  -goroutine n     steps of this goroutine
  -kind a,b        steps of these kinds: log, syscall, send, fault, ...
  -grep pattern    steps whose text matches a regular expression
  -from n -to n    steps with these numbers
  -n count         at most so many
  -stacks          with the call stack of each step
  -json            one JSON object a line
  -pcap file       the messages as a pcapng capture, for Wireshark
  -perfetto file   all of them as a trace for ui.perfetto.dev: a track for each
                   goroutine, arrows for messages
`

// stepsConfig is a parsed command line of restep steps.
type stepsConfig struct {
	what   string // test, file, link or ""
	query  runs.Query
	pkg    string
	seed   *uint64
	filter steplog.Filter
	grep   *regexp.Regexp
	limit  int
	stacks bool
	json   bool
	pcap   string
	trace  string   // -perfetto
	bounds []uint64 // numbers given by -from and -to
}

func parseSteps(args []string) (*stepsConfig, error) {
	c := &stepsConfig{}
	flags := flag.NewFlagSet("restep steps", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.pkg, "package", "", "")
	flags.IntVar(&c.limit, "n", 0, "")
	flags.BoolVar(&c.stacks, "stacks", false, "")
	flags.BoolVar(&c.json, "json", false, "")
	flags.StringVar(&c.pcap, "pcap", "", "")
	flags.StringVar(&c.trace, "perfetto", "", "")
	flags.Func("seed", "", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		c.seed = &n
		return err
	})
	flags.Func("machine", "", func(s string) error {
		c.filter.Machines = append(c.filter.Machines, strings.Split(s, ",")...)
		return nil
	})
	flags.Func("goroutine", "", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 32)
		c.filter.Goroutine = uint32(n)
		return err
	})
	flags.Func("kind", "", func(s string) error { return c.kinds(s) })
	flags.Func("grep", "", func(s string) (err error) {
		c.grep, err = regexp.Compile(s)
		return err
	})
	bound := func(to *uint64) func(string) error {
		return func(s string) (err error) {
			if *to, err = strconv.ParseUint(strings.TrimPrefix(s, "#"), 10, 64); err == nil {
				c.bounds = append(c.bounds, *to)
			}
			return err
		}
	}
	flags.Func("from", "", bound(&c.filter.From))
	flags.Func("to", "", bound(&c.filter.To))
	var rest []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	if len(rest) > 1 {
		return nil, fmt.Errorf("one test or file at a time, not %s", quoteArgs(rest))
	}
	if len(rest) == 1 {
		c.what = rest[0]
		switch {
		case isRunFile(c.what):
		case isLink(c.what):
			m, err := link.Parse(c.what)
			if err != nil {
				return nil, err
			}
			c.query = query(m)
		default:
			c.what, _, _ = strings.Cut(c.what, "/") // a sub-test is part of its test's run
			if c.what == "" || c.what == "." || c.what == ".." {
				return nil, fmt.Errorf("%q is neither a test nor a .steplog or .zip file nor a link", rest[0])
			}
		}
	}
	return c, nil
}

func (c *stepsConfig) kinds(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		kind, ok := steplog.ParseKind(name)
		if !ok {
			var all []string
			for _, k := range steplog.Kinds() {
				all = append(all, k.String())
			}
			kinds := strings.Join(all[:len(all)/2], ", ") + ",\n  " + strings.Join(all[len(all)/2:], ", ")
			return fmt.Errorf("there is no kind %q; kinds are\n  %s", name, kinds)
		}
		c.filter.Kinds = append(c.filter.Kinds, kind)
	}
	return nil
}

// runSteps is restep steps.
func runSteps(ctx context.Context, u *ui, args []string) int {
	c, err := parseSteps(args)
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help steps lists the flags")
	}
	log, src, code := c.open(u)
	if log == nil {
		return code
	}
	defer log.Close()
	for _, p := range log.Problems() {
		u.say(text.Escape(p.Error()))
	}
	if err := c.check(log); err != nil {
		return u.fail(exitFailed, err.Error())
	}
	out := bufio.NewWriter(u.out)
	u.out = out
	defer out.Flush()
	if c.pcap != "" || c.trace != "" {
		return c.capture(ctx, u, log, src)
	}
	if err := c.print(ctx, u, log, src); err != nil {
		_ = out.Flush()
		return u.fail(exitFailed, text.Escape(err.Error()))
	}
	if ctx.Err() != nil {
		return exitInterrupt
	}
	if len(log.Problems()) > 0 {
		return exitFailed
	}
	return exitOK
}

// open finds the log. code is for when there is none.
func (c *stepsConfig) open(u *ui) (log *runs.Log, src text.Source, code int) {
	if isRunFile(c.what) {
		rec, err := openFile(c.what)
		if err != nil {
			return nil, src, u.fail(exitFailed, text.Escape(err.Error()))
		}
		if rec.archive != nil && !c.json {
			u.say(describeArchive(rec))
		}
		return rec.Log, rec.src, 0
	}
	if !isLink(c.what) {
		c.query = runs.Query{Package: c.pkg, Test: c.what, Seed: c.seed}
	}
	rec, err := openStored(c.query)
	var none *noRunError
	switch {
	case errors.Is(err, errNoModule):
		return nil, src, u.fail(exitFailed, err.Error(), "go to your module, or name a .steplog file")
	case errors.As(err, &none):
		return nil, src, u.fail(exitFailed, err.Error(), none.hint())
	case errors.Is(err, fs.ErrNotExist):
		return nil, src, u.fail(exitFailed, err.Error())
	case err != nil:
		return nil, src, u.fail(exitFailed, text.Escape(err.Error()), "remove the file and run the test again")
	}
	r := rec.result
	if !c.json {
		u.say(text.Escape(fmt.Sprintf("%s of %s, seed %s: %s, %s", r.Test, r.Package, seedText(r), r.Result, plural(rec.Steps(), "step"))))
	}
	if rec.stale != "" {
		u.say(rec.stale, "run the test again to see what it does now")
	}
	return rec.Log, rec.src, 0
}

// check compares what was asked for with what the log has.
func (c *stepsConfig) check(log *runs.Log) error {
	for _, n := range c.bounds {
		if n >= 1 && n <= log.Steps() {
			continue
		}
		if log.Steps() == 0 {
			return fmt.Errorf("there is no step %d: the log has no steps", n)
		}
		return fmt.Errorf("there is no step %d: the log has steps 1 to %d", n, log.Steps())
	}
	for _, name := range c.filter.Machines {
		var have []string
		for _, m := range log.Machines() {
			have = append(have, m.Label)
		}
		if !strings.Contains("\x00"+strings.Join(have, "\x00")+"\x00", "\x00"+name+"\x00") {
			return fmt.Errorf("there is no machine %q: the log has %s", name, text.Escape(strings.Join(have, ", ")))
		}
	}
	return nil
}

// print lists the steps. The error is damage that it met.
func (c *stepsConfig) print(ctx context.Context, u *ui, log *runs.Log, src text.Source) error {
	p := text.NewPrinter(log.Reader, src)
	p.Color, p.Stacks = u.outTerm, c.stacks
	if !c.json {
		c.each(ctx, log, p.Fit)
	}
	var b []byte
	return c.each(ctx, log, func(s *steplog.Step) {
		if !c.json {
			b = p.Append(b[:0], s)
			u.print(b)
			return
		}
		line, err := json.Marshal(text.Export(log.Reader, src, s, c.stacks))
		if err == nil {
			u.print(append(line, '\n'))
		}
	})
}

// each calls f for the steps asked for.
func (c *stepsConfig) each(ctx context.Context, log *runs.Log, f func(*steplog.Step)) error {
	cur := log.Cursor(c.filter)
	n := 0
	var description []byte
	for (c.limit <= 0 || n < c.limit) && ctx.Err() == nil && cur.Next() {
		s := cur.Step()
		if c.grep != nil {
			description = text.AppendDescription(description[:0], log.Reader, s)
			if !c.grep.Match(description) {
				continue
			}
		}
		n++
		f(s)
	}
	return cur.Err()
}
