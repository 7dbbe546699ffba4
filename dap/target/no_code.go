package target

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-delve/delve/service/api"
)

// atNoCode reports whether the program is at a step that no code of the user
// made, as the boot of the first machine.
func (c *client) atNoCode() bool {
	state, err := c.target.State()
	if err != nil || !state.AtStep || state.Exited {
		return false
	}
	if state.Goroutine == 0 {
		return true
	}
	frames, err := c.target.Frames(state.Goroutine)
	return err == nil && !slices.ContainsFunc(frames, func(f Frame) bool { return !inSimulator(f.Func) })
}

// jump goes to a step, and tells when there is no code of the user to show.
func (c *client) jump(n uint64) error {
	err := c.engine.Jump(c.ctx, n)
	if err == nil {
		c.tellNoCode()
	}
	return err
}

// testStart is where the test's function begins.
func (t *Target) testStart() (api.Location, bool) {
	grp, unlock := t.dbg.LockTargetGroup()
	defer unlock()
	if ok, _ := grp.Valid(); !ok {
		return api.Location{}, false
	}
	info := grp.Selected.BinInfo()
	name, _, _ := strings.Cut(t.prog.Header.Test, "/")
	for _, pkg := range []string{t.prog.Source.Package, t.prog.Source.Package + "_test"} {
		fns, _ := info.FindFunction(pkg + "." + name)
		for _, fn := range fns {
			file, line := info.EntryLineForFunc(fn)
			return api.Location{PC: fn.Entry, File: file, Line: line, Function: api.ConvertFunction(fn)}, true
		}
	}
	return api.Location{}, false
}

// tellNoCode says at a step that no code of the user made that what is shown is
// where the test begins, not the simulator.
func (c *client) tellNoCode() {
	if state, err := c.target.State(); err == nil && c.atNoCode() {
		fmt.Printf("Step #%d is made by the simulator: none of your code runs at it, so the test's first line is shown.\n"+
			"Who waits where: goroutines, then goroutine N.\n", state.Step)
	}
}
