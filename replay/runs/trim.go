package runs

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"time"
)

// strayAge is how old a log must be that no line of the index names, before it
// is removed: the process that made it may be about to write the line.
const strayAge = time.Hour

// trim removes logs that are over the caps and shortens the index.
func (s *Store) trim() error {
	unlock, err := s.lock(true)
	if err != nil {
		return err
	}
	defer unlock()
	b, err := s.lines()
	if err != nil {
		return fmt.Errorf("read the index of runs: %w", err)
	}
	files, err := s.logs()
	if err != nil {
		return fmt.Errorf("list the step logs: %w", err)
	}
	logged, lines := loggedRuns(b, files)
	keep := keepLogs(logged, files)
	for name, f := range files {
		if !keep[name] && (isLogged(logged, name) || time.Since(time.Unix(0, f.mtime)) > strayAge) {
			_ = s.root.Remove("logs/" + name)
		}
	}
	named := map[string]bool{}
	for i := range logged {
		if keep[logged[i].Log] {
			named[logged[i].Inputs] = true
		}
	}
	s.trimInputs(named)
	if lines <= maxLines {
		return nil
	}
	return s.shorten(b, lines, keep)
}

// loggedRuns returns the runs whose logs are there, newest first and each log
// once, and the number of lines. Only lines that name one of the files are
// parsed: there may be very many others.
func loggedRuns(b []byte, files map[string]logFile) (logged []Result, lines int) {
	for line := range bytes.Lines(b) {
		lines++
		_, name, _ := bytes.Cut(line, []byte(`"log":"`))
		name, _, _ = bytes.Cut(name, []byte(`"`))
		if _, there := files[string(name)]; !there {
			continue
		}
		if r, ok := parseLine(bytes.TrimSuffix(line, []byte("\n"))); ok && r.Log != "" {
			if _, there := files[r.Log]; there {
				logged = append(logged, r)
			}
		}
	}
	slices.Reverse(logged)
	seen := map[string]bool{}
	return slices.DeleteFunc(logged, func(r Result) bool {
		again := seen[r.Log]
		seen[r.Log] = true
		return again
	}), lines
}

func isLogged(logged []Result, name string) bool {
	return slices.ContainsFunc(logged, func(r Result) bool { return r.Log == name })
}

// keepLogs decides which logs stay: the newest of each test in any case, then
// failures and the last runs, newest first, as long as there is room.
func keepLogs(logged []Result, files map[string]logFile) map[string]bool {
	keep := map[string]bool{}
	newest := map[key]bool{}
	count, size, passes := 0, int64(0), 0
	take := func(name string) {
		keep[name] = true
		count++
		size += files[name].size
	}
	for i := range logged {
		r := &logged[i]
		if !newest[r.key()] {
			newest[r.key()] = true
			take(r.Log)
		}
	}
	for i := range logged {
		r := &logged[i]
		if r.Result != Fail {
			if passes++; passes > keptPasses {
				continue
			}
		}
		if !keep[r.Log] && count < maxLogs && size+files[r.Log].size <= maxLogBytes {
			take(r.Log)
		}
	}
	return keep
}

// shorten puts a shorter index in the place of the old one, in one step: its
// last lines and those that name a log that is kept.
func (s *Store) shorten(b []byte, lines int, keep map[string]bool) error {
	const left = maxLines * 9 / 10 // room until the next time
	var out []byte
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if n <= lines-left {
			r, ok := parseLine(bytes.TrimSuffix(line, []byte("\n")))
			if !ok || !keep[r.Log] {
				continue
			}
		}
		out = append(out, line...)
	}
	return s.replaceIndex(out)
}

// replaceIndex puts another index in the place of the old one, in one step.
// Call it with the lock taken alone.
func (s *Store) replaceIndex(out []byte) error {
	name := s.tmp + "/index"
	if err := s.root.WriteFile(name, out, 0o644); err != nil {
		return fmt.Errorf("shorten the index of runs: %w", err)
	}
	if err := s.root.Rename(name, "index"); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("shorten the index of runs: %w", err)
	}
	return nil
}
