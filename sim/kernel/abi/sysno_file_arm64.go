package abi

// Numbers of the calls on files (include/uapi/asm-generic/unistd.h).
const (
	SYS_SETXATTR        = 5
	SYS_GETXATTR        = 8
	SYS_LGETXATTR       = 9
	SYS_FGETXATTR       = 10
	SYS_LISTXATTR       = 11
	SYS_LLISTXATTR      = 12
	SYS_FLISTXATTR      = 13
	SYS_GETCWD          = 17
	SYS_DUP             = 23
	SYS_DUP3            = 24
	SYS_FCNTL           = 25
	SYS_INOTIFY_INIT1   = 26
	SYS_IOCTL           = 29
	SYS_FLOCK           = 32
	SYS_MKNODAT         = 33
	SYS_MKDIRAT         = 34
	SYS_UNLINKAT        = 35
	SYS_SYMLINKAT       = 36
	SYS_LINKAT          = 37
	SYS_RENAMEAT        = 38
	SYS_STATFS          = 43
	SYS_FSTATFS         = 44
	SYS_TRUNCATE        = 45
	SYS_FTRUNCATE       = 46
	SYS_FALLOCATE       = 47
	SYS_FACCESSAT       = 48
	SYS_CHDIR           = 49
	SYS_FCHDIR          = 50
	SYS_CHROOT          = 51
	SYS_FCHMOD          = 52
	SYS_FCHMODAT        = 53
	SYS_FCHOWNAT        = 54
	SYS_FCHOWN          = 55
	SYS_OPENAT          = 56
	SYS_CLOSE           = 57
	SYS_PIPE2           = 59
	SYS_GETDENTS64      = 61
	SYS_LSEEK           = 62
	SYS_READ            = 63
	SYS_WRITE           = 64
	SYS_READV           = 65
	SYS_WRITEV          = 66
	SYS_PREAD64         = 67
	SYS_PWRITE64        = 68
	SYS_PREADV          = 69
	SYS_PWRITEV         = 70
	SYS_SENDFILE        = 71
	SYS_VMSPLICE        = 75
	SYS_SPLICE          = 76
	SYS_TEE             = 77
	SYS_READLINKAT      = 78
	SYS_NEWFSTATAT      = 79
	SYS_FSTAT           = 80
	SYS_SYNC            = 81
	SYS_FSYNC           = 82
	SYS_FDATASYNC       = 83
	SYS_SYNC_FILE_RANGE = 84
	SYS_UTIMENSAT       = 88
	SYS_UMASK           = 166
	SYS_READAHEAD       = 213
	SYS_MUNMAP          = 215
	SYS_MMAP            = 222
	SYS_FADVISE64       = 223
	SYS_MSYNC           = 227
	SYS_SYNCFS          = 267
	SYS_RENAMEAT2       = 276
	SYS_MEMFD_CREATE    = 279
	SYS_COPY_FILE_RANGE = 285
	SYS_PREADV2         = 286
	SYS_PWRITEV2        = 287
	SYS_STATX           = 291
	SYS_OPENAT2         = 437
	SYS_FACCESSAT2      = 439
	SYS_FCHMODAT2       = 452
)

// Calls that Linux on arm64 does not have: see NoCall.
const (
	SYS_OPEN         = 1024
	SYS_LINK         = 1025
	SYS_UNLINK       = 1026
	SYS_MKNOD        = 1027
	SYS_CHMOD        = 1028
	SYS_CHOWN        = 1029
	SYS_MKDIR        = 1030
	SYS_RMDIR        = 1031
	SYS_LCHOWN       = 1032
	SYS_ACCESS       = 1033
	SYS_RENAME       = 1034
	SYS_READLINK     = 1035
	SYS_SYMLINK      = 1036
	SYS_UTIMES       = 1037
	SYS_PIPE         = 1040
	SYS_DUP2         = 1041
	SYS_INOTIFY_INIT = 1043
	SYS_STAT         = 1049
	SYS_LSTAT        = 1050
	SYS_UTIME        = 1063
	SYS_CREAT        = 1064
	SYS_GETDENTS     = 1065
	SYS_FUTIMESAT    = 1066
)

// Numbers of the calls of inotify(7); inotify_init1 stands above.
const (
	SYS_INOTIFY_ADD_WATCH = 27
	SYS_INOTIFY_RM_WATCH  = 28
)
