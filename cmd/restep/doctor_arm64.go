//go:build linux

package main

import (
	"context"
	"os"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// pageSize is what the simulator protects variables by, in bytes.
const pageSize = 4096

// highest is near the end of the addresses that a simulation uses
// (restepMapBase and restepMapWindow of the patched runtime).
const highest = 0x2ffffffff000

// checkCPU looks for what Go's maps hash with, at the size of pages and at how
// many addresses a process has (Documentation/arch/arm64/memory.rst); the
// simulator refuses others.
func checkCPU(context.Context) finding {
	if !cpu.ARM64.HasAES {
		return found(gradeFail, "cpu", "no AES instructions: use a CPU with the cryptographic extension")
	}
	if n := os.Getpagesize(); n != pageSize {
		return found(gradeFail, "cpu", "pages of %d bytes: use a kernel whose pages have %d", n, pageSize)
	}
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE | unix.MAP_FIXED_NOREPLACE
	at, _, errno := unix.Syscall6(unix.SYS_MMAP, highest, pageSize, unix.PROT_NONE, flags, ^uintptr(0), 0)
	if errno != 0 {
		return found(gradeFail, "cpu", "no memory at address %#x (%v): use a kernel with CONFIG_ARM64_VA_BITS_48", uint64(highest), errno)
	}
	_, _, _ = unix.Syscall(unix.SYS_MUNMAP, at, pageSize, 0) // it was mapped a moment ago
	return found(gradeOK, "cpu", "AES")
}
