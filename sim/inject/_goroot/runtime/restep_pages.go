package runtime

import "unsafe"

// Which pages of the machines' variables a switch has to copy: those that any
// machine has ever written. All others are read-only and as the linker made
// them, for every machine; the first write to one raises SIGSEGV, which notes
// the page and lets the write go on.
//
// What is noted is kept in memory that the zygote shares with its children, so
// that later runs do not fault again. It changes nothing that a program can see.

const restepPageSize = 4096

// restepPages is set up in the zygote. A page counts from restepImages.lo.
var restepPages struct {
	base  uintptr // restepImages.lo rounded down to a page
	n     uintptr
	own   *[1 << 20]bool // pages of nothing but variables of machines, never written as far as this process knows
	hot   *[1 << 20]bool // pages that were ever written; shared memory
	ready bool           // in a child: the runs below are valid
	nruns int
	runs  [512]restepRun
}

// restepRun is a piece of memory that a switch copies, and its place in images.
type restepRun struct{ addr, size, off uintptr }

func restepInitPages() {
	p, im := &restepPages, &restepImages
	p.base = im.lo &^ (restepPageSize - 1)
	p.n = (im.hi-p.base)/restepPageSize + 1
	if p.n > 1<<20 {
		throw("restep: machine data is spread too far")
	}
	p.own = (*[1 << 20]bool)(restepOwnMemory(restepOwnBase, p.n))
	for _, r := range im.ranges[:im.n] {
		first := (r.addr - p.base + restepPageSize - 1) / restepPageSize
		for i := first; p.base+i*restepPageSize < r.addr+r.size && p.base+(i+1)*restepPageSize <= r.limit; i++ {
			p.own[i] = true
		}
	}
	hot, errno := restepSys(restepSysMmap, 0, p.n, 3, 0x21, ^uintptr(0), 0) // MAP_SHARED | MAP_ANONYMOUS
	if errno != 0 {
		restepDie("memory for the pages of machines", errno)
	}
	p.hot = (*[1 << 20]bool)(unsafe.Pointer(hot))
}

// restepProtectPages makes the pages read-only, in the zygote.
func restepProtectPages() {
	p := &restepPages
	for i := uintptr(0); i < p.n; {
		j := i
		for j < p.n && p.own[j] {
			j++
		}
		if j > i {
			restepSys(restepSysMprotect, p.base+i*restepPageSize, (j-i)*restepPageSize, 1, 0, 0, 0)
			i = j
		} else {
			i++
		}
	}
}

// restepLearnPages lets the zygote take over what its last child has written,
// so that the next one starts with these pages writable.
func restepLearnPages() {
	p := &restepPages
	for i := uintptr(0); i < p.n; i++ {
		if p.hot[i] && p.own[i] {
			restepSys(restepSysMprotect, p.base+i*restepPageSize, restepPageSize, 3, 0, 0, 0)
			p.own[i] = false // from now on it is always copied
		}
	}
}

// restepUsePages prepares a child.
func restepUsePages() {
	restepPages.ready = true
	restepFindRuns()
}

// restepFindRuns lists what a switch copies. Pieces that lie on a page with
// other data are always copied.
//
//go:nosplit
func restepFindRuns() {
	p, im := &restepPages, &restepImages
	p.nruns = 0
	off := uintptr(0)
	for k := 0; k < im.n; k++ {
		r := &im.ranges[k]
		open := false
		for a := r.addr; a < r.addr+r.size; {
			i := (a - p.base) / restepPageSize
			end := min(p.base+(i+1)*restepPageSize, r.addr+r.size)
			if p.own[i] {
				open = false
			} else if open || p.nruns == len(p.runs) {
				last := &p.runs[p.nruns-1]
				last.size = end - last.addr
			} else {
				p.runs[p.nruns] = restepRun{a, end - a, off + a - r.addr}
				p.nruns++
				open = true
			}
			a = end
		}
		off += r.size
	}
	if p.nruns == len(p.runs) {
		throw("restep: machine data is written in too many places")
	}
}

// restepWriteFault handles a fault at an address: true if it was the first
// write to a page of variables. It runs in the signal handler.
//
//go:nosplit
func restepWriteFault(addr uintptr) bool {
	if addr >= restepMapBase && addr < restepMapBase+restepMapWindow {
		return restepMapFault(addr)
	}
	p := &restepPages
	if !p.ready || addr < p.base {
		return false
	}
	i := (addr - p.base) / restepPageSize
	if i >= p.n || !p.own[i] || !restepHeat(i) {
		return false
	}
	restepFindRuns()
	return true
}

// restepWritePages is for who is about to write variables in an image: a switch
// must copy them from now on.
func restepWritePages(addr, size uintptr) {
	p := &restepPages
	found := false
	for i := (addr - p.base) / restepPageSize; i < p.n && p.base+i*restepPageSize < addr+size; i++ {
		if p.own[i] {
			if !restepHeat(i) {
				throw("restep: machine data cannot be written")
			}
			found = true
		}
	}
	if found {
		restepFindRuns()
	}
}

// restepHeat makes a page one that a switch copies.
//
//go:nosplit
func restepHeat(i uintptr) bool {
	p := &restepPages
	if _, errno := restepSys(restepSysMprotect, p.base+i*restepPageSize, restepPageSize, 3, 0, 0, 0); errno != 0 {
		return false
	}
	p.hot[i] = true
	p.own[i] = false // from now on it is always copied
	return true
}

//go:nowritebarrierrec
func restepSave(to unsafe.Pointer) {
	for i := 0; i < restepPages.nruns; i++ {
		r := &restepPages.runs[i]
		memmove(add(to, r.off), unsafe.Pointer(r.addr), r.size)
	}
}

//go:nowritebarrierrec
func restepLoad(from unsafe.Pointer) {
	for i := 0; i < restepPages.nruns; i++ {
		r := &restepPages.runs[i]
		memmove(unsafe.Pointer(r.addr), add(from, r.off), r.size)
	}
}
