package target

import (
	"errors"
	"testing"

	"github.com/go-delve/delve/pkg/config"
	"github.com/go-delve/delve/pkg/terminal"
)

// TestTerminalTable adds, replaces and removes commands of Delve's terminal.
func TestTerminalTable(t *testing.T) {
	tbl, err := newTable(terminal.New(nil, &config.Config{}, false))
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	failure := errors.New("no")
	for _, cmd := range []terminalCommand{
		{"jump", "restart", "to a step", func(args string) error { got += "jump " + args + "\n"; return nil }}, // Delve has one of that name
		{"machines", "goroutines", "all of them", func(string) error { return failure }},
		{"restart", "", "again", nil},
	} {
		if err := tbl.set(cmd); err != nil {
			t.Fatal(err)
		}
		if help := open(tbl.find(cmd.name).FieldByName("helpMsg")).String(); help != cmd.help {
			t.Errorf("the help of %s is %q", cmd.name, help)
		}
	}
	for _, line := range []string{"jump 5", "j 6", "jump"} {
		if err := tbl.call(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if got != "jump 5\njump 6\njump \n" {
		t.Errorf("called: %q", got)
	}
	if err := tbl.call("machines"); !errors.Is(err, failure) {
		t.Errorf("machines: %v", err)
	}
	tbl.remove("jump")
	if err := tbl.call("jump 7"); err == nil {
		t.Error("a command that was removed is still there")
	}
	if err := tbl.set(terminalCommand{name: "none", help: "none"}); err == nil {
		t.Error("help for a command that there is not")
	}
}
