//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// benchOutput puts the lines together that package testing writes about
// benchmarks, in pieces and with the same four lines in front for each process.
type benchOutput struct {
	partial []byte // of a line
	labels  map[string]bool
	width   int // of the longest name, as go test aligns them
}

// fitBenchmarks makes room for the names of the benchmarks that will be run.
func (r *reporter) fitBenchmarks(tests []string) {
	for _, name := range tests {
		if isBench(name) {
			r.bench.width = max(r.bench.width, len(name)+len("-8"))
		}
	}
	r.bench.labels = map[string]bool{}
}

// isBenchOutput reports a log step that package testing wrote about a benchmark
// itself.
func (r *reporter) isBenchOutput(d *done, s *steplog.Step) bool {
	if !isBench(d.test) || s.Kind != steplog.KindLog || s.Machine != 1 {
		return false
	}
	for _, f := range d.log.Stack(s.StackID, nil) {
		pkg, name, _ := strings.Cut(f.Func, ".")
		switch pkg {
		case "fmt", "os", "io", "syscall", "internal/poll", "runtime":
			continue
		case "testing":
			return strings.HasPrefix(name, "(*B).") || strings.HasPrefix(name, "(*benchState).")
		}
		return false
	}
	return false
}

// benchLines prints what is whole of it.
func (r *reporter) benchLines(d *done, s *steplog.Step) {
	b := &r.bench
	b.partial = append(b.partial, s.Text...)
	for {
		line, rest, whole := bytes.Cut(b.partial, []byte("\n"))
		if !whole {
			return
		}
		r.benchLine(d, string(line))
		b.partial = append(b.partial[:0], rest...)
	}
}

func (r *reporter) benchLine(d *done, line string) {
	for _, label := range []string{"goos: ", "goarch: ", "pkg: ", "cpu: "} {
		if strings.HasPrefix(line, label) {
			if !r.bench.labels[line] {
				r.sink.line(r.pkg, "", d.seed, []byte(text.Escape(line)))
			}
			r.bench.labels[line] = true
			return
		}
	}
	name, values, result := strings.Cut(line, "\t")
	if !result {
		if r.cfg.verbose && line != d.test {
			r.out("%s", text.Escape(line))
		}
		return
	}
	name = strings.TrimRight(name, " ")
	if r.cfg.seeds.count() > 1 {
		values += fmt.Sprintf("\tseed %d", d.seed)
	}
	test := withoutProcs(name)
	r.outOf(test, "%-*s\t%s", r.bench.width, text.Escape(name), text.Escape(values))
	if test != d.test {
		r.sink.sub(r.pkg, test, d.seed, runs.Pass, 0)
	}
}

// withoutProcs cuts the number of processors off a benchmark's name.
func withoutProcs(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		return name[:i]
	}
	return name
}

// benchResultLine is what package testing says of a benchmark that failed, was
// skipped, or printed something.
var benchResultLine = regexp.MustCompile(`^ *--- (FAIL|BENCH|SKIP): (Benchmark\S*)$`)

// benchResult prints such a line; that of the benchmark as a whole comes with
// its result.
func (r *reporter) benchResult(d *done, result, name string) {
	name = withoutProcs(name)
	switch {
	case name == d.test:
	case result == "BENCH": // it has its result already
		r.out("--- %s: %s", result, name)
	default:
		r.outOf(name, "--- %s: %s", r.paintResult(result), name)
		r.sink.sub(r.pkg, name, d.seed, strings.ToLower(result), 0)
	}
}
