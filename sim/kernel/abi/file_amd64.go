package abi

// Flags of open(2) whose values differ between CPUs
// (include/uapi/asm-generic/fcntl.h serves x86).
const (
	O_DIRECT    = 0o40000
	O_LARGEFILE = 0o100000
	O_DIRECTORY = 0o200000
	O_NOFOLLOW  = 0o400000
)

// LinkCount is the type of st_nlink.
type LinkCount = uint64

// Stat is struct stat of x86-64, 144 bytes
// (arch/x86/include/uapi/asm/stat.h).
type Stat struct {
	Dev     uint64
	Ino     uint64
	Nlink   LinkCount
	Mode    uint32
	UID     uint32
	GID     uint32
	_       int32
	Rdev    uint64
	Size    int64
	Blksize int64
	Blocks  int64
	Atim    Timespec
	Mtim    Timespec
	Ctim    Timespec
	_       [3]int64
}
