package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// measurements are in the order of the table.
var measurements = []struct {
	name    string
	measure func(b *bench) ([]row, error)
}{
	{"channel round trip", func(b *bench) ([]row, error) {
		return b.compare("channel round trip, one machine", "TestChannel", size{1000, 1_001_000}, 1.2)
	}},
	{"map insert", func(b *bench) ([]row, error) {
		return b.compare("map insert", "TestMapInsert", size{100_000, 10_100_000}, 1.0)
	}},
	{"map lookup", func(b *bench) ([]row, error) {
		return b.compare("map lookup", "TestMapLookup", size{100_000, 20_100_000}, 1.0)
	}},
	{"switch, net/http", (*bench).switchHTTP},
	{"switch, etcd", (*bench).switchEtcd},
	{"HTTP keep-alive", func(b *bench) ([]row, error) {
		return b.compare("HTTP request, keep-alive, 2 machines", "TestHTTP", size{100, 10_100}, 0.5)
	}},
	{"UDP", (*bench).udp},
	{"fsync", (*bench).fsync},
	{"many machines", (*bench).many},
	{"stores", (*bench).stores},
	{"sleep", func(b *bench) ([]row, error) {
		v, err := b.simulated("TestSleep", size{1000, 501_000})
		return []row{{name: "Sleep(1 ms)", restep: v, format: nanoseconds, target: 250}}, err
	}},
	{"restart", (*bench).restart},
	{"seed", (*bench).seed},
	{"recording", (*bench).recording},
	{"build", (*bench).buildAfterEdit},
	{"jump", (*bench).jump},
	{"command", (*bench).command},
}

func nanoseconds(v float64) string  { return fmt.Sprintf("%.0f ns", v) }
func microseconds(v float64) string { return fmt.Sprintf("%.2f µs", v/1e3) }
func milliseconds(v float64) string { return fmt.Sprintf("%.2f ms", v/1e6) }
func seconds(v float64) string      { return fmt.Sprintf("%.2f s", v/1e9) }
func percent(v float64) string      { return fmt.Sprintf("%.1f %%", v) }

// compare measures a test natively, natively without optimisation and
// simulated, in turns.
func (b *bench) compare(name, test string, s size, target float64) ([]row, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	return b.compareOf([]runner{b.plain, b.plainNL, b.work}, name, test, s, target)
}

// compareOf is compare for three builds of another program.
func (b *bench) compareOf(runners []runner, name, test string, s size, target float64) ([]row, error) {
	values := make([][]float64, len(runners))
	for range b.rounds {
		for i, r := range runners {
			v, err := perOperation(r, test, s)
			if err != nil {
				return nil, err
			}
			values[i] = append(values[i], v)
		}
	}
	b.done[test] = median(values[2])
	format := nanoseconds
	if b.done[test] > 5000 {
		format = microseconds
	}
	return []row{{name: name, native: median(values[0]), nativeNL: median(values[1]), restep: b.done[test], format: format,
		ratio: true, target: target}}, nil
}

// simulated measures a test that has no native counterpart.
func (b *bench) simulated(test string, s size) (float64, error) {
	if err := b.prepare(); err != nil {
		return 0, err
	}
	return b.medianOf(b.work, test, s)
}

func (b *bench) medianOf(r runner, test string, s size) (float64, error) {
	var values []float64
	for range b.rounds {
		v, err := perOperation(r, test, s)
		if err != nil {
			return 0, err
		}
		values = append(values, v)
	}
	return median(values), nil
}

// switching is what a switch to another machine adds: half of what a round
// trip between machines takes longer than one on the same machine.
func (b *bench) switching(p *simulated) (float64, error) {
	var values []float64
	for range b.rounds {
		there, err := perOperation(p, "TestSwitch", size{1000, 201_000})
		if err != nil {
			return 0, err
		}
		here, err := perOperation(p, "TestChannel", size{1000, 201_000})
		if err != nil {
			return 0, err
		}
		values = append(values, (there-here)/2)
	}
	return median(values), nil
}

func (b *bench) switchHTTP() ([]row, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	v, err := b.switching(b.work)
	return []row{{name: "switch to another machine, net/http linked", restep: v, format: microseconds, target: 1500,
		note: variables(b.work)}}, err
}

func (b *bench) switchEtcd() ([]row, error) {
	if !b.heavy {
		return nil, nil
	}
	var err error
	if b.big, err = buildSimulated(b.ctx, filepath.Join(b.root, "sim", "bench", "testdata", "heavy"), b.temp); err != nil {
		return nil, err
	}
	v, err := b.switching(b.big)
	return []row{{name: "switch to another machine, etcd linked", restep: v, format: microseconds, target: 3000,
		note: variables(b.big)}}, err
}

// variables says how much each machine has of its own, and how much of it a
// switch copies.
func variables(p *simulated) string {
	size := uint64(0)
	for _, r := range p.Layout.Machine {
		size += r.Size
	}
	note := fmt.Sprintf("%d KB of variables", size>>10)
	if pieces, copied, err := p.copied(); err == nil {
		note += fmt.Sprintf(", of which %d KB are copied in %d pieces", copied>>10, pieces)
	}
	return note
}

// restepOwnBase is where a process notes which pages of variables, counted from
// the first one, no machine has ever written: see restep_pages.go. It keeps the
// notes while it waits for another run.
const restepOwnBase = 0x110018100000

// copied reads from the process that made the last run what a switch of machines
// copied there: the written pages of each range, pieces of neighbours as one.
func (p *simulated) copied() (pieces int, size uint64, err error) {
	ranges := p.Layout.Machine
	if len(ranges) == 0 {
		return 0, 0, errors.New("no variables of machines")
	}
	const page = 4096
	last := ranges[len(ranges)-1]
	base := ranges[0].Addr &^ (page - 1)
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", p.pid))
	if err != nil {
		return 0, 0, err
	}
	defer memory.Close()
	unwritten := make([]byte, (last.Addr+last.Size-base)/page+1)
	if _, err := memory.ReadAt(unwritten, restepOwnBase); err != nil {
		return 0, 0, err
	}
	for _, r := range ranges {
		open := false
		for at := r.Addr; at < r.Addr+r.Size; {
			i := (at - base) / page
			end := min(base+(i+1)*page, r.Addr+r.Size)
			if unwritten[i] == 0 {
				size += end - at
				if !open {
					pieces++
				}
			}
			open = unwritten[i] == 0
			at = end
		}
	}
	return pieces, size, nil
}

// initTime is what the init functions of the native binary take, in ns.
func (b *bench) initTime() (float64, error) {
	clock := regexp.MustCompile(`^init \S+ @\S+ ms, ([0-9.]+) ms clock`)
	var values []float64
	for range b.rounds * 4 {
		cmd := b.plain.command("TestNothing", 0)
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("init functions: %w\n%s", err, out)
		}
		sum := 0.0
		for line := range strings.Lines(string(out)) {
			if m := clock.FindStringSubmatch(line); m != nil {
				ms, err := strconv.ParseFloat(m[1], 64)
				if err != nil {
					return 0, err
				}
				sum += ms * 1e6
			}
		}
		values = append(values, sum)
	}
	return median(values), nil
}

func (b *bench) restart() ([]row, error) {
	v, err := b.simulated("TestRestart", size{20, 1020})
	if err != nil {
		return nil, err
	}
	init, err := b.initTime()
	return []row{{name: "crash and restart of an HTTP server machine", native: init, restep: v, format: milliseconds,
		target: init + 1e5, note: "native: its init functions"}}, err
}

// seed is one run of TestMachines from the request to the end of its process.
func (b *bench) seed() ([]row, error) {
	var err error
	dir := filepath.Join(b.root, "cmd", "restep", "testdata", "cases", "machines")
	if b.machines, err = buildSimulated(b.ctx, dir, b.temp); err != nil {
		return nil, err
	}
	var cpus, walls []float64
	for seed := range uint64(b.rounds * 100) {
		cpu, wall, err := b.machines.seed("TestMachines", 0, seed+1)
		if err != nil {
			return nil, err
		}
		cpus, walls = append(cpus, float64(cpu)), append(walls, float64(wall))
	}
	note := fmt.Sprintf("%s of it in the child, %d steps", milliseconds(median(cpus)), b.machines.steps())
	return []row{{name: "one seed of TestMachines, request to end", restep: median(walls), format: milliseconds, target: 2e6, note: note}}, nil
}

// recording compares runs with and without a step log.
func (b *bench) recording() ([]row, error) {
	if err := b.prepare(); err != nil {
		return nil, err
	}
	defer func() { b.work.silent = false }()
	s := size{100, 20_100}
	var values []float64
	for range b.rounds {
		var v [2]float64
		for i, silent := range []bool{true, false} {
			b.work.silent = silent
			var err error
			if v[i], err = perOperation(b.work, "TestHTTP", s); err != nil {
				return nil, err
			}
		}
		values = append(values, (v[1]/v[0]-1)*100)
	}
	steps := float64(b.work.steps()) / float64(s.large)
	return []row{{name: "recording, of an HTTP request", restep: median(values), format: percent, target: 10,
		note: fmt.Sprintf("%.0f steps each", steps)}}, nil
}

// processTime is what a command took, with its children.
func processTime(cmd *exec.Cmd) time.Duration {
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
