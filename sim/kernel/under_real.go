package kernel

import (
	"unsafe"

	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
)

// realFiles is the read-only view of the module under test: the real folder
// real appears at the fixed path root, so that two checkouts look the same to
// the program.
type realFiles struct {
	call func(nr uintptr, a *[6]uintptr) (r, errno uintptr)
	root string                // where the program sees it: "/src/example.org/mod"
	real string                // where it is
	path [2 * abi.PathMax]byte // scratch: a NUL-terminated path; its place and size do not depend on real
	buf  [4096]byte
}

func newRealFiles(call func(nr uintptr, a *[6]uintptr) (r, errno uintptr), root, real string) Under {
	if root == "" || real == "" {
		return nil
	}
	return &realFiles{call: call, root: root, real: real}
}

// Roots implements vfs.Lower.
func (f *realFiles) Roots() []string { return []string{f.root} }

// translate puts the real path into f.path and returns its address.
func (f *realFiles) translate(path string) (uintptr, bool) {
	if len(path) < len(f.root) || path[:len(f.root)] != f.root || len(f.real)+len(path)-len(f.root) >= len(f.path) {
		return 0, false
	}
	n := copy(f.path[:], f.real)
	n += copy(f.path[n:], path[len(f.root):])
	f.path[n] = 0
	return uintptr(unsafe.Pointer(&f.path[0])), true
}

func (f *realFiles) sys(nr, a, b, c, d uintptr) (uintptr, abi.Errno) {
	r, errno := f.call(nr, &[6]uintptr{a, b, c, d})
	return r, abi.Errno(errno)
}

const atFDCWD = ^uintptr(99)

func (f *realFiles) open(path string, flags uintptr) (uintptr, abi.Errno) {
	p, ok := f.translate(path)
	if !ok {
		return 0, abi.ENOENT
	}
	return f.sys(abi.SYS_OPENAT, atFDCWD, p, flags|abi.O_CLOEXEC, 0)
}

// ReadDir implements vfs.Lower.
func (f *realFiles) ReadDir(path string) ([]vfs.LowerEntry, abi.Errno) {
	fd, errno := f.open(path, abi.O_DIRECTORY)
	if errno != abi.OK {
		return nil, errno
	}
	var entries []vfs.LowerEntry
	for {
		n, errno := f.sys(abi.SYS_GETDENTS64, fd, uintptr(unsafe.Pointer(&f.buf)), uintptr(len(f.buf)), 0)
		if errno != abi.OK || n == 0 {
			f.sys(abi.SYS_CLOSE, fd, 0, 0, 0)
			return entries, errno
		}
		for off := uintptr(0); off < n; {
			e := f.buf[off:]
			length := uintptr(e[16]) | uintptr(e[17])<<8
			name := e[19:length]
			for i, c := range name {
				if c == 0 {
					name = name[:i]
					break
				}
			}
			// d_type is the file type in mode bits, shifted.
			if typ := uint32(e[18]) << 12; typ == abi.S_IFREG || typ == abi.S_IFDIR || typ == abi.S_IFLNK {
				if s := string(name); s != "." && s != ".." {
					entries = append(entries, vfs.LowerEntry{Name: s, Type: typ})
				}
			}
			off += length
		}
	}
}

// Stat implements vfs.Lower.
func (f *realFiles) Stat(path string) (mode uint32, size int64, errno abi.Errno) {
	p, ok := f.translate(path)
	if !ok {
		return 0, 0, abi.ENOENT
	}
	var st abi.Stat
	_, errno = f.sys(abi.SYS_NEWFSTATAT, atFDCWD, p, uintptr(unsafe.Pointer(&st)), abi.AT_SYMLINK_NOFOLLOW)
	return st.Mode, st.Size, errno
}

// Readlink implements vfs.Lower.
func (f *realFiles) Readlink(path string) (string, abi.Errno) {
	p, ok := f.translate(path)
	if !ok {
		return "", abi.ENOENT
	}
	n, errno := f.sys(abi.SYS_READLINKAT, atFDCWD, p, uintptr(unsafe.Pointer(&f.buf)), uintptr(len(f.buf)))
	if errno != abi.OK {
		return "", errno
	}
	return string(f.buf[:n]), abi.OK
}

// Pread implements vfs.Lower.
func (f *realFiles) Pread(path string, p []byte, off int64) (int, abi.Errno) {
	fd, errno := f.open(path, 0)
	if errno != abi.OK {
		return 0, errno
	}
	total := 0
	for total < len(p) {
		n, e := f.sys(abi.SYS_PREAD64, fd, uintptr(unsafe.Pointer(&p[total])), uintptr(len(p)-total), uintptr(off)+uintptr(total))
		if e != abi.OK || n == 0 {
			errno = e
			break
		}
		total += int(n)
	}
	f.sys(abi.SYS_CLOSE, fd, 0, 0, 0)
	return total, errno
}
