package files

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

const oTmpfile = 0o20000000 | syscall.O_DIRECTORY

// linkFD gives the file behind fd a name.
func linkFD(fd int, path string) error {
	from, _ := syscall.BytePtrFromString(fmt.Sprintf("/proc/self/fd/%d", fd))
	to, _ := syscall.BytePtrFromString(path)
	const cwd, follow = -100, 0x400
	dir := cwd
	_, _, errno := syscall.Syscall6(syscall.SYS_LINKAT, uintptr(dir), uintptr(unsafe.Pointer(from)), uintptr(dir), uintptr(unsafe.Pointer(to)), follow, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func TestTmpfile(t *testing.T) {
	dir := t.TempDir()
	syscall.Umask(0o022)
	f, err := os.OpenFile(dir, oTmpfile|os.O_RDWR, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(info.Mode(), info.Size(), info.Sys().(*syscall.Stat_t).Nlink)
	list, err := os.ReadDir(dir)
	t.Log(len(list), err)
	f.WriteString("hidden")
	t.Log(f.Sync())
	path := filepath.Join(dir, "named")
	t.Log(linkFD(int(f.Fd()), path), linkFD(int(f.Fd()), path))
	b, err := os.ReadFile(path)
	t.Logf("%q %v", b, err)
	t.Log(linkFD(int(f.Fd()), path+"2"))
	f.WriteString(" no more")
	f.Close()
	b, err = os.ReadFile(path + "2")
	t.Logf("%q %v", b, err)

	f, err = os.OpenFile(dir, oTmpfile|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(linkFD(int(f.Fd()), path+"3")) // O_EXCL: never
	f.Close()
	for _, flags := range []int{os.O_RDONLY, os.O_RDWR | os.O_CREATE} {
		_, err = os.OpenFile(dir, oTmpfile|flags, 0o600)
		t.Log(err.(*os.PathError).Err)
	}
	_, err = os.OpenFile(path, oTmpfile|os.O_RDWR, 0o600)
	t.Log(err.(*os.PathError).Err)
	_, err = os.OpenFile(path+"/no", oTmpfile|os.O_RDWR, 0o600)
	t.Log(err.(*os.PathError).Err)
	_, err = os.OpenFile(dir+"/no", oTmpfile|os.O_RDWR, 0o600)
	t.Log(err.(*os.PathError).Err)
	f, err = os.OpenFile(dir, oTmpfile|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	must := syscall.Rmdir(dir)
	t.Log(must)
	os.RemoveAll(dir)
	f.WriteString("still there")
	t.Log(f.Close())
}
