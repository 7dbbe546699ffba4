package target

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-delve/delve/service/api"
)

// firstTerminalWatch numbers watches in the terminal, where numbers are typed.
const firstTerminalWatch = 1000

// findWatch finds the variable that an expression names in a scope of the
// terminal's.
func (c *client) findWatch(s api.EvalScope, expr string) (w *Watch, err error) {
	at := c.scope(s)
	err = c.in(s, false, func() error {
		w, err = c.target.FindWatch(Scope{Goroutine: at.GoroutineID, Frame: at.Frame}, expr)
		return err
	})
	if err != nil {
		return nil, err
	}
	id := s.GoroutineID
	if state, err := c.Client.GetStateNonBlocking(); id == -1 && err == nil && state.SelectedGoroutine != nil {
		id = state.SelectedGoroutine.ID
	}
	if machines, err := c.target.Machines(); err == nil && machines[id] != 0 {
		w.Of(machines[id])
	}
	return w, nil
}

// CreateWatchpoint is watch.
func (c *client) CreateWatchpoint(s api.EvalScope, expr string, kind api.WatchType) (*api.Breakpoint, error) {
	if kind&api.WatchWrite == 0 {
		return nil, errors.New("reads alone cannot be watched: use watch -rw or watch -w")
	}
	w, err := c.findWatch(s, expr)
	if err != nil {
		return nil, err
	}
	list := c.target.Watches()
	w.ID, w.Read = firstTerminalWatch, kind&api.WatchRead != 0
	for _, other := range list {
		w.ID = max(w.ID, other.ID+1)
	}
	errs, err := c.target.SetWatches(append(slices.Clone(list), w))
	if err == nil {
		err = errs[len(list)]
	}
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", expr, err)
	}
	return &api.Breakpoint{ID: w.ID, WatchExpr: expr, WatchType: kind, Addr: w.addr, Addrs: []uint64{w.addr}}, nil
}

// ClearBreakpoint is clear.
func (c *client) ClearBreakpoint(id int) (*api.Breakpoint, error) {
	list := slices.Clone(c.target.Watches())
	i := slices.IndexFunc(list, func(w *Watch) bool { return w.ID == id })
	if i < 0 {
		return c.Client.ClearBreakpoint(id)
	}
	w := list[i]
	if _, err := c.target.SetWatches(slices.Delete(list, i, i+1)); err != nil {
		return nil, err
	}
	return &api.Breakpoint{ID: id, WatchExpr: w.Expr, Addr: w.addr, Addrs: []uint64{w.addr}}, nil
}

// Continue goes on over what makes the program stop because variables are
// watched, but is nothing to show.
func (c *client) Continue() <-chan *api.DebuggerState {
	if len(c.target.Watches()) == 0 {
		return c.Client.Continue()
	}
	out := make(chan *api.DebuggerState)
	go func() {
		defer close(out)
		for again := true; again; {
			again = false
			for state := range c.Client.Continue() {
				var err error
				if state.Err == nil && !state.Exited {
					again, err = c.target.Follow()
				}
				if err != nil {
					state = &api.DebuggerState{Err: err}
				}
				if !again {
					out <- state
				}
			}
		}
	}()
	return out
}

// lastWrite goes back to the last write to a variable.
func (c *client) lastWrite(expr string) error {
	before, err := c.target.State()
	switch {
	case err != nil:
		return err
	case expr == "":
		return errors.New("which variable? lastwrite <expression>")
	case before.Exited:
		if err = c.fromEnd(); err == nil {
			before, err = c.target.State()
		}
		if err != nil {
			return err
		}
	case before.Changed:
		return errChanged
	}
	w, err := c.findWatch(api.EvalScope{GoroutineID: -1}, expr)
	if err != nil {
		return err
	}
	ok, err := c.target.LastWrite(c.ctx, w)
	if err == nil && !ok {
		err = errors.Join(fmt.Errorf("%s was not written before", expr), c.engine.Jump(c.ctx, max(before.Step, 1)))
	}
	return err
}
