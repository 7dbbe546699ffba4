//go:build !(linux && (amd64 || arm64))

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// On this system nothing can be simulated: runs are made elsewhere, and their
// logs can be read here.

const (
	testHelp   = foreignHelp + "restep test runs tests in the simulation.\n"
	debugHelp  = foreignHelp + "restep debug stops a simulated run at a step.\n"
	replayHelp = foreignHelp + "restep replay stops at the step of a link or an archive.\n"
	evalHelp   = foreignHelp + "restep eval prints the value of an expression at a step.\n"
	dapHelp    = foreignHelp + "restep dap debugs simulated runs, and several processes at once, in an editor.\n"
	demoHelp   = foreignHelp + "restep demo shows a simulated run.\n"

	foreignHelp = "This command works on Linux only; restep doctor names the way there.\n"
)

func runTest(_ context.Context, u *ui, _ []string) int   { return notHere(u, "test") }
func runDebug(_ context.Context, u *ui, _ []string) int  { return notHere(u, "debug") }
func runReplay(_ context.Context, u *ui, _ []string) int { return notHere(u, "replay") }
func runEval(_ context.Context, u *ui, _ []string) int   { return notHere(u, "eval") }
func runDAP(_ context.Context, u *ui, _ []string) int    { return notHere(u, "dap") }
func runDemo(_ context.Context, u *ui, _ []string) int   { return notHere(u, "demo") }

// hostCommand is what restep dap runs, on Linux, for mode "processes".
const hostCommand = "dap-host"

func runHost() int { return notHere(newUI(), hostCommand) }

func notHere(u *ui, command string) int {
	return u.fail(exitFailed, "restep "+command+" works on linux/amd64 and linux/arm64 only: "+wayToLinux())
}

func runLocals(context.Context) int { return exitUsage }

// canDebug says that this system runs simulations.
const canDebug = false

var errNotHere = errors.New("runs are made on linux/amd64 and linux/arm64 only: " + wayToLinux())

func (c *diffConfig) make(_ context.Context, _ *ui, q runs.Query, seedA, seedB uint64) (a, b *recording, err error) {
	return nil, nil, fmt.Errorf("%s has no recorded runs with seeds %d and %d of the program as it is; %w", q.Test, seedA, seedB, errNotHere)
}

func makeLike(_ context.Context, _ *ui, h steplog.Header, seed uint64) (*recording, error) {
	return nil, fmt.Errorf("no run of %s with seed %d is recorded; %w", h.Test, seed, errNotHere)
}

func failMake(_ context.Context, u *ui, err error) int {
	return u.fail(exitFailed, text.Escape(err.Error()))
}
