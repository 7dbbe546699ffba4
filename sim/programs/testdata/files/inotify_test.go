package files

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// notices decodes what inotify gave: names of files, with their masks.
func notices(t *testing.T, b []byte) (names []string, masks uint32) {
	t.Helper()
	for len(b) >= syscall.SizeofInotifyEvent {
		masks |= binary.NativeEndian.Uint32(b[4:])
		size := int(binary.NativeEndian.Uint32(b[12:]))
		name, _, _ := strings.Cut(string(b[syscall.SizeofInotifyEvent:syscall.SizeofInotifyEvent+size]), "\x00")
		names = append(names, name)
		b = b[syscall.SizeofInotifyEvent+size:]
	}
	if len(b) > 0 {
		t.Errorf("%d bytes are left", len(b))
	}
	return names, masks
}

// TestWatch waits for a change of a folder, as a server does that loads its
// configuration anew: through the poller and in a call that blocks.
func TestWatch(t *testing.T) {
	for _, flags := range []int{syscall.IN_CLOEXEC | syscall.IN_NONBLOCK, syscall.IN_CLOEXEC} {
		dir := t.TempDir()
		fd, err := syscall.InotifyInit1(flags)
		if err != nil {
			t.Fatal(err)
		}
		wd, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_CLOSE_WRITE|syscall.IN_MOVED_TO)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "inotify")
		next := make(chan []byte)
		go func() {
			defer close(next)
			for {
				b := make([]byte, 4096)
				n, err := f.Read(b)
				if err != nil {
					t.Error(err)
					return
				}
				next <- b[:n]
				if _, mask := notices(t, b[:n]); mask&syscall.IN_IGNORED != 0 {
					return
				}
			}
		}()
		if err := os.WriteFile(filepath.Join(dir, "config.tmp"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Log(notices(t, <-next))
		if err := os.Rename(filepath.Join(dir, "config.tmp"), filepath.Join(dir, "config")); err != nil {
			t.Fatal(err)
		}
		t.Log(notices(t, <-next))
		if _, err := syscall.InotifyRmWatch(fd, uint32(wd)); err != nil {
			t.Fatal(err)
		}
		for b := range next {
			t.Log(notices(t, b))
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
