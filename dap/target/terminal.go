package target

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/go-delve/delve/pkg/config"
	"github.com/go-delve/delve/pkg/logflags"
	"github.com/go-delve/delve/pkg/terminal"
	"github.com/go-delve/delve/service/rpc2"

	"github.com/restep/restep/replay"
)

// commandScript adds commands to Delve's terminal: Starlark is its way to get
// new ones, and restart its only command that hands a word to the client.
const commandScript = `
def command_jump(args):
	"""Goes to a step of the run, forwards or backwards.

	jump <step>"""
	dlv_command("restart " + args)

def command_rc(args):
	"""Goes back to the last hit of a breakpoint, or to the start of the run."""
	dlv_command("rewind")

def command_back(args):
	"""Goes back to the line before, in this function or its caller."""
	dlv_command("rev next")

def command_lastwrite(args):
	"""Goes back to the last write to a variable.

	lastwrite <expression>"""
	dlv_command("restart +lastwrite," + args)

def command_where(args):
	"""Says at which step of which run the program is."""
	dlv_command("restart +where")

def command_machines(args):
	"""Lists the machines of the run."""
	dlv_command("restart +machines")

def command_steps(args):
	"""Lists the steps around the present one.

	steps [count] [kind=log,send] [machine=server] [grep=text]"""
	dlv_command("restart +steps," + ",,".join(args.split(" ")))
`

// Terminal runs Delve's terminal on this target, on the process's standard
// streams, until the user leaves it. The result is its exit code. It begins
// with the user's frame of the present stop. Ctrl-C stops a running program, as
// it does in Delve; it does not end the terminal, so the end of ctx is ignored.
func (t *Target) Terminal(ctx context.Context, engine *replay.Engine, rules []Rule) (int, error) {
	_ = logflags.Setup(false, "", "")
	script, remove, err := t.writeScript()
	if err != nil {
		return 1, err
	}
	defer remove()
	conf, err := config.LoadConfig()
	if conf == nil || err != nil {
		conf = &config.Config{}
	}
	for _, r := range rules {
		conf.SubstitutePath = append(conf.SubstitutePath, config.SubstitutePathRule{From: r.Binary, To: r.Host})
	}
	if conf.Prompt == "" {
		conf.Prompt = "(restep) "
	}
	ours, theirs := net.Pipe()
	go serveRPC(theirs, t.dbg)
	defer ours.Close()
	client := &client{Client: rpc2.NewClientFromConn(ours), ctx: context.WithoutCancel(ctx), target: t, engine: engine}
	client.tellNoCode()
	term := terminal.New(client, conf, false)
	term.InitFile = script
	return term.Run()
}

// writeScript writes what the terminal does first.
func (t *Target) writeScript() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "restep-debug-")
	if err != nil {
		return "", nil, fmt.Errorf("a folder for the terminal's start-up script: %w", err)
	}
	remove = func() { os.RemoveAll(dir) }
	star := filepath.Join(dir, "restep.star")
	start := filepath.Join(dir, "init")
	if err = os.WriteFile(star, []byte(commandScript), 0o600); err == nil {
		err = os.WriteFile(start, []byte("source "+star+"\nlist\n"), 0o600)
	}
	if err != nil {
		remove()
		return "", nil, fmt.Errorf("write the terminal's start-up script: %w", err)
	}
	return start, remove, nil
}
