package runs

import (
	"bytes"
	"fmt"
	"time"
)

// Prune says which runs may go: those that are not among the Keep newest and
// ended before Before. The zero Before is any time.
type Prune struct {
	Keep   int
	Before time.Time
}

// Pruned is what was removed.
type Pruned struct {
	Runs  int   // lines of the index
	Logs  int   // files
	Bytes int64 // of the files
	Left  int   // runs that stay
}

// Prune removes runs, from the index and with their logs. A log that another
// run has too stays, and so does one that is so new that its run may not be
// noted yet.
func (s *Store) Prune(p Prune) (Pruned, error) {
	var done Pruned
	unlock, err := s.lock(true)
	if err != nil {
		return done, err
	}
	defer unlock()
	b, err := s.lines()
	if err != nil {
		return done, fmt.Errorf("read the index of runs: %w", err)
	}
	files, err := s.logs()
	if err != nil {
		return done, fmt.Errorf("list the step logs: %w", err)
	}
	out, keep := p.split(b, &done)
	if done.Runs > 0 {
		if err := s.replaceIndex(out); err != nil {
			return done, err
		}
	}
	for name, f := range files {
		gone := !keep[name] && (isGone(keep, name) || time.Since(time.Unix(0, f.mtime)) > strayAge)
		if gone && s.root.Remove("logs/"+name) == nil {
			done.Logs++
			done.Bytes += f.size
		}
	}
	return done, nil
}

// split returns the lines that stay, and for each log whether a run that stays
// has it. Damaged lines go.
func (p *Prune) split(b []byte, done *Pruned) (out []byte, keep map[string]bool) {
	total := 0
	for line := range bytes.Lines(b) {
		if _, ok := parseLine(bytes.TrimSuffix(line, []byte("\n"))); ok {
			total++
		}
	}
	keep = map[string]bool{}
	n := 0
	for line := range bytes.Lines(b) {
		r, ok := parseLine(bytes.TrimSuffix(line, []byte("\n")))
		if !ok {
			continue
		}
		n++
		stays := n > total-p.Keep || !p.Before.IsZero() && !r.Time.Before(p.Before)
		if r.Log != "" {
			keep[r.Log] = keep[r.Log] || stays
		}
		if !stays {
			done.Runs++
			continue
		}
		done.Left++
		out = append(out, line...)
	}
	return out, keep
}

// isGone reports a log that only runs had that are removed.
func isGone(keep map[string]bool, name string) bool {
	stays, known := keep[name]
	return known && !stays
}
