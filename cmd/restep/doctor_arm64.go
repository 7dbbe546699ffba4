//go:build linux

package main

import (
	"context"
	"os"

	"golang.org/x/sys/cpu"
)

// pageSize is what the simulator protects variables by, in bytes.
const pageSize = 4096

// checkCPU looks for what Go's maps hash with, and at the size of pages; the
// simulator refuses others.
func checkCPU(context.Context) finding {
	if !cpu.ARM64.HasAES {
		return found(gradeFail, "cpu", "no AES instructions: use a CPU with the cryptographic extension")
	}
	if n := os.Getpagesize(); n != pageSize {
		return found(gradeFail, "cpu", "pages of %d bytes: use a kernel whose pages have %d", n, pageSize)
	}
	return found(gradeOK, "cpu", "AES")
}
