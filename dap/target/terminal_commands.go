package target

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-delve/delve/service/api"

	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// addCommands adds those of a recorded run to Delve's, and says what the others
// do here.
func (c *client) addCommands() error {
	list := []terminalCommand{
		{"jump", "restart", "Goes to a step of the run, forwards or backwards.\n\n\tjump <step>", c.cmdJump},
		{"back", "next", "Goes back to the line before, in this function or its caller: rev next.",
			func(string) error { return c.table.call("rev next") }},
		{"rc", "continue", "Goes back to the last hit of a breakpoint, or to the start of the run.",
			func(string) error { return c.table.call("rewind") }},
		{"lastwrite", "continue", "Goes back to the last write to a variable.\n\n\tlastwrite <expression>", c.cmdLastWrite},
		{"where", "goroutines", "Says at which step of which run the program is.", func(string) error { return c.where() }},
		{"machines", "goroutines", "Lists the machines of the run, * the one that is stopped.", func(string) error { return c.printMachines() }},
		{"steps", "goroutines", "Lists the steps around the present one.\n\n\tsteps [count] [kind=log,send] [machine=server] [grep=text]",
			func(args string) error { return c.printSteps(strings.Fields(args)) }},

		{"restart", "", "Goes to the first step of the test's own code, or to a step.\n\n\trestart [step]", nil},
		{"rebuild", "", "Goes to the first step of the test's own code. To build anew, leave and start restep debug again.", nil},
		{"rewind", "", "Goes back to the last hit of a breakpoint, or to the start of the run.", nil},
		{"rev", "", `Runs backwards.

	rev next              to the line before, in this function or its caller
	rev step              into the call that has just returned
	rev stepout           to the line that called this function
	rev step-instruction  to the instruction before
	rev continue          to the last hit of a breakpoint`, nil},
	}
	for _, cmd := range list {
		if err := c.table.set(cmd); err != nil {
			return err
		}
	}
	for _, name := range []string{"checkpoint", "checkpoints", "clear-checkpoint"} { // they are made as needed
		c.table.remove(name)
	}
	return nil
}

func (c *client) cmdJump(args string) error {
	if args == "" {
		return fmt.Errorf("which step? jump N, from 1 to %d", c.engine.Log().Steps())
	}
	return c.table.call("restart " + args)
}

// cmdLastWrite goes back, and lets Delve show where that is.
func (c *client) cmdLastWrite(args string) error {
	if err := c.lastWrite(args); err != nil {
		return err
	}
	return c.table.call("list")
}

func (c *client) source() text.Source { return c.target.prog.Source }

// where says at which step of which run the program is.
func (c *client) where() error {
	s, err := c.target.State()
	if err != nil {
		return err
	}
	if s.Exited {
		return errors.New("the program has ended: jump to a step brings it back")
	}
	log, h := c.engine.Log(), c.engine.Log().Header()
	if step, err := log.Step(s.Step); err == nil && !s.Changed {
		os.Stdout.Write(text.NewPrinter(log, c.source()).Append(nil, &step))
	}
	at := "after"
	if s.AtStep {
		at = "at"
	}
	fmt.Printf("%s step #%d of %d, machine %s, goroutine %d, %s seed %d\n",
		at, s.Step, log.Steps(), c.labelOf(s.Machine), s.Goroutine, h.Test, h.Seed)
	if s.Changed {
		fmt.Println("the program was changed: this is not the recorded run any more; jump to a step to be back in it")
	}
	return nil
}

// labels are the machines of the run, by the numbers that they have now.
func (c *client) labels() []Label {
	var list []Label
	for _, m := range c.engine.Log().Machines() {
		list = append(list, Label{ID: uint32(m.ID), Name: m.Label})
	}
	return c.target.Labels(list)
}

func (c *client) labelOf(machine uint32) string {
	for _, l := range c.labels() {
		if l.ID == machine {
			return l.Name
		}
	}
	return fmt.Sprintf("machine-%d", machine)
}

func (c *client) printMachines() error {
	states, err := c.target.MachineStates()
	if err != nil {
		return err
	}
	goroutines, err := c.target.Goroutines(0)
	if err != nil {
		return err
	}
	s, err := c.target.State()
	if err != nil {
		return err
	}
	for _, m := range states {
		mark, count := " ", 0
		if m.Machine == s.Machine {
			mark = "*"
		}
		for _, g := range goroutines {
			if g.Machine == m.Machine {
				count++
			}
		}
		addr := ""
		for _, l := range c.engine.Log().Machines() {
			if l.Label == m.Name {
				addr = l.Addr + ", "
			}
		}
		fmt.Printf("%s %-12s %s%s, %d goroutines\n", mark, m.Name, addr, m.Value, count)
	}
	return nil
}

// defaultAround is how many steps before and after the present one are listed.
const defaultAround = 10

// printSteps lists steps around the present one.
func (c *client) printSteps(args []string) error {
	filter, around, err := stepsArguments(args)
	if err != nil {
		return err
	}
	s, err := c.target.State()
	if err != nil {
		return err
	}
	log := c.engine.Log()
	at := s.Step
	if s.Exited {
		at = log.Steps()
	}
	p := text.NewPrinter(log, c.source())
	var lines [][]byte
	cur := log.Cursor(filter)
	for cur.Reset(at + 1); len(lines) < around+1 && cur.Prev(); {
		lines = append(lines, p.Append(nil, cur.Step()))
	}
	slices.Reverse(lines)
	n := len(lines)
	for cur.Reset(at + 1); len(lines) < n+around && cur.Next(); {
		lines = append(lines, p.Append(nil, cur.Step()))
	}
	for _, l := range lines {
		os.Stdout.Write(l)
	}
	return cur.Err()
}

// stepsArguments parses what is typed behind steps.
func stepsArguments(args []string) (f steplog.Filter, around int, err error) {
	around = defaultAround
	for _, a := range args {
		name, value, ok := strings.Cut(a, "=")
		switch {
		case !ok:
			if around, err = strconv.Atoi(a); err != nil || around < 0 || around > 10000 {
				return f, 0, fmt.Errorf("%q is no number of steps: give 0 to 10000, kind=log, machine=server or grep=text", a)
			}
		case name == "kind":
			for k := range strings.SplitSeq(value, ",") {
				kind, ok := steplog.ParseKind(k)
				if !ok {
					return f, 0, fmt.Errorf("there is no kind of step %q", k)
				}
				f.Kinds = append(f.Kinds, kind)
			}
		case name == "machine":
			f.Machines = append(f.Machines, value)
		case name == "grep":
			re, err := regexp.Compile(value)
			if err != nil {
				return f, 0, fmt.Errorf("grep: %w", err)
			}
			f.Text = re.Match
		default:
			return f, 0, fmt.Errorf("%q: give a number, kind=, machine= or grep=", a)
		}
	}
	return f, around, nil
}

// in calls f with the variables of the machine in place that a goroutine
// belongs to.
func (c *client) in(s api.EvalScope, keep bool, f func() error) error {
	id := s.GoroutineID
	if id == -1 {
		state, err := c.Client.GetStateNonBlocking()
		if err != nil || state.SelectedGoroutine == nil {
			return f()
		}
		id = state.SelectedGoroutine.ID
	}
	machines, err := c.target.Machines()
	if err != nil {
		return f()
	}
	return c.target.In(machines[id], keep, f)
}

// changed marks the program as changed and says so.
func (c *client) changed() error {
	if s, err := c.target.State(); err == nil && !s.Changed {
		fmt.Printf("you changed the program at step #%d: what follows is not the recorded run; jump to a step undoes it\n", s.Step)
	}
	return c.target.Changed()
}

// evalMachines evaluates an expression that names machines.
func (c *client) evalMachines(s api.EvalScope, expr string, cfg api.LoadConfig) (*api.Variable, error) {
	at := c.scope(s)
	scope := Scope{Goroutine: at.GoroutineID, Frame: at.Frame, Labels: c.labels()}
	label, rest, scoped := SplitMachine(expr)
	if scoped && label != allMachines {
		l, err := scope.Find(label)
		if err != nil {
			return nil, err
		}
		if rest, err = c.target.Qualify(scope, rest); err != nil {
			return nil, err
		}
		var v *api.Variable
		err = c.target.In(l.ID, false, func() error {
			v, err = c.Client.EvalVariable(at, rest, cfg)
			return err
		})
		return v, err
	}
	if !scoped {
		rest, err := c.target.Expand(scope, expr)
		if err != nil {
			return nil, err
		}
		return c.Client.EvalVariable(at, rest, cfg)
	}
	values, err := c.target.EvalMachines(scope, expr)
	if err != nil {
		return nil, err
	}
	all := &api.Variable{Name: expr, Type: "machines", RealType: "machines", Kind: reflect.Struct, Len: int64(len(values))}
	for _, v := range values {
		one := api.Variable{Name: v.Machine, Type: v.Type, Value: v.Value.Value, Kind: reflect.Int}
		switch {
		case v.Off:
			one.Value = "off"
		case v.Err != nil:
			one.Value = v.Err.Error()
		}
		all.Children = append(all.Children, one)
	}
	return all, nil
}
