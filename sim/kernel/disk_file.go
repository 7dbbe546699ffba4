package kernel

import (
	"github.com/restep/restep/sim/kernel/abi"
	"github.com/restep/restep/sim/kernel/vfs"
	"github.com/restep/restep/sim/sched"
)

// diskFile is an open file description of something on a disk; regular files
// use it as it is, directories and devices embed it.
type diskFile struct {
	fileBase
	d     *disk
	inode *vfs.Inode
	id    uint64 // owner of its locks
	pos   int64
	// dir and name are where it was opened, for /proc; name is "" for dir.
	dir  *vfs.Inode
	name string
}

func newDiskFile(d *disk, n *vfs.Inode, flags uint32) *diskFile {
	n.Open()
	return &diskFile{fileBase: fileBase{flags}, d: d, inode: n, id: d.nextFile()}
}

func (f *fileBase) readable() bool { return f.flags&abi.O_ACCMODE != abi.O_WRONLY }
func (f *fileBase) writable() bool { return f.flags&abi.O_ACCMODE != abi.O_RDONLY }

func (f *diskFile) Read(t *Task, p []byte) (int, abi.Errno) {
	n, errno := f.Pread(t, p, f.pos)
	f.pos += int64(n)
	return n, errno
}

func (f *diskFile) Write(t *Task, p []byte) (int, abi.Errno) {
	n, errno := f.Pwrite(t, p, f.pos)
	switch {
	case n > 0 && f.flags&abi.O_APPEND != 0:
		f.pos = f.inode.Size()
	case n > 0:
		f.pos += int64(n)
	}
	return n, errno
}

func (f *diskFile) Pread(_ *Task, p []byte, off int64) (int, abi.Errno) {
	switch {
	case !f.readable():
		return 0, abi.EBADF
	case off < 0:
		return 0, abi.EINVAL
	}
	if len(f.d.faults) > 0 {
		if errno := f.d.fail(diskRead, f.inode); errno != abi.OK {
			return 0, errno
		}
	}
	n, errno := f.inode.ReadAt(p, off)
	if n > 0 {
		f.notifyFile(abi.IN_ACCESS)
	}
	return n, errno
}

// Pwrite appends whatever the offset when O_APPEND is set (pwrite(2), BUGS).
func (f *diskFile) Pwrite(t *Task, p []byte, off int64) (int, abi.Errno) {
	switch {
	case !f.writable():
		return 0, abi.EBADF
	case off < 0:
		return 0, abi.EINVAL
	case f.flags&abi.O_APPEND != 0:
		off = f.inode.Size()
	}
	if len(f.d.faults) > 0 {
		if errno := f.d.fail(diskWrite, f.inode); errno != abi.OK {
			return 0, errno
		}
	}
	n, errno := f.inode.WriteAt(p, off)
	if n > 0 {
		t.proc.who.fs.Written(f.inode)
		f.notifyFile(abi.IN_MODIFY)
	}
	if n > 0 && f.flags&abi.O_DSYNC != 0 {
		errno = f.d.sync(f.inode, f.flags&abi.O_SYNC != abi.O_SYNC)
		if errno != abi.OK {
			return 0, errno
		}
	}
	return n, errno
}

func (f *diskFile) Seek(_ *Task, off int64, whence int) (int64, abi.Errno) {
	switch whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		off += f.pos
	case abi.SEEK_END:
		off += f.inode.Size()
	case abi.SEEK_DATA, abi.SEEK_HOLE:
		find := f.inode.SeekData
		if whence == abi.SEEK_HOLE {
			find = f.inode.SeekHole
		}
		at, errno := find(off)
		if errno != abi.OK {
			return 0, errno
		}
		off = at
	default:
		return 0, abi.EINVAL
	}
	if off < 0 || off > vfs.MaxFileSize {
		return 0, abi.EINVAL
	}
	f.pos = off
	return off, abi.OK
}

func (f *diskFile) Stat(_ *Task, st *abi.Stat) abi.Errno {
	in := f.inode.Info()
	fillStat(st, &in)
	return abi.OK
}

// Ioctl tells how many bytes are left to read (ioctl_list(2), FIONREAD).
func (f *diskFile) Ioctl(_ *Task, req, arg uintptr) (uintptr, abi.Errno) {
	if req != abi.FIONREAD {
		return 0, abi.ENOTTY
	}
	return 0, put32(arg, int32(max(0, f.inode.Size()-f.pos)))
}

// Release gives up the locks of the description and those of the process on
// the file (fcntl(2), flock(2)).
func (f *diskFile) Release(t *Task) abi.Errno {
	if f.writable() {
		f.notifyFile(abi.IN_CLOSE_WRITE)
	} else {
		f.notifyFile(abi.IN_CLOSE_NOWRITE)
	}
	f.inode.Funlock(f.id)
	f.inode.UnlockAll(f.id | ofdOwner)
	f.inode.UnlockAll(uint64(t.proc.pid))
	f.inode.Close()
	f.d.notifyGone(f.inode)
	return abi.OK
}

// ofdOwner tells the owners of open file description locks from processes.
const ofdOwner = 1 << 63

// dirFile is an open directory. The listing is taken when reading begins and
// again after a rewind; names removed in between are left out.
type dirFile struct {
	diskFile
	list  []vfs.DirEntry
	taken bool
}

func (f *dirFile) Read(*Task, []byte) (int, abi.Errno)          { return 0, abi.EISDIR }
func (f *dirFile) Write(*Task, []byte) (int, abi.Errno)         { return 0, abi.EBADF }
func (f *dirFile) Pread(*Task, []byte, int64) (int, abi.Errno)  { return 0, abi.EISDIR }
func (f *dirFile) Pwrite(*Task, []byte, int64) (int, abi.Errno) { return 0, abi.EBADF }
func (f *dirFile) Ioctl(*Task, uintptr, uintptr) (uintptr, abi.Errno) {
	return 0, abi.ENOTTY
}

func (f *dirFile) Seek(_ *Task, off int64, whence int) (int64, abi.Errno) {
	switch whence {
	case abi.SEEK_SET:
	case abi.SEEK_CUR:
		off += f.pos
	case abi.SEEK_END:
		off += 1<<63 - 1 // as on ext4 with hashed directories
	default:
		return 0, abi.EINVAL
	}
	if off < 0 {
		return 0, abi.EINVAL
	}
	f.pos = off
	if off == 0 {
		f.list, f.taken = nil, false
	}
	return off, abi.OK
}

// getdents writes records of the names at the position into p.
func (f *dirFile) getdents(p []byte) (int, abi.Errno) {
	if !f.taken {
		list, errno := f.inode.List()
		if errno != abi.OK {
			return 0, errno
		}
		f.list, f.taken = list, true
	}
	if !f.inode.Linked() {
		return 0, abi.ENOENT
	}
	f.notifyFile(abi.IN_ACCESS)
	done := 0
	for ; f.pos < int64(len(f.list)); f.pos++ {
		e := &f.list[f.pos]
		if f.pos >= 2 && !f.inode.Has(e.Name) {
			continue
		}
		n := abi.PutDirent(p[done:], e.Ino, f.pos+1, abi.DT(e.Type), e.Name)
		if n == 0 {
			if done == 0 {
				return 0, abi.EINVAL
			}
			break
		}
		done += n
	}
	return done, abi.OK
}

// deviceFile is an open /dev/null, zero, full, random or urandom (null(4),
// full(4), random(4)).
type deviceFile struct{ diskFile }

func (f *deviceFile) Read(_ *Task, p []byte) (int, abi.Errno) {
	if !f.readable() {
		return 0, abi.EBADF
	}
	switch abi.Minor(f.inode.Rdev()) {
	case minorNull:
		return 0, abi.OK
	case minorRandom, minorURandom:
		f.d.m.k.random(p)
	default:
		clear(p)
	}
	return len(p), abi.OK
}

func (f *deviceFile) Write(_ *Task, p []byte) (int, abi.Errno) {
	switch {
	case !f.writable():
		return 0, abi.EBADF
	case abi.Minor(f.inode.Rdev()) == minorFull && len(p) > 0:
		return 0, abi.ENOSPC
	}
	return len(p), abi.OK
}

func (f *deviceFile) Pread(t *Task, p []byte, _ int64) (int, abi.Errno)  { return f.Read(t, p) }
func (f *deviceFile) Pwrite(t *Task, p []byte, _ int64) (int, abi.Errno) { return f.Write(t, p) }
func (f *deviceFile) Seek(*Task, int64, int) (int64, abi.Errno)          { return 0, abi.OK }
func (f *deviceFile) Ioctl(*Task, uintptr, uintptr) (uintptr, abi.Errno) {
	return 0, abi.ENOTTY
}

// random fills p with what the program's stream gives.
func (k *Kernel) random(p []byte) {
	for i := 0; i < len(p); i += 8 {
		r := k.host.Rand(sched.Program)
		for j := i; j < min(i+8, len(p)); j++ {
			p[j] = byte(r)
			r >>= 8
		}
	}
}

// pathFile is a descriptor opened with O_PATH: a place in the tree, nothing
// to read or write (open(2), O_PATH).
type pathFile struct{ diskFile }

// newFile opens an inode of any type with the flags of open(2).
func (t *Task) newFile(n *vfs.Inode, flags uint32) (File, abi.Errno) {
	if n.Mode()&abi.S_IFMT == abi.S_IFIFO && flags&abi.O_PATH == 0 {
		return t.openFIFO(n, flags)
	}
	d := t.m.disk
	if flags&abi.O_PATH == 0 {
		if f, ok := openGenerated(d, n, flags); ok {
			return f, abi.OK
		}
	}
	base := newDiskFile(d, n, flags)
	switch {
	case flags&abi.O_PATH != 0:
		return &pathFile{*base}, abi.OK
	case n.IsDir():
		return &dirFile{diskFile: *base}, abi.OK
	case n.IsRegular():
		return base, abi.OK
	case n.Mode()&abi.S_IFMT == abi.S_IFCHR && abi.Major(n.Rdev()) == memMajor:
		return &deviceFile{*base}, abi.OK
	}
	n.Close()
	return nil, abi.ENXIO
}
