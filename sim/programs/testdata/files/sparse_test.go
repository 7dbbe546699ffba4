package files

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"
)

// TestSparseMapping: a mapping of a huge file with holes costs no memory, as
// key stores that map gigabytes in advance rely on.
func TestSparseMapping(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 5 << 30 // more than a run may use
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("before"), 3<<30); err != nil {
		t.Fatal(err)
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	look := func(what string) {
		t.Helper()
		for _, at := range []int{0, 4090, 1 << 30, 3 << 30, 3<<30 + 4096, size - 6} {
			b := make([]byte, 6)
			n, err := f.ReadAt(b, int64(at))
			t.Logf("%s at %d: %q, %q, %d %v, same: %v", what, at, m[at:at+6], b, n, err, bytes.Equal(m[at:at+6], b))
		}
	}
	look("fresh")
	copy(m[4090:], "across two")
	copy(m[1<<30:], "in a hole")
	copy(m[size-6:], "at end")
	look("stored")
	if _, err := f.WriteAt([]byte("written"), 1<<30+2); err != nil {
		t.Fatal(err)
	}
	look("written")
	for _, size := range []int64{1 << 30, size} {
		if err := f.Truncate(size); err != nil {
			t.Fatal(err)
		}
	}
	look("cut and longer")
	copy(m[3<<30+4094:], "more")
	look("stored again")
	if err := syscall.Munmap(m); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	n, err := f.ReadAt(b, 3<<30+4094)
	t.Logf("%q %d %v", b, n, err)
}

// TestRemap: mremap(2) makes mappings shorter and longer, in place or not.
func TestRemap(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(8 * 4096); err != nil {
		t.Fatal(err)
	}
	remap := func(what string, at, size, now, flags uintptr) uintptr {
		t.Helper()
		to, _, errno := syscall.Syscall6(syscall.SYS_MREMAP, at, size, now, flags, 0, 0)
		t.Logf("%s: error %d, in place: %v", what, errno, to == at)
		return to
	}
	at := func(addr uintptr, n int) []byte {
		return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), n)
	}
	for _, kind := range []struct {
		name  string
		flags uintptr
		fd    uintptr
	}{{"shared", syscall.MAP_SHARED, f.Fd()}, {"private", syscall.MAP_PRIVATE, f.Fd()}, {"anonymous", syscall.MAP_PRIVATE | syscall.MAP_ANON, ^uintptr(0)}} {
		// Room for twelve pages, of which the mapping takes the first four.
		m, _, errno := syscall.Syscall6(syscall.SYS_MMAP, 0, 12*4096, syscall.PROT_READ|syscall.PROT_WRITE, kind.flags, kind.fd, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		copy(at(m, 4096), kind.name)
		copy(at(m+3*4096, 4096), "last")
		remap("shorter", m, 12*4096, 4*4096, 0)
		remap("the same", m, 4*4096, 4*4096, 0)
		remap("longer in place", m, 4*4096, 6*4096, 0)
		t.Logf("%s: %q %q %q", kind.name, at(m, 10), at(m+3*4096, 6), at(m+5*4096, 3))
		copy(at(m+5*4096, 10), "sixth")
		remap("not whole pages", m+1, 4096, 8192, 1)
		remap("to nothing", m, 6*4096, 0, 1)
		remap("unknown flag", m, 6*4096, 4096, 8)
		remap("too long", m, 20*4096, 21*4096, 1)
		remap("in the middle", m, 4096, 8192, 0)
		moved := remap("moved", m, 2*4096, 9*4096, 1)
		t.Logf("%s: %q %q", kind.name, at(moved, 10), at(moved+7*4096, 3))
		t.Logf("%s, what stays: %q", kind.name, at(m+5*4096, 6))
		copy(at(moved+4096, 10), "after it")
		b := make([]byte, 10)
		n, err := f.ReadAt(b, 4096)
		t.Logf("%s, file: %q %d %v", kind.name, b, n, err)
		remap("gone", m, 4096, 8192, 1)
		syscall.Syscall(syscall.SYS_MUNMAP, moved, 9*4096, 0)
		syscall.Syscall(syscall.SYS_MUNMAP, m+2*4096, 4*4096, 0)
	}
}
