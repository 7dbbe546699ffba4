//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/restep/restep/sim/bench/host"
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
	pids := append(host.Descendants(os.Getpid()), os.Getpid())
	for _, pid := range pids {
		one, ok := host.MemoryOf(pid)
		if !ok {
			continue // it has ended meanwhile
		}
		m.processes++
		m.rss += one.RSS
		m.pss += one.PSS
		if pid == os.Getpid() {
			m.own = one.RSS
		}
	}
	return m
}

// cpuTimes are of the children of a session, by process.
type cpuTimes map[int]time.Duration

// childrenCPU is what each process below this one has used.
func childrenCPU() cpuTimes {
	times := cpuTimes{}
	for _, pid := range host.Descendants(os.Getpid()) {
		if d, ok := host.CPUTime(pid); ok {
			times[pid] = d
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
