// Package files has tests that log what Linux does with files, locks, pipes and
// mapped memory. They run natively and in the simulation, and the logs must be
// equal, so they log nothing that Linux leaves open.
package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func open(t *testing.T, path string, flags int) int {
	t.Helper()
	fd, err := unix.Open(path, flags, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// TestFlockWaits: eight descriptions take turns with one lock, and nobody else
// is inside.
func TestFlockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	inside, total := 0, 0
	var wg sync.WaitGroup
	for range 8 {
		fd := open(t, path, unix.O_RDWR|unix.O_CREAT)
		wg.Go(func() {
			for range 5 {
				if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
					t.Error(err)
				}
				if inside++; inside != 1 {
					t.Errorf("%d hold the lock", inside)
				}
				total++
				inside--
				unix.Flock(fd, unix.LOCK_UN)
			}
		})
	}
	wg.Wait()
	t.Log("turns:", total)
}

// TestFlockConverts: a reader that wants to write waits for the other reader.
func TestFlockConverts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, b := open(t, path, unix.O_RDWR|unix.O_CREAT), open(t, path, unix.O_RDWR)
	t.Log("a reads", unix.Flock(a, unix.LOCK_SH), "b reads", unix.Flock(b, unix.LOCK_SH))
	t.Log("b writes at once", unix.Flock(b, unix.LOCK_EX|unix.LOCK_NB))
	got := make(chan error)
	go func() { got <- unix.Flock(b, unix.LOCK_EX) }()
	released := false
	go func() {
		released = true
		unix.Flock(a, unix.LOCK_UN)
	}()
	t.Log("b writes", <-got, "after a released:", released)
	t.Log("a at once", unix.Flock(a, unix.LOCK_SH|unix.LOCK_NB))
	unix.Close(b)
	t.Log("a after the close of b", unix.Flock(a, unix.LOCK_SH|unix.LOCK_NB))
}

// TestRecordLockWaits: open file description locks on parts of a file.
func TestRecordLockWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	a, b := open(t, path, unix.O_RDWR|unix.O_CREAT), open(t, path, unix.O_RDWR)
	lock := func(fd, cmd int, typ int16, start, length int64) error {
		return unix.FcntlFlock(uintptr(fd), cmd, &unix.Flock_t{Type: typ, Start: start, Len: length})
	}
	t.Log("a", lock(a, unix.F_OFD_SETLK, unix.F_WRLCK, 0, 100))
	t.Log("b behind it", lock(b, unix.F_OFD_SETLKW, unix.F_WRLCK, 100, 10))
	t.Log("b over it", lock(b, unix.F_OFD_SETLK, unix.F_RDLCK, 50, 10))
	got := make(chan error)
	go func() { got <- lock(b, unix.F_OFD_SETLKW, unix.F_RDLCK, 50, 10) }()
	released := false
	go func() {
		lock(a, unix.F_OFD_SETLK, unix.F_UNLCK, 0, 10) // not enough
		released = true
		lock(a, unix.F_OFD_SETLK, unix.F_RDLCK, 10, 90)
	}()
	t.Log("b", <-got, "after a went down to a read lock:", released)
	t.Log("a's process", lock(a, unix.F_SETLK, unix.F_RDLCK, 0, 0), lock(a, unix.F_SETLK, unix.F_WRLCK, 0, 0))
	fl := unix.Flock_t{Type: unix.F_WRLCK, Start: 0, Len: 0}
	err := unix.FcntlFlock(uintptr(a), unix.F_OFD_GETLK, &fl)
	t.Log("seen from a", err, fl.Type, fl.Start, fl.Len, fl.Pid)
}

// TestPipeBlocks: reads and writes without O_NONBLOCK wait.
func TestPipeBlocks(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1000)
		for {
			n, err := unix.Read(p[0], b)
			got.Write(b[:n])
			if n == 0 || err != nil {
				return
			}
		}
	}()
	want := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	for rest := want; len(rest) > 0; {
		n, err := unix.Write(p[1], rest)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	unix.Close(p[1])
	<-done
	t.Log("bytes arrived:", got.Len(), bytes.Equal(got.Bytes(), want))
	unix.Close(p[0])
}

func TestPipeSize(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	size := func(n int) {
		r, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETPIPE_SZ, n)
		now, _ := unix.FcntlInt(uintptr(p[1]), unix.F_GETPIPE_SZ, 0)
		t.Log("wanted", n, "got", r, err, "is", now)
	}
	size(1)
	n, err := unix.Write(p[1], make([]byte, 10_000))
	t.Log("write", n, err)
	size(100_000)
	n, err = unix.Write(p[1], make([]byte, 100_000))
	t.Log("write", n, err)
	size(4096)
	size(-1)
	unix.Close(p[0])
	_, err = unix.Write(p[1], []byte("x"))
	t.Log("write to nobody", err)
	unix.Close(p[1])
}

// TestFIFO: a named pipe's ends wait for each other in open.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	t.Log("mkfifo", unix.Mkfifo(path, 0o600), unix.Mkfifo(path, 0o600))
	st, err := os.Stat(path)
	t.Log(st.Mode(), err)
	_, err = unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK, 0)
	t.Log("a writer that does not wait", err)
	for round := range 3 {
		go func() {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(f, "round %d", round)
			f.Close()
		}()
		b, err := os.ReadFile(path)
		t.Logf("%q %v", b, err)
	}
	r := open(t, path, unix.O_RDONLY|unix.O_NONBLOCK)
	n, err := unix.Read(r, make([]byte, 1))
	t.Log("no writer", n, err)
	w := open(t, path, unix.O_WRONLY)
	_, err = unix.Read(r, make([]byte, 1))
	t.Log("a silent writer", err)
	n, err = unix.Write(w, []byte("abc"))
	t.Log("write", n, err)
	rw := open(t, path, unix.O_RDWR)
	b := make([]byte, 10)
	n, err = unix.Read(rw, b)
	t.Logf("read by another end %q %v", b[:n], err)
}

// TestMapShared: mappings, write and read agree.
func TestMapShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	fd := open(t, path, unix.O_RDWR|unix.O_CREAT)
	unix.Ftruncate(fd, 3*4096)
	m, err := unix.Mmap(fd, 0, 3*4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	view, err := unix.Mmap(fd, 4096, 8192, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	second, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	copy(m[10:], "by memory")
	b := make([]byte, 9)
	unix.Pread(fd, b, 10)
	t.Logf("read after a store: %q", b)
	unix.Pwrite(fd, []byte("by write"), 5000)
	t.Logf("mappings after a write: %q %q", m[5000:5008], view[5000-4096:5008-4096])
	copy(m[6000:], "store")
	t.Logf("another mapping after a store: %q", view[6000-4096:6005-4096])
	for i := range 6 {
		m[100]++
		second[100]++
		if m[100] != second[100] {
			t.Errorf("round %d: %d and %d", i, m[100], second[100])
		}
	}
	unix.Pread(fd, b[:1], 100)
	t.Log("turns", b[0])
	t.Log("msync", unix.Msync(m, unix.MS_SYNC), unix.Msync(m[:4096], unix.MS_ASYNC), unix.Msync(m, unix.MS_ASYNC|unix.MS_SYNC))
	unix.Ftruncate(fd, 4096)
	unix.Ftruncate(fd, 3*4096)
	t.Logf("cut and grown again: %q %q", m[10:19], m[5000:5008])
	t.Log("write into mapped memory from itself")
	n, err := unix.Pwrite(fd, m[10:19], 8192)
	t.Logf("%d %v %q", n, err, m[8192:8201])
	n, err = unix.Pread(fd, m[200:209], 10)
	t.Logf("%d %v %q", n, err, second[200:209])
	t.Log("munmap", unix.Munmap(m), unix.Munmap(view), unix.Munmap(second))
	all, err := os.ReadFile(path)
	t.Logf("file: %d bytes, %q %q, %v", len(all), all[10:19], all[200:209], err)
}

// fault reports whether an access to memory faults.
func fault(access func()) (faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { faulted = recover() != nil }()
	access()
	return
}

// TestMapFaults: what lies behind the end of the file, or is protected, faults.
func TestMapFaults(t *testing.T) {
	fd := open(t, filepath.Join(t.TempDir(), "file"), unix.O_RDWR|unix.O_CREAT)
	unix.Ftruncate(fd, 100)
	m, err := unix.Mmap(fd, 0, 8192, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	sink := byte(0)
	t.Log("inside", fault(func() { sink += m[99] }), "rest of the page", fault(func() { sink += m[4095] }),
		"next page", fault(func() { sink += m[4096] }), "store", fault(func() { m[0] = 1 }))
	unix.Ftruncate(fd, 5000)
	t.Log("next page, after the file grew", fault(func() { sink += m[4096] }))
	t.Log("mprotect", unix.Mprotect(m[:4096], unix.PROT_NONE), fault(func() { sink += m[0] }), fault(func() { sink += m[4096] }))
	t.Log("mprotect", unix.Mprotect(m, unix.PROT_READ|unix.PROT_WRITE), fault(func() { m[0] = 'x' }))
	b := make([]byte, 1)
	unix.Pread(fd, b, 0)
	t.Logf("stored %q", b)
	t.Log("munmap", unix.Munmap(m))
	ro := open(t, fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY)
	_, err = unix.Mmap(ro, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	t.Log("writable mapping of a file open for reading", err)
	p, err := unix.Mmap(ro, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	t.Log("private", err)
	p[0] = 'p'
	unix.Pread(fd, b, 0)
	t.Logf("private store shows %q in the file", b)
	unix.Munmap(p)
	wo := open(t, fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY)
	_, err = unix.Mmap(wo, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	t.Log("of a file open for writing", err)
	_, err = unix.Mmap(fd, 1, 4096, unix.PROT_READ, unix.MAP_SHARED)
	t.Log("odd offset", err)
	_, err = unix.Mmap(fd, 0, 0, unix.PROT_READ, unix.MAP_SHARED)
	t.Log("no length", err)
	_, err = unix.Mmap(999, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	t.Log("bad descriptor", err)
	dir := open(t, t.TempDir(), unix.O_RDONLY)
	_, err = unix.Mmap(dir, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	t.Log("directory", err)
	_ = sink
}

func TestMapAnonymous(t *testing.T) {
	m, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		if m[i] != 0 {
			t.Fatal("memory is not zero")
		}
		m[i] = byte(i)
	}
	t.Log("dontneed", unix.Madvise(m[4096:8192], unix.MADV_DONTNEED), m[4095], m[4096], m[8191], m[8193])
	t.Log("willneed", unix.Madvise(m, unix.MADV_WILLNEED))
	addr := unsafe.Pointer(&m[0])
	_, _, errno := syscall.Syscall(syscall.SYS_MUNMAP, uintptr(addr)+8192, 4096, 0)
	t.Log("a hole in the middle", errno, m[4000], m[12288+1])
	_, _, errno = syscall.Syscall(syscall.SYS_MADVISE, uintptr(addr), 1<<20, unix.MADV_WILLNEED)
	t.Log("advice across the hole", errno)
	_, _, errno = syscall.Syscall(syscall.SYS_MPROTECT, uintptr(addr), 1<<20, unix.PROT_READ)
	t.Log("mprotect across the hole", errno)
	_, _, errno = syscall.Syscall(syscall.SYS_MUNMAP, uintptr(addr)+1, 4096, 0)
	t.Log("odd munmap", errno)
	t.Log("rest", unix.Munmap(m))
}

func TestProc(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	own, _ := os.Executable()
	t.Log("exe", exe == own, err)
	f := open(t, filepath.Join(t.TempDir(), "file"), unix.O_RDWR|unix.O_CREAT)
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f))
	t.Log("fd", filepath.Base(name), err)
	names, err := os.ReadDir("/proc/self/fd")
	t.Log("fds", len(names) >= 4, err)
	cmdline, err := os.ReadFile("/proc/self/cmdline")
	t.Log("cmdline", bytes.HasPrefix(cmdline, append([]byte(os.Args[0]), 0)), err)
	environ, err := os.ReadFile("/proc/self/environ")
	t.Log("environ", bytes.Contains(environ, []byte("PATH="+os.Getenv("PATH")+"\x00")), err)
	status, err := os.ReadFile("/proc/self/status")
	t.Log("status", bytes.Contains(status, fmt.Appendf(nil, "\nPid:\t%d\n", os.Getpid())), err)
	maps, err := os.ReadFile("/proc/self/maps")
	t.Log("maps", len(maps) > 0, err)
	self, err := os.Readlink("/proc/self")
	t.Log("self", self == fmt.Sprint(os.Getpid()), err)
	_, err = os.Stat(fmt.Sprintf("/proc/%d/status", os.Getpid()))
	t.Log("by number", err)
	_, err = os.Stat("/proc/self/fd/999")
	t.Log("a descriptor that is not open", errors.Is(err, os.ErrNotExist))
	link, err := os.Readlink("/proc/self/cwd")
	wd, _ := os.Getwd()
	t.Log("cwd", link == wd, err)
	copied := open(t, fmt.Sprintf("/proc/self/fd/%d", f), unix.O_RDWR)
	unix.Write(copied, []byte("hello"))
	b := make([]byte, 5)
	unix.Pread(f, b, 0)
	t.Logf("written through /proc/self/fd %q", b)
	zero, err := os.Open("/dev/zero")
	t.Log("zero", err)
	io.ReadFull(zero, b)
	t.Logf("%q", b)
	full, _ := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	_, err = full.Write(b)
	t.Log("full", errors.Is(err, syscall.ENOSPC))
}

func TestFallocate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := open(t, path, unix.O_RDWR|unix.O_CREAT)
	var all []byte
	for i := range 4 {
		all = append(all, bytes.Repeat([]byte{byte('a' + i)}, 4096)...)
	}
	unix.Write(f, append(all, "tail"...))
	show := func(what string, err error) {
		b, _ := os.ReadFile(path)
		s := ""
		for i := 0; i < len(b); i += 2048 {
			s += fmt.Sprintf("%q ", b[i])
		}
		t.Log(what, err, len(b), s)
	}
	show("written", nil)
	show("collapse", unix.Fallocate(f, unix.FALLOC_FL_COLLAPSE_RANGE, 4096, 4096))
	show("insert", unix.Fallocate(f, unix.FALLOC_FL_INSERT_RANGE, 8192, 4096))
	show("odd collapse", unix.Fallocate(f, unix.FALLOC_FL_COLLAPSE_RANGE, 100, 4096))
	show("collapse of the end", unix.Fallocate(f, unix.FALLOC_FL_COLLAPSE_RANGE, 12288, 8192))
	show("insert at the end", unix.Fallocate(f, unix.FALLOC_FL_INSERT_RANGE, 20480, 4096))
	show("punch", unix.Fallocate(f, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 2048, 4096))
	show("zero", unix.Fallocate(f, unix.FALLOC_FL_ZERO_RANGE, 14000, 100_000))
	show("keep size", unix.Fallocate(f, unix.FALLOC_FL_KEEP_SIZE, 0, 1<<20))
}
