package kernel

import "github.com/restep/restep/sim/kernel/abi"

// memoryEntries are the calls on the memory of a process.
var memoryEntries = []Entry{
	{
		Nr: abi.SYS_MMAP, Name: "mmap", Support: Partial,
		Note: "regular files and anonymous memory, in a window of its own", fn: sysMmap, sig: "xnxxfn",
	},
	{Nr: abi.SYS_MUNMAP, Name: "munmap", Support: Full, fn: sysMunmap, sig: "xn"},
	{Nr: abi.SYS_MSYNC, Name: "msync", Support: Full, fn: sysMsync, sig: "xnx"},
	{Nr: abi.SYS_MPROTECT, Name: "mprotect", Support: Partial, Note: "memory that mmap made", fn: sysMprotect, sig: "xnx"},
	{
		Nr: abi.SYS_MADVISE, Name: "madvise", Support: Partial, Note: "MADV_DONTNEED; other advice is taken as read",
		fn: sysMadvise, sig: "xnx",
	},
	{Nr: abi.SYS_MLOCK, Name: "mlock", Support: Full, fn: sysZero, quiet: true},
	{Nr: abi.SYS_MUNLOCK, Name: "munlock", Support: Full, fn: sysZero, quiet: true},
	{
		Nr: abi.SYS_MREMAP, Name: "mremap", Support: Partial, Note: "no MREMAP_FIXED, MREMAP_DONTUNMAP or old size of 0",
		fn: sysMremap, sig: "xnnx",
	},
	{Nr: abi.SYS_MEMFD_CREATE, Name: "memfd_create", Support: Missing},
}

// pagesUp is n rounded up to whole pages, 0 when that overflows.
func pagesUp(n uintptr) uintptr { return (n + abi.PageSize - 1) &^ (abi.PageSize - 1) }

// sysMmap is mmap(2). A wish for an address is only heard with MAP_FIXED, and
// then inside the window.
func sysMmap(t *Task, a *Args) (uintptr, abi.Errno) {
	size, prot, flags := pagesUp(a[1]), int(a[2]), a[3]
	if a[5]%abi.PageSize != 0 {
		return 0, abi.EINVAL
	}
	mp := &mapping{p: t.proc, prot: prot & 7, off: int64(a[5]), shared: flags&abi.MAP_TYPE != abi.MAP_PRIVATE}
	if flags&abi.MAP_ANONYMOUS == 0 {
		f, errno := t.file(a[4])
		if errno != abi.OK {
			return 0, errno
		}
		if errno := mp.open(f); errno != abi.OK && a[1] != 0 {
			return 0, errno
		}
	}
	switch {
	case a[1] == 0, flags&abi.MAP_TYPE == 0, flags&abi.MAP_TYPE > abi.MAP_SHARED_VALIDATE:
		return 0, abi.EINVAL
	case size == 0, t.k.host.Memory.Map == nil:
		return 0, abi.ENOMEM
	}
	at, errno := t.mapPlace(a[0], size, flags)
	if errno != abi.OK {
		return 0, errno
	}
	if !t.k.host.Memory.Map(at, size) {
		return 0, abi.ENOMEM
	}
	mp.start, mp.end = at, at+size
	if mp.inode != nil {
		mp.inode.ReadAt(nil, 0) // takes over what others stored
	}
	t.k.insertMap(mp)
	if mp.inode != nil {
		mp.fill(0, int(size/abi.PageSize), true)
	} else {
		mp.protect(0, int(size/abi.PageSize))
	}
	return at, abi.OK
}

// open checks that f may be mapped so (mm/mmap.c:do_mmap).
func (mp *mapping) open(f File) abi.Errno {
	if d, ok := f.(*deviceFile); ok && abi.Minor(d.inode.Rdev()) == minorZero {
		return abi.OK // anonymous memory (zero(4))
	}
	d, ok := f.(*diskFile)
	switch {
	case !ok:
		return abi.ENODEV
	case !d.readable():
		return abi.EACCES
	case mp.shared && mp.prot&abi.PROT_WRITE != 0 && !d.writable():
		return abi.EACCES
	}
	mp.path = pathOf(d)
	mp.inode, mp.mayWrite = d.inode, d.writable() || !mp.shared
	return abi.OK
}

// mapPlace is the address for a new mapping.
func (t *Task) mapPlace(wish, size, flags uintptr) (uintptr, abi.Errno) {
	mem := &t.k.host.Memory
	if flags&(abi.MAP_FIXED|abi.MAP_FIXED_NOREPLACE) == 0 {
		if at := t.k.place(size); at != 0 {
			return at, abi.OK
		}
		return 0, abi.ENOMEM
	}
	switch {
	case wish%abi.PageSize != 0:
		return 0, abi.EINVAL
	case wish < mem.Base, wish+size < wish, wish+size > mem.Base+mem.Size:
		return 0, abi.ENOMEM
	}
	for _, mp := range t.k.maps {
		if mp.start >= wish+size || mp.end <= wish {
			continue
		}
		if mp.p != t.proc {
			return 0, abi.ENOMEM // another machine's
		}
		if flags&abi.MAP_FIXED_NOREPLACE != 0 {
			return 0, abi.EEXIST
		}
	}
	t.k.unmap(t.proc, wish, wish+size)
	return wish, abi.OK
}

func sysMunmap(t *Task, a *Args) (uintptr, abi.Errno) {
	size := pagesUp(a[1])
	if a[0]%abi.PageSize != 0 || size == 0 || a[0]+size < a[0] {
		return 0, abi.EINVAL
	}
	t.k.unmap(t.proc, a[0], a[0]+size)
	return 0, abi.OK
}

// sysMsync is msync(2). MS_SYNC makes the whole file durable, not only the
// range.
func sysMsync(t *Task, a *Args) (uintptr, abi.Errno) {
	const known = abi.MS_ASYNC | abi.MS_INVALIDATE | abi.MS_SYNC
	size := pagesUp(a[1])
	if a[2]&^known != 0 || a[0]%abi.PageSize != 0 || a[2]&(abi.MS_ASYNC|abi.MS_SYNC) == abi.MS_ASYNC|abi.MS_SYNC {
		return 0, abi.EINVAL
	}
	if size == 0 {
		return 0, abi.OK
	}
	list, whole := t.k.mapsIn(t.proc, a[0], a[0]+size)
	for _, mp := range list {
		if mp.inode == nil || !mp.shared {
			continue
		}
		mp.pull()
		if a[2]&abi.MS_SYNC != 0 {
			if errno := t.m.disk.sync(mp.inode, true); errno != abi.OK {
				return 0, errno
			}
		}
	}
	if !whole {
		return 0, abi.ENOMEM
	}
	return 0, abi.OK
}

// sysMprotect is mprotect(2) for memory that mmap made.
func sysMprotect(t *Task, a *Args) (uintptr, abi.Errno) {
	size, prot := pagesUp(a[1]), int(a[2])
	switch {
	case a[0]%abi.PageSize != 0, prot&^7 != 0:
		return 0, abi.EINVAL
	case size == 0:
		return 0, abi.OK
	}
	list, whole := t.k.mapsIn(t.proc, a[0], a[0]+size)
	for _, mp := range list {
		if mp.inode != nil && prot&abi.PROT_WRITE != 0 && !mp.mayWrite {
			return 0, abi.EACCES
		}
		if mp.writes() {
			mp.pull()
		}
		mp.prot = prot
		mp.protect(0, int(mp.size()/abi.PageSize))
	}
	if !whole {
		return 0, abi.ENOMEM
	}
	return 0, abi.OK
}

// sysMadvise is madvise(2).
func sysMadvise(t *Task, a *Args) (uintptr, abi.Errno) {
	size := pagesUp(a[1])
	if a[0]%abi.PageSize != 0 {
		return 0, abi.EINVAL
	}
	if size == 0 || a[0] < t.k.host.Memory.Base {
		return 0, abi.OK // advice about other memory is taken as read
	}
	list, whole := t.k.mapsIn(t.proc, a[0], a[0]+size)
	for _, mp := range list {
		switch {
		case a[2] != abi.MADV_DONTNEED:
		case mp.inode == nil:
			t.k.host.Memory.Discard(mp.start, mp.size())
		case !mp.shared:
			mp.fill(0, int(mp.size()/abi.PageSize), false)
		}
	}
	if !whole {
		return 0, abi.ENOMEM
	}
	return 0, abi.OK
}
