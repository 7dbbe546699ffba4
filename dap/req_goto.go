package dap

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// maxTargets bounds the steps that one line offers; those nearest to where the
// program is are kept.
const maxTargets = 1000

// maxLabel bounds the text of a step in a target's label, in bytes.
const maxLabel = 80

// onGotoTargets lists the steps that a source line made. The number of a step
// is the number of its target.
func (s *session) onGotoTargets(ctx context.Context, m dap.Message) error {
	req := m.(*dap.GotoTargetsRequest)
	if req.Arguments.Source.Path == "" {
		return silentError(idArguments, "gotoTargets needs the path of a source")
	}
	file := target.BinaryPath(s.rules, req.Arguments.Source.Path)
	numbers, err := s.stepsOfLine(ctx, file, req.Arguments.Line)
	if err != nil {
		return err
	}
	if len(numbers) > maxTargets {
		at, _ := slices.BinarySearch(numbers, s.currentStep())
		from := min(max(0, at-maxTargets/2), len(numbers)-maxTargets)
		numbers = numbers[from : from+maxTargets]
	}
	answer := &dap.GotoTargetsResponse{Response: response(&req.Request)}
	answer.Body.Targets = make([]dap.GotoTarget, 0, len(numbers))
	for _, n := range numbers {
		answer.Body.Targets = append(answer.Body.Targets, dap.GotoTarget{
			Id: int(n), Label: s.stepLabel(n), Line: req.Arguments.Line,
		})
	}
	s.out.send(answer)
	return nil
}

// currentStep is the last step made, 0 when that is not known.
func (s *session) currentStep() uint64 {
	s.mu.Lock()
	t := s.target
	s.mu.Unlock()
	if t == nil || s.currentState()&halted == 0 {
		return 0
	}
	state, err := t.State()
	if err != nil {
		return 0
	}
	return state.Step
}

// stepsOfLine returns the steps whose place is a line. When there are none it
// returns those made by what the line called.
func (s *session) stepsOfLine(ctx context.Context, file string, line int) ([]uint64, error) {
	const (
		elsewhere = iota + 1
		below
		here
	)
	log := s.engine.Log()
	known := make([]uint8, log.Stacks()+1) // by id of the stack
	classify := func(id uint32) uint8 {
		frames := log.Stack(id, nil)
		if f, ok := s.prog.Source.Place(frames); ok && f.Line == line && f.File == file {
			return here
		}
		if slices.ContainsFunc(frames, func(f steplog.Frame) bool { return f.Line == line && f.File == file }) {
			return below
		}
		return elsewhere
	}
	var made, called []uint64
	for c := log.Cursor(steplog.Filter{}); c.Next(); {
		step := c.Step()
		if step.Number%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if step.StackID == 0 || int(step.StackID) >= len(known) {
			continue
		}
		if known[step.StackID] == 0 {
			known[step.StackID] = classify(step.StackID)
		}
		switch known[step.StackID] {
		case here:
			made = append(made, step.Number)
		case below:
			called = append(called, step.Number)
		}
	}
	if len(made) == 0 {
		return called, nil
	}
	return made, nil
}

// stepLabel names a step: "#46 server/7 14:10:04.000 got a request".
func (s *session) stepLabel(n uint64) string {
	log := s.engine.Log()
	step, err := log.Step(n)
	if err != nil {
		return "#" + strconv.FormatUint(n, 10)
	}
	label := "#" + strconv.FormatUint(n, 10) + " " + text.Who(log, &step) + " " +
		time.Unix(0, step.TimeNs).UTC().Format("15:04:05.000")
	what := text.Export(log, s.prog.Source, &step, false).Text
	what, _, _ = strings.Cut(what, "\n")
	if len(what) > maxLabel {
		what = strings.ToValidUTF8(what[:maxLabel], "") + "…"
	}
	if what != "" {
		label += " " + what
	}
	return label
}

// onGoto goes to a step that gotoTargets has listed.
func (s *session) onGoto(ctx context.Context, m dap.Message) error {
	req := m.(*dap.GotoRequest)
	if req.Arguments.TargetId <= 0 {
		return userError(idNoStep, "there is no step #%d", req.Arguments.TargetId)
	}
	answer := &dap.GotoResponse{Response: response(&req.Request)}
	return s.moveTo(ctx, &req.Request, uint64(req.Arguments.TargetId), "goto", answer)
}
