package atomic

import "unsafe"

// The functions of this package without a preemption point: what they were
// before the edits gave them bodies. The runtime needs some of them so.

//go:noescape
func restepSwapInt32(addr *int32, new int32) (old int32)

//go:noescape
func restepSwapUint32(addr *uint32, new uint32) (old uint32)

//go:noescape
//go:linkname restepSwapUintptr
func restepSwapUintptr(addr *uintptr, new uintptr) (old uintptr)

//go:noescape
func restepCompareAndSwapInt32(addr *int32, old, new int32) (swapped bool)

//go:noescape
func restepCompareAndSwapUint32(addr *uint32, old, new uint32) (swapped bool)

//go:noescape
//go:linkname restepCompareAndSwapUintptr
func restepCompareAndSwapUintptr(addr *uintptr, old, new uintptr) (swapped bool)

//go:noescape
func restepAddInt32(addr *int32, delta int32) (new int32)

//go:noescape
func restepAddUint32(addr *uint32, delta uint32) (new uint32)

//go:noescape
func restepAddUintptr(addr *uintptr, delta uintptr) (new uintptr)

//go:noescape
func restepAndInt32(addr *int32, mask int32) (old int32)

//go:noescape
func restepAndUint32(addr *uint32, mask uint32) (old uint32)

//go:noescape
func restepAndUintptr(addr *uintptr, mask uintptr) (old uintptr)

//go:noescape
func restepOrInt32(addr *int32, mask int32) (old int32)

//go:noescape
func restepOrUint32(addr *uint32, mask uint32) (old uint32)

//go:noescape
func restepOrUintptr(addr *uintptr, mask uintptr) (old uintptr)

//go:noescape
func restepLoadInt32(addr *int32) (val int32)

//go:noescape
func restepLoadUint32(addr *uint32) (val uint32)

//go:noescape
func restepLoadUintptr(addr *uintptr) (val uintptr)

func restepLoadPointer(addr *unsafe.Pointer) (val unsafe.Pointer)

//go:noescape
func restepStoreInt32(addr *int32, val int32)

//go:noescape
func restepStoreUint32(addr *uint32, val uint32)

//go:noescape
//go:linkname restepStoreUintptr
func restepStoreUintptr(addr *uintptr, val uintptr)

//go:noescape
func restepSwapInt64(addr *int64, new int64) (old int64)

//go:noescape
func restepSwapUint64(addr *uint64, new uint64) (old uint64)

//go:noescape
func restepCompareAndSwapInt64(addr *int64, old, new int64) (swapped bool)

//go:noescape
func restepCompareAndSwapUint64(addr *uint64, old, new uint64) (swapped bool)

//go:noescape
func restepAddInt64(addr *int64, delta int64) (new int64)

//go:noescape
func restepAddUint64(addr *uint64, delta uint64) (new uint64)

//go:noescape
func restepAndInt64(addr *int64, mask int64) (old int64)

//go:noescape
func restepAndUint64(addr *uint64, mask uint64) (old uint64)

//go:noescape
func restepOrInt64(addr *int64, mask int64) (old int64)

//go:noescape
func restepOrUint64(addr *uint64, mask uint64) (old uint64)

//go:noescape
func restepLoadInt64(addr *int64) (val int64)

//go:noescape
func restepLoadUint64(addr *uint64) (val uint64)

//go:noescape
func restepStoreInt64(addr *int64, val int64)

//go:noescape
func restepStoreUint64(addr *uint64, val uint64)
