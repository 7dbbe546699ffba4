//go:build linux && (amd64 || arm64)

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/restep/restep/dap"
)

const dapHelp = `usage: restep dap [--listen 127.0.0.1:0 [--token-file FILE]]
       restep dap --listen unix:PATH

Serves the Debug Adapter Protocol for editors: on standard input and output,
on a port of this host, or on a socket that only you can connect to. A session
ends with its connection, and with it everything that it started, unless the
launch has given it a name ("reconnect"): then it waits ten minutes for an
attach with that name as "session".

flags:
  --listen ADDR      listen on a loopback address or unix:PATH; prints
                     "listening on ADDR"
  --token-file FILE  write the token there instead of to standard error;
                     a client of a port sends it as launch or attach argument
                     "token"
`

func runDAP(ctx context.Context, u *ui, args []string) int {
	f := flag.NewFlagSet("dap", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	listen := f.String("listen", "", "")
	tokenFile := f.String("token-file", "", "")
	if err := f.Parse(args); err != nil {
		return u.fail(exitUsage, err.Error(), "restep help dap explains the flags")
	}
	if f.NArg() > 0 {
		return u.fail(exitUsage, "dap takes no arguments; what to debug is in the launch request", "restep help dap explains the flags")
	}
	opt := dap.Options{Version: version()}
	if exe, err := os.Executable(); err == nil {
		opt.Host = []string{exe, hostCommand}
	}
	if *listen == "" {
		if *tokenFile != "" {
			return u.fail(exitUsage, "--token-file needs --listen; on standard streams there is no token")
		}
		return serveStdio(ctx, u, opt)
	}
	l, err := dap.Listen(*listen)
	if err != nil {
		return u.fail(exitUsage, err.Error())
	}
	defer l.Close()
	switch {
	case l.Addr().Network() == "unix":
		if *tokenFile != "" {
			return u.fail(exitUsage, "--token-file is for a port; a socket is guarded by its mode")
		}
	case *tokenFile != "":
		opt.Token = dap.NewToken()
		if err := writeToken(*tokenFile, opt.Token); err != nil {
			return u.fail(exitFailed, err.Error())
		}
		defer os.Remove(*tokenFile)
	default:
		opt.Token = dap.NewToken()
		fmt.Fprintf(u.err, "token %s\n", opt.Token)
	}
	u.printf("listening on %s\n", l.Addr())
	if err := dap.ServeListener(ctx, l, opt, func(err error) { u.say(err.Error()) }); err != nil {
		return u.fail(exitFailed, err.Error())
	}
	return exitOK
}

// writeToken makes a file that only this user can read. An existing file or
// link is never followed.
func writeToken(path, token string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	_, err = io.WriteString(f, token+"\n")
	return errors.Join(err, f.Close())
}

// dapStreams is standard input and output as one connection. Nothing else of this
// process may print to standard output then.
type dapStreams struct {
	in, out *os.File
}

func (s dapStreams) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s dapStreams) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s dapStreams) Close() error                { return errors.Join(s.in.Close(), s.out.Close()) }

func serveStdio(ctx context.Context, u *ui, opt dap.Options) int {
	conn := dapStreams{os.Stdin, os.Stdout}
	os.Stdout = os.Stderr // whatever prints by mistake must not break the protocol
	if err := dap.Serve(ctx, conn, opt); err != nil {
		if ctx.Err() != nil {
			return exitInterrupt
		}
		return u.fail(exitFailed, err.Error())
	}
	return exitOK
}
