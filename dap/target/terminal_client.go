package target

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-delve/delve/service"
	"github.com/go-delve/delve/service/api"

	"github.com/restep/restep/replay"
)

// client is Delve's client with steps: restart goes to one; at a step the
// stopped goroutine's stack begins with the user's frame, as if the simulator
// and the library calls above it were not there; and stepping leaves them
// first.
type client struct {
	service.Client
	ctx    context.Context
	target *Target
	engine *replay.Engine
	table  *table
	pid    int // what the terminal takes for the process, which changes on the way back
}

// skip returns how many frames of a goroutine's stack are left out, -1 for the
// selected goroutine.
func (c *client) skip(goroutine int64) int {
	state, err := c.target.State()
	if err != nil || !state.AtStep || state.Goroutine == 0 {
		return 0
	}
	if goroutine == -1 {
		if now, err := c.Client.GetStateNonBlocking(); err == nil && now.SelectedGoroutine != nil {
			goroutine = now.SelectedGoroutine.ID
		}
	}
	if goroutine != -1 && goroutine != state.Goroutine {
		return 0
	}
	frames, err := c.target.Frames(state.Goroutine)
	if err != nil {
		return 0
	}
	return c.target.Place(frames).Index
}

// scope moves a scope to the frame that the terminal means.
func (c *client) scope(s api.EvalScope) api.EvalScope {
	s.Frame += c.skip(s.GoroutineID)
	return s
}

// show makes the stopped thread look as if it were in the user's frame.
func (c *client) show(s *api.DebuggerState, err error) (*api.DebuggerState, error) {
	if err != nil || s == nil || s.Exited {
		return s, err
	}
	if c.pid == 0 {
		c.pid = s.Pid
	}
	s.Pid = c.pid
	if s.CurrentThread == nil {
		return s, nil
	}
	if c.atNoCode() {
		if at, ok := c.target.testStart(); ok {
			appear(s, at)
		}
		return s, nil
	}
	n := c.skip(s.CurrentThread.GoroutineID)
	if n == 0 {
		return s, nil
	}
	frames, err := c.Client.Stacktrace(s.CurrentThread.GoroutineID, n, 0, 0, nil)
	if err != nil || len(frames) <= n {
		return s, nil
	}
	appear(s, frames[n].Location)
	return s, nil
}

// appear puts the stopped thread, and its goroutine, to another place.
func appear(s *api.DebuggerState, at api.Location) {
	for _, th := range append(s.Threads, s.CurrentThread) {
		if th.ID == s.CurrentThread.ID {
			th.PC, th.File, th.Line, th.Function, th.Breakpoint = at.PC, at.File, at.Line, at.Function, nil
		}
	}
	if g := s.SelectedGoroutine; g != nil && g.ID == s.CurrentThread.GoroutineID {
		g.CurrentLoc, g.UserCurrentLoc = at, at
	}
}

func (c *client) GetState() (*api.DebuggerState, error) { return c.show(c.Client.GetState()) }

func (c *client) Stacktrace(g int64, depth, skip int, opts api.StacktraceOptions, cfg *api.LoadConfig) ([]api.Stackframe, error) {
	n := c.skip(g)
	return c.Client.Stacktrace(g, depth+n, skip+n, opts, cfg)
}

func (c *client) EvalVariable(s api.EvalScope, expr string, cfg api.LoadConfig) (v *api.Variable, err error) {
	if HasMachine(expr) {
		return c.evalMachines(s, expr, cfg)
	}
	err = c.in(s, false, func() error {
		v, err = c.Client.EvalVariable(c.scope(s), expr, cfg)
		return err
	})
	return v, err
}

func (c *client) SetVariable(s api.EvalScope, symbol, value string) error {
	err := c.in(s, true, func() error { return c.Client.SetVariable(c.scope(s), symbol, value) })
	if err == nil {
		err = c.changed()
	}
	return err
}

func (c *client) Call(goroutine int64, expr string, unsafe bool) (*api.DebuggerState, error) {
	if state, err := c.target.State(); err == nil && state.AtStep {
		return nil, errors.New("the program is inside the simulator here: type next once, then call")
	}
	if err := c.changed(); err != nil {
		return nil, err
	}
	return c.Client.Call(goroutine, expr, unsafe)
}

func (c *client) ListPackageVariables(filter string, cfg api.LoadConfig) (list []api.Variable, err error) {
	err = c.in(api.EvalScope{GoroutineID: -1}, false, func() error {
		list, err = c.Client.ListPackageVariables(filter, cfg)
		return err
	})
	return list, err
}

func (c *client) ListLocalVariables(s api.EvalScope, cfg api.LoadConfig) (list []api.Variable, err error) {
	err = c.in(s, false, func() error {
		list, err = c.Client.ListLocalVariables(c.scope(s), cfg)
		return err
	})
	return list, err
}

func (c *client) ListFunctionArgs(s api.EvalScope, cfg api.LoadConfig) (list []api.Variable, err error) {
	err = c.in(s, false, func() error {
		list, err = c.Client.ListFunctionArgs(c.scope(s), cfg)
		return err
	})
	return list, err
}

func (c *client) ListScopeRegisters(s api.EvalScope, fp bool) (api.Registers, error) {
	return c.Client.ListScopeRegisters(c.scope(s), fp)
}

// FindLocation is what break asks first. An ended program comes back, for
// breakpoints cannot be set in one.
func (c *client) FindLocation(s api.EvalScope, loc string, instruction bool, rules [][2]string) ([]api.Location, string, error) {
	if state, err := c.target.State(); err == nil && state.Exited {
		if err := c.fromEnd(); err != nil {
			return nil, "", err
		}
	}
	return c.Client.FindLocation(c.scope(s), loc, instruction, rules)
}

// Recorded makes the terminal's restart accept a position.
func (c *client) Recorded() bool { return true }

func (c *client) Restart(bool) ([]api.DiscardedBreakpoint, error) {
	return nil, c.jump(c.target.prog.FirstStep())
}

func (c *client) RestartFrom(_ bool, pos string, reset bool, args []string, _ [3]string, _ bool) ([]api.DiscardedBreakpoint, error) {
	if reset || len(args) > 0 {
		return nil, errors.New("a recorded run has the arguments it was recorded with; start restep debug with others")
	}
	if pos == "" {
		return c.Restart(false)
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(pos, "#"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is no step: give a number from 1 to %d", pos, c.engine.Log().Steps())
	}
	return nil, c.jump(n)
}

// leave goes to the user's frame. It returns the state in which the program
// stopped when nothing is left to do there.
func (c *client) leave(out bool) (*api.DebuggerState, error) {
	left, err := c.target.LeaveStep(c.ctx)
	if err != nil || left == SameLine || left == NewLine && out {
		return nil, err
	}
	return c.GetState()
}

func (c *client) Next() (*api.DebuggerState, error) {
	if s, err := c.leave(false); s != nil || err != nil {
		return s, err
	}
	return c.Client.Next()
}

func (c *client) Step() (*api.DebuggerState, error) {
	if s, err := c.leave(false); s != nil || err != nil {
		return s, err
	}
	return c.Client.Step()
}

func (c *client) StepOut() (*api.DebuggerState, error) {
	if s, err := c.leave(true); s != nil || err != nil {
		return s, err
	}
	return c.Client.StepOut()
}

// Rewind is the terminal's rewind and rev continue: back to the last hit of a
// breakpoint, or to the start of the run.
func (c *client) Rewind() <-chan *api.DebuggerState {
	ch := make(chan *api.DebuggerState, 1)
	go func() {
		defer close(ch)
		before, err := c.target.State()
		if err == nil && before.Changed && !before.Exited {
			err = errChanged
		}
		if err == nil && before.Exited {
			err = c.engine.Jump(c.ctx, c.engine.Log().Steps())
		}
		ok := false
		if err == nil {
			ok, err = c.target.ReverseContinue(c.ctx, 0, nil)
		}
		if err == nil && !ok {
			fmt.Println("No breakpoint was hit before: this is the start of the run.")
			err = c.jump(1)
		}
		if err != nil {
			ch <- &api.DebuggerState{Err: err}
			return
		}
		state, err := c.GetState()
		if err != nil {
			state = &api.DebuggerState{Err: err}
		}
		ch <- state
	}()
	return ch
}

// ReverseNext is rev next.
func (c *client) ReverseNext() (*api.DebuggerState, error) { return c.backBy(c.target.StepBack) }

// ReverseStepOut is rev stepout.
func (c *client) ReverseStepOut() (*api.DebuggerState, error) { return c.backBy(c.target.StepBackOut) }

// backBy goes back; when there is nowhere to go, the program stays where it is,
// to the step.
func (c *client) backBy(step func(context.Context) (bool, error)) (*api.DebuggerState, error) {
	before, err := c.target.State()
	switch {
	case err != nil:
		return nil, err
	case before.Exited:
		if err := c.fromEnd(); err != nil {
			return nil, err
		}
		return c.GetState()
	case before.Changed:
		return nil, errChanged
	}
	ok, err := step(c.ctx)
	if err == nil && !ok {
		err = errors.Join(errors.New("the goroutine ran no line before this one; use jump STEP to go to a step"),
			c.engine.Jump(c.ctx, max(before.Step, 1)))
	}
	if err != nil {
		return nil, err
	}
	return c.GetState()
}

// fromEnd goes from the program's end to the last step that its own code made.
func (c *client) fromEnd() error {
	n := c.target.prog.LastStep()
	fmt.Printf("The program has ended. Its own code made step #%d of %d last:\n", n, c.engine.Log().Steps())
	return c.jump(n)
}

var errChanged = errors.New("the program was changed: what is behind it is not the recorded run; use jump STEP first")

// ReverseStep is rev step.
func (c *client) ReverseStep() (*api.DebuggerState, error) { return c.backBy(c.target.StepBackIn) }

// ReverseStepInstruction is rev step-instruction and rev next-instruction: a
// call is one instruction for both.
func (c *client) ReverseStepInstruction(bool) (*api.DebuggerState, error) {
	return c.backBy(c.target.StepBackInstruction)
}
