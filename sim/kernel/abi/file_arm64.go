package abi

// Flags of open(2) whose values differ between CPUs
// (arch/arm64/include/uapi/asm/fcntl.h).
const (
	O_DIRECTORY = 0o40000
	O_NOFOLLOW  = 0o100000
	O_DIRECT    = 0o200000
	O_LARGEFILE = 0o400000
)

// LinkCount is the type of st_nlink.
type LinkCount = uint32

// Stat is struct stat of arm64, 128 bytes (include/uapi/asm-generic/stat.h).
type Stat struct {
	Dev     uint64
	Ino     uint64
	Mode    uint32
	Nlink   LinkCount
	UID     uint32
	GID     uint32
	Rdev    uint64
	_       uint64
	Size    int64
	Blksize int32
	_       int32
	Blocks  int64
	Atim    Timespec
	Mtim    Timespec
	Ctim    Timespec
	_       [2]int32
}
