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
// Invariant: a checkpoint changes nothing that the simulation can see. What
// there is to know of checkpoints lies in the control block, which is shared
// memory and so stays as it is when the process goes back.

const (
	restepControlBase    = 0x0e0000000000
	restepMaxCheckpoints = 48
	restepCheckpointGap  = 4_000_000 // ns of CPU time between checkpoints, at least
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
	saved [restepMaxCheckpoints]restepCheckpoint

	budget   uint64 // bytes that all checkpoints together may need
	next     uint64 // step at which the next checkpoint is considered
	last     int64  // CPU time at lastStep
	lastStep uint64 // where the re-run began or the last checkpoint was made
	gap      int64  // CPU time between checkpoints
	pid      uint64 // of the process that makes them
	mask     [restepMaxCheckpoints]uint64
	context  [restepMaxCheckpoints]restepRegisters

	top     uintptr // end of stack
	g       g       // what restepRestore runs on
	mine    restepMappings
	theirs  restepMappings
	text    [1 << 16]byte
	present [2][8192]uint64
	iov     [restepBatch]restepIOV
	pages   [restepBatch]uintptr
	staging [restepBatch * restepPageSize]byte
	stack   [1 << 18]byte
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
	c.gap = restepCheckpointGap
	pid, _ := restepSys(restepSysGetpid, 0, 0, 0, 0, 0, 0)
	c.pid = uint64(pid)
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

// restepConsider makes a checkpoint at step n if it is time for one. Time is
// CPU time, looked at once in as many steps as it takes at the present pace:
// where checkpoints lie is no part of what has to repeat.
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
	if elapsed := now - c.last; c.lastStep != 0 && elapsed < c.gap {
		pace := uint64(max(elapsed, 1000)) / max(n-c.lastStep, 1)
		c.next = n + 1 + uint64(c.gap-elapsed)/(2*max(pace, 1))
		return
	}
	for i := range c.saved {
		if s := &c.saved[i]; s.pid != 0 && s.step > c.lastStep && s.step <= n {
			c.last, c.lastStep, c.next = now, n, n+1 // this stretch has one already
			return
		}
	}
	restepTake(n)
}

// restepTake makes a checkpoint at step n. It returns a second time when the
// process has gone back to it.
func restepTake(n uint64) {
	i := restepPlace(n)
	c := restep.control
	restepSys(restepSysRtSigprocmask, 2, 0, uintptr(unsafe.Pointer(&c.mask[i])), 8, 0, 0)
	begun := restepCPUTime()
	if restepSetContext(&c.context[i]) != 0 {
		// Only what lies in memory is as it was; c and i are read again.
		c := restep.control
		restep.stopStep = c.stop
		c.last, c.lastStep = restepCPUTime(), restep.step
		c.next = restep.step + 1
		return
	}
	// CLONE_UNTRACED: the debugger's thread list must not get it.
	pid, errno := restepSys(restepSysClone, 0x00800000|17, 0, 0, 0, 0, 0)
	if errno != 0 {
		c.next = n + 1000 // no memory, or too many processes: later perhaps
		return
	}
	if pid == 0 {
		restepHold()
	}
	c.saved[i] = restepCheckpoint{n, uint64(pid)}
	now := restepCPUTime()
	c.gap = max(restepCheckpointGap, 8*(now-begun))
	c.last, c.lastStep, c.next = now, n, n+1
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
		restepSys(restepSysPause, 0, 0, 0, 0, 0, 0)
	}
}

// restepPlace finds a free place for a checkpoint at step n. When there are
// enough of them it drops the one that is missed least: whose absence leaves
// the shortest gap. One that is as far away as the run is long may have twice
// the gap of one at hand.
func restepPlace(n uint64) int {
	c := restep.control
	limit := restepLimit()
	for {
		free, count := -1, 0
		for i := range c.saved {
			if c.saved[i].pid == 0 {
				free = i
			} else {
				count++
			}
		}
		if count < limit && free >= 0 {
			return free
		}
		restepDrop(restepLeast(n))
	}
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
	return int(min(max(c.budget/private, 6), restepMaxCheckpoints))
}

// restepLeast is the index of the checkpoint to drop when the run is at step n.
func restepLeast(n uint64) int {
	c := restep.control
	last := n
	for i := range c.saved {
		last = max(last, c.saved[i].step)
	}
	least, best := -1, ^uint64(0)
	for i := range c.saved {
		s := &c.saved[i]
		if s.pid == 0 {
			continue
		}
		before, after := uint64(0), uint64(0)
		for j := range c.saved {
			o := &c.saved[j]
			switch {
			case o.pid == 0 || j == i:
			case o.step < s.step:
				before = max(before, o.step)
			case after == 0 || o.step < after:
				after = o.step
			}
		}
		if before == 0 {
			continue // the first one is where everything can be reached from
		}
		if after == 0 {
			after = max(n, s.step)
		}
		far := max(n, s.step) - min(n, s.step)
		if score := (after - before) << 20 / (far + last); score < best {
			least, best = i, score
		}
	}
	if least < 0 {
		throw("restep: no checkpoint can be dropped")
	}
	return least
}

func restepDrop(i int) {
	c := restep.control
	restepSys(restepSysKill, uintptr(c.saved[i].pid), 9, 0, 0, 0, 0)
	c.saved[i] = restepCheckpoint{}
}
