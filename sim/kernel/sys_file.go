package kernel

import "github.com/restep/restep/sim/kernel/abi"

// fileEntries are the calls on files, directories and pipes. What the letters
// in sig mean is told in describe.go.
var fileEntries = []Entry{
	{Nr: abi.SYS_OPEN, Name: "open", Support: Full, fn: sysOpen, sig: "poc"},
	{Nr: abi.SYS_OPENAT, Name: "openat", Support: Full, fn: sysOpenat, sig: "dpoc"},
	{Nr: abi.SYS_OPENAT2, Name: "openat2", Support: Missing},
	{Nr: abi.SYS_CREAT, Name: "creat", Support: Full, fn: sysCreat, sig: "pm"},
	{Nr: abi.SYS_CLOSE, Name: "close", Support: Full, fn: sysClose, sig: "f"},
	{Nr: abi.SYS_READ, Name: "read", Support: Full, fn: sysRead, sig: "f-z"},
	{Nr: abi.SYS_WRITE, Name: "write", Support: Full, fn: sysWrite, sig: "f-z"},
	{Nr: abi.SYS_PREAD64, Name: "pread64", Support: Full, fn: sysPread64, sig: "f-zn"},
	{Nr: abi.SYS_PWRITE64, Name: "pwrite64", Support: Full, fn: sysPwrite64, sig: "f-zn"},
	{Nr: abi.SYS_READV, Name: "readv", Support: Full, fn: sysReadv, sig: "fv"},
	{Nr: abi.SYS_WRITEV, Name: "writev", Support: Full, fn: sysWritev, sig: "fv"},
	{Nr: abi.SYS_PREADV, Name: "preadv", Support: Full, fn: sysPreadv, sig: "fv-n"},
	{Nr: abi.SYS_PWRITEV, Name: "pwritev", Support: Full, fn: sysPwritev, sig: "fv-n"},
	{Nr: abi.SYS_PREADV2, Name: "preadv2", Support: Partial, Note: "RWF_HIPRI only", fn: sysPreadv2, sig: "fv-n-x"},
	{
		Nr: abi.SYS_PWRITEV2, Name: "pwritev2", Support: Partial, Note: "RWF_HIPRI, RWF_DSYNC, RWF_SYNC only",
		fn: sysPwritev2, sig: "fv-n-x",
	},
	{Nr: abi.SYS_LSEEK, Name: "lseek", Support: Full, fn: sysLseek, sig: "fnw"},
	{Nr: abi.SYS_FSTAT, Name: "fstat", Support: Full, fn: sysFstat, sig: "f"},
	{Nr: abi.SYS_STAT, Name: "stat", Support: Full, fn: sysStat, sig: "p"},
	{Nr: abi.SYS_LSTAT, Name: "lstat", Support: Full, fn: sysLstat, sig: "p"},
	{Nr: abi.SYS_NEWFSTATAT, Name: "newfstatat", Support: Full, fn: sysNewfstatat, sig: "dp-x"},
	{Nr: abi.SYS_STATX, Name: "statx", Support: Full, fn: sysStatx, sig: "dpx"},
	{Nr: abi.SYS_GETDENTS64, Name: "getdents64", Support: Full, fn: sysGetdents64, sig: "f-z"},
	{Nr: abi.SYS_GETDENTS, Name: "getdents", Support: Missing, Note: "use getdents64"},
	{Nr: abi.SYS_GETCWD, Name: "getcwd", Support: Full, fn: sysGetcwd},
	{Nr: abi.SYS_CHDIR, Name: "chdir", Support: Full, fn: sysChdir, sig: "p"},
	{Nr: abi.SYS_FCHDIR, Name: "fchdir", Support: Full, fn: sysFchdir, sig: "f"},
	{Nr: abi.SYS_CHROOT, Name: "chroot", Support: Missing},
	{Nr: abi.SYS_MKDIR, Name: "mkdir", Support: Full, fn: sysMkdir, sig: "pm"},
	{Nr: abi.SYS_MKDIRAT, Name: "mkdirat", Support: Full, fn: sysMkdirat, sig: "dpm"},
	{Nr: abi.SYS_MKNOD, Name: "mknod", Support: Full, fn: sysMknod, sig: "pmx"},
	{Nr: abi.SYS_MKNODAT, Name: "mknodat", Support: Full, fn: sysMknodat, sig: "dpmx"},
	{Nr: abi.SYS_RMDIR, Name: "rmdir", Support: Full, fn: sysRmdir, sig: "p"},
	{Nr: abi.SYS_UNLINK, Name: "unlink", Support: Full, fn: sysUnlink, sig: "p"},
	{Nr: abi.SYS_UNLINKAT, Name: "unlinkat", Support: Full, fn: sysUnlinkat, sig: "dpx"},
	{Nr: abi.SYS_RENAME, Name: "rename", Support: Full, fn: sysRename, sig: "pp"},
	{Nr: abi.SYS_RENAMEAT, Name: "renameat", Support: Full, fn: sysRenameat, sig: "dpdp"},
	{
		Nr: abi.SYS_RENAMEAT2, Name: "renameat2", Support: Partial, Note: "no RENAME_WHITEOUT",
		fn: sysRenameat2, sig: "dpdpx",
	},
	{Nr: abi.SYS_LINK, Name: "link", Support: Full, fn: sysLink, sig: "pp"},
	{Nr: abi.SYS_LINKAT, Name: "linkat", Support: Full, fn: sysLinkat, sig: "dpdpx"},
	{Nr: abi.SYS_SYMLINK, Name: "symlink", Support: Full, fn: sysSymlink, sig: "pp"},
	{Nr: abi.SYS_SYMLINKAT, Name: "symlinkat", Support: Full, fn: sysSymlinkat, sig: "pdp"},
	{Nr: abi.SYS_READLINK, Name: "readlink", Support: Full, fn: sysReadlink, sig: "p"},
	{Nr: abi.SYS_READLINKAT, Name: "readlinkat", Support: Full, fn: sysReadlinkat, sig: "dp"},
	{Nr: abi.SYS_CHMOD, Name: "chmod", Support: Full, fn: sysChmod, sig: "pm"},
	{Nr: abi.SYS_FCHMOD, Name: "fchmod", Support: Full, fn: sysFchmod, sig: "fm"},
	{Nr: abi.SYS_FCHMODAT, Name: "fchmodat", Support: Full, fn: sysFchmodat, sig: "dpm"},
	{Nr: abi.SYS_FCHMODAT2, Name: "fchmodat2", Support: Full, fn: sysFchmodat2, sig: "dpmx"},
	{Nr: abi.SYS_CHOWN, Name: "chown", Support: Full, fn: sysChown, sig: "pnn"},
	{Nr: abi.SYS_LCHOWN, Name: "lchown", Support: Full, fn: sysLchown, sig: "pnn"},
	{Nr: abi.SYS_FCHOWN, Name: "fchown", Support: Full, fn: sysFchown, sig: "fnn"},
	{Nr: abi.SYS_FCHOWNAT, Name: "fchownat", Support: Full, fn: sysFchownat, sig: "dpnnx"},
	{Nr: abi.SYS_UMASK, Name: "umask", Support: Full, fn: sysUmask, sig: "m"},
	{Nr: abi.SYS_UTIMENSAT, Name: "utimensat", Support: Full, fn: sysUtimensat, sig: "dp-x"},
	{Nr: abi.SYS_UTIMES, Name: "utimes", Support: Full, fn: sysUtimes, sig: "p"},
	{Nr: abi.SYS_UTIME, Name: "utime", Support: Missing, Note: "use utimensat"},
	{Nr: abi.SYS_FUTIMESAT, Name: "futimesat", Support: Missing, Note: "use utimensat"},
	{Nr: abi.SYS_TRUNCATE, Name: "truncate", Support: Full, fn: sysTruncate, sig: "pn"},
	{Nr: abi.SYS_FTRUNCATE, Name: "ftruncate", Support: Full, fn: sysFtruncate, sig: "fn"},
	{
		Nr: abi.SYS_FALLOCATE, Name: "fallocate", Support: Partial,
		Note: "all modes but UNSHARE_RANGE", fn: sysFallocate, sig: "fxnn",
	},
	{Nr: abi.SYS_FSYNC, Name: "fsync", Support: Full, fn: sysFsync, sig: "f"},
	{Nr: abi.SYS_FDATASYNC, Name: "fdatasync", Support: Full, fn: sysFdatasync, sig: "f"},
	{Nr: abi.SYS_SYNC, Name: "sync", Support: Full, fn: sysSync},
	{Nr: abi.SYS_SYNCFS, Name: "syncfs", Support: Full, fn: sysSyncfs, sig: "f"},
	{
		Nr: abi.SYS_SYNC_FILE_RANGE, Name: "sync_file_range", Support: Full,
		Note: "makes nothing durable, as its page warns", fn: sysSyncFileRange, sig: "fnnx",
	},
	{Nr: abi.SYS_ACCESS, Name: "access", Support: Full, fn: sysAccess, sig: "pm"},
	{Nr: abi.SYS_FACCESSAT, Name: "faccessat", Support: Full, fn: sysFaccessat, sig: "dpm"},
	{Nr: abi.SYS_FACCESSAT2, Name: "faccessat2", Support: Full, fn: sysFaccessat2, sig: "dpmx"},
	{
		Nr: abi.SYS_FCNTL, Name: "fcntl", Support: Partial,
		Note: "descriptors, flags, record locks, sizes of pipes", fn: sysFcntl, sig: "ktx",
	},
	{Nr: abi.SYS_FLOCK, Name: "flock", Support: Full, fn: sysFlock, sig: "fl"},
	{Nr: abi.SYS_DUP, Name: "dup", Support: Full, fn: sysDup, sig: "f"},
	{Nr: abi.SYS_DUP2, Name: "dup2", Support: Full, fn: sysDup2, sig: "fn"},
	{Nr: abi.SYS_DUP3, Name: "dup3", Support: Full, fn: sysDup3, sig: "fnx"},
	{Nr: abi.SYS_PIPE, Name: "pipe", Support: Full, fn: sysPipe},
	{Nr: abi.SYS_PIPE2, Name: "pipe2", Support: Partial, Note: "no packet mode (O_DIRECT)", fn: sysPipe2, sig: "-o"},
	{Nr: abi.SYS_IOCTL, Name: "ioctl", Support: Partial, Note: "FIONREAD, FIONBIO, FIOCLEX", fn: sysIoctl, sig: "fx"},
	{Nr: abi.SYS_COPY_FILE_RANGE, Name: "copy_file_range", Support: Full, fn: sysCopyFileRange, sig: "f-n-z"},
	{
		Nr: abi.SYS_SENDFILE, Name: "sendfile", Support: Partial,
		Note: "from files of the disk", fn: sysSendfile, sig: "fn-z",
	},
	{Nr: abi.SYS_SPLICE, Name: "splice", Support: Full, fn: sysSplice, sig: "f-f-z"},
	{Nr: abi.SYS_TEE, Name: "tee", Support: Partial, Note: noSplice, fn: sysNoSplice, sig: "fnz"},
	{Nr: abi.SYS_VMSPLICE, Name: "vmsplice", Support: Missing},
	{Nr: abi.SYS_STATFS, Name: "statfs", Support: Full, fn: sysStatfs, sig: "p"},
	{Nr: abi.SYS_FSTATFS, Name: "fstatfs", Support: Full, fn: sysFstatfs, sig: "f"},
	{Nr: abi.SYS_FADVISE64, Name: "fadvise64", Support: Full, fn: sysAdvice, sig: "f"},
	{Nr: abi.SYS_READAHEAD, Name: "readahead", Support: Full, fn: sysAdvice, sig: "f"},
	{Nr: abi.SYS_GETXATTR, Name: "getxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "pp"},
	{Nr: abi.SYS_LGETXATTR, Name: "lgetxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "pp"},
	{Nr: abi.SYS_FGETXATTR, Name: "fgetxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "fp"},
	{Nr: abi.SYS_LISTXATTR, Name: "listxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "p"},
	{Nr: abi.SYS_LLISTXATTR, Name: "llistxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "p"},
	{Nr: abi.SYS_FLISTXATTR, Name: "flistxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "f"},
	{Nr: abi.SYS_SETXATTR, Name: "setxattr", Support: Partial, Note: noXattr, fn: sysNoXattr, sig: "pp"},
}

// Notes that several rows share.
const (
	noSplice = "always EINVAL: callers copy by read and write"
	noXattr  = "the file system has no extended attributes"
)

// isConsoleWrite reports whether the call wrote to the console, which makes
// a step of its own of what is written.
func isConsoleWrite(t *Task, nr uintptr, a *Args) bool {
	switch nr {
	case abi.SYS_WRITE, abi.SYS_WRITEV, abi.SYS_PWRITE64, abi.SYS_PWRITEV, abi.SYS_PWRITEV2:
	default:
		return false
	}
	f, errno := t.proc.fds.get(fdOf(a[0]))
	if errno != abi.OK {
		return false
	}
	_, ok := f.(*console)
	return ok
}
