//go:build linux

package main

import (
	"context"

	"golang.org/x/sys/cpu"
)

// checkCPU looks for what Go's maps hash with; the simulator refuses others,
// for their maps iterate in another order.
func checkCPU(context.Context) finding {
	if !cpu.X86.HasAES || !cpu.X86.HasSSSE3 || !cpu.X86.HasSSE41 {
		return found(gradeFail, "cpu", "no AES, SSSE3 or SSE4.1 instructions: use a CPU made after 2012, or let the virtual machine pass them on")
	}
	return found(gradeOK, "cpu", "AES")
}
