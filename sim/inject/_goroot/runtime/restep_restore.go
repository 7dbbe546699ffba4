package runtime

import "unsafe"

// Going back: the process makes its memory equal to that of a checkpoint and
// returns from where the checkpoint was made. It compares and copies only what
// may differ. All of this runs on a stack and a g in the control block, for the
// process's own are being replaced; nothing here may touch another variable.

// restepMapping is one mapping of /proc/PID/maps.
type restepMapping struct {
	lo, hi uintptr
	prot   uint32
	shared bool
}

type restepMappings struct {
	n    int
	list [32768]restepMapping
}

type restepIOV struct{ base, size uintptr }

// restepBatch bounds the pages that are read before they are compared.
const restepBatch = 256

// restepLost ends a process that cannot go back. The debugger starts it anew.
//
//go:nowritebarrierrec
func restepLost() {
	exit(restepLostExit)
}

const restepLostExit = 126

// restepRestore makes this process equal to the checkpoint that the debugger
// chose and goes on there.
//
//go:nowritebarrierrec
func restepRestore() {
	c := (*restepControl)(unsafe.Pointer(uintptr(restepControlBase)))
	if c.from >= restepMaxCheckpoints {
		restepLost()
	}
	c.begun = restepCPUTime()
	all := ^uint64(0) // a handler would write to memory
	restepSys(restepSysRtSigprocmask, 0, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	pid := uintptr(c.saved[c.from].pid)
	if pid == 0 || !restepReadMaps(0, &c.mine) || !restepReadMaps(pid, &c.theirs) {
		restepLost()
	}
	mine := restepOpenProc(0, 'p')
	theirs := restepOpenProc(pid, 'p')
	memory := restepOpenProc(pid, 'd')
	w := restepWalk{c: c, memory: memory, fds: [2]uintptr{mine, theirs}, sp: c.context[c.from].sp}
	w.all()
	memmove(unsafe.Pointer(&c.versions[0]), unsafe.Pointer(&c.versions[1+c.from]), c.used*4)
	restepWatch(c, &c.theirs, mine)
	restepSys(restepSysClose, mine, 0, 0, 0, 0, 0)
	restepSys(restepSysClose, theirs, 0, 0, 0, 0, 0)
	restepSys(restepSysClose, memory, 0, 0, 0, 0, 0)
	restepSys(restepSysRtSigprocmask, 2, uintptr(unsafe.Pointer(&c.mask[c.from])), 0, 8, 0, 0)
	restepReturnTo(&c.context[c.from])
}

// restepOpenProc is restepTryProc for what has to succeed.
//
//go:nowritebarrierrec
func restepOpenProc(pid uintptr, what byte) uintptr {
	fd, ok := restepTryProc(pid, what)
	if !ok {
		restepLost()
	}
	return fd
}

// restepTryProc opens /proc/PID/maps or, for what 'p', /proc/PID/pagemap or,
// for 'd', /proc/PID/mem; pid 0 is the process itself. proc_pid_maps(5),
// proc_pid_pagemap(5), proc_pid_mem(5).
//
//go:nowritebarrierrec
func restepTryProc(pid uintptr, what byte) (fd uintptr, ok bool) {
	var path [40]byte
	n := copy(path[:], "/proc/")
	if pid == 0 {
		n += copy(path[n:], "self")
	} else {
		var digits [20]byte
		i := len(digits)
		for ; pid > 0; pid /= 10 {
			i--
			digits[i] = byte('0' + pid%10)
		}
		n += copy(path[n:], digits[i:])
	}
	switch what {
	case 'p':
		copy(path[n:], "/pagemap")
	case 'd':
		copy(path[n:], "/mem")
	default:
		copy(path[n:], "/maps")
	}
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(&path)), 0x80000, 0, 0, 0)
	return fd, errno == 0
}

// restepReadMaps reads the mappings of a process. A line is
// "lo-hi rwxp offset device inode path".
//
//go:nowritebarrierrec
func restepReadMaps(pid uintptr, out *restepMappings) bool {
	c := (*restepControl)(unsafe.Pointer(uintptr(restepControlBase)))
	fd, ok := restepTryProc(pid, 'm')
	if !ok {
		return false
	}
	out.n = 0
	var m restepMapping
	field := 0
	for {
		n, errno := restepSys(restepSysRead, fd, uintptr(unsafe.Pointer(&c.text)), uintptr(len(c.text)), 0, 0, 0)
		if errno == _EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
			return errno == 0
		}
		for _, b := range c.text[:n] {
			switch {
			case b == '\n':
				if out.n == len(out.list) {
					restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
					return false
				}
				out.list[out.n] = m
				out.n++
				m, field = restepMapping{}, 0
			case field == 0 && b == '-' || field == 1 && b == ' ' || field == 2 && b == ' ':
				field++
			case field == 0:
				m.lo = m.lo<<4 | restepHex(b)
			case field == 1:
				m.hi = m.hi<<4 | restepHex(b)
			case field == 2:
				switch b {
				case 'r':
					m.prot |= _PROT_READ
				case 'w':
					m.prot |= _PROT_WRITE
				case 'x':
					m.prot |= _PROT_EXEC
				case 's':
					m.shared = true
				}
			}
		}
	}
}

//go:nowritebarrierrec
func restepHex(b byte) uintptr {
	if b >= 'a' {
		return uintptr(b-'a') + 10
	}
	return uintptr(b - '0')
}

// restepWalk goes through both address spaces at once.
type restepWalk struct {
	c      *restepControl
	memory uintptr    // of the checkpoint
	fds    [2]uintptr // pagemap of this process and of the checkpoint
	sp     uintptr    // an address in the stack
	n      int        // pages in c.pages
	open   bool       // the present piece can be written
	lo     uintptr    // the present piece
	hi     uintptr

	missing int     // pieces in c.missing
	bytes   uintptr // in them
}

// all cuts the address spaces into pieces within which neither changes.
//
//go:nowritebarrierrec
func (w *restepWalk) all() {
	a, b := &w.c.mine, &w.c.theirs
	i, j := 0, 0
	for at := uintptr(0); i < a.n || j < b.n; {
		next := ^uintptr(0)
		var mine, theirs *restepMapping
		if i < a.n {
			if m := &a.list[i]; m.lo > at {
				next = min(next, m.lo)
			} else {
				mine, next = m, min(next, m.hi)
			}
		}
		if j < b.n {
			if m := &b.list[j]; m.lo > at {
				next = min(next, m.lo)
			} else {
				theirs, next = m, min(next, m.hi)
			}
		}
		if mine != nil || theirs != nil {
			w.piece(at, next, mine, theirs)
		}
		at = next
		if i < a.n && a.list[i].hi <= at {
			i++
		}
		if j < b.n && b.list[j].hi <= at {
			j++
		}
	}
}

// piece makes one piece equal.
//
//go:nowritebarrierrec
func (w *restepWalk) piece(lo, hi uintptr, mine, theirs *restepMapping) {
	const fixed = 0x32 // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
	size := hi - lo
	switch {
	case mine != nil && mine.shared || theirs != nil && theirs.shared:
		return // the step log, the control block, what the zygote learns
	case theirs == nil:
		if mine.lo <= w.sp && w.sp < mine.hi || mine.hi >= 1<<47 {
			return // the stack has grown; below the pointer nothing counts
		}
		restepSys(restepSysMunmap, lo, size, 0, 0, 0, 0)
		return
	case mine == nil:
		w.check(restepSys(restepSysMmap, lo, size, _PROT_READ|_PROT_WRITE, fixed, ^uintptr(0), 0))
		w.open = true
	case theirs.prot == 0:
		if mine.prot != 0 {
			w.check(restepSys(restepSysMmap, lo, size, 0, fixed, ^uintptr(0), 0))
		}
		return
	case mine.prot == 0:
		w.check(restepSys(restepSysMprotect, lo, size, _PROT_READ|_PROT_WRITE, 0, 0, 0))
		w.open = true
	default:
		w.open = mine.prot&_PROT_WRITE != 0
	}
	prot := uint32(_PROT_READ | _PROT_WRITE)
	if !w.open {
		prot = mine.prot
	}
	im := &restepPages
	data := lo < im.base+im.n*restepPageSize && hi > im.base
	if (prot|theirs.prot)&_PROT_WRITE != 0 || data && theirs.prot&_PROT_EXEC == 0 {
		writable := w.open
		w.lo, w.hi = lo, hi
		w.contents()
		if w.open && !writable {
			prot = _PROT_READ | _PROT_WRITE
		}
	}
	if prot != theirs.prot {
		w.check(restepSys(restepSysMprotect, lo, size, uintptr(theirs.prot), 0, 0, 0))
	}
}

//go:nowritebarrierrec
func (w *restepWalk) check(_, errno uintptr) {
	if errno != 0 {
		restepLost()
	}
}

// contents makes the pages of a piece equal. A page that the checkpoint does
// not have was never written there: dropping it here makes it so again.
//
//go:nowritebarrierrec
func (w *restepWalk) contents() {
	c := w.c
	for lo := w.lo; lo < w.hi; {
		n := min((w.hi-lo)/restepPageSize, uintptr(len(c.present[0])))
		for k := range w.fds {
			got, errno := restepSys(restepSysPread, w.fds[k], uintptr(unsafe.Pointer(&c.present[k])), n*8, lo/restepPageSize*8, 0, 0)
			if errno != 0 || got != n*8 {
				restepLost()
			}
		}
		drop := uintptr(0) // pages to drop that end here
		for i := uintptr(0); i < n; i++ {
			// Bit 63: in memory; 62: swapped out; 0-54: frame, for root only.
			a, b := c.present[0][i], c.present[1][i]
			if b>>62 == 0 && a>>62 != 0 {
				drop++
				continue
			}
			if drop > 0 {
				w.drop(lo+(i-drop)*restepPageSize, drop)
				drop = 0
			}
			if b>>62 == 0 || w.same(lo+i*restepPageSize, i) {
				continue
			}
			if a>>62 == 0 {
				w.fetch(lo + i*restepPageSize)
				continue
			}
			if w.n == restepBatch {
				w.flush()
			}
			c.pages[w.n] = lo + i*restepPageSize
			w.n++
		}
		if drop > 0 {
			w.drop(lo+(n-drop)*restepPageSize, drop)
		}
		lo += n * restepPageSize
	}
	w.flush()
	w.fetchAll()
}

// fetch notes a page that is not there: there is nothing to compare, so it goes
// straight to its place, with its neighbours in one piece.
//
//go:nowritebarrierrec
func (w *restepWalk) fetch(p uintptr) {
	c := w.c
	if last := w.missing - 1; last >= 0 && c.missing[last].base+c.missing[last].size == p && w.bytes < restepFetchMax {
		c.missing[last].size += restepPageSize
	} else {
		if w.missing == len(c.missing) || w.bytes >= restepFetchMax {
			w.fetchAll()
		}
		c.missing[w.missing] = restepIOV{p, restepPageSize}
		w.missing++
	}
	w.bytes += restepPageSize
}

// restepFetchMax bounds the bytes of one system call: 2 GiB is the kernel's
// limit.
const restepFetchMax = 1 << 28

//go:nowritebarrierrec
func (w *restepWalk) fetchAll() {
	if w.missing == 0 {
		return
	}
	w.unlock()
	for i := range w.c.missing[:w.missing] {
		v := &w.c.missing[i]
		w.read(v.base, v.base, v.size)
	}
	w.missing, w.bytes = 0, 0
}

// read copies size bytes at address from of the checkpoint to this process's
// to. It is the file /proc/PID/mem that is read, for process_vm_readv(2) pins the
// pages, and a page that processes share and one pins is copied for that one
// first (mm/gup.c:gup_must_unshare, Linux 6.12): checkpoints would share nothing
// any more.
//
//go:nowritebarrierrec
func (w *restepWalk) read(to, from, size uintptr) {
	for size > 0 {
		got, errno := restepSys(restepSysPread, w.memory, to, size, from, 0, 0)
		if errno == _EINTR {
			continue
		}
		if errno != 0 || got == 0 {
			restepLost()
		}
		to, from, size = to+got, from+got, size-got
	}
}

// unlock makes the present piece writable.
//
//go:nowritebarrierrec
func (w *restepWalk) unlock() {
	if !w.open {
		w.check(restepSys(restepSysMprotect, w.lo, w.hi-w.lo, _PROT_READ|_PROT_WRITE, 0, 0, 0))
		w.open = true
	}
}

//go:nowritebarrierrec
func (w *restepWalk) drop(lo, pages uintptr) {
	w.check(restepSys(restepSysMadvise, lo, pages*restepPageSize, 4, 0, 0, 0)) // MADV_DONTNEED
}

// flush reads the noted pages from the checkpoint and copies those that differ.
//
//go:nowritebarrierrec
func (w *restepWalk) flush() {
	c := w.c
	if w.n == 0 {
		return
	}
	for i := 0; i < w.n; { // neighbours in one piece
		k := i + 1
		for k < w.n && c.pages[k] == c.pages[k-1]+restepPageSize {
			k++
		}
		w.read(uintptr(unsafe.Pointer(&c.staging[i*restepPageSize])), c.pages[i], uintptr(k-i)*restepPageSize)
		i = k
	}
	for i, p := range c.pages[:w.n] {
		from, to := unsafe.Pointer(&c.staging[i*restepPageSize]), unsafe.Pointer(p)
		if memequal(to, from, restepPageSize) {
			continue
		}
		w.unlock()
		memmove(to, from, restepPageSize)
	}
	w.n = 0
}
