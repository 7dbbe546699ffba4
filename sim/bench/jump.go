package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// jump runs the benchmark of package dap/target and takes its figures over: the
// 95th percentiles of jumps to random steps, in a run of a million steps and in
// one of five machines with 50 MB of heap.
func (b *bench) jump() ([]row, error) {
	cmd := exec.CommandContext(b.ctx, "go", "test", "-run=^$", "-bench=Jump/(million|load)", "-benchtime=300x", "./dap/target")
	cmd.Dir = b.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	figure := regexp.MustCompile(`([0-9.]+) (forth|back)-p95-ms`)
	runs := map[string]string{"million": "a million steps", "load": "50 MB of heap"}
	targets := map[string]float64{"forth": 30e6, "back": 50e6}
	names := map[string]string{"forth": "forward", "back": "backward"}
	var rows []row
	for line := range strings.Lines(string(out)) {
		name, rest, _ := strings.Cut(strings.TrimPrefix(line, "BenchmarkJump/"), "-")
		for _, m := range figure.FindAllStringSubmatch(rest, -1) {
			ms, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row{name: fmt.Sprintf("%s jump, p95, %s", names[m[2]], runs[name]),
				restep: ms * 1e6, format: milliseconds, target: targets[m[2]]})
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no figures in\n%s", strings.Join(cmd.Args, " "), out)
	}
	return rows, nil
}
