package dap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/target"
	"github.com/restep/restep/replay"
	"github.com/restep/restep/sim/steplog"
)

// onRestart builds the program anew and runs it from the start, with the same
// launch arguments or others: another seed, another step. Breakpoints stay;
// those on data do not, for they are addresses of the run before.
func (s *session) onRestart(ctx context.Context, m dap.Message) error {
	req := m.(*dap.RestartRequest)
	raw, err := mergeArguments(s.launchRaw, req.Arguments)
	if err != nil {
		return userError(idArguments, "the launch configuration is wrong: %v", err)
	}
	args := &launchArguments{}
	if err := json.Unmarshal(raw, args); err != nil {
		return userError(idArguments, "the launch configuration is wrong: %v", err)
	}
	if _, err := args.spec(s.opt.Dir); err != nil {
		return err // and the program stays
	}
	s.endProgramIn(ended) // what Delve says of the end is not for the client
	s.mu.Lock()
	s.state, s.shown, s.terminated, s.restarted = configuring, 0, false, true
	s.mu.Unlock()
	s.converge()
	if err = s.load(ctx, req.Seq, args); err == nil {
		s.launch, s.launchRaw = args, raw
		s.engine = replay.NewEngine(s.prog.Log, s.target)
		s.engine.Changed = s.prog.ChangedSince
		err = s.connect(ctx, raw)
	}
	if err == nil {
		s.settings.repeat(func(m dap.Message) error {
			return s.table[m.(dap.RequestMessage).GetRequest().Command].do(s, ctx, m)
		}, s.backend.done, func(lost setting, why string) {
			s.console(fmt.Sprintf("restep: %s could not be set again: %s", lost.key, why))
		})
		err = s.configured(ctx)
	}
	if err != nil {
		s.out.send(jumpFailure(err).response(&req.Request))
		s.complain(err.Error())
		s.endProgram()
		return nil
	}
	s.out.send(&dap.RestartResponse{Response: response(&req.Request)})
	s.begin(ctx)
	return nil
}

// mergeArguments puts the arguments of a restart over those of the launch. A
// client sends its launch configuration as arguments.arguments; names that it
// leaves out stay as they were.
func mergeArguments(launch, restart json.RawMessage) (json.RawMessage, error) {
	merged, over := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(launch, &merged); err != nil {
		return nil, err
	}
	if len(restart) > 0 {
		if err := json.Unmarshal(restart, &over); err != nil {
			return nil, err
		}
	}
	if inner, ok := over["arguments"]; ok {
		over = nil
		if err := json.Unmarshal(inner, &over); err != nil {
			return nil, err
		}
	}
	maps.Copy(merged, over)
	return json.Marshal(merged)
}

// maxEntries bounds how often a function may be entered between the step
// before a call and the call itself.
const maxEntries = 10000

// onRestartFrame goes back to the start of the call that a frame belongs to:
// to the last step of its goroutine before the call, and from there to the
// function's first statement.
func (s *session) onRestartFrame(ctx context.Context, m dap.Message) error {
	req := m.(*dap.RestartFrameRequest)
	owner, ok := s.frameOwner(req.Arguments.FrameId)
	if !ok {
		return silentError(idArguments, "there is no frame %d", req.Arguments.FrameId)
	}
	if owner.goroutine <= 0 {
		return userError(idArguments, "no goroutine runs here: there is no call to restart")
	}
	frames, err := s.target.Frames(owner.goroutine)
	if err != nil {
		return userError(idDebugger, "%v", err)
	}
	if owner.index >= len(frames) {
		return silentError(idArguments, "frame %d is gone", req.Arguments.FrameId)
	}
	state, err := s.target.State()
	if err != nil {
		return err
	}
	if at := s.changedAt(); at != 0 {
		return userError(idJump, "you changed the program at step #%d: its calls are not those of the recorded run; go to a step first", at)
	}
	from, err := s.beforeCall(owner.goroutine, frames[owner.index:], state.Step)
	if err != nil {
		return err
	}
	p := s.startProgress(req.Seq, "Going back to the call of "+frames[owner.index].Func, progressDelay)
	defer p.done()
	if err := s.enterAgain(ctx, owner.goroutine, frames[owner.index], from, state.Step); err != nil {
		if s.lost() || !s.returnTo(state.Step) {
			s.out.send(jumpFailure(err).response(&req.Request))
			s.complain(err.Error())
			s.endProgram()
			return nil
		}
		return err
	}
	s.converge()
	s.setState(stopped)
	s.out.send(&dap.RestartFrameResponse{Response: response(&req.Request)})
	s.announce(&dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{
		Reason: "restart", ThreadId: int(owner.goroutine),
	}}, false)
	return nil
}

// enterAgain goes to the last entry of a frame's call between two steps, or,
// when there is none, to the first one after the later step.
func (s *session) enterAgain(ctx context.Context, goroutine int64, f target.Frame, from, to uint64) error {
	if err := s.backend.idle(ctx); err != nil {
		return err
	}
	if err := s.engine.Jump(ctx, from); err != nil {
		return err
	}
	entries := 0
	for ; from < to && entries < maxEntries; entries++ {
		err := s.target.Enter(ctx, goroutine, f, to)
		if errors.Is(err, target.ErrNoEntry) {
			break
		}
		if err != nil {
			return err
		}
	}
	if entries == maxEntries {
		return userError(idJump, "%s is called more than %d times between #%d and #%d: go to a later step first", f.Func, maxEntries, from, to)
	}
	if entries > 0 {
		if err := s.engine.Jump(ctx, from); err != nil {
			return err
		}
	}
	for range max(entries, 1) {
		bound := to
		if entries == 0 {
			bound = to + 1
		}
		if err := s.target.Enter(ctx, goroutine, f, bound); err != nil {
			return userError(idJump, "restart the call of %s: from step #%d on it was not entered: %v", f.Func, from, err)
		}
	}
	return nil
}

// beforeCall finds the last step, at or before a given one, that a goroutine
// made before a call; or the one that started the goroutine. stack is that of
// the goroutine from the call's frame outwards.
func (s *session) beforeCall(goroutine int64, stack []target.Frame, at uint64) (uint64, error) {
	log := s.engine.Log()
	within := map[uint32]bool{}
	c := log.Cursor(steplog.Filter{Goroutine: uint32(goroutine), To: at})
	for c.Reset(at + 1); c.Prev(); {
		step := c.Step()
		inside, known := within[step.StackID]
		if !known {
			inside = isWithin(c.Stack(nil), stack)
			within[step.StackID] = inside
		}
		if !inside {
			return step.Number, nil
		}
	}
	started := log.Cursor(steplog.Filter{Kinds: []steplog.Kind{steplog.KindGo}, To: at})
	for started.Reset(at + 1); started.Prev(); {
		for _, f := range started.Step().Fields {
			if f.Tag == steplog.TagGoroutine && f.Num == uint64(goroutine) {
				return started.Step().Number, nil
			}
		}
	}
	return 0, userError(idNoStep, "restart the call of %s: goroutine %d made no step before it that is recorded; go to an earlier step by hand",
		stack[0].Func, goroutine)
}

// isWithin reports whether a recorded stack is inside the call that stack
// begins with: the same callers at the same lines below the same function.
func isWithin(recorded []steplog.Frame, stack []target.Frame) bool {
	recorded = withoutExit(recorded, func(f steplog.Frame) string { return f.Func })
	stack = withoutExit(stack, func(f target.Frame) string { return f.Func })
	if len(stack) == 0 || len(recorded) < len(stack) {
		return false
	}
	recorded = recorded[len(recorded)-len(stack):]
	for i, f := range stack {
		r := recorded[i]
		if r.Func != f.Func || i > 0 && (r.Line != f.Line || r.File != f.File) {
			return false
		}
	}
	return true
}

// withoutExit takes the runtime's own frames at the bottom of a stack off:
// not every unwinder shows them.
func withoutExit[F any](stack []F, name func(F) string) []F {
	for n := len(stack); n > 0 && (name(stack[n-1]) == "runtime.goexit" || name(stack[n-1]) == ""); n-- {
		stack = stack[:n-1]
	}
	return stack
}
