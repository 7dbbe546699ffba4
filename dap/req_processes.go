package dap

import (
	"context"
	"strings"

	"github.com/google/go-dap"

	"github.com/restep/restep/dap/processes"
	"github.com/restep/restep/dap/target"
)

// launchProcesses starts a session of mode "processes": several real programs
// instead of one simulated run. Package processes answers from then on.
func (s *session) launchProcesses(ctx context.Context, req *dap.LaunchRequest) error {
	if len(s.opt.Host) == 0 {
		return userError(idUnsupported, "mode \"processes\" is not possible here: this adapter does not know how to start debuggers")
	}
	cfg, err := processes.Parse(req.Arguments, s.opt.Dir)
	if err != nil {
		return userError(idArguments, "%v", err)
	}
	p := s.startProgress(req.Seq, "Building and starting the processes", 0)
	defer p.done()
	procs, err := processes.Launch(ctx, cfg, processes.Options{Host: s.opt.Host, Send: s.sendOfProcesses, Say: p.say})
	if err != nil {
		if ctx.Err() == nil && strings.Contains(err.Error(), "operation not permitted") {
			return userError(idLaunch, "%v; %s", err, target.AttachAdvice())
		}
		return s.launchFailure(ctx, err)
	}
	s.procs = procs
	s.setState(configuring)
	context.AfterFunc(s.ctx, func() { s.conn.Close() }) // whoever waits for the client waits no more
	s.out.send(processes.Capabilities())
	s.out.send(&dap.LaunchResponse{Response: response(&req.Request)})
	s.out.send(&dap.InitializedEvent{Event: event("initialized")})
	return nil
}

// sendOfProcesses gives the client a message of package processes.
func (s *session) sendOfProcesses(m dap.Message) {
	if _, end := m.(*dap.TerminatedEvent); end {
		s.sendTerminated()
		return
	}
	s.out.send(m)
}
