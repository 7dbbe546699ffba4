package runs

import (
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// lockFile locks an open file against other processes, shared or alone, until
// it is closed (LockFileEx). When it must not wait and another process has the
// lock, it fails.
func lockFile(f *os.File, alone, wait bool) error {
	var how uint32
	if alone {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	if !wait {
		how |= windows.LOCKFILE_FAIL_IMMEDIATELY
	}
	return windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, new(windows.Overlapped))
}

// mapFile makes the first size bytes of a file readable in memory
// (MapViewOfFile). The system does not let the file shrink meanwhile.
func mapFile(f *os.File, size int) ([]byte, error) {
	m, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READONLY, uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateFileMapping", err)
	}
	defer windows.CloseHandle(m) // the view keeps what it needs
	addr, err := windows.MapViewOfFile(m, windows.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, os.NewSyscallError("MapViewOfFile", err)
	}
	// The address is no pointer of Go's heap, so it may be made one this way.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), size), nil
}

func unmapFile(b []byte) { _ = windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// isPrivate reports a folder of this user's: the temporary folder of Windows
// is one below each user's own.
func isPrivate(info fs.FileInfo) bool { return info.IsDir() }
