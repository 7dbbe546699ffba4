package main

import (
	"context"
	"errors"
	"os"

	"github.com/restep/restep/lsp"
)

const lspHelp = `usage: restep lsp

Serves the language server protocol on standard input and output: step numbers
in the source, commands on tests, failing seeds. An editor starts it, beside
gopls; it ends with the editor. lsp/README.md has the settings for Neovim,
Helix and Emacs; VS Code's extension starts it by itself.
`

// lspConn is standard input and output as one connection.
type lspConn struct{}

func (lspConn) Read(b []byte) (int, error)  { return os.Stdin.Read(b) }
func (lspConn) Write(b []byte) (int, error) { return os.Stdout.Write(b) }
func (lspConn) Close() error                { return errors.Join(os.Stdin.Close(), os.Stdout.Close()) }

// runLSP is restep lsp.
func runLSP(ctx context.Context, u *ui, args []string) int {
	for _, a := range args {
		if a != "-stdio" && a != "--stdio" { // some clients add it
			return u.fail(exitUsage, "lsp takes no arguments, not "+quoteArg(a), "restep help lsp explains it")
		}
	}
	if isTerminal(os.Stdin) {
		u.say("the language server talks to an editor on standard input, not to a person", "lsp/README.md tells how editors start it; ctrl-C ends it")
	}
	self, err := os.Executable()
	if err != nil {
		return u.fail(exitFailed, "find the file of this program: "+err.Error())
	}
	err = lsp.Serve(ctx, lspConn{}, lsp.Options{Version: version(), Restep: []string{self}})
	switch {
	case ctx.Err() != nil:
		return exitInterrupt
	case err != nil:
		return u.fail(exitFailed, "language server: "+err.Error())
	}
	return exitOK
}
