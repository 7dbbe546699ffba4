//go:build linux && amd64

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// measure goes to n random places of a run.
func (c *course) measure(ctx context.Context, root string, n int) (r *result, err error) {
	source, err := os.ReadFile(filepath.Join(root, c.source))
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "restep-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "bench_test.go")
	for name, text := range map[string]string{
		file: string(source),
		filepath.Join(dir, "go.mod"): "module example.org/bench\n\ngo 1.26\n\nrequire github.com/restep/restep v0.0.0\n\n" +
			"replace github.com/restep/restep => " + root + "\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	s := dial(ctx)
	defer s.close()
	m := &measurement{session: s, course: c, file: file, text: string(source), r: &result{times: map[string][]took{}}}
	if err := m.open(dir); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(1, 2))
	for done := 0; done < n; {
		ok, err := m.visit(1 + random.Uint64N(m.r.steps))
		if err != nil {
			return nil, err
		}
		if ok {
			done++
		}
	}
	m.r.memory = sessionMemory()
	return m.r, nil
}

// measurement is a session that is being measured.
type measurement struct {
	*session
	course *course
	file   string
	text   string
	r      *result
	at     uint64 // last known step
}

func (m *measurement) line(part string) int {
	for i, line := range strings.Split(m.text, "\n") {
		if strings.Contains(line, part) {
			return i + 1
		}
	}
	panic("bench: no line has " + part)
}

// open launches the run and goes to its end once.
func (m *measurement) open(dir string) error {
	if err := m.launch(map[string]any{"program": dir, "test": m.course.test, "seed": 1, "step": 1}); err != nil {
		return err
	}
	steps, err := m.ask("restep/steps", map[string]any{"count": 1})
	if err != nil {
		return err
	}
	m.r.steps = steps.Body.Total
	m.at = 1
	return m.jump(m.r.steps, first)
}

// jump goes to a step and notes how long it took, as what.
func (m *measurement) jump(n uint64, what string) error {
	t, s, err := m.timed("restep/jump", map[string]any{"step": n})
	if err != nil {
		return fmt.Errorf("to step %d: %w", n, err)
	}
	if want := fmt.Sprintf("#%d", n); s.Body.Text != want {
		return fmt.Errorf("the jump to %s stopped at %q", want, s.Body.Text)
	}
	m.note(what, t)
	m.at = n
	return nil
}

func (m *measurement) note(what string, t took) {
	m.r.times[what] = append(m.r.times[what], t)
}

// visit does everything once, from a step. It returns false where no goroutine
// is stopped that could step back.
func (m *measurement) visit(n uint64) (bool, error) {
	if n == m.at {
		return false, nil
	}
	what := forward
	if n < m.at {
		what = backward
	}
	t, s, err := m.timed("restep/jump", map[string]any{"step": n})
	if err != nil {
		return false, fmt.Errorf("to step %d: %w", n, err)
	}
	if want := fmt.Sprintf("#%d", n); s.Body.Text != want {
		return false, fmt.Errorf("the jump to %s stopped at %q", want, s.Body.Text)
	}
	m.note(what, t)
	m.at = n
	thread := s.Body.ThreadID
	for _, kind := range []string{fromStep, fromLine} {
		t, s, err := m.timed("stepBack", map[string]any{"threadId": thread})
		if refused(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("stepBack at step %d: %w", n, err)
		}
		m.note(kind, t)
		thread = s.Body.ThreadID
	}
	if err := m.backTo(n, often, m.line(m.course.often)); err != nil {
		return false, err
	}
	return true, m.backTo(n, rarely, m.line(m.course.rarely))
}

// backTo goes to the last hit of a line before step n.
func (m *measurement) backTo(n uint64, kind string, line int) error {
	if err := m.breakpoints(m.file, line); err != nil {
		return err
	}
	if _, _, err := m.timed("restep/jump", map[string]any{"step": n}); err != nil {
		return fmt.Errorf("to step %d: %w", n, err)
	}
	t, s, err := m.timed("reverseContinue", map[string]any{"threadId": 1})
	if err != nil {
		return fmt.Errorf("reverseContinue at step %d: %w", n, err)
	}
	if s.Body.Reason == "breakpoint" { // else it is the start of the run
		m.note(kind, t)
	}
	return m.breakpoints(m.file)
}
