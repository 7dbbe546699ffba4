package target

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/go-delve/delve/pkg/config"
	"github.com/go-delve/delve/pkg/logflags"
	"github.com/go-delve/delve/pkg/terminal"
	"github.com/go-delve/delve/service/rpc2"

	"github.com/restep/restep/replay"
)

// Terminal runs Delve's terminal on this target, on the process's standard
// streams, until the user leaves it. The result is its exit code. It begins
// with the user's frame of the present stop. Ctrl-C stops a running program, as
// it does in Delve; it does not end the terminal, so the end of ctx is ignored.
func (t *Target) Terminal(ctx context.Context, engine *replay.Engine, rules []Rule) (int, error) {
	_ = logflags.Setup(false, "", "")
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
	if client.table, err = newTable(term); err != nil {
		return 1, err
	}
	if err := client.addCommands(); err != nil {
		return 1, err
	}
	if err := client.table.call("list"); err != nil {
		fmt.Fprintln(os.Stderr, err) // there is a prompt all the same
	}
	return term.Run()
}
