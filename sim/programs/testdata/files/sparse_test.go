package files

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
