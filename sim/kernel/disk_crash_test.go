package kernel

import (
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/steplog"
)

const (
	testCreate = abi.O_RDWR | abi.O_CREAT
	missing    = "(missing)"
)

// put creates or overwrites a file, without a sync, and returns a descriptor.
func (h *testHost) put(m *Machine, path, text string) int {
	h.t.Helper()
	fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, path, testCreate|abi.O_TRUNC, 0o644)
	h.want(m, len(text), abi.OK, abi.SYS_WRITE, fd, []byte(text), len(text))
	return fd
}

// cat returns the contents of a file, or missing.
func (h *testHost) cat(m *Machine, path string) string {
	h.t.Helper()
	fd, errno := h.call(m, abi.SYS_OPENAT, abi.AT_FDCWD, path, abi.O_RDONLY, 0)
	if errno == abi.ENOENT {
		return missing
	} else if errno != abi.OK {
		h.t.Fatalf("open %s: errno %d", path, errno)
	}
	b := make([]byte, 64<<10)
	n := h.must(m, abi.SYS_READ, fd, b, len(b))
	h.must(m, abi.SYS_CLOSE, fd)
	return string(b[:n])
}

func (h *testHost) fsyncDir(m *Machine, path string) {
	h.t.Helper()
	fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, path, abi.O_RDONLY|abi.O_DIRECTORY, 0)
	h.must(m, abi.SYS_FSYNC, fd)
	h.must(m, abi.SYS_CLOSE, fd)
}

func (h *testHost) mkdir(m *Machine, path string) {
	h.t.Helper()
	h.must(m, abi.SYS_MKDIRAT, abi.AT_FDCWD, path, 0o755)
}

func (h *testHost) rename(m *Machine, from, to string) {
	h.t.Helper()
	h.must(m, abi.SYS_RENAMEAT, abi.AT_FDCWD, from, abi.AT_FDCWD, to)
}

func (h *testHost) fsync(m *Machine, fd int) { h.t.Helper(); h.must(m, abi.SYS_FSYNC, fd) }
func (h *testHost) unlink(m *Machine, path string) {
	h.t.Helper()
	h.must(m, abi.SYS_UNLINKAT, abi.AT_FDCWD, path, 0)
}

// crashCases say what a power failure leaves. each runs before, then /dir
// and what it holds is looked at.
var crashCases = []struct {
	name string
	run  func(h *testHost, m *Machine)
	want map[string]string
}{
	{"no sync", func(h *testHost, m *Machine) { h.put(m, "/d/a", "new") }, map[string]string{"/d/a": missing}},
	{"fsync of the file keeps its name", func(h *testHost, m *Machine) {
		h.fsync(m, h.put(m, "/d/a", "new"))
	}, map[string]string{"/d/a": "new"}},
	{"fdatasync keeps bytes and size", func(h *testHost, m *Machine) {
		h.must(m, abi.SYS_FDATASYNC, h.put(m, "/d/a", "new"))
	}, map[string]string{"/d/a": "new"}},
	{"fsync of the directory alone keeps an empty file", func(h *testHost, m *Machine) {
		h.put(m, "/d/a", "new")
		h.fsyncDir(m, "/d")
	}, map[string]string{"/d/a": ""}},
	{"overwrite without sync", func(h *testHost, m *Machine) {
		h.put(m, "/d/old", "second")
	}, map[string]string{"/d/old": "first"}},
	{"append without sync", func(h *testHost, m *Machine) {
		fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/d/old", abi.O_WRONLY|abi.O_APPEND, 0)
		h.want(m, 4, abi.OK, abi.SYS_WRITE, fd, []byte("more"), 4)
	}, map[string]string{"/d/old": "first"}},
	{"O_SYNC", func(h *testHost, m *Machine) {
		fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/d/a", testCreate|abi.O_SYNC, 0o644)
		h.want(m, 3, abi.OK, abi.SYS_WRITE, fd, []byte("new"), 3)
	}, map[string]string{"/d/a": "new"}},
	{"O_DSYNC", func(h *testHost, m *Machine) {
		fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/d/old", abi.O_RDWR|abi.O_DSYNC, 0)
		h.want(m, 3, abi.OK, abi.SYS_WRITE, fd, []byte("new"), 3)
	}, map[string]string{"/d/old": "newst"}},
	{"sync keeps everything", func(h *testHost, m *Machine) {
		h.put(m, "/d/a", "new")
		h.rename(m, "/d/old", "/d/b")
		h.must(m, abi.SYS_SYNC)
	}, map[string]string{"/d/a": "new", "/d/b": "first", "/d/old": missing}},
	{"sync_file_range keeps nothing", func(h *testHost, m *Machine) {
		h.must(m, abi.SYS_SYNC_FILE_RANGE, h.put(m, "/d/a", "new"), 0, 0, 7)
	}, map[string]string{"/d/a": missing}},
	{"rename without sync of the directory", func(h *testHost, m *Machine) {
		h.fsync(m, h.put(m, "/d/tmp", "second"))
		h.rename(m, "/d/tmp", "/d/old")
	}, map[string]string{"/d/tmp": "second", "/d/old": "first"}},
	{"rename with sync of the directory", func(h *testHost, m *Machine) {
		h.fsync(m, h.put(m, "/d/tmp", "second"))
		h.rename(m, "/d/tmp", "/d/old")
		h.fsyncDir(m, "/d")
	}, map[string]string{"/d/tmp": missing, "/d/old": "second"}},
	{"rename of a file that was never synced", func(h *testHost, m *Machine) {
		h.put(m, "/d/tmp", "second")
		h.rename(m, "/d/tmp", "/d/old")
		h.fsyncDir(m, "/d")
	}, map[string]string{"/d/tmp": missing, "/d/old": ""}},
	{"rename between directories is atomic", func(h *testHost, m *Machine) {
		h.mkdir(m, "/e")
		h.rename(m, "/d/old", "/e/moved")
		h.fsyncDir(m, "/e")
	}, map[string]string{"/d/old": missing, "/e/moved": "first"}},
	{"rename away, sync of the old directory", func(h *testHost, m *Machine) {
		h.mkdir(m, "/e")
		h.rename(m, "/d/old", "/e/moved")
		h.fsyncDir(m, "/d")
	}, map[string]string{"/d/old": missing, "/e/moved": "first"}},
	{"exchange without sync", func(h *testHost, m *Machine) {
		h.fsync(m, h.put(m, "/d/a", "new"))
		h.must(m, abi.SYS_RENAMEAT2, abi.AT_FDCWD, "/d/a", abi.AT_FDCWD, "/d/old", abi.RENAME_EXCHANGE)
	}, map[string]string{"/d/a": "new", "/d/old": "first"}},
	{"unlink without sync", func(h *testHost, m *Machine) {
		h.unlink(m, "/d/old")
	}, map[string]string{"/d/old": "first"}},
	{"unlink, then a new file of the name, synced", func(h *testHost, m *Machine) {
		h.unlink(m, "/d/old")
		h.fsync(m, h.put(m, "/d/old", "second"))
	}, map[string]string{"/d/old": "second"}},
	{"unlink and rewrite without sync", func(h *testHost, m *Machine) {
		h.unlink(m, "/d/old")
		h.put(m, "/d/old", "second")
	}, map[string]string{"/d/old": "first"}},
	{"unlink with sync of the directory", func(h *testHost, m *Machine) {
		h.unlink(m, "/d/old")
		h.fsyncDir(m, "/d")
	}, map[string]string{"/d/old": missing}},
	{"written, then unlinked, keeps the synced bytes", func(h *testHost, m *Machine) {
		fd := h.put(m, "/d/old", "second")
		h.must(m, abi.SYS_CLOSE, fd)
		h.unlink(m, "/d/old")
	}, map[string]string{"/d/old": "first"}},
	{"fsync of a file in new directories keeps these", func(h *testHost, m *Machine) {
		h.mkdir(m, "/x")
		h.mkdir(m, "/x/y")
		h.put(m, "/x/other", "other")
		h.fsync(m, h.put(m, "/x/y/a", "new"))
	}, map[string]string{"/x/y/a": "new", "/x/other": missing}},
	{"fsync says nothing about other files", func(h *testHost, m *Machine) {
		h.put(m, "/d/b", "lost")
		h.fsync(m, h.put(m, "/d/a", "new"))
	}, map[string]string{"/d/a": "new", "/d/b": missing}},
	{"truncate without sync", func(h *testHost, m *Machine) {
		h.must(m, abi.SYS_TRUNCATE, "/d/old", 2)
		h.must(m, abi.SYS_TRUNCATE, "/d/old", 9)
	}, map[string]string{"/d/old": "first"}},
	{"truncate with sync", func(h *testHost, m *Machine) {
		fd := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/d/old", abi.O_RDWR, 0)
		h.must(m, abi.SYS_FTRUNCATE, fd, 2)
		h.must(m, abi.SYS_FTRUNCATE, fd, 4)
		h.fsync(m, fd)
	}, map[string]string{"/d/old": "fi\x00\x00"}},
	{"rmdir of a directory whose file went first", func(h *testHost, m *Machine) {
		h.unlink(m, "/d/old")
		h.must(m, abi.SYS_UNLINKAT, abi.AT_FDCWD, "/d", abi.AT_REMOVEDIR)
		h.fsyncDir(m, "/")
	}, map[string]string{"/d/old": missing}},
	{"hard link without sync", func(h *testHost, m *Machine) {
		h.must(m, abi.SYS_LINKAT, abi.AT_FDCWD, "/d/old", abi.AT_FDCWD, "/d/b", 0)
	}, map[string]string{"/d/old": "first", "/d/b": missing}},
}

func TestPowerFailure(t *testing.T) {
	for _, c := range crashCases {
		t.Run(c.name, func(t *testing.T) {
			h := newTestHost(t, nil)
			m := h.boot("main")
			h.mkdir(m, "/d")
			h.fsync(m, h.put(m, "/d/old", "first"))
			c.run(h, m)
			m.Crash()
			m.Boot()
			for path, want := range c.want {
				if got := h.cat(m, path); got != want {
					t.Errorf("%s holds %q after the power failure, want %q", path, got, want)
				}
			}
		})
	}
}

func TestKillKeepsPageCache(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	h.mkdir(m, "/d")
	fd := h.put(m, "/d/a", "new")
	h.want(m, 0, abi.OK, abi.SYS_FLOCK, fd, abi.LOCK_EX)
	m.End(steplog.KindExit, 137, "killed")
	m.Boot()
	if got := h.cat(m, "/d/a"); got != "new" {
		t.Errorf("file holds %q after a kill, want %q", got, "new")
	}
	fd = h.put(m, "/d/a", "newer")
	h.want(m, 0, abi.OK, abi.SYS_FLOCK, fd, abi.LOCK_EX|abi.LOCK_NB)
	m.Crash()
	m.Boot()
	if got := h.cat(m, "/d/a"); got != missing {
		t.Errorf("file holds %q after a power failure, want it to be missing", got)
	}
}

func TestCrashReleasesLocks(t *testing.T) {
	h := newTestHost(t, nil)
	m := h.boot("main")
	fd := h.put(m, "/lock", "")
	h.fsync(m, fd)
	h.want(m, 0, abi.OK, abi.SYS_FLOCK, fd, abi.LOCK_EX)
	other := h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/lock", abi.O_RDWR, 0)
	h.want(m, 0, abi.EAGAIN, abi.SYS_FLOCK, other, abi.LOCK_EX|abi.LOCK_NB)
	m.Crash()
	m.Boot()
	fd = h.must(m, abi.SYS_OPENAT, abi.AT_FDCWD, "/lock", abi.O_RDWR, 0)
	h.want(m, 0, abi.OK, abi.SYS_FLOCK, fd, abi.LOCK_EX|abi.LOCK_NB)
}
