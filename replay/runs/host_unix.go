//go:build unix

package runs

import (
	"io/fs"
	"os"
	"syscall"
)

// lockFile locks an open file against other processes, shared or alone, until
// it is closed (flock(2)). When it must not wait and another process has the
// lock, it fails.
func lockFile(f *os.File, alone, wait bool) error {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		if err := syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			return err
		}
	}
}

// mapFile makes the first size bytes of a file readable in memory (mmap(2)).
func mapFile(f *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_PRIVATE)
}

func unmapFile(b []byte) { _ = syscall.Munmap(b) }

// isPrivate reports a folder that this user owns and nobody else may enter.
func isPrivate(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return info.IsDir() && info.Mode().Perm()&0o077 == 0 && (!ok || int(st.Uid) == os.Getuid())
}
