package abi

// Memory protection and mappings (mmap(2), mprotect(2), msync(2), madvise(2)).
// Source: include/uapi/asm-generic/mman-common.h, mman.h.
const (
	PROT_NONE  = 0
	PROT_READ  = 1
	PROT_WRITE = 2
	PROT_EXEC  = 4

	MAP_SHARED          = 1
	MAP_PRIVATE         = 2
	MAP_SHARED_VALIDATE = 3
	MAP_TYPE            = 0xf
	MAP_FIXED           = 0x10
	MAP_ANONYMOUS       = 0x20
	MAP_NORESERVE       = 0x4000
	MAP_FIXED_NOREPLACE = 0x100000

	MS_ASYNC      = 1
	MS_INVALIDATE = 2
	MS_SYNC       = 4

	MREMAP_MAYMOVE = 1

	MADV_DONTNEED = 4

	// PageSize is the unit of all of them, in bytes.
	PageSize = 4096
)
