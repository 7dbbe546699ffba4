//go:build unix

package hits

import (
	"io/fs"
	"syscall"
)

// inode tells a file from another that takes its name.
func inode(info fs.FileInfo) (dev, ino uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino)
	}
	return 0, 0
}
