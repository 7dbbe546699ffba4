package kernel

import "github.com/restep/restep/sim/kernel/abi"

// sysMremap is mremap(2); mm/mremap.c. A mapping that grows stays where it is if
// there is room behind it, and moves only with MREMAP_MAYMOVE.
func sysMremap(t *Task, a *Args) (uintptr, abi.Errno) {
	k, at, size, now := t.k, a[0], pagesUp(a[1]), pagesUp(a[2])
	switch {
	case at%abi.PageSize != 0, a[3]&^abi.MREMAP_MAYMOVE != 0, size == 0, now == 0, at+size < at:
		return 0, abi.EINVAL
	}
	mp := k.mapAt(at)
	if mp == nil || mp.p != t.proc || at+size > mp.end {
		return 0, abi.EFAULT
	}
	if now <= size {
		if now < size {
			k.unmap(t.proc, at+now, at+size)
		}
		return at, abi.OK
	}
	if at+size == mp.end && k.room(mp.end, now-size) && k.host.Memory.Map(mp.end, now-size) {
		first, last := int(mp.size()/abi.PageSize), int((mp.end-mp.start+now-size)/abi.PageSize)
		mp.end += now - size
		mp.show(first, last)
		return at, abi.OK
	}
	to := k.place(now)
	if a[3]&abi.MREMAP_MAYMOVE == 0 || to == 0 || !k.host.Memory.Map(to, now) {
		return 0, abi.ENOMEM
	}
	k.splitMap(t.proc, at)
	k.splitMap(t.proc, at+size)
	k.moveMap(k.mapAt(at), to, now)
	return to, abi.OK
}

// room reports whether size bytes from addr on, and a page behind them, are
// free and in the window.
func (k *Kernel) room(addr, size uintptr) bool {
	mem := &k.host.Memory
	if size > mem.Size || addr+size > mem.Base+mem.Size {
		return false
	}
	for _, mp := range k.maps {
		if mp.end > addr && mp.start < addr+size+abi.PageSize {
			return false
		}
	}
	return true
}

// show makes pages accessible that nobody has touched yet.
func (mp *mapping) show(first, last int) {
	if mp.inode != nil {
		mp.fill(first, last, true)
	} else {
		mp.protect(first, last)
	}
}

// moveMap gives a mapping another place, where fresh memory is, and a larger
// size. Bytes that are not the file's go with it.
func (k *Kernel) moveMap(mp *mapping, to, size uintptr) {
	moved := *mp
	moved.start, moved.end, moved.pages, moved.low, moved.high = to, to+size, nil, 0, 0
	k.insertMap(&moved)
	moved.show(0, int(size/abi.PageSize))
	if mp.inode == nil || !mp.shared {
		mem := &k.host.Memory
		n := int(mp.size() / abi.PageSize)
		if mp.inode != nil {
			n = min(n, mp.valid(), len(mp.pages))
		}
		if n > 0 {
			mem.Protect(mp.start, uintptr(n)*abi.PageSize, abi.PROT_READ)
			mem.Protect(to, uintptr(n)*abi.PageSize, abi.PROT_READ|abi.PROT_WRITE)
		}
		for i := range n {
			*moved.page(i) = *mp.page(i)
		}
		moved.protect(0, n)
	}
	k.unmap(mp.p, mp.start, mp.end)
}
