package target

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/go-delve/delve/pkg/terminal"
)

// table is the list of commands of Delve's terminal. Delve lets scripts add
// commands, but puts the script's path before each error and keeps its own help
// for a command that is replaced. So the list is reached through the terminal's
// fields, which are not exported; TestTerminalTable says when they change.
type table struct {
	term *terminal.Term
	cmds *terminal.Commands
	list reflect.Value // []command
}

// newTable finds the commands of a terminal.
func newTable(term *terminal.Term) (t *table, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("add commands to Delve's terminal, which has changed: %v", r)
		}
	}()
	cmds := open(reflect.ValueOf(term).Elem().FieldByName("cmds")).Interface().(*terminal.Commands)
	return &table{term, cmds, open(reflect.ValueOf(cmds).Elem().FieldByName("cmds"))}, nil
}

// open makes a field that is not exported accessible.
func open(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// find returns the command with a name, or an invalid value.
func (t *table) find(name string) reflect.Value {
	for i := range t.list.Len() {
		if c := t.list.Index(i); slices.Contains(open(c.FieldByName("aliases")).Interface().([]string), name) {
			return c
		}
	}
	return reflect.Value{}
}

// terminalCommand is one that is added, or takes the place of Delve's.
type terminalCommand struct {
	name string
	like string // one of Delve's, beside which help lists it
	help string
	run  func(args string) error // nil: what Delve does
}

// set adds a command, or replaces it.
func (t *table) set(cmd terminalCommand) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("add the command %s to Delve's terminal, which has changed: %v", cmd.name, r)
		}
	}()
	c := t.find(cmd.name)
	if !c.IsValid() {
		if cmd.run == nil {
			return fmt.Errorf("Delve's terminal has no command %s", cmd.name)
		}
		t.list.Set(reflect.Append(t.list, reflect.Zero(t.list.Type().Elem())))
		c = t.list.Index(t.list.Len() - 1)
		open(c.FieldByName("aliases")).Set(reflect.ValueOf([]string{cmd.name}))
		open(c.FieldByName("group")).Set(open(t.find(cmd.like).FieldByName("group")))
	}
	open(c.FieldByName("helpMsg")).SetString(cmd.help)
	if cmd.run == nil {
		return nil
	}
	fn := open(c.FieldByName("cmdFn"))
	fn.Set(reflect.MakeFunc(fn.Type(), func(args []reflect.Value) []reflect.Value {
		result := reflect.New(fn.Type().Out(0)).Elem()
		if err := cmd.run(args[2].String()); err != nil {
			result.Set(reflect.ValueOf(err))
		}
		return []reflect.Value{result}
	}))
	return nil
}

// remove takes a command out.
func (t *table) remove(name string) {
	for i := range t.list.Len() {
		if slices.Contains(open(t.list.Index(i).FieldByName("aliases")).Interface().([]string), name) {
			t.list.Set(reflect.AppendSlice(t.list.Slice(0, i), t.list.Slice(i+1, t.list.Len())))
			return
		}
	}
}

// call runs one of Delve's commands.
func (t *table) call(line string) error { return t.cmds.Call(line, t.term) }
