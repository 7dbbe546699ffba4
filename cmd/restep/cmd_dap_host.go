//go:build linux && (amd64 || arm64)

package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/restep/restep/dap/target"
)

// hostCommand is not for users: restep dap runs it, once for each program of a
// session of mode "processes".
const hostCommand = "dap-host"

// runHost holds one program under a debugger. Its standard streams are the
// adapter's, files 3 and 4 what the program prints.
func runHost() int {
	conn := dapStreams{os.Stdin, os.Stdout}
	os.Stdout = os.Stderr
	// Caught, not ignored: the program would inherit that.
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-end
		conn.in.Close()
	}()
	err := target.ServeProcess(conn, os.NewFile(3, "stdout"), os.NewFile(4, "stderr"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return exitOK
}
