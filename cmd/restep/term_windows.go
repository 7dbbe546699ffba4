package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// isTerminal reports a console, and makes it understand colours. One that
// cannot is taken for none.
func isTerminal(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
