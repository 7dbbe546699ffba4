package main

import (
	"fmt"
	"internal/buildcfg"
	"os"
	"path/filepath"
	"syscall"
)

// restepWrap makes this linker its own -toolexec wrapper: called with the
// path of a tool, it becomes that tool, or goes on as the linker. The linker
// is then known to the go command by an id of its own, so that nothing it
// links is ever taken for the work of the ordinary one.
func restepWrap() {
	if len(os.Args) < 2 || !filepath.IsAbs(os.Args[1]) {
		return
	}
	tool, args := os.Args[1], os.Args[1:]
	if filepath.Base(tool) != "link" {
		err := syscall.Exec(tool, args, os.Environ())
		fmt.Fprintf(os.Stderr, "restep: run %s: %v\n", tool, err)
		os.Exit(2)
	}
	if len(args) == 2 && args[1] == "-V=full" {
		fmt.Printf("link version %s restep-%s\n", buildcfg.Version, restepID)
		os.Exit(0)
	}
	os.Args = args
}
