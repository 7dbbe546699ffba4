package vfs

import (
	"bytes"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// tree is a Lower tree in memory: directories end in a slash, links in "@"
// and their target.
type tree map[string]string

func (tr tree) Roots() []string { return []string{"/real"} }

func (tr tree) ReadDir(path string) ([]LowerEntry, abi.Errno) {
	var list []LowerEntry
	for name := range tr { // in any order, as the interface allows
		if len(name) > len(path)+1 && name[:len(path)+1] == path+"/" {
			rest := name[len(path)+1:]
			typ := uint32(abi.S_IFREG)
			if i := len(rest) - 1; rest[i] == '/' {
				rest, typ = rest[:i], abi.S_IFDIR
			}
			if !bytes.ContainsRune([]byte(rest), '/') {
				list = append(list, LowerEntry{rest, typ})
			}
		}
	}
	return list, abi.OK
}

func (tr tree) Stat(path string) (uint32, int64, abi.Errno) {
	if _, ok := tr[path+"/"]; ok {
		return abi.S_IFDIR | 0o755, 0, abi.OK
	}
	s, ok := tr[path]
	if !ok {
		return 0, 0, abi.ENOENT
	}
	return abi.S_IFREG | 0o644, int64(len(s)), abi.OK
}

func (tr tree) Readlink(string) (string, abi.Errno) { return "", abi.EINVAL }

func (tr tree) Pread(path string, p []byte, off int64) (int, abi.Errno) {
	return Text(tr[path]).ReadAt(p, off)
}

func newLower(t *testing.T, tr tree) *FS {
	fs := New(Config{Now: func() int64 { return 7 }, Lower: tr})
	if errno := fs.Mount(); errno != abi.OK {
		t.Fatalf("mount: errno %d", errno)
	}
	fs.Seal()
	return fs
}

func resolve(t *testing.T, fs *FS, path string) *Inode {
	t.Helper()
	n, errno := fs.Resolve(fs.Root(), path, Follow)
	if errno != abi.OK {
		t.Fatalf("%s: errno %d", path, errno)
	}
	return n
}

func text(t *testing.T, n *Inode) string {
	t.Helper()
	b := make([]byte, n.Size()+1)
	m, errno := n.ReadAt(b, 0)
	if errno != abi.OK || int64(m) != n.Size() {
		t.Fatalf("read %d of %d bytes, errno %d", m, n.Size(), errno)
	}
	return string(b[:m])
}

func TestLowerIsCopiedOnWrite(t *testing.T) {
	long := string(bytes.Repeat([]byte("0123456789abcdef"), 1000))
	tr := tree{"/real/": "", "/real/b": "bee", "/real/a": long, "/real/d/": "", "/real/d/x": "ex"}
	fs := newLower(t, tr)
	a := resolve(t, fs, "/real/a")
	if got := text(t, a); got != long {
		t.Fatalf("lower file reads as %.40q", got)
	}
	if _, errno := a.WriteAt([]byte("XY"), 5000); errno != abi.OK {
		t.Fatal(errno)
	}
	want := long[:5000] + "XY" + long[5002:]
	if text(t, a) != want {
		t.Error("a write into a lower file changed other bytes")
	}
	// A hole over lower bytes reads as zeros, also when the file grows again.
	if errno := a.Zero(4096, 4096); errno != abi.OK {
		t.Fatal(errno)
	}
	hole := long[:4096] + string(make([]byte, 4096)) + long[8192:]
	if text(t, a) != hole {
		t.Error("a hole shows lower bytes")
	}
	// A second write into the hole must not spoil the next hole.
	a.WriteAt([]byte("q"), 4100)
	a.Zero(8192, 4096)
	if got := text(t, a); got[8196] != 0 {
		t.Error("the page of zeros was written to")
	}
	a.Truncate(10)
	a.Truncate(30)
	if got := text(t, a); got != long[:10]+string(make([]byte, 20)) {
		t.Errorf("after truncate: %q", got)
	}
	fs.PowerOff()
	if text(t, a) != long {
		t.Error("unsynced writes survived the power failure")
	}
	if tr["/real/a"] != long {
		t.Error("the lower tree was changed")
	}
}

func TestLowerNames(t *testing.T) {
	fs := newLower(t, tree{"/real/": "", "/real/b": "bee", "/real/a": "ay", "/real/d/": "", "/real/d/x": "ex"})
	real := resolve(t, fs, "/real")
	names := func() (s string) {
		list, errno := real.List()
		if errno != abi.OK {
			t.Fatal(errno)
		}
		for _, e := range list[2:] {
			s += e.Name + " "
		}
		return s
	}
	if got := names(); got != "a b d " {
		t.Errorf("listing %q, want sorted names", got)
	}
	if got := real.Info().Nlink; got != 3 {
		t.Errorf("%d links of a directory with one directory, want 3", got)
	}
	p, _ := fs.Walk(fs.Root(), "/real/a", 0)
	if errno := fs.Unlink(p); errno != abi.OK {
		t.Fatal(errno)
	}
	x, _ := fs.Walk(fs.Root(), "/real/d/x", 0)
	to, _ := fs.Walk(fs.Root(), "/moved", 0)
	if errno := fs.Rename(x, to, 0); errno != abi.OK {
		t.Fatal(errno)
	}
	if got := names(); got != "b d " {
		t.Errorf("listing %q after the removal of a", got)
	}
	if got := text(t, resolve(t, fs, "/moved")); got != "ex" {
		t.Errorf("moved lower file holds %q", got)
	}
	fs.PowerOff()
	if got := names(); got != "a b d " {
		t.Errorf("listing %q after a power failure, want the removed name back", got)
	}
	if in := resolve(t, fs, "/real/a").Info(); in.Mtime != 7 || in.UID != 0 {
		t.Errorf("lower file has times %d and owner %d, want fixed ones", in.Mtime, in.UID)
	}
}

// TestRemovedDirectoryCommitsWhatLeftIt is the case that needs more than the
// operations on the synced names: a file leaves a directory, the directory
// goes, and only the parent is synced.
func TestRemovedDirectoryCommitsWhatLeftIt(t *testing.T) {
	fs := New(Config{Now: func() int64 { return 1 }})
	fs.Seal()
	place := func(path string) Place {
		p, errno := fs.Walk(fs.Root(), path, 0)
		if errno != abi.OK {
			t.Fatalf("%s: errno %d", path, errno)
		}
		return p
	}
	fs.Mkdir(place("/d"), 0o755)
	n, _ := fs.Create(place("/d/f"), 0o644)
	fs.Link(n, place("/kept"))
	fs.SyncAll()
	fs.Unlink(place("/d/f"))
	fs.Rmdir(place("/d"))
	fs.Sync(fs.Root(), false)
	fs.PowerOff()
	if n.Info().Nlink != 1 {
		t.Errorf("the file has %d links and one name", n.Info().Nlink)
	}
}

// TestTemporaryFilesLeaveNothing shows that a program that makes and removes
// files without a sync does not fill the memory.
func TestTemporaryFilesLeaveNothing(t *testing.T) {
	fs := New(Config{Now: func() int64 { return 1 }})
	fs.Seal()
	for range 10 {
		p, _ := fs.Walk(fs.Root(), "/tmp", 0)
		n, _ := fs.Create(p, 0o600)
		n.Open()
		for range 10 {
			n.WriteAt(make([]byte, 10000), 0)
			n.Truncate(0)
		}
		if len(n.file.pages) != 0 {
			t.Errorf("%d pages are noted for an empty file", len(n.file.pages))
		}
		p, _ = fs.Walk(fs.Root(), "/tmp", 0)
		fs.Unlink(p)
		n.Close()
	}
	if fs.first != nil {
		t.Error("operations are pending for files that are gone")
	}
	if fs.dirty != fs.root || fs.root.nextDirty != nil {
		t.Error("files that are gone are still to be written")
	}
}
