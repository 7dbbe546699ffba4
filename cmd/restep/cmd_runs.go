package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
)

const runsHelp = `usage: restep runs [flags]
       restep runs prune [-keep N] [-older D]

Lists the recorded runs of this module, the newest last: when it ended, the
test and its package, seed, result, number of steps, and, where the terminal is
wide enough, the step log if it is kept, for restep steps.

  -test pattern    of tests whose name matches a regular expression
  -result a,b      with these results: pass, fail, skip
  -seed n          with this seed
  -package path    of tests in this package (import path)
  -n count         the newest so many (20); 0 is all
  -json            one JSON object a line

prune removes runs and their logs. All of them can be made again by restep
test; it keeps itself to 200 logs and 256 MB anyway.

  -keep N          the newest N runs stay (20, with -older 0)
  -older D         only what ended that long ago goes: 36h, 7d
`

// runsConfig is a parsed command line of restep runs.
type runsConfig struct {
	test    *regexp.Regexp
	results []string
	seed    *uint64
	pkg     string
	limit   int
	json    bool
}

// runRuns is restep runs.
func runRuns(ctx context.Context, u *ui, args []string) int {
	if len(args) > 0 && args[0] == "prune" {
		return runPrune(u, args[1:])
	}
	c, err := parseRuns(args)
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help runs lists the flags")
	}
	moduleDir := findModule()
	if moduleDir == "" {
		return u.fail(exitFailed, "there is no go.mod here or above", "go to your module")
	}
	store, err := runs.OpenRead(moduleDir)
	if err != nil {
		return u.fail(exitFailed, err.Error())
	}
	defer store.Close()
	all, err := store.List()
	if err != nil {
		return u.fail(exitFailed, text.Escape(err.Error()))
	}
	chosen := slices.DeleteFunc(all, func(r runs.Result) bool { return !c.selects(&r) })
	more := 0
	if c.limit > 0 && len(chosen) > c.limit {
		more = len(chosen) - c.limit
		chosen = chosen[more:]
	}
	out := bufio.NewWriter(u.out)
	u.out = out
	defer out.Flush()
	if c.json {
		return printRunsJSON(u, store, chosen)
	}
	u.print(runsTable(store, chosen, terminalWidth(os.Stdout)))
	_ = out.Flush()
	switch {
	case len(chosen) == 0:
		return u.fail(exitFailed, "no such run is recorded in "+nearPath(store.Dir()), "restep runs -n 0 lists all")
	case more > 0:
		u.say(plural(more, "older run")+" not shown", "restep runs -n 0 lists all")
	}
	return exitOK
}

func parseRuns(args []string) (*runsConfig, error) {
	c := &runsConfig{}
	flags := flag.NewFlagSet("restep runs", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.pkg, "package", "", "")
	flags.IntVar(&c.limit, "n", 20, "")
	flags.BoolVar(&c.json, "json", false, "")
	flags.Func("test", "", func(s string) (err error) {
		c.test, err = regexp.Compile(s)
		return err
	})
	flags.Func("seed", "", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return errors.New("give one whole number")
		}
		c.seed = &n
		return nil
	})
	flags.Func("result", "", func(s string) error {
		for word := range strings.SplitSeq(s, ",") {
			if word != runs.Pass && word != runs.Fail && word != runs.Skip {
				return fmt.Errorf("there is no %q; results are pass, fail, skip", word)
			}
			c.results = append(c.results, word)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("runs does not take %s; select by -test", quoteArg(flags.Arg(0)))
	}
	if c.limit < 0 {
		return nil, errors.New("-n must be at least 0")
	}
	return c, nil
}

func (c *runsConfig) selects(r *runs.Result) bool {
	return (c.test == nil || c.test.MatchString(r.Test)) && (c.seed == nil || *c.seed == r.Seed) &&
		(c.pkg == "" || c.pkg == r.Package) && (c.results == nil || slices.Contains(c.results, r.Result))
}

func printRunsJSON(u *ui, store *runs.Store, list []runs.Result) int {
	for i := range list {
		row := struct {
			*runs.Result
			Path string `json:"path,omitempty"` // of the log
		}{Result: &list[i]}
		if row.Log != "" {
			row.Path = store.Path(row.Log)
		}
		if b, err := json.Marshal(row); err == nil {
			u.print(append(b, '\n'))
		}
	}
	return exitOK
}

// runsTable renders the runs in columns, numbers to the right. Where the screen
// has fewer columns than that, paths of logs are left out; 0 is any number.
func runsTable(store *runs.Store, list []runs.Result, screen int) []byte {
	if len(list) == 0 {
		return nil
	}
	rows := [][]string{{"ended", "test", "package", "seed", "result", "steps", "log"}}
	for i := range list {
		r := &list[i]
		log := "-"
		if r.Log != "" {
			log = nearPath(store.Path(r.Log))
		}
		rows = append(rows, []string{
			r.Time.Local().Format("2006-01-02 15:04:05"), text.Escape(r.Test), text.Escape(shortPackage(r)),
			seedText(r), r.Result, strconv.FormatUint(r.Steps, 10), text.Escape(log),
		})
	}
	var width [7]int
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	columns := len(width)
	if whole := 2*(columns-1) + sum(width[:]); screen > 0 && whole > screen {
		columns--
	}
	var b []byte
	for _, row := range rows {
		for i, cell := range row[:columns] {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			switch i {
			case 3, 5: // seed, steps
				b = append(append(append(b, pad...), cell...), "  "...)
			case 6:
				b = append(b, cell...)
			default:
				b = append(append(append(b, cell...), pad...), "  "...)
			}
		}
		b = append(bytes.TrimRight(b, " "), '\n')
	}
	return b
}

func sum(list []int) (n int) {
	for _, v := range list {
		n += v
	}
	return n
}

// shortPackage is a package as one names it in its module's folder.
func shortPackage(r *runs.Result) string { return packageArgument(r.Package, r.Module) }

func packageArgument(pkg, module string) string {
	rel, ok := strings.CutPrefix(pkg, module)
	switch {
	case module == "" || !ok || rel != "" && rel[0] != '/':
		return pkg
	case rel == "":
		return "."
	}
	return "." + rel
}

// defaultKeep is how many runs prune leaves when it is not told.
const defaultKeep = 20

// runPrune is restep runs prune.
func runPrune(u *ui, args []string) int {
	p, err := parsePrune(args, time.Now())
	if err != nil {
		return u.fail(exitUsage, err.Error(), "restep help runs explains prune")
	}
	moduleDir := findModule()
	if moduleDir == "" {
		return u.fail(exitFailed, "there is no go.mod here or above", "go to your module")
	}
	// Nothing is made where nothing is.
	read, err := runs.OpenRead(moduleDir)
	if err != nil {
		return u.fail(exitFailed, err.Error())
	}
	dir := read.Dir()
	_ = read.Close()
	store, err := runs.Open(moduleDir)
	if errors.Is(err, runs.ErrReadOnly) {
		store, err = runs.OpenTemp(moduleDir)
	}
	if err != nil {
		return u.fail(exitFailed, err.Error())
	}
	if store.Dir() != dir {
		_ = store.Close()
		return u.fail(exitFailed, "the runs in "+dir+" cannot be changed", "remove the folder, or make it writable")
	}
	done, err := store.Prune(p)
	err = errors.Join(err, store.Close())
	if err != nil {
		return u.fail(exitFailed, text.Escape(err.Error()))
	}
	u.printf("removed %s and %s (%.1f MB); %s left\n", plural(done.Runs, "run"), plural(done.Logs, "log"),
		float64(done.Bytes)/1e6, plural(done.Left, "run"))
	return exitOK
}

// parsePrune reads the flags of prune. Durations are those of Go, and days.
func parsePrune(args []string, now time.Time) (runs.Prune, error) {
	p := runs.Prune{Keep: -1}
	flags := flag.NewFlagSet("restep runs prune", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("keep", "", func(s string) (err error) {
		if p.Keep, err = strconv.Atoi(s); err != nil || p.Keep < 0 {
			return errors.New("give a number of at least 0")
		}
		return nil
	})
	flags.Func("older", "", func(s string) error {
		d, err := parseAge(s)
		p.Before = now.Add(-d)
		return err
	})
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if flags.NArg() > 0 {
		return p, fmt.Errorf("prune does not take %s", quoteArg(flags.Arg(0)))
	}
	if p.Keep < 0 {
		p.Keep = defaultKeep
		if !p.Before.IsZero() {
			p.Keep = 0
		}
	}
	return p, nil
}

// parseAge reads "36h" or "7d".
func parseAge(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, errDays := strconv.ParseUint(days, 10, 16)
		d, err = time.Duration(n)*day, errDays
	}
	if err != nil || d < 0 {
		return 0, errors.New("write for example 36h or 7d")
	}
	return d, nil
}

// seedText is the seed of a run, and its policy where that is not the usual one.
func seedText(r *runs.Result) string { return seedPolicy(r.Seed, r.Variant) }

func seedPolicy(seed, variant uint64) string {
	return strings.Join(append([]string{strconv.FormatUint(seed, 10)}, launch.PolicyFlags(variant)...), " ")
}
