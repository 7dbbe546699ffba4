package kernel

import "github.com/restep/restep/sim/kernel/abi"

// File is an open file description: what a file descriptor refers to after
// open(2), socket(2), accept(2) or dup(2). Several descriptors may share one.
//
// Calls never block: where Linux would wait, they answer EAGAIN, whether or
// not O_NONBLOCK is set. Offsets and lengths are in bytes.
type File interface {
	// Read and Write are read(2) and write(2) at the file's own offset.
	Read(t *Task, p []byte) (int, abi.Errno)
	Write(t *Task, p []byte) (int, abi.Errno)
	// Pread and Pwrite leave the file's offset alone.
	Pread(t *Task, p []byte, off int64) (int, abi.Errno)
	Pwrite(t *Task, p []byte, off int64) (int, abi.Errno)
	Seek(t *Task, off int64, whence int) (int64, abi.Errno)
	// Stat fills in what fstat(2) tells.
	Stat(t *Task, st *abi.Stat) abi.Errno
	// Flags and SetFlags are the F_GETFL flags: access mode, O_APPEND,
	// O_NONBLOCK.
	Flags() uint32
	SetFlags(flags uint32)
	Ioctl(t *Task, req, arg uintptr) (uintptr, abi.Errno)
	// PollOpen registers poll descriptor pd for edge-triggered readiness and
	// reports the present state at once; EPERM for files that are always
	// ready (epoll_ctl(2)). PollClose takes pd out again.
	PollOpen(pd uintptr) abi.Errno
	PollClose(pd uintptr)
	// Release runs when the last descriptor is closed. Fsync(2)-like errors
	// are returned by close(2).
	Release(t *Task) abi.Errno
}

// fileBase answers every call as a file that does not support it; kinds of
// files embed it.
type fileBase struct{ flags uint32 }

func (fileBase) Read(*Task, []byte) (int, abi.Errno)          { return 0, abi.EINVAL }
func (fileBase) Write(*Task, []byte) (int, abi.Errno)         { return 0, abi.EINVAL }
func (fileBase) Pread(*Task, []byte, int64) (int, abi.Errno)  { return 0, abi.ESPIPE }
func (fileBase) Pwrite(*Task, []byte, int64) (int, abi.Errno) { return 0, abi.ESPIPE }
func (fileBase) Seek(*Task, int64, int) (int64, abi.Errno)    { return 0, abi.ESPIPE }
func (f *fileBase) Flags() uint32                             { return f.flags }
func (f *fileBase) SetFlags(flags uint32)                     { f.flags = flags }
func (fileBase) Ioctl(*Task, uintptr, uintptr) (uintptr, abi.Errno) {
	return 0, abi.ENOTTY
}
func (fileBase) PollOpen(uintptr) abi.Errno { return abi.EPERM }
func (fileBase) PollClose(uintptr)          {}
func (fileBase) Release(*Task) abi.Errno    { return abi.OK }

// openFile counts the descriptors that share a File.
type openFile struct {
	File
	refs int
}

// fdEntry is one slot of a descriptor table.
type fdEntry struct {
	file    *openFile // nil when free
	cloexec bool
}

// fdTable maps descriptors to open files; the lowest free number is used
// first, as POSIX demands.
type fdTable struct {
	slots []fdEntry
	limit int // RLIMIT_NOFILE
}

func (ft *fdTable) get(fd int) (File, abi.Errno) {
	if fd < 0 || fd >= len(ft.slots) || ft.slots[fd].file == nil {
		return nil, abi.EBADF
	}
	return ft.slots[fd].file.File, abi.OK
}

// install puts f into the lowest free slot at or above min.
func (ft *fdTable) install(f File, min int, cloexec bool) (int, abi.Errno) {
	return ft.installShared(&openFile{File: f}, min, cloexec)
}

func (ft *fdTable) installShared(of *openFile, min int, cloexec bool) (int, abi.Errno) {
	if min < 0 || min >= ft.limit {
		return -1, abi.EINVAL
	}
	fd := min
	for fd < len(ft.slots) && ft.slots[fd].file != nil {
		fd++
	}
	if fd >= ft.limit {
		return -1, abi.EMFILE
	}
	for len(ft.slots) <= fd {
		ft.slots = append(ft.slots, fdEntry{})
	}
	of.refs++
	ft.slots[fd] = fdEntry{of, cloexec}
	return fd, abi.OK
}

// dup puts the file behind fd into a further slot at or above min.
func (ft *fdTable) dup(fd, min int, cloexec bool) (int, abi.Errno) {
	if _, errno := ft.get(fd); errno != abi.OK {
		return -1, errno
	}
	return ft.installShared(ft.slots[fd].file, min, cloexec)
}

// close frees the slot; the file is released with its last descriptor.
func (ft *fdTable) close(t *Task, fd int) abi.Errno {
	if _, errno := ft.get(fd); errno != abi.OK {
		return errno
	}
	of := ft.slots[fd].file
	ft.slots[fd] = fdEntry{}
	return of.drop(t)
}

// drop gives one reference back; the last one releases the file.
func (of *openFile) drop(t *Task) abi.Errno {
	of.refs--
	assert(of.refs >= 0, "file reference count is negative")
	if of.refs > 0 {
		return abi.OK
	}
	return of.Release(t)
}
