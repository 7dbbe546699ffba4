package kernel

import (
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// oneFile is a real tree with the file pkg/testdata/x.txt in it.
type oneFile struct{ asked []string }

const oneFileRoot = "/src"

func (u *oneFile) Roots() []string { return []string{oneFileRoot} }

func (u *oneFile) ReadDir(path string) ([]UnderEntry, abi.Errno) {
	u.asked = append(u.asked, path)
	switch path {
	case "/src":
		return []UnderEntry{{Name: "pkg", Type: abi.S_IFDIR}}, abi.OK
	case "/src/pkg":
		return []UnderEntry{{Name: "testdata", Type: abi.S_IFDIR}, {Name: "go.mod", Type: abi.S_IFREG}}, abi.OK
	case "/src/pkg/testdata":
		return []UnderEntry{{Name: "x.txt", Type: abi.S_IFREG}}, abi.OK
	}
	return nil, abi.ENOENT
}

func (u *oneFile) Stat(path string) (uint32, int64, abi.Errno) {
	switch path {
	case "/src/pkg", "/src/pkg/testdata":
		return abi.S_IFDIR | 0o755, 0, abi.OK
	case "/src/pkg/testdata/x.txt", "/src/pkg/go.mod":
		return abi.S_IFREG | 0o640, 4, abi.OK
	}
	return 0, 0, abi.ENOENT
}

func (u *oneFile) Readlink(string) (string, abi.Errno) { return "", abi.EINVAL }

func (u *oneFile) Pread(_ string, p []byte, off int64) (int, abi.Errno) {
	return copy(p, "real"[off:]), abi.OK
}

func TestUnderTheWorkingDirectory(t *testing.T) {
	under := &oneFile{}
	h := newTestHost(t, under)
	m, db := h.boot("main"), h.boot("db")
	if got := h.cat(m, "testdata/x.txt"); got != "real" {
		t.Errorf("a file of the package reads as %q", got)
	}
	if got := h.cat(db, "/src/pkg/testdata/x.txt"); got != missing {
		t.Errorf("another machine reads %q from the package", got)
	}
	h.must(m, abi.SYS_CLOSE, h.put(m, "testdata/new", "scratch"))
	h.must(m, abi.SYS_CLOSE, h.put(m, "testdata/x.txt", "changed"))
	if got := h.cat(m, "testdata/x.txt"); got != "changed" {
		t.Errorf("the changed file reads as %q", got)
	}
	h.must(m, abi.SYS_UNLINKAT, abi.AT_FDCWD, "go.mod", 0)
	if got := h.cat(m, "/src/pkg/go.mod"); got != missing {
		t.Errorf("a removed file reads as %q", got)
	}
	seen := map[string]int{}
	for _, path := range under.asked {
		if seen[path]++; seen[path] > 1 {
			t.Errorf("%s was listed more than once", path)
		}
	}
	m.Crash()
	m.Boot()
	if got := h.cat(m, "testdata/x.txt") + h.cat(m, "go.mod") + h.cat(m, "testdata/new"); got != "realreal"+missing {
		t.Errorf("after a power failure the files hold %q", got)
	}
}
