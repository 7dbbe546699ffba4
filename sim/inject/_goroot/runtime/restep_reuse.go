package runtime

import "unsafe"

// A child whose run has ended in good order serves the next request itself: it
// gets back the memory that the zygote had, byte for byte and at the same
// addresses, as a new fork would. That saves the fork, the faults on every page
// that a run writes, and the teardown: more than half of a short run.
//
// Before its second fork the zygote copies its writable memory (restepAnchor).
// At the end of a run the child closes its files, unmaps what the run has
// mapped, finds the pages that it no longer shares with the zygote
// (/proc/self/maps and pagemap, proc_pid_pagemap(5)), copies them back in an
// assembly routine that uses no stack, and returns from restepAnchor once more.
// Whatever does not look as expected ends the child instead, and the zygote
// forks another. Runs that end in any other way, and those of a debugger, are
// never followed by another one in the same process.
//
// That pagemap tells all pages that were written is verified once in each
// zygote, by a comparison of all memory; with restepFlagVerify, at each run. It
// does not tell of pages that were given back: what the zygote had there reads
// as zeroes and is shared with everyone. Those are noted (restepGaveBack). Nor
// does it tell what the kernel has besides memory: after profiling, which leaves
// timers and handlers behind, no other run follows (restepLast). Nothing else of
// that kind reaches the real kernel: see restepReal and restepFilter.
//
// Invariant: what lies in the window of the simulator is never restored and
// never changes the address of anything else.

const (
	restepReuseBase  = 0x110000000000 // the state, shared by zygote and child
	restepReuseSize  = 8 << 20
	restepSavedBase  = 0x110001000000 // the copy of the zygote's memory
	restepSavedMax   = 256 << 20
	restepWindowLow  = restepLogBase // mappings of the simulator itself
	restepWindowHigh = 0x120000000000
	restepFirstFile  = restepGateFD + 1 // descriptors from here on are the run's

	restepKeepPages = 16 << 10 // a child that wrote more of them is not kept: 64 MB
)

// restepReuseState lies at restepReuseBase.
type restepReuseState struct {
	sp        uintptr // in restepAnchor; assembly reads it
	ready     bool    // the copy is complete
	restored  bool    // this is a child that has its memory back
	busy      bool    // the child serves a request that nobody has answered
	filtered  bool    // the filter of system calls is installed, in the child
	keep      bool    // the child may serve another request
	verify    bool    // the child makes sure that it has all of its memory back
	verified  bool    // it has done so once
	mask      sigset  // signals blocked in the zygote
	cpu       int64   // that the child had taken when it answered last, µs
	faults    int64   // page faults that the child had taken when it looked for written pages, 0 if it never did
	logFaults int64   // those of them that made the step log's pages present
	ngiven    int
	given     [256]restepGiven // what the run gave back to the kernel
	nsaved    int
	saved     [4096]restepSavedRun
	nmaps     int
	maps      [1024]restepVMA
	nnow      int
	now       [1024]restepVMA
	ncopies   int
	copies    [restepKeepPages]restepCopy
	entries   [32 << 10]uint64 // of pagemap
	text      [128 << 10]byte  // of maps
	symbols   restepSymbols
}

// restepSavedRun is a run of pages of which there is a copy.
type restepSavedRun struct{ lo, hi, at uintptr }

// restepGiven is memory whose pages read as zeroes until they are written again.
type restepGiven struct{ lo, hi uintptr }

// restepVMA is one line of /proc/self/maps.
type restepVMA struct {
	lo, hi   uintptr
	none     bool // reserved: no access
	writable bool
	stack    bool
	file     bool // where a page is not present, it is as in the file
}

// restepCopy is memory to bring back; from 0 means zeroes. Assembly reads it.
type restepCopy struct{ to, from, size uintptr }

var restepReusing bool // in the zygote: the state is there

func restepReuse() *restepReuseState {
	return (*restepReuseState)(unsafe.Pointer(uintptr(restepReuseBase)))
}

// restepAnchor calls restepSnapshot on g0. It returns in the zygote, and again
// in each child that restepBringBack gives its memory back.
func restepAnchor()

// restepBringBack carries out n copies and returns from restepAnchor.
func restepBringBack(copies *restepCopy, n uintptr)

// restepPrepareReuse maps the state; without it each run is a fork.
func restepPrepareReuse() {
	if !restepMayReuse {
		return
	}
	const flags = 0x104021 // MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE
	addr, errno := restepSys(restepSysMmap, restepReuseBase, restepReuseSize, 3, flags, ^uintptr(0), 0)
	restepReusing = errno == 0 && addr == restepReuseBase && unsafe.Sizeof(restepReuseState{}) <= restepReuseSize
}

// restepSnapshot copies the zygote's writable memory.
func restepSnapshot() {
	s := restepReuse()
	const flags = 0x104021 // MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE
	addr, errno := restepSys(restepSysMmap, restepSavedBase, restepSavedMax, 3, flags, ^uintptr(0), 0)
	if errno != 0 || addr != restepSavedBase {
		return
	}
	sigprocmask(_SIG_SETMASK, nil, &s.mask)
	if s.nmaps = restepReadVMAs(&s.maps); s.nmaps == 0 {
		return
	}
	at := uintptr(restepSavedBase)
	for i := range s.maps[:s.nmaps] {
		m := &s.maps[i]
		ok := restepPagemap(m.lo, m.hi, func(page uintptr, entry uint64) bool {
			s := restepReuse()
			there := m.file || entry&(restepPresent|restepSwapped) != 0
			if !restepIsData(page) && !(m.writable && there) {
				return true
			}
			if at+restepPageSize > restepSavedBase+restepSavedMax {
				return false
			}
			memmove(unsafe.Pointer(at), unsafe.Pointer(page), restepPageSize)
			if n := s.nsaved; n > 0 && s.saved[n-1].hi == page {
				s.saved[n-1].hi += restepPageSize
			} else if n < len(s.saved) {
				s.saved[n] = restepSavedRun{page, page + restepPageSize, at}
				s.nsaved++
			} else {
				return false
			}
			at += restepPageSize
			return true
		})
		if !ok {
			return
		}
	}
	s.ready = true
}

// restepIsData reports whether a page belongs to the variables that the
// binary has initial values for: they are in memory when touched.
func restepIsData(page uintptr) bool {
	return page+restepPageSize > firstmoduledata.noptrdata && page < firstmoduledata.edata
}

// Bits of an entry of pagemap.
const (
	restepPresent   = 1 << 63
	restepSwapped   = 1 << 62
	restepFilePage  = 1 << 61 // or shared memory
	restepExclusive = 1 << 56
)

var restepMapsPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 'm', 'a', 'p', 's', 0}
var restepPagemapPath = [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 'p', 'a', 'g', 'e', 'm', 'a', 'p', 0}

func restepOpenRead(path *byte) (fd uintptr, ok bool) {
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(path)), 0x80000, 0, 0, 0)
	return fd, errno == 0
}

// restepReadVMAs lists the process's private mappings outside the window; 0
// when they cannot be known.
func restepReadVMAs(maps *[1024]restepVMA) (count int) {
	text := &restepReuse().text
	fd, ok := restepOpenRead(&restepMapsPath[0])
	if !ok {
		return 0
	}
	n := uintptr(0)
	for n < uintptr(len(text)) {
		r, errno := restepSys(restepSysRead, fd, uintptr(unsafe.Pointer(text))+n, uintptr(len(text))-n, 0, 0, 0)
		if errno != 0 || r == 0 {
			break
		}
		n += r
	}
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	if n == uintptr(len(text)) {
		return 0
	}
	for i := uintptr(0); i < n; {
		// lo-hi perms offset device inode path
		var m restepVMA
		m.lo, i = restepHexAt(text[:n], i)
		m.hi, i = restepHexAt(text[:n], i+1)
		if i+5 > n {
			return 0
		}
		perms := text[i+1 : i+5]
		for field := 0; i < n && text[i] != '\n'; {
			if text[i] == ' ' {
				field++
			} else if field == 4 && text[i] != '0' {
				m.file = true // it has an inode
			}
			if text[i] == '[' && i+4 < n && text[i+1] == 's' && text[i+2] == 't' && text[i+3] == 'a' {
				m.stack = true
			}
			i++
		}
		i++
		if perms[3] != 'p' || m.lo >= restepWindowLow && m.lo < restepWindowHigh || m.lo >= 1<<47 {
			continue
		}
		m.none = perms[0] == '-'
		m.writable = perms[0] == 'r' && perms[1] == 'w'
		if count == len(maps) {
			return 0
		}
		maps[count] = m
		count++
	}
	return count
}

// restepHexAt reads a number at text[i] and returns where it ends.
func restepHexAt(text []byte, i uintptr) (v, end uintptr) {
	for ; i < uintptr(len(text)); i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uintptr(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uintptr(c-'a'+10)
		default:
			return v, i
		}
	}
	return v, i
}

// restepPagemap calls f for each page from lo to hi, until it returns false.
func restepPagemap(lo, hi uintptr, f func(page uintptr, entry uint64) bool) bool {
	fd, ok := restepOpenRead(&restepPagemapPath[0])
	if !ok {
		return false
	}
	ok = restepEachPage(fd, lo, hi, f)
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	return ok
}

func restepEachPage(fd, lo, hi uintptr, f func(page uintptr, entry uint64) bool) bool {
	entries := &restepReuse().entries
	for page := lo; page < hi; {
		n := min((hi-page)/restepPageSize, uintptr(len(entries)))
		r, errno := restepSys(restepSysPread, fd, uintptr(unsafe.Pointer(entries)), n*8, page/restepPageSize*8, 0, 0)
		if errno != 0 || r != n*8 {
			return false
		}
		for _, e := range entries[:n] {
			if !f(page, e) {
				return false
			}
			page += restepPageSize
		}
	}
	return true
}

// restepAgain ends a run whose process may serve another one. It returns when
// that is not so; otherwise it answers the request and does not return.
func restepAgain(code int32) {
	if !restepReusing {
		return
	}
	s := restepReuse()
	if !s.ready || !s.keep {
		return
	}
	all := sigset_all
	sigprocmask(_SIG_SETMASK, &all, nil)
	if _, errno := restepSys(restepSysCloseRange, restepFirstFile, ^uintptr(0)>>32, 0, 0, 0, 0); errno != 0 {
		return
	}
	if restepLog.size != 0 {
		restepSys(restepSysMunmap, restepLogBase, restepLogWindow, 0, 0, 0, 0)
	}
	if !restepUnmapNew() {
		return
	}
	if s.faults == 0 {
		// khugepaged would make pages writable without a fault.
		restepSys(restepSysPrctl, 41, 1, 0, 0, 0, 0) // PR_SET_THP_DISABLE
	}
	if faults := restepFaults() - s.logFaults; faults != s.faults || faults == 0 || s.ngiven > 0 {
		// Without a fault no other page can have been written than before; the
		// search may fault itself, after it has seen a page.
		if !restepFindWritten() {
			return
		}
		s.faults = faults
	}
	if (s.verify || !s.verified) && !restepVerify() {
		if s.verify {
			throw("restep: the memory of a run would stay")
		}
		s.ready = false // each run is a fork from now on
		return
	}
	s.verified = true
	used := restepUsage().cpu()
	cpu := used - s.cpu
	s.cpu = used
	s.restored = true
	s.busy = false
	restepAnswer(restepEnded, uint32(code&0xff)<<8, cpu)
	restepBringBack(&s.copies[0], uintptr(s.ncopies))
}

// restepUsage is what this process has used so far, restepFaults its page
// faults.
func restepUsage() (usage restepRusage) {
	restepSys(restepSysGetrusage, 0, uintptr(unsafe.Pointer(&usage)), 0, 0, 0, 0)
	return usage
}

func restepFaults() int64 {
	usage := restepUsage()
	return usage.minflt + usage.majflt
}

// restepRusage is struct rusage, getrusage(2).
type restepRusage struct {
	userS, userUs, systemS, systemUs int64
	_                                [4]int64
	minflt, majflt                   int64
	_                                [8]int64
}

func (u restepRusage) cpu() int64 { return (u.userS+u.systemS)*1e6 + u.userUs + u.systemUs }

// restepUnmapNew takes away what the zygote did not have, and access to what it
// had only reserved; it reports false if something is missing.
func restepUnmapNew() bool {
	s := restepReuse()
	if s.nnow = restepReadVMAs(&s.now); s.nnow == 0 {
		return false
	}
	j := 0 // first old mapping that may reach into the new one
	for i := range s.now[:s.nnow] {
		m := &s.now[i]
		for at := m.lo; at < m.hi; {
			for j < s.nmaps && s.maps[j].hi <= at {
				j++
			}
			if j < s.nmaps && s.maps[j].lo <= at {
				if m.none && !s.maps[j].none {
					return false
				}
				end := min(m.hi, s.maps[j].hi)
				if s.maps[j].none && m.writable {
					const flags = 0x32 // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
					if _, errno := restepSys(restepSysMmap, at, end-at, 0, flags, ^uintptr(0), 0); errno != 0 {
						return false
					}
				}
				at = end
				continue
			}
			end := m.hi
			if j < s.nmaps {
				end = min(end, s.maps[j].lo)
			}
			if !m.stack {
				if _, errno := restepSys(restepSysMunmap, at, end-at, 0, 0, 0, 0); errno != 0 {
					return false
				}
			}
			at = end
		}
	}
	// Both lists are in order: each old mapping must lie within new ones.
	i := 0
	for j := range s.maps[:s.nmaps] {
		m := &s.maps[j]
		for at := m.lo; at < m.hi; {
			for i < s.nnow && s.now[i].hi <= at {
				i++
			}
			if i == s.nnow || s.now[i].lo > at {
				return false
			}
			at = s.now[i].hi
		}
	}
	return true
}

// restepFindWritten lists the pages to bring back: those that are no longer
// shared with the zygote, and those that it had and that are gone. It reports
// false when they are too many.
func restepFindWritten() bool {
	s := restepReuse()
	fd, ok := restepOpenRead(&restepPagemapPath[0])
	if !ok {
		return false
	}
	s.ncopies = 0
	first := s.faults == 0 // the zygote itself may have written since it was copied
	pages := 0
	k := 0 // first saved run that is not below the page
	for i := range s.now[:s.nnow] {
		m := &s.now[i]
		if !m.writable {
			continue
		}
		ok := restepEachPage(fd, m.lo, m.hi, func(page uintptr, entry uint64) bool {
			const mine = restepPresent | restepExclusive
			written := entry&mine == mine && entry&restepFilePage == 0 || entry&restepSwapped != 0
			there := written || entry&restepPresent != 0
			s := restepReuse()
			for k < s.nsaved && s.saved[k].hi <= page {
				k++
			}
			from := uintptr(0)
			if k < s.nsaved && s.saved[k].lo <= page {
				from = s.saved[k].at + page - s.saved[k].lo
			}
			if !there && (from == 0 || m.file) || there && !written && (!first || restepSame(page, from)) {
				if from == 0 || !restepWasGiven(page) {
					return true // as the zygote had it
				}
			}
			if pages++; pages > restepKeepPages {
				return false
			}
			restepAddCopy(page, from)
			return true
		})
		if !ok {
			restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
			return false
		}
	}
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	return true
}

// restepVerify reports whether memory is as in the zygote once the copies are
// made.
func restepVerify() bool {
	s := restepReuse()
	fd, ok := restepOpenRead(&restepPagemapPath[0])
	if !ok {
		return false
	}
	j, k := 0, 0 // first copy and first saved run that are not below the page
	for i := range s.now[:s.nnow] {
		m := &s.now[i]
		if m.none {
			continue
		}
		ok = ok && restepEachPage(fd, m.lo, m.hi, func(page uintptr, entry uint64) bool {
			s := restepReuse()
			for j < s.ncopies && s.copies[j].to+s.copies[j].size <= page {
				j++
			}
			for k < s.nsaved && s.saved[k].hi <= page {
				k++
			}
			if j < s.ncopies && s.copies[j].to <= page {
				return true
			}
			there := entry&(restepPresent|restepSwapped) != 0
			if k < s.nsaved && s.saved[k].lo <= page {
				saved := s.saved[k].at + page - s.saved[k].lo
				return (there || m.file) && restepSame(page, saved)
			}
			return !m.writable || !there || restepSame(page, 0)
		})
	}
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	return ok
}

// restepSame compares a page with a saved one; 0 stands for zeroes.
func restepSame(page, saved uintptr) bool {
	if saved != 0 {
		return memequal(unsafe.Pointer(page), unsafe.Pointer(saved), restepPageSize)
	}
	for _, w := range (*[restepPageSize / 8]uint64)(unsafe.Pointer(page)) {
		if w != 0 {
			return false
		}
	}
	return true
}

// restepLast says that no other run may follow this one in its process.
//
//go:nosplit
func restepLast() {
	if restep.on && restepReusing {
		restepReuse().keep = false
	}
}

// restepGaveBack notes that pages go back to the kernel.
//
//go:nosplit
func restepGaveBack(addr, size uintptr) {
	if !restep.on || !restepReusing {
		return
	}
	s := restepReuse()
	if s.ngiven == len(s.given) {
		s.keep = false
		return
	}
	s.given[s.ngiven] = restepGiven{addr, addr + size}
	s.ngiven++
}

// restepWasGiven reports whether the run gave a page back.
func restepWasGiven(page uintptr) bool {
	s := restepReuse()
	for i := range s.given[:s.ngiven] {
		if g := &s.given[i]; g.lo < page+restepPageSize && page < g.hi {
			return true
		}
	}
	return false
}

// restepAddCopy adds a page to the list, joined with the one before if it can
// be.
func restepAddCopy(page, from uintptr) {
	s := restepReuse()
	if n := s.ncopies; n > 0 {
		last := &s.copies[n-1]
		if last.to+last.size == page && (from == 0 && last.from == 0 || from != 0 && last.from != 0 && last.from+last.size == from) {
			last.size += restepPageSize
			return
		}
	}
	s.copies[s.ncopies] = restepCopy{page, from, restepPageSize}
	s.ncopies++
}

// restepRenew completes a child that has its memory back and a request in
// restepMessage.
func restepRenew() {
	s := restepReuse()
	s.busy = true
	pid, _ := restepSys(restepSysGetpid, 0, 0, 0, 0, 0, 0)
	getg().m.procid = uint64(pid)
	// A signal that came too late for the last run is not for this one.
	quit, none := uint64(1)<<(_SIGQUIT-1), [2]int64{}
	restepSys(restepSysRtSigtimedwait, uintptr(unsafe.Pointer(&quit)), 0, uintptr(unsafe.Pointer(&none)), 8, 0, 0)
	sigprocmask(_SIG_SETMASK, &s.mask, nil)
}
