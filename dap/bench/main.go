//go:build linux && amd64

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/restep/restep/sim/bench/host"
)

func main() {
	n := flag.Int("n", 1000, "random places of each run")
	only := flag.String("only", "", "runs to measure, a regular expression")
	profile := flag.String("cpuprofile", "", "where to write a profile of the adapter")
	flag.Parse()
	if err := bench(context.Background(), *n, *only, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// course is one of the runs. often and rarely are texts of lines to go back to.
type course struct {
	name, source, test string
	often, rarely      string
}

const big = "dap/target/testdata/big/big_test.go"

var courses = []course{
	{"machines", "cmd/restep/testdata/cases/machines/machines_test.go", "TestMachines", `log.Printf("got a request`, `http.HandleFunc(`},
	{"million", big, "TestMillion", "sum += <-done", "sum := 0"},
	{"load", big, "TestLoad", "count[r.URL.Path]++", "t.Log(string(b))"},
}

// targets are what each kind of request may take at the 95th percentile.
var targets = map[string]time.Duration{
	forward:  30 * time.Millisecond,
	backward: 50 * time.Millisecond,
}

// The kinds of requests, in the order of the table.
const (
	first    = "to the last step, first time"
	forward  = "forward jump"
	backward = "backward jump"
	fromStep = "stepBack from a step"
	fromLine = "stepBack from a line"
	often    = "reverseContinue, often hit"
	rarely   = "reverseContinue, rarely hit"
)

var kinds = []string{first, forward, backward, fromStep, fromLine, often, rarely}

func bench(ctx context.Context, n int, only, profile string) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	root, err := host.Repository("dap/bench")
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf("%s %s/%s, %d CPUs, %s; load average %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), host.CPUModel(), host.LoadAverage())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprint(w, "| run\t what\t times\t p50\t p95\t CPU p50\t CPU p95\t target\t \t\n|---\t---\t---\t---\t---\t---\t---\t---\t---\t\n")
	var notes []string
	for _, c := range courses {
		if !pattern.MatchString(c.name) {
			continue
		}
		r, err := c.measure(ctx, root, n)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		r.print(w, c.name)
		notes = append(notes, fmt.Sprintf("%s: %d steps; %s", c.name, r.steps, r.memory))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%s\n", strings.Join(notes, "\n"))
	return nil
}

// result is what one run has shown.
type result struct {
	times  map[string][]took
	steps  uint64
	memory memory
}

func (r *result) print(w *tabwriter.Writer, name string) {
	for _, k := range kinds {
		l := r.times[k]
		if len(l) == 0 {
			continue
		}
		p50, p95 := percentiles(l, func(t took) time.Duration { return t.real })
		cpu50, cpu95 := percentiles(l, func(t took) time.Duration { return t.cpu })
		target, verdict := "–", ""
		if limit := targets[k]; limit != 0 {
			target = "≤ " + milliseconds(limit)
			verdict = "ok"
			if p95 > limit {
				verdict = "missed"
			}
		}
		fmt.Fprintf(w, "| %s\t %s\t %d\t %s\t %s\t %s\t %s\t %s\t %s\t\n", name, k, len(l),
			milliseconds(p50), milliseconds(p95), milliseconds(cpu50), milliseconds(cpu95), target, verdict)
	}
}

func percentiles(l []took, of func(took) time.Duration) (p50, p95 time.Duration) {
	v := make([]time.Duration, len(l))
	for i, t := range l {
		v[i] = of(t)
	}
	slices.Sort(v)
	return v[len(v)/2], v[len(v)*95/100]
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
