//go:build unix

package inject

import (
	"fmt"
	"os"
	"syscall"
)

// makePrivate sees to it that nobody but this user can change what is below a
// directory: test binaries there are run.
func makePrivate(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user, who could put programs there", dir)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return os.Chmod(dir, 0o700)
}
