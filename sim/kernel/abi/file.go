package abi

// Limits of include/uapi/linux/limits.h, in bytes; a path's includes the NUL.
const (
	PathMax = 4096
	NameMax = 255
	PipeBuf = 4096
	IovMax  = 1024
	// MaxRW is the most that one read or write moves (MAX_RW_COUNT of
	// include/linux/fs.h with 4 KiB pages).
	MaxRW = 0x7ffff000
)

// Flags of open(2). Those that differ between CPUs are in file_GOARCH.go.
const (
	O_RDONLY   = 0
	O_WRONLY   = 1
	O_RDWR     = 2
	O_ACCMODE  = 3
	O_CREAT    = 0o100
	O_EXCL     = 0o200
	O_NOCTTY   = 0o400
	O_TRUNC    = 0o1000
	O_APPEND   = 0o2000
	O_NONBLOCK = 0o4000
	O_DSYNC    = 0o10000
	O_ASYNC    = 0o20000
	O_NOATIME  = 0o1000000
	O_CLOEXEC  = 0o2000000
	O_SYNC     = 0o4010000
	O_PATH     = 0o10000000
	// O_TMPFILE's own bit; programs pass it together with O_DIRECTORY.
	O_TMPFILE_BIT = 0o20000000
)

// File types and permission bits of st_mode (inode(7)).
const (
	S_IFMT   = 0o170000
	S_IFSOCK = 0o140000
	S_IFLNK  = 0o120000
	S_IFREG  = 0o100000
	S_IFBLK  = 0o060000
	S_IFDIR  = 0o040000
	S_IFCHR  = 0o020000
	S_IFIFO  = 0o010000
	S_ISUID  = 0o4000
	S_ISGID  = 0o2000
	S_ISVTX  = 0o1000
)

// Types of directory entries (getdents(2)).
const (
	DT_UNKNOWN = 0
	DT_FIFO    = 1
	DT_CHR     = 2
	DT_DIR     = 4
	DT_BLK     = 6
	DT_REG     = 8
	DT_LNK     = 10
	DT_SOCK    = 12
)

// Flags and magic descriptors of the calls that take a directory descriptor
// (include/uapi/linux/fcntl.h).
const (
	AT_FDCWD            = -100
	AT_SYMLINK_NOFOLLOW = 0x100
	AT_EACCESS          = 0x200
	AT_REMOVEDIR        = 0x200
	AT_SYMLINK_FOLLOW   = 0x400
	AT_NO_AUTOMOUNT     = 0x800
	AT_EMPTY_PATH       = 0x1000
	AT_STATX_SYNC_TYPE  = 0x6000
)

// Modes of access(2).
const (
	F_OK = 0
	X_OK = 1
	W_OK = 2
	R_OK = 4
)

// Values of whence of lseek(2).
const (
	SEEK_SET  = 0
	SEEK_CUR  = 1
	SEEK_END  = 2
	SEEK_DATA = 3
	SEEK_HOLE = 4
)

// Flags of renameat2(2).
const (
	RENAME_NOREPLACE = 1
	RENAME_EXCHANGE  = 2
	RENAME_WHITEOUT  = 4
)

// Commands of fcntl(2) and their flag.
const (
	F_DUPFD         = 0
	F_GETFD         = 1
	F_SETFD         = 2
	F_GETFL         = 3
	F_SETFL         = 4
	F_GETLK         = 5
	F_SETLK         = 6
	F_SETLKW        = 7
	F_OFD_GETLK     = 36
	F_OFD_SETLK     = 37
	F_OFD_SETLKW    = 38
	F_DUPFD_CLOEXEC = 1030
	F_SETPIPE_SZ    = 1031
	F_GETPIPE_SZ    = 1032
	F_ADD_SEALS     = 1033
	F_GET_SEALS     = 1034
	FD_CLOEXEC      = 1
)

// Types of record locks (fcntl(2)) and operations of flock(2).
const (
	F_RDLCK = 0
	F_WRLCK = 1
	F_UNLCK = 2
	LOCK_SH = 1
	LOCK_EX = 2
	LOCK_NB = 4
	LOCK_UN = 8
)

// Modes of fallocate(2).
const (
	FALLOC_FL_KEEP_SIZE      = 0x01
	FALLOC_FL_PUNCH_HOLE     = 0x02
	FALLOC_FL_COLLAPSE_RANGE = 0x08
	FALLOC_FL_ZERO_RANGE     = 0x10
	FALLOC_FL_INSERT_RANGE   = 0x20
	FALLOC_FL_UNSHARE_RANGE  = 0x40
)

// Flags of sync_file_range(2), preadv2(2) and splice(2) that are looked at.
const (
	SPLICE_F_MOVE               = 1
	SPLICE_F_NONBLOCK           = 2
	SPLICE_F_MORE               = 4
	SPLICE_F_GIFT               = 8
	SYNC_FILE_RANGE_WAIT_BEFORE = 1
	SYNC_FILE_RANGE_WRITE       = 2
	SYNC_FILE_RANGE_WAIT_AFTER  = 4
	RWF_HIPRI                   = 0x01
	RWF_DSYNC                   = 0x02
	RWF_SYNC                    = 0x04
	RWF_NOWAIT                  = 0x08
	RWF_APPEND                  = 0x10
)

// Nanosecond fields of utimensat(2) with a meaning of their own.
const (
	UTIME_NOW  = 0x3fffffff
	UTIME_OMIT = 0x3ffffffe
)

// Requests of ioctl(2) that files answer (include/uapi/asm-generic/ioctls.h).
const (
	TCGETS  = 0x5401
	FICLONE = 0x40049409
)

// Numbers that statfs(2) and statx(2) tell.
const (
	EXT4_SUPER_MAGIC = 0xef53
	PIPEFS_MAGIC     = 0x50495045
	STATX_BASIC      = 0x7ff
	STATX_BTIME      = 0x800
	STATX_RESERVED   = 0x80000000
)

// Timespec is struct timespec of 64-bit Linux.
type Timespec struct {
	Sec  int64
	Nsec int64
}

// Timeval is struct timeval of 64-bit Linux.
type Timeval struct {
	Sec  int64
	Usec int64
}

// TimespecOf splits nanoseconds since the epoch.
func TimespecOf(ns int64) Timespec {
	sec, nsec := ns/1e9, ns%1e9
	if nsec < 0 {
		sec, nsec = sec-1, nsec+1e9
	}
	return Timespec{sec, nsec}
}

// Nanos is the time in nanoseconds since the epoch.
func (t Timespec) Nanos() int64 { return t.Sec*1e9 + t.Nsec }

// Iovec is struct iovec: address and length in bytes of one buffer.
type Iovec struct {
	Base uintptr
	Len  uintptr
}

// Flock is struct flock of 64-bit Linux, 32 bytes.
type Flock struct {
	Type   int16
	Whence int16
	_      int32
	Start  int64
	Len    int64
	Pid    int32
	_      int32
}

// StatxTime is struct statx_timestamp, 16 bytes.
type StatxTime struct {
	Sec  int64
	Nsec uint32
	_    int32
}

// Statx is struct statx, 256 bytes (include/uapi/linux/stat.h).
type Statx struct {
	Mask       uint32
	Blksize    uint32
	Attributes uint64
	Nlink      uint32
	UID        uint32
	GID        uint32
	Mode       uint16
	_          uint16
	Ino        uint64
	Size       uint64
	Blocks     uint64
	AttrMask   uint64
	Atime      StatxTime
	Btime      StatxTime
	Ctime      StatxTime
	Mtime      StatxTime
	RdevMajor  uint32
	RdevMinor  uint32
	DevMajor   uint32
	DevMinor   uint32
	MntID      uint64
	_          [13]uint64
}

// Statfs is struct statfs of 64-bit Linux, 120 bytes.
type Statfs struct {
	Type    int64
	Bsize   int64
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64
	Files   uint64
	Ffree   uint64
	Fsid    [2]int32
	Namelen int64
	Frsize  int64
	Flags   int64
	_       [4]int64
}

// DT turns the type bits of a mode into the type of a directory entry.
func DT(mode uint32) uint8 { return uint8(mode & S_IFMT >> 12) }

// direntHeader is offsetof(struct linux_dirent64, d_name).
const direntHeader = 19

// DirentLen is the length in bytes of the linux_dirent64 record of a name.
func DirentLen(name string) int { return (direntHeader + len(name) + 1 + 7) &^ 7 }

// PutDirent writes one struct linux_dirent64 (getdents(2)) to the start of b
// and returns its length, 0 when b is too short. off is the position of the
// entry after this one.
func PutDirent(b []byte, ino uint64, off int64, typ uint8, name string) int {
	n := DirentLen(name)
	if n > len(b) {
		return 0
	}
	put64(b[0:], ino)
	put64(b[8:], uint64(off))
	b[16], b[17] = byte(n), byte(n>>8)
	b[18] = typ
	end := direntHeader + copy(b[direntHeader:], name)
	for i := end; i < n; i++ {
		b[i] = 0
	}
	return n
}

func put64(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

// Makedev packs device numbers as Linux does (new_encode_dev).
func Makedev(major, minor uint32) uint64 {
	return uint64(minor&0xff | major&0xfff<<8 | minor&^0xff<<12)
}

// Major and Minor unpack a device number.
func Major(dev uint64) uint32 { return uint32(dev >> 8 & 0xfff) }

// Minor is the other half of Major.
func Minor(dev uint64) uint32 { return uint32(dev&0xff | dev>>12&^0xff) }
