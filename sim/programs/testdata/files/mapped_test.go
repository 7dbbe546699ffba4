package files

import (
	"bytes"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMapFollows writes, cuts, grows and punches a file at random: mappings that
// may only be read show its bytes after each call and never take a store.
func TestMapFollows(t *testing.T) {
	const pages = 12
	fd := open(t, filepath.Join(t.TempDir(), "file"), unix.O_RDWR|unix.O_CREAT)
	unix.Ftruncate(fd, pages*4096)
	whole, err := unix.Mmap(fd, 0, pages*4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	part, err := unix.Mmap(fd, 2*4096, 3*4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	state := uint32(7)
	draw := func(n uint32) int {
		state = state*1664525 + 1013904223
		return int(state >> 8 % n)
	}
	b, stores, size := make([]byte, pages*4096), 0, pages*4096
	for i := range 400 {
		off := draw(pages * 4096)
		length := draw([]uint32{16, 4096, 9000, 40000}[draw(4)])
		length = min(length, pages*4096-off)
		switch draw(8) {
		case 0:
			size = off
			unix.Ftruncate(fd, int64(size))
		case 1:
			unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), int64(length)+1)
		default:
			for k := range length {
				b[k] = byte(i + k)
			}
			if n, _ := unix.Pwrite(fd, b[:length], int64(off)); n > 0 {
				size = max(size, off+n)
			}
		}
		n, _ := unix.Pread(fd, b, 0)
		if n != size {
			t.Fatalf("round %d: %d bytes of %d", i, n, size)
		}
		if !bytes.Equal(whole[:n], b[:n]) || n >= 5*4096 && !bytes.Equal(part, b[2*4096:5*4096]) {
			t.Fatalf("round %d: the mapping shows other bytes than the file", i)
		}
		if tail := min(pages*4096, (n+4095)&^4095); len(bytes.Trim(whole[n:tail], "\x00")) > 0 {
			t.Fatalf("round %d: bytes behind the end of the file", i)
		}
		if !fault(func() { whole[draw(pages*4096)] = 1 }) {
			stores++
		}
	}
	t.Log("size", size, "stores", stores, "behind the end", fault(func() { b[0] = whole[(size+4095)&^4095%len(whole)] }))
}
