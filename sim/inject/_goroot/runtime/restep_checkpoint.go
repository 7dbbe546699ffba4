package runtime

import (
	"internal/abi"
	"unsafe"
)

// Checkpoints: copies of the process, made by fork while a step is recorded,
// that never run the program. The process that a debugger holds goes back by
// taking over the memory of one of them (restep_restore.go).
//
// A process that no debugger holds has none, and no control block either.
//
// Those of the grid lie at even distances of CPU time all over the run, so that
// no step is further from one than it has to be; once they are there a run
// makes no others. A local one is made where the debugger asks for it, near a
// place to which it will come back many times, and gives way to the next ones.
//
// Invariant: a checkpoint changes nothing that the simulation can see. What
// there is to know of checkpoints lies in the control block, which is shared
// memory and so stays as it is when the process goes back.

const (
	restepControlBase    = 0x0e0000000000
	restepMaxCheckpoints = 48
	restepMaxLocal       = 3         // of them
	restepCheckpointGap  = 4_000_000 // ns of CPU time between those of the grid, at least
)

// restepRegisters is where restepSetContext returns to.
type restepRegisters struct{ sp, bp, pc uintptr }

// restepCheckpoint is one waiting copy; pid 0 is a free place.
type restepCheckpoint struct {
	step, pid uint64
}

// restepControl is the control block. The debugger reads and writes the fields
// down to saved by their offsets (dap/target/checkpoints.go).
type restepControl struct {
	size  uint64 // of this block: tells a debugger that it is there
	entry uint64 // address of restepGoBack
	stop  uint64 // step to stop at after going back; set by the debugger
	from  uint64 // index of the checkpoint to go back to; set by the debugger
	off   uint64 // not 0: make no checkpoints; set by the debugger
	want  uint64 // step for a local checkpoint, 0 = none; set by the debugger
	back  int64  // CPU time that going back took last, in ns
	made  uint64 // how many checkpoints were ever made
	saved [restepMaxCheckpoints]restepCheckpoint
	at    [restepMaxCheckpoints]int64 // CPU time from the start of the run, in ns

	local   [restepMaxCheckpoints]uint64 // which one it was among the local ones, 0 = of the grid
	budget  uint64                       // bytes that all checkpoints together may need
	total   uint64                       // steps of the recorded run, 0 = not known
	next    uint64                       // step at which the next checkpoint is considered
	begun   int64                        // the process's CPU time where base counts from
	base    int64                        // CPU time from the start of the run up to there
	begunAt uint64                       // step there
	fork    int64                        // CPU time that a checkpoint takes
	pid     uint64                       // of the process that makes them
	uffd    int64                        // restepWatch's file, 0 = not opened yet, -1 = not possible
	heap    uintptr                      // where pages with versions begin
	used    uintptr                      // how many of them ever had one
	version uint32                       // the latest
	mask    [restepMaxCheckpoints]uint64
	context [restepMaxCheckpoints]restepRegisters

	top     uintptr // end of stack
	g       g       // what restepRestore runs on
	mine    restepMappings
	theirs  restepMappings
	text    [1 << 16]byte
	present [2][8192]uint64
	missing [restepBatch]restepIOV
	pages   [restepBatch]uintptr
	staging [restepBatch * restepPageSize]byte
	stack   [1 << 18]byte

	versions [1 + restepMaxCheckpoints][restepVersions]uint32 // of the process, and of each checkpoint
}

func restepSetContext(c *restepRegisters) uintptr
func restepReturnTo(c *restepRegisters)
func restepGoBack()

// restepInitControl prepares a process that a debugger will hold.
func restepInitControl() {
	size := (unsafe.Sizeof(restepControl{}) + restepPageSize - 1) &^ (restepPageSize - 1)
	const flags = 0x104021 // MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE
	addr, errno := restepSys(restepSysMmap, restepControlBase, size, 3, flags, ^uintptr(0), 0)
	if errno != 0 || addr != restepControlBase {
		restepDie("memory for checkpoints", errno)
	}
	c := (*restepControl)(unsafe.Pointer(addr))
	c.size = uint64(unsafe.Sizeof(*c))
	c.entry = uint64(abi.FuncPCABI0(restepGoBack))
	pid, _ := restepSys(restepSysGetpid, 0, 0, 0, 0, 0, 0)
	c.pid = uint64(pid)
	c.heap = arenaBase(mheap_.heapArenas[0])
	lo := uintptr(unsafe.Pointer(&c.stack))
	c.top = (lo+unsafe.Sizeof(c.stack))&^63 - 64
	c.g.stack.lo, c.g.stack.hi = lo, c.top
	c.g.stackguard0, c.g.stackguard1 = lo+stackGuard, lo+stackGuard
	// Checkpoints that are dropped leave no zombie and no signal.
	ignore := [4]uintptr{1} // SIG_IGN
	restepSys(restepSysRtSigaction, uintptr(_SIGCHLD), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0)
	restep.control = c
}

// restepCPUTime is the CPU time that the process has used, in ns.
func restepCPUTime() int64 {
	var ts [2]int64
	restepSys(restepSysClockGettime, 2, uintptr(unsafe.Pointer(&ts)), 0, 0, 0, 0) // CLOCK_PROCESS_CPUTIME_ID
	return ts[0]*1e9 + ts[1]
}

// restepConsider makes a checkpoint at step n if one is needed. The clock is
// looked at once in as many steps as it takes at the present pace: where
// checkpoints lie is no part of what has to repeat.
func restepConsider(n uint64) {
	c := restep.control
	if getg() != getg().m.g0 || restep.exiting {
		return // in a signal handler: the next step does as well
	}
	if c.off != 0 {
		c.next = ^uint64(0)
		return
	}
	now := restepCPUTime()
	if c.begunAt == 0 {
		c.begun, c.begunAt = now, n
	}
	here := restepAt(n)
	if here >= 0 {
		c.begun, c.base, c.begunAt = now, c.at[here], n // the same place as before
	}
	pos := c.base + now - c.begun
	if c.want != 0 && n >= c.want {
		c.want = 0
		if here < 0 {
			restepTake(n, pos, true)
			return
		}
	}
	prev, next := restepAround(n)
	gap := restepGap(n, pos)
	wait := int64(0)
	if prev >= 0 {
		wait = c.at[prev] + gap - pos
	}
	switch {
	case wait > 0:
	case next >= 0 && c.at[next]-pos < gap/2:
		wait = gap // there will be one soon enough
	case here < 0 && restepPlaceOnGrid(n, pos, prev, next):
		restepTake(n, pos, false)
		return
	default:
		wait = gap
	}
	pace := max((now-c.begun)/int64(max(n-c.begunAt, 1)), 1)
	restepConsiderAt(n + 1 + uint64(wait/(2*pace)))
}

// restepConsiderAt says at which step to look next: at n, or before that where
// there is a checkpoint already or the debugger wants one.
func restepConsiderAt(n uint64) {
	c := restep.control
	for i := range c.saved {
		if s := &c.saved[i]; s.pid != 0 && s.step > restep.step {
			n = min(n, s.step)
		}
	}
	if c.want > restep.step {
		n = min(n, c.want)
	}
	c.next = n
}

// restepAt is the index of the checkpoint at step n, -1 when there is none.
func restepAt(n uint64) int {
	c := restep.control
	for i := range c.saved {
		if c.saved[i].pid != 0 && c.saved[i].step == n {
			return i
		}
	}
	return -1
}

// restepAround finds the last checkpoint of the grid at or before step n and
// the first one behind it, -1 for none.
func restepAround(n uint64) (prev, next int) {
	c := restep.control
	prev, next = -1, -1
	for i := range c.saved {
		s := &c.saved[i]
		switch {
		case s.pid == 0 || c.local[i] != 0:
		case s.step <= n && (prev < 0 || s.step > c.saved[prev].step):
			prev = i
		case s.step > n && (next < 0 || s.step < c.saved[next].step):
			next = i
		}
	}
	return prev, next
}

// restepLength estimates the CPU time of the whole run, which is at step n now.
func restepLength(n uint64, pos int64) int64 {
	c := restep.control
	for i := range c.saved {
		if s := &c.saved[i]; s.pid != 0 && s.step > n {
			n, pos = s.step, c.at[i]
		}
	}
	if n == 0 || c.total <= n {
		return pos
	}
	return pos / int64(n) * int64(c.total)
}

// restepGap is the CPU time from one checkpoint of the grid to the next: as many
// of them as there may be fill the run, unless making them costs too much.
func restepGap(n uint64, pos int64) int64 {
	c := restep.control
	return max(restepLength(n, pos)/(restepMaxCheckpoints-restepMaxLocal), restepCheckpointGap, 4*c.fork)
}

// restepTake makes a checkpoint at step n. It returns a second time when the
// process has gone back to it.
func restepTake(n uint64, pos int64, local bool) {
	i := restepPlace(local)
	c := restep.control
	restepSys(restepSysRtSigprocmask, 2, 0, uintptr(unsafe.Pointer(&c.mask[i])), 8, 0, 0)
	begun := restepCPUTime()
	restepNote(i)
	if restepSetContext(&c.context[i]) != 0 {
		// Only what lies in memory is as it was; c and i are read again.
		c := restep.control
		restep.stopStep = c.stop
		now := restepCPUTime()
		c.back, c.begun, c.base, c.begunAt = now-c.begun, now, c.at[c.from], restep.step
		restepConsiderAt(restep.step + 1)
		return
	}
	// CLONE_UNTRACED: the debugger's thread list must not get it.
	pid, errno := restepSys(restepSysClone, 0x00800000|17, 0, 0, 0, 0, 0)
	if errno != 0 {
		restepConsiderAt(n + 1000) // no memory, or too many processes: later perhaps
		return
	}
	if pid == 0 {
		restepHold()
	}
	c.made++
	c.saved[i], c.at[i], c.local[i] = restepCheckpoint{n, uint64(pid)}, pos, 0
	if local {
		c.local[i] = c.made
	}
	now := restepCPUTime()
	c.fork = now - begun
	c.begun, c.base, c.begunAt = now, pos, n
	restepConsiderAt(n + 1)
}

// restepHold is all that a checkpoint ever does: it waits for its end, which is
// that of the process it was made from at the latest.
func restepHold() {
	c := restep.control
	all := ^uint64(0)
	restepSys(restepSysRtSigprocmask, 0, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	restepSys(restepSysPrctl, 1, 9, 0, 0, 0, 0) // PR_SET_PDEATHSIG, SIGKILL
	if parent, _ := restepSys(restepSysGetppid, 0, 0, 0, 0, 0, 0); uint64(parent) != c.pid {
		exit(0)
	}
	for {
		restepSys(restepSysPpoll, 0, 0, 0, 0, 0, 0)
	}
}

// restepPlace makes a free place: the limit is for the others and the new one.
func restepPlace(forLocal bool) int {
	c := restep.control
	limit := restepLimit()
	for {
		free, count, local, oldest := -1, 0, 0, -1
		for i := range c.saved {
			if c.saved[i].pid == 0 {
				free = i
				continue
			}
			count++
			if c.local[i] != 0 {
				if local++; oldest < 0 || c.local[i] < c.local[oldest] {
					oldest = i
				}
			}
		}
		switch {
		case forLocal && local >= restepMaxLocal || count >= limit && local > 0:
			restepDrop(oldest)
		case count >= limit || free < 0:
			least, _ := restepLeast()
			restepDrop(least)
		default:
			return free
		}
	}
}

// restepPlaceOnGrid reports whether there is room on the grid for a checkpoint
// at step n, between the checkpoints prev and next. When there are as many as
// there may be, it takes the place of the one that is missed least, if that is
// missed less.
func restepPlaceOnGrid(n uint64, pos int64, prev, next int) bool {
	c := restep.control
	count := 0
	for i := range c.saved {
		if c.saved[i].pid != 0 && c.local[i] == 0 {
			count++
		}
	}
	if count < restepLimit()-restepMaxLocal {
		return true
	}
	end := restepLength(n, pos)
	if next >= 0 {
		end = c.at[next]
	}
	least, gap := restepLeast()
	if least < 0 || prev >= 0 && (end-c.at[prev])*2 < gap*3 {
		return false
	}
	restepDrop(least)
	return true
}

// restepLimit is how many checkpoints the memory suffices for: each may come
// to hold a copy of every page that is not shared with the zygote.
func restepLimit() int {
	c := restep.control
	path := [...]byte{'/', 'p', 'r', 'o', 'c', '/', 's', 'e', 'l', 'f', '/', 's', 't', 'a', 't', 'm', 0}
	fd, errno := restepSys(restepSysOpenat, ^uintptr(99), uintptr(unsafe.Pointer(&path)), 0x80000, 0, 0, 0)
	if errno != 0 {
		return restepMaxCheckpoints / 4
	}
	var text [128]byte
	n, _ := restepSys(restepSysRead, fd, uintptr(unsafe.Pointer(&text)), uintptr(len(text)), 0, 0, 0)
	restepSys(restepSysClose, fd, 0, 0, 0, 0, 0)
	var field [3]uint64 // size, resident, shared, in pages
	k := 0
	for _, b := range text[:n] {
		if b == ' ' {
			k++
		}
		if k == len(field) {
			break
		}
		if b >= '0' && b <= '9' {
			field[k] = field[k]*10 + uint64(b-'0')
		}
	}
	private := max((field[1]-min(field[2], field[1]))*restepPageSize, 1<<20)
	return int(min(max(c.budget/private, 8), restepMaxCheckpoints))
}

// restepLeast is the index of the checkpoint of the grid whose absence leaves
// the shortest gap, and that gap in ns of CPU time. The first one is where
// everything can be reached from; it stays. The index is -1 when it is alone.
func restepLeast() (least int, gap int64) {
	c := restep.control
	least = -1
	for i := range c.saved {
		if c.saved[i].pid == 0 || c.local[i] != 0 {
			continue
		}
		before, after := -1, -1
		for j := range c.saved {
			switch {
			case j == i || c.saved[j].pid == 0 || c.local[j] != 0:
			case c.saved[j].step < c.saved[i].step:
				if before < 0 || c.saved[j].step > c.saved[before].step {
					before = j
				}
			case after < 0 || c.saved[j].step < c.saved[after].step:
				after = j
			}
		}
		if before < 0 {
			continue
		}
		end := restepLength(0, 0)
		if after >= 0 {
			end = c.at[after]
		}
		if g := end - c.at[before]; least < 0 || g < gap {
			least, gap = i, g
		}
	}
	return least, gap
}

func restepDrop(i int) {
	c := restep.control
	restepSys(restepSysKill, uintptr(c.saved[i].pid), 9, 0, 0, 0, 0)
	c.saved[i] = restepCheckpoint{}
}
