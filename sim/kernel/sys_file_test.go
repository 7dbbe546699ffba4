package kernel

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

func TestInitialTree(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	h.boot("db")
	for path, want := range map[string]string{
		"/etc/hosts":                    "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n11.0.0.1 main\n11.0.0.2 db\n",
		"/etc/hostname":                 "main\n",
		"/etc/nsswitch.conf":            "passwd: files\ngroup: files\nhosts: files dns\n",
		"/proc/sys/net/core/somaxconn":  "4096\n",
		"/dev/null":                     "",
		"/etc/localtime":                missing,
		"/usr/share/zoneinfo/UTC":       missing,
		"/dev/tty":                      missing,
		"/proc/sys/net/core/somaxconn2": missing,
	} {
		if got := h.cat(m, path); got != want {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	for path, mode := range map[string]uint32{
		"/": abi.S_IFDIR | 0o755, "/tmp": abi.S_IFDIR | 0o1777, "/root": abi.S_IFDIR | 0o700,
		"/src/pkg": abi.S_IFDIR | 0o755, "/dev/null": abi.S_IFCHR | 0o666,
	} {
		var st abi.Stat
		h.must(m, abi.SYS_STAT, path, unsafe.Pointer(&st))
		if st.Mode != mode {
			t.Errorf("%s has mode %o, want %o", path, st.Mode, mode)
		}
		if st.Mtim != abi.TimespecOf(int64(testStart)) {
			t.Errorf("%s has mtime %v, want the start of the run", path, st.Mtim)
		}
	}
	b := make([]byte, 64)
	if n := h.must(m, abi.SYS_GETCWD, b, len(b)); string(b[:n]) != "/src/pkg\x00" {
		t.Errorf("main starts in %q", b[:n])
	}
	m.Crash()
	m.Boot()
	if got := h.cat(m, "/etc/hosts"); !strings.Contains(got, "11.0.0.2 db\n") {
		t.Errorf("/etc/hosts holds %q after a crash", got)
	}
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"struct stat", unsafe.Sizeof(abi.Stat{}), map[string]uintptr{"amd64": 144, "arm64": 128}[runtime.GOARCH]},
		{"st_size", unsafe.Offsetof(abi.Stat{}.Size), 48},
		{"st_ctim", unsafe.Offsetof(abi.Stat{}.Ctim), 104},
		{"struct statx", unsafe.Sizeof(abi.Statx{}), 256},
		{"stx_atime", unsafe.Offsetof(abi.Statx{}.Atime), 64},
		{"stx_rdev_major", unsafe.Offsetof(abi.Statx{}.RdevMajor), 128},
		{"struct statfs", unsafe.Sizeof(abi.Statfs{}), 120},
		{"struct flock", unsafe.Sizeof(abi.Flock{}), 32},
		{"struct iovec", unsafe.Sizeof(abi.Iovec{}), 16},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, c.got, c.want)
		}
	}
}

func TestTimesFollowTheClock(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	fd := h.put(m, "/a", "x")
	h.advance(1_500_000_000)
	h.must(m, abi.SYS_FCHMOD, fd, 0o600)
	var st abi.Stat
	h.must(m, abi.SYS_FSTAT, fd, unsafe.Pointer(&st))
	if want := abi.TimespecOf(int64(testStart)); st.Mtim != want {
		t.Errorf("mtime %v, want %v", st.Mtim, want)
	}
	if want := abi.TimespecOf(int64(testStart) + 1_500_000_000); st.Ctim != want {
		t.Errorf("ctime %v, want %v", st.Ctim, want)
	}
}

func TestStepTexts(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	from := len(h.events)
	b := make([]byte, 8)
	fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/tmp/x\n", testCreate|abi.O_CLOEXEC, 0o644)
	h.must(m, abi.SYS_WRITE, fd, []byte("hello"), 5)
	h.must(m, abi.SYS_LSEEK, fd, 0, abi.SEEK_SET)
	h.must(m, abi.SYS_READ, fd, b, 8)
	h.must(m, abi.SYS_FLOCK, fd, abi.LOCK_EX|abi.LOCK_NB)
	h.must(m, abi.SYS_FCNTL, fd, abi.F_GETFL, 0)
	h.must(m, abi.SYS_RENAMEAT2, abi.AT_FDCWD, "/tmp/x\n", abi.AT_FDCWD, "/tmp/y", abi.RENAME_NOREPLACE)
	h.want(m, 0, abi.ENOENT, abi.SYS_OPENAT, abi.AT_FDCWD, "/no", abi.O_RDONLY|abi.O_SYNC, 0)
	h.must(m, abi.SYS_MKDIRAT, abi.AT_FDCWD, "/tmp/d", 0o755)
	h.must(m, abi.SYS_WRITEV, fd, unsafe.Pointer(&[2]abi.Iovec{{Base: uintptr(unsafe.Pointer(&b[0])), Len: 3}, {}}), 2)
	h.must(m, abi.SYS_CLOSE, fd)
	want := []string{
		`openat "/tmp/x\n" O_RDWR|O_CREAT 0644`, `write 5`, `lseek 0 SEEK_SET`, `read 8`, `flock LOCK_EX|LOCK_NB`,
		`fcntl F_GETFL`, `renameat2 "/tmp/x\n" "/tmp/y" 0x1`, `openat "/no" O_RDONLY|O_SYNC`,
		`mkdirat "/tmp/d" 0755`, `writev 3`, `close`,
	}
	if got := h.texts(from); !slices.Equal(got, want) {
		t.Errorf("steps\n %q\nwant\n %q", got, want)
	}
	read := h.events[from+3]
	if read.Kind != steplog.KindSyscall || read.FD != int32(fd) || read.Bytes != 5 || read.Result != 5 {
		t.Errorf("the step of the read is %+v", read)
	}
	if open := h.events[from+7]; open.Errno != abi.ENOENT || open.FD != -1 {
		t.Errorf("the step of the failed openat is %+v", open)
	}
}

func TestConsoleWritesAreLogLines(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	from := len(h.events)
	h.must(m, abi.SYS_WRITE, 2, []byte("line\n"), 5)
	b := []byte("ab\n")
	p := uintptr(unsafe.Pointer(&b[0]))
	h.must(m, abi.SYS_WRITEV, 1, unsafe.Pointer(&[2]abi.Iovec{{Base: p, Len: 1}, {Base: p + 1, Len: 2}}), 2)
	h.must(m, abi.SYS_DUP2, 1, 7)
	h.must(m, abi.SYS_WRITE, 7, []byte("dup\n"), 4)
	if got, want := h.texts(from), []string{"line\n", "ab\n", "dup2 7", "dup\n"}; !slices.Equal(got, want) {
		t.Errorf("steps %q, want %q", got, want)
	}
	for _, i := range []int{0, 1, 3} {
		if kind := h.events[from+i].Kind; kind != steplog.KindLog {
			t.Errorf("step %d has kind %v", i, kind)
		}
	}
}

func TestMissingCallIsNamed(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	from := len(h.events)
	h.want(m, 0, abi.ENOSYS, abi.SYS_VMSPLICE, 0)
	if e := h.events[from]; e.Kind != steplog.KindUnsupported || string(e.Text) != "vmsplice" {
		t.Errorf("step %v %q", e.Kind, e.Text)
	}
}

func TestPipeWakes(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	var fds [2]int32
	h.must(m, abi.SYS_PIPE2, unsafe.Pointer(&fds), abi.O_NONBLOCK)
	r, w := int(fds[0]), int(fds[1])
	rf, _ := m.proc.fds.get(r)
	wf, _ := m.proc.fds.get(w)
	woken := func(what string, want ...wake) {
		t.Helper()
		if !slices.Equal(h.wakes, want) {
			t.Errorf("%s wakes %v, want %v", what, h.wakes, want)
		}
		h.wakes = nil
	}
	rf.PollOpen(1)
	woken("registering an empty pipe's reader")
	wf.PollOpen(2)
	woken("registering the writer", wake{2, ModeWrite})
	h.must(m, abi.SYS_WRITE, w, make([]byte, pipeSize), pipeSize)
	woken("a write", wake{1, ModeRead})
	b := make([]byte, pipeSize)
	h.must(m, abi.SYS_READ, r, b, 4095)
	woken("a read that leaves less than PIPE_BUF")
	h.must(m, abi.SYS_READ, r, b, 1)
	woken("a read that makes room", wake{2, ModeWrite})
	rf.PollClose(1)
	h.must(m, abi.SYS_WRITE, w, b, 1)
	woken("a write nobody waits for")
	rf.PollOpen(1)
	woken("registering a reader with data", wake{1, ModeRead})
	h.must(m, abi.SYS_CLOSE, w)
	woken("closing the writer", wake{1, ModeReadWrite})
	if _, ok := rf.(*pipeEnd); !ok || rf.PollOpen(3) != abi.OK {
		t.Error("a reader cannot be registered twice")
	}
}

func TestRegularFilesAreNotPolled(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	f, _ := m.proc.fds.get(h.put(m, "/a", ""))
	if errno := f.PollOpen(1); errno != abi.EPERM {
		t.Errorf("errno %d, want EPERM as epoll_ctl(2) says", errno)
	}
}

func TestRandomDeviceDrawsFromTheProgramsStream(t *testing.T) {
	read := func() []byte {
		h := newTestHost(t, nil)
		m := h.boot("main")
		fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/dev/urandom", abi.O_RDONLY, 0)
		b := make([]byte, 21)
		h.want(m, 21, abi.OK, abi.SYS_READ, fd, b, 21)
		return b
	}
	a, b := read(), read()
	if !reflect.DeepEqual(a, b) {
		t.Errorf("two runs of one seed read %x and %x", a, b)
	}
	if slices.Equal(a[:8], a[8:16]) || slices.Equal(a[16:], make([]byte, 5)) {
		t.Errorf("read %x", a)
	}
}

func TestMachinesHaveDisksOfTheirOwn(t *testing.T) {
	h := newTestHost(t, nil)
	a, b := h.boot("a"), h.boot("b")
	h.fsync(a, h.put(a, "/x", "from a"))
	if got := h.cat(b, "/x"); got != missing {
		t.Errorf("machine b reads %q from a's disk", got)
	}
	if got := h.cat(b, "/etc/hostname"); got != "b\n" {
		t.Errorf("hostname of b is %q", got)
	}
}

func TestWaitForALock(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	f := h.put(m, "/a", "")
	g := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/a", abi.O_RDWR, 0)
	h.want(m, 0, abi.OK, abi.SYS_FLOCK, f, abi.LOCK_EX)
	h.want(m, 0, abi.EINTR, abi.SYS_FLOCK, g, abi.LOCK_EX)
	fl := abi.Flock{Type: abi.F_WRLCK}
	h.want(m, 0, abi.OK, abi.SYS_FCNTL, f, abi.F_OFD_SETLKW, unsafe.Pointer(&fl))
	h.want(m, 0, abi.EINTR, abi.SYS_FCNTL, g, abi.F_OFD_SETLKW, unsafe.Pointer(&fl))
	h.want(m, 0, abi.EAGAIN, abi.SYS_FCNTL, g, abi.F_OFD_SETLK, unsafe.Pointer(&fl))
}

func TestTableHasNoGaps(t *testing.T) {
	for i := range fileEntries {
		e := &fileEntries[i]
		if (e.fn == nil) != (e.Support == Missing) {
			t.Errorf("%s: support %d and a function: %v", e.Name, e.Support, e.fn != nil)
		}
		if e.Support == Partial && e.Note == "" {
			t.Errorf("%s is partial and does not say what is missing", e.Name)
		}
	}
}

func BenchmarkOpenWriteSyncClose(b *testing.B) {
	h := newTestHost(&testing.T{}, nil)
	h.k.host.Record = func(*Event) {}
	m, _ := h.k.NewMachine(MachineConfig{Label: "main"})
	m.Boot()
	path, data := append([]byte("/tmp/x"), 0), make([]byte, 100)
	at := func(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }
	for b.Loop() {
		fd, _ := h.k.Syscall(m.id, abi.SYS_OPENAT, &Args{atFDCWD, at(&path[0]), testCreate | abi.O_APPEND, 0o644})
		h.k.Syscall(m.id, abi.SYS_WRITE, &Args{fd, at(&data[0]), 100})
		h.k.Syscall(m.id, abi.SYS_FSYNC, &Args{fd})
		h.k.Syscall(m.id, abi.SYS_FTRUNCATE, &Args{fd, 0})
		h.k.Syscall(m.id, abi.SYS_CLOSE, &Args{fd})
	}
}

func BenchmarkNewMachine(b *testing.B) {
	for b.Loop() {
		h := newTestHost(&testing.T{}, nil)
		h.k.NewMachine(MachineConfig{Label: "main"})
	}
}
