//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// memory is what the processes of a session hold: this one, the zygote, the
// program and its checkpoints.
type memory struct {
	processes int
	rss, pss  int // in KB; pss counts a page that several share once
	own       int // of rss, this process
}

func (m memory) String() string {
	return fmt.Sprintf("%d processes hold %.0f MB together (PSS), %.0f MB counted one by one (RSS), %.0f of it the adapter",
		m.processes, float64(m.pss)/1024, float64(m.rss)/1024, float64(m.own)/1024)
}

func sessionMemory() (m memory) {
	pids := append(descendants(os.Getpid()), os.Getpid())
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue // it has ended meanwhile
		}
		m.processes++
		rss := field(string(text), "Rss:")
		m.rss += rss
		m.pss += field(string(text), "Pss:")
		if pid == os.Getpid() {
			m.own = rss
		}
	}
	return m
}

// field is a number of smaps_rollup, in KB.
func field(text, name string) int {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == name {
			kb, _ := strconv.Atoi(f[1])
			return kb
		}
	}
	return 0
}

// descendants are the processes below pid; one that ends meanwhile is left out.
func descendants(pid int) (all []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		for _, s := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(s); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

// cpuTimes are of the children of a session, by process.
type cpuTimes map[int]time.Duration

// childrenCPU is what each process below this one has used. The first field is
// the time on a CPU, in ns: Documentation/scheduler/sched-stats.rst.
func childrenCPU() cpuTimes {
	times := cpuTimes{}
	for _, pid := range descendants(os.Getpid()) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
		if err != nil {
			continue
		}
		var ns int64
		if _, err := fmt.Sscan(string(text), &ns); err == nil {
			times[pid] = time.Duration(ns)
		}
	}
	return times
}

// since is how much more the processes of now have used than those of before.
// One that has ended meanwhile does not count.
func (now cpuTimes) since(before cpuTimes) (d time.Duration) {
	for pid, t := range now {
		d += t - before[pid]
	}
	return d
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
