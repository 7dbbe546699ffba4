package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/restep/restep/sim/kernel"
)

const syscallsHelp = `usage: restep syscalls [-json]

Lists the system calls that the simulated kernel knows, by number, and how
much of each it does. All others return ENOSYS and leave a step that says so.
`

// syscallRow is a row as JSON.
type syscallRow struct {
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Support string `json:"support"` // full, partial, missing
	Note    string `json:"note,omitempty"`
}

func syscallRows() []syscallRow {
	names := map[kernel.Support]string{kernel.Missing: "missing", kernel.Partial: "partial", kernel.Full: "full"}
	var rows []syscallRow
	for _, e := range kernel.Entries() {
		rows = append(rows, syscallRow{e.Nr, e.Name, names[e.Support], e.Note})
	}
	return rows
}

// runSyscalls is restep syscalls.
func runSyscalls(_ context.Context, u *ui, args []string) int {
	asJSON := false
	for _, a := range args {
		if a != "-json" && a != "--json" {
			return u.fail(exitUsage, "syscalls does not take "+quoteArg(a), "restep syscalls [-json]")
		}
		asJSON = true
	}
	out := bufio.NewWriter(u.out)
	defer out.Flush()
	for _, row := range syscallRows() {
		if asJSON {
			if b, err := json.Marshal(row); err == nil {
				fmt.Fprintf(out, "%s\n", b)
			}
			continue
		}
		line := fmt.Sprintf("%3d  %-18s %-8s %s", row.Number, row.Name, row.Support, row.Note)
		fmt.Fprintln(out, strings.TrimRight(line, " "))
	}
	return exitOK
}
