package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
)

// command is one word after restep.
type command struct {
	name  string
	short string // for the list of commands
	help  string // all of it
	run   func(ctx context.Context, u *ui, args []string) int
}

// commands returns what restep can do, in the order of the help text.
func commands() []command {
	return []command{
		{"test", "run tests in the simulation", testHelp, runTest},
		{"steps", "list what a run did, step by step", stepsHelp, runSteps},
		{"diff", "compare two runs, name where they part", diffHelp, runDiff},
		{"export", "write a run to one file, for other computers", exportHelp, runExport},
		{"debug", "stop at a step in the debugger's terminal", debugHelp, runDebug},
		{"replay", "the same, at the step of a link or an archive", replayHelp, runReplay},
		{"eval", "print the value of an expression at a step", evalHelp, runEval},
		{"dap", "serve editors (Debug Adapter Protocol)", dapHelp, runDAP},
		{"demo", "see it all in a minute", demoHelp, runDemo},
		{"lsp", "serve an editor: the language server", lspHelp, runLSP},
		{"runs", "list recorded runs, or remove them", runsHelp, runRuns},
		{"init", "let your module import package sim", initHelp, runInit},
		{"doctor", "check what this computer lacks", doctorHelp, runDoctor},
		{"syscalls", "list which system calls are simulated", syscallsHelp, runSyscalls},
		{"version", "print the version", "usage: restep version\n", runVersion},
		{"help", "explain a command", "usage: restep help [command]\n", runHelp},
	}
}

func main() { os.Exit(restep(os.Args[1:])) }

// restep runs one command line and returns the exit code.
func restep(args []string) int {
	u := newUI()
	if len(args) == 0 {
		u.raw(overview())
		return exitUsage
	}
	name := args[0]
	if name == hostCommand {
		return runHost()
	}
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		for _, a := range args[1:] {
			if a == "-args" || a == "--args" {
				break
			}
			if a == "-h" || a == "-help" || a == "--help" {
				u.printf("%s", c.help)
				return exitOK
			}
		}
		// After the first signal the default is back: a second one ends us,
		// and with us everything we started.
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop)
		return c.run(ctx, u, args[1:])
	}
	if name == localsCommand {
		return runLocals(context.Background())
	}
	return u.fail(exitUsage, "there is no command "+quoteArg(name), "restep help lists the commands")
}

// localsCommand is the word by which restep test starts itself to read
// variables; it is for nobody else, and no help names it.
const localsCommand = "internal-locals"

func overview() string {
	var b strings.Builder
	b.WriteString("restep runs Go tests in a deterministic simulation and shows every step.\n\n")
	b.WriteString("usage: restep <command> [arguments]\n\n")
	for _, c := range commands() {
		b.WriteString("  " + c.name + strings.Repeat(" ", 10-len(c.name)) + c.short + "\n")
	}
	b.WriteString("\nrestep help <command> explains one of them.\n")
	return b.String()
}

func runHelp(_ context.Context, u *ui, args []string) int {
	if len(args) == 0 {
		u.printf("%s", overview())
		return exitOK
	}
	for _, c := range commands() {
		if c.name == args[0] {
			u.printf("%s", c.help)
			return exitOK
		}
	}
	return u.fail(exitUsage, "there is no command "+quoteArg(args[0]), "restep help lists the commands")
}

func runVersion(_ context.Context, u *ui, args []string) int {
	if len(args) > 0 {
		return u.fail(exitUsage, "version takes no arguments")
	}
	u.printf("restep %s\n", version())
	return exitOK
}

// version is the module's version in this binary, "devel" for a build from a
// working copy.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
