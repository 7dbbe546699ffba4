package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/restep/restep/sim/programs/testdata/programs/lib"
	"github.com/restep/restep/sim/programs/testdata/programs/only"
)

var verbose = flag.Bool("v", false, "say more")

var started int

func init() { started++ }

func main() {
	flag.Parse()
	in, _ := io.ReadAll(os.Stdin)
	fmt.Printf("tool %q %v, in %q, %s, lib %v, started %d, %s\n", flag.Args(), *verbose, in, only.Said, lib.Users, started, version())
	if flag.NArg() > 0 && flag.Arg(0) == "fail" {
		os.Exit(4)
	}
}
