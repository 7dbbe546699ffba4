package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Descendants are the processes below pid.
func Descendants(pid int) (all []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, err := os.ReadFile(t)
		if err != nil {
			continue
		}
		for _, s := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(s); err == nil {
				all = append(append(all, child), Descendants(child)...)
			}
		}
	}
	return all
}

// Memory is what a process holds, in KB. PSS counts a page that n processes
// share as 1/n of it, RSS wholly.
type Memory struct {
	RSS, PSS int
}

// MemoryOf reads the memory of a process; false if there is no such process.
func MemoryOf(pid int) (Memory, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return Memory{}, false
	}
	var m Memory
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch kb, _ := strconv.Atoi(f[1]); f[0] {
		case "Rss:":
			m.RSS = kb
		case "Pss:":
			m.PSS = kb
		}
	}
	return m, true
}

// CPUTime is how long a process of one thread has been on a CPU; false if there
// is no such process.
func CPUTime(pid int) (time.Duration, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0, false
	}
	first, _, _ := strings.Cut(string(b), " ")
	ns, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(ns), err == nil
}

// CPUModel is what the host calls its processor.
func CPUModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// LoadAverage is how many tasks wanted a processor, over the last minute.
func LoadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if first, _, ok := strings.Cut(string(b), " "); err == nil && ok {
		return first
	}
	return "unknown"
}

// Repository is the folder of this module, at or above the working directory.
// command, a folder below it, is what the error tells to run there.
func Repository(command string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, command, "doc.go")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("run it in a clone of the repository: go run ./%s", command)
		}
	}
}
