package dap

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay/match"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// points are the breakpoints on the simulation: function breakpoints whose
// name is a pattern, and exception filters. Each is a list of the steps of the
// recorded run, so the program needs to know only the next one.
type points struct {
	functions  []point
	exceptions []point
}

// point is one of them.
type point struct {
	id        int    // the client's; 0 for an exception filter
	exception string // the filter, "" for a breakpoint
	steps     []uint64
}

// pointID numbers the i-th function breakpoint, apart from Delve's numbers.
func pointID(i int) int { return -10 - i }

// maxPoints bounds the function breakpoints of a session, so that their
// numbers stay apart from those of dap/target.
const maxPoints = 400

// next returns the first step after n that has a point, 0 when there is none.
func (p *points) next(n uint64) uint64 {
	first := uint64(0)
	for _, list := range [][]point{p.functions, p.exceptions} {
		for _, one := range list {
			i := sort.Search(len(one.steps), func(i int) bool { return one.steps[i] > n })
			if i < len(one.steps) && (first == 0 || one.steps[i] < first) {
				first = one.steps[i]
			}
		}
	}
	return first
}

// prev returns the last step before n that has a point, 0 when there is none.
func (p *points) prev(n uint64) uint64 {
	last := uint64(0)
	for _, list := range [][]point{p.functions, p.exceptions} {
		for _, one := range list {
			if i := sort.Search(len(one.steps), func(i int) bool { return one.steps[i] >= n }); i > 0 {
				last = max(last, one.steps[i-1])
			}
		}
	}
	return last
}

// at returns the numbers of the breakpoints at step n, and the exception
// filters.
func (p *points) at(n uint64) (ids []int, exceptions []string) {
	for _, list := range [][]point{p.functions, p.exceptions} {
		for _, one := range list {
			if _, ok := slices.BinarySearch(one.steps, n); !ok {
				continue
			}
			if one.exception != "" {
				exceptions = append(exceptions, one.exception)
			} else {
				ids = append(ids, one.id)
			}
		}
	}
	return ids, exceptions
}

// onFunctionBreakpoints keeps breakpoints on the simulation here and passes the
// rest on. The answer has them in the client's order.
func (s *session) onFunctionBreakpoints(_ context.Context, m dap.Message) error {
	req := m.(*dap.SetFunctionBreakpointsRequest)
	if len(req.Arguments.Breakpoints) > maxPoints {
		return userError(idArguments, "%d function breakpoints; the limit is %d", len(req.Arguments.Breakpoints), maxPoints)
	}
	passed := *req
	passed.Arguments.Breakpoints = []dap.FunctionBreakpoint{}
	own := map[int]dap.Breakpoint{} // by index in the request
	var set []point
	for i, b := range req.Arguments.Breakpoints {
		p, ours, err := match.Parse(b.Name)
		if !ours {
			b.Condition = s.machineCondition(b.Condition)
			passed.Arguments.Breakpoints = append(passed.Arguments.Breakpoints, b)
			continue
		}
		one := point{id: pointID(i)}
		if err == nil {
			one.steps, err = selectSteps(p.Steps(s.engine.Log()), b)
		}
		own[i] = answerPoint(one, err)
		if err == nil {
			set = append(set, one)
		}
	}
	return s.forwardWith(&passed, func(answer dap.Message) {
		r, ok := answer.(*dap.SetFunctionBreakpointsResponse)
		if !ok {
			return
		}
		s.mu.Lock()
		s.points.functions = set
		s.mu.Unlock()
		delves := r.Body.Breakpoints
		r.Body.Breakpoints = make([]dap.Breakpoint, 0, len(req.Arguments.Breakpoints))
		for i := range req.Arguments.Breakpoints {
			if b, ok := own[i]; ok {
				r.Body.Breakpoints = append(r.Body.Breakpoints, b)
			} else if len(delves) > 0 {
				r.Body.Breakpoints = append(r.Body.Breakpoints, delves[0])
				delves = delves[1:]
			}
		}
	})
}

// selectSteps applies a breakpoint's hit condition: "3" and "== 3" are the
// third step, ">= 3" all from there, "% 3" every third.
func selectSteps(steps []uint64, b dap.FunctionBreakpoint) ([]uint64, error) {
	if b.Condition != "" {
		return nil, fmt.Errorf("a breakpoint on the simulation has no condition; its name says which steps it means")
	}
	text := strings.TrimSpace(b.HitCondition)
	if text == "" {
		return steps, nil
	}
	digits := strings.TrimLeft(text, "=<>!% ")
	op := strings.TrimSpace(text[:len(text)-len(digits)])
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || op == "%" && n == 0 {
		return nil, fmt.Errorf("the hit condition %q is none of: 3, == 3, > 3, >= 3, < 3, <= 3, != 3, %% 3", text)
	}
	ok := map[string]func(i int) bool{
		"": func(i int) bool { return i == n }, "==": func(i int) bool { return i == n }, "!=": func(i int) bool { return i != n },
		">": func(i int) bool { return i > n }, ">=": func(i int) bool { return i >= n },
		"<": func(i int) bool { return i < n }, "<=": func(i int) bool { return i <= n }, "%": func(i int) bool { return i%n == 0 },
	}[op]
	if ok == nil {
		return nil, fmt.Errorf("the hit condition %q has no operator %q", text, op)
	}
	var kept []uint64
	for i, step := range steps {
		if ok(i + 1) {
			kept = append(kept, step)
		}
	}
	return kept, nil
}

// answerPoint describes a breakpoint to the client.
func answerPoint(p point, err error) dap.Breakpoint {
	b := dap.Breakpoint{Id: p.id, Verified: err == nil}
	switch {
	case err != nil:
		b.Message = err.Error()
	case len(p.steps) == 0:
		b.Message = "no step of this run"
	case len(p.steps) == 1:
		b.Message = fmt.Sprintf("at step #%d", p.steps[0])
	default:
		b.Message = fmt.Sprintf("at %d steps, the first is #%d, the last #%d", len(p.steps), p.steps[0], p.steps[len(p.steps)-1])
	}
	return b
}

// exceptionPoints are the exception filters that are steps of the recorded
// run.
var exceptionPoints = []struct {
	filter, label, description string
	kinds                      []steplog.Kind
}{
	{"machine-crash", "Machine Crashes", "a machine loses power or is killed", []steplog.Kind{steplog.KindCrash, steplog.KindKill}},
	{"machine-panic", "Machine Panics", "a machine ends by a panic", []steplog.Kind{steplog.KindPanic}},
	{"test-failure", "Test Failures", "the test reports a failure", nil},
	{"deadlock", "Deadlocks and Time-outs", "nothing can run any more, or the simulated time is over", []steplog.Kind{steplog.KindDeadlock, steplog.KindTimeout}},
}

// exceptionPoint finds the steps of a filter. ok is false for one that is not
// ours.
func (s *session) exceptionPoint(filter string) (p point, ok bool) {
	for _, e := range exceptionPoints {
		if e.filter != filter {
			continue
		}
		p = point{exception: e.label}
		if e.kinds == nil {
			p.steps = s.failures()
			return p, true
		}
		for c := s.engine.Log().Cursor(steplog.Filter{Kinds: e.kinds}); c.Next(); {
			p.steps = append(p.steps, c.Step().Number)
		}
		return p, true
	}
	return p, false
}

// failures returns the step at which the run failed, if it did.
func (s *session) failures() []uint64 {
	log := s.engine.Log()
	ending := runs.Ending{}
	if last, err := log.Step(log.Steps()); err == nil && last.Kind == steplog.KindEnd {
		if code, ok := last.Field(steplog.TagExitCode); ok {
			ending.ExitCode = int(code.Int())
		}
	}
	out := runs.Judge(log, s.prog.Source, ending)
	if out.Failure == nil || out.Failure.Step == 0 {
		return nil
	}
	return []uint64{out.Failure.Step}
}

// Of the goroutine that runs: the number of its process, which is that of its
// machine for the machine's own program, and the machine of a child (runtime,
// restep_child.go).
const (
	runningProcess = "runtime.curg.restepMachine"
	hostOfRunning  = "runtime.restep.machine[runtime.curg.restepMachine].host"
)

// isMachine is the condition that a machine with a label runs. Where several of
// the run had the label, or the number, only the kernel knows who has it now.
// The runtime's own goroutines, number 0, are of no machine.
func (s *session) isMachine(label string) string {
	machines := s.engine.Log().Machines()
	id, had := uint64(1<<31), 0 // no machine has that number
	for _, m := range machines {
		if m.Label == label {
			id = uint64(m.ID)
			had++
		}
	}
	if had > 1 || len(machines) >= target.FirstChild {
		if running, err := s.target.LabelExpr(runningProcess); err == nil {
			host, _ := s.target.LabelExpr(hostOfRunning)
			return fmt.Sprintf("%s > 0 && %[1]s < %d && %s == %q || %[1]s >= %[2]d && %s == %[4]q",
				runningProcess, target.FirstChild, running, label, host)
		}
	}
	return fmt.Sprintf("%s == %d || %s == %[2]d", runningProcess, id, hostOfRunning)
}

// machineCondition translates the comparisons machine == "label" and != in a
// condition of Delve's language. What cannot be parsed is left to Delve, which
// says why.
func (s *session) machineCondition(condition string) string {
	if !strings.Contains(condition, "machine") {
		return condition
	}
	expr, err := parser.ParseExpr(condition)
	if err != nil {
		return condition
	}
	changed := false
	ast.Inspect(expr, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if !ok || b.Op != token.EQL && b.Op != token.NEQ {
			return true
		}
		name, okName := b.X.(*ast.Ident)
		value, okValue := b.Y.(*ast.BasicLit)
		if !okName || !okValue || name.Name != "machine" || value.Kind != token.STRING {
			return true
		}
		label, err := strconv.Unquote(value.Value)
		if err != nil {
			return true
		}
		is, err := parser.ParseExpr(s.isMachine(label))
		if err != nil {
			return true
		}
		*b = ast.BinaryExpr{X: &ast.ParenExpr{X: is}, Op: b.Op, Y: ast.NewIdent("true")}
		changed = true
		return false
	})
	if !changed {
		return condition
	}
	var out strings.Builder
	if printer.Fprint(&out, token.NewFileSet(), expr) != nil {
		return condition
	}
	return out.String()
}
