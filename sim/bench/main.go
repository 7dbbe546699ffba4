package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/restep/restep/sim/bench/host"
)

func main() {
	b := &bench{ctx: context.Background(), done: map[string]float64{}}
	flag.IntVar(&b.rounds, "rounds", 5, "measurements of which the median counts")
	flag.IntVar(&b.seeds, "seeds", 1000, "seeds of TestMachines for the runs of the restep command")
	flag.BoolVar(&b.heavy, "heavy", true, "measure the program with etcd linked, too; its modules are downloaded if need be")
	flag.BoolVar(&b.readme, "readme", false, "write the table into sim/README.md, unless a row could not be measured")
	only := flag.String("only", "", "rows to measure, a regular expression")
	flag.Parse()
	b.only = regexp.MustCompile(*only)
	if b.readme && *only != "" {
		fmt.Fprintln(os.Stderr, "bench: -readme needs all rows: go run ./sim/bench -rounds 3 -readme")
		os.Exit(2)
	}
	if err := b.main(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of this command.
type bench struct {
	ctx           context.Context
	rounds, seeds int
	heavy, readme bool
	only          *regexp.Regexp
	root          string // of the repository
	temp          string

	plain, plainNL *native // testdata/work, and without optimisation
	work           *simulated
	machines       *simulated
	big            *simulated
	done           map[string]float64 // medians by name, for rows made of others
}

// row is one line of the table. Figures are in ns, percent or whatever format
// takes.
type row struct {
	name             string
	native, nativeNL float64 // 0: there is no such thing
	restep           float64
	format           func(float64) string
	ratio            bool // the target is a ratio to native
	target           float64
	note             string
}

func (b *bench) main() (err error) {
	if b.root, err = host.Repository("sim/bench"); err != nil {
		return err
	}
	if b.temp, err = os.MkdirTemp("", "restep-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.temp)
	defer b.close()
	about := fmt.Sprintf("%s %s/%s, %d CPUs, %s; medians of %d; load average before it %s", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), host.CPUModel(), b.rounds, host.LoadAverage())
	table := [][]string{
		{"what", "native", "native -N -l", "restep", "ratio", "target", ""},
		{"---", "---", "---", "---", "---", "---", "---"},
	}
	var failed []error
	for _, m := range measurements {
		if !b.only.MatchString(m.name) {
			continue
		}
		start := time.Now()
		rows, err := m.measure(b)
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", m.name, time.Since(start).Seconds())
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
			rows = []row{{name: m.name, note: "not measured"}}
		}
		for _, r := range rows {
			table = append(table, r.cells())
		}
	}
	fmt.Printf("%s\n\n", about)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	for _, cells := range table {
		fmt.Fprintf(w, "| %s\t\n", strings.Join(cells, "\t "))
	}
	failed = append(failed, w.Flush())
	if err := errors.Join(failed...); err != nil || !b.readme {
		return err
	}
	return b.writeReadme(about, table)
}

// Around the table in sim/README.md.
const (
	tableStart = "<!-- made by go run ./sim/bench -rounds 3 -readme -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// writeReadme replaces the table in sim/README.md.
func (b *bench) writeReadme(about string, table [][]string) error {
	path := filepath.Join(b.root, "sim", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), tableStart)
	_, after, found := strings.Cut(rest, tableEnd)
	if !ok || !found {
		return fmt.Errorf("%s has no place for the table: a line %q and a line %q", path, tableStart, tableEnd)
	}
	var out strings.Builder
	out.WriteString(before + tableStart + about + ":\n\n")
	for _, cells := range table {
		out.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	out.WriteString(tableEnd + after)
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// cells are the columns of the table.
func (r *row) cells() []string {
	cell := func(v float64) string {
		if v == 0 {
			return "–"
		}
		return r.format(v)
	}
	ratio, target, verdict := "–", "–", r.note
	if r.native > 0 && r.ratio {
		ratio = fmt.Sprintf("%.2f", r.restep/r.native)
	}
	switch {
	case r.target == 0: // compared with nothing
	case ratio != "–":
		target = fmt.Sprintf("≤ %.1f ×", r.target)
		verdict = hit(math.Round(r.restep/r.native*100)/100 <= r.target, r.note)
	default:
		target = "≤ " + r.format(r.target)
		verdict = hit(r.restep <= r.target, r.note)
	}
	return []string{r.name, cell(r.native), cell(r.nativeNL), cell(r.restep), ratio, target, verdict}
}

func hit(ok bool, note string) string {
	verdict := "missed"
	if ok {
		verdict = "ok"
	}
	if note != "" {
		verdict += "; " + note
	}
	return verdict
}

// prepare builds what the first row that needs it asks for.
func (b *bench) prepare() error {
	if b.work != nil {
		return nil
	}
	dir := filepath.Join(b.root, "sim", "bench", "testdata", "work")
	var err error
	if b.plain, err = buildNative(b.ctx, dir, "", filepath.Join(b.temp, "plain.test")); err != nil {
		return err
	}
	if b.plainNL, err = buildNative(b.ctx, dir, "github.com/restep/restep/...=-N -l", filepath.Join(b.temp, "plain-nl.test")); err != nil {
		return err
	}
	b.work, err = buildSimulated(b.ctx, dir, b.temp)
	return err
}

func (b *bench) close() {
	for _, p := range []*simulated{b.work, b.machines, b.big} {
		if p != nil {
			p.z.Close()
		}
	}
}
