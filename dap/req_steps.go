package dap

import (
	"context"
	"regexp"
	"strings"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"

	"github.com/google/go-dap"
)

// Limits of one answer.
const (
	defaultSteps = 100
	maxSteps     = 10000
	maxStepBytes = 3 << 20 // of texts: clients read at most 4 MiB
)

// onSteps lists steps of the recorded run.
func (s *session) onSteps(ctx context.Context, m dap.Message) error {
	req := m.(*StepsRequest)
	filter, grep, err := stepsFilter(&req.Arguments)
	if err != nil {
		return err
	}
	count := req.Arguments.Count
	if count <= 0 {
		count = defaultSteps
	}
	count = min(count, maxSteps)
	log := s.engine.Log()
	answer := &StepsResponse{Response: response(&req.Request), Body: StepsBody{Steps: []text.Step{}, Total: log.Steps()}}
	c := log.Cursor(filter)
	for bytes := 0; len(answer.Body.Steps) < count && bytes < maxStepBytes && c.Next(); {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		step := text.Export(log, s.prog.Source, c.Step(), false)
		if grep != nil && !grep.MatchString(step.Text) {
			continue
		}
		step.Fields = nil
		bytes += len(step.Text) + len(step.Path) + 200
		answer.Body.Steps = append(answer.Body.Steps, step)
	}
	s.out.send(answer)
	return nil
}

// stepsFilter turns the arguments into a filter, and an expression for the text
// as it is shown; nil for any.
func stepsFilter(a *StepsArguments) (f steplog.Filter, grep *regexp.Regexp, err error) {
	f.From = a.From
	if a.Machine != "" {
		f.Machines = []string{a.Machine}
	}
	if a.Kind != "" {
		for name := range strings.SplitSeq(a.Kind, ",") {
			k, ok := steplog.ParseKind(strings.TrimSpace(name))
			if !ok {
				return f, nil, userError(idArguments, "there is no kind of step %q", name)
			}
			f.Kinds = append(f.Kinds, k)
		}
	}
	if a.Grep != "" {
		if grep, err = regexp.Compile(a.Grep); err != nil {
			return f, nil, userError(idArguments, "grep: %v", err)
		}
	}
	return f, grep, nil
}
