// Package only is used by a program alone: its init function would end
// everybody else.
package only

import (
	"fmt"
	"os"
	"path/filepath"
)

// Said is what init has found.
var Said string

func init() {
	if filepath.Base(os.Args[0]) != "tool" {
		fmt.Fprintln(os.Stderr, "init of a program in", os.Args[0])
		os.Exit(77)
	}
	Said = "init ran"
}
