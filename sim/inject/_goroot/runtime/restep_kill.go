package runtime

import "unsafe"

// restepBury frees every goroutine of process id, takes it off whatever it
// waits on and drops the machine's variables. None of them runs again and
// their deferred calls do not run. It runs on g0, and no goroutine of the
// machine is running.
func restepBury(id uint32) {
	m := &restep.machine[id]
	m.alive = false
	m.sigs, m.sigrecv = 0, 0
	m.paused = false
	for _, gp := range allgs {
		if gp.restepMachine == id && gp.restepInc == m.inc && readgstatus(gp)&^_Gscan != _Gdead {
			restepFree(gp)
		}
	}
	restepClosePolls(id)
	restepStopTimers(id, m.inc)
	m.image, m.program = nil, nil
	restepWakeWaiters(id)
}

// restepWakeWaiters lets everybody look again who waits for machine id.
func restepWakeWaiters(id uint32) {
	m := &restep.machine[id]
	for w := m.waiters.ptr(); w != nil; {
		next := w.restepNext.ptr()
		w.restepNext = 0
		w.restepWaits = 0
		goready(w, 1)
		w = next
	}
	m.waiters = 0
}

// restepStopTimers takes the timers of a dead machine out of the heap, where
// they would keep alive what they refer to until they are due.
func restepStopTimers(id, inc uint32) {
	ts := &getg().m.p.ptr().timers
	for i := range ts.heap {
		if t := ts.heap[i].timer; t.restepMachine == id && t.restepInc == inc {
			t.stop()
		}
	}
	ts.lock()
	ts.adjust(restep.now, true)
	ts.unlock()
}

// restepFree takes one goroutine out of the world. One that the runtime has
// lent to the machine goes back to the runtime.
func restepFree(gp *g) {
	restepTakeOff(gp)
	if gp.restepLent {
		restepReturn(gp)
		return
	}
	restepDestroy(gp)
}

// restepTakeOff unlinks a goroutine that does not run from whatever may make it
// run again.
func restepTakeOff(gp *g) {
	switch status := readgstatus(gp); status {
	case _Grunnable:
		if !restep.runq.remove(gp) && !restep.machine[gp.restepMachine].pausedq.remove(gp) {
			throw("restep: runnable goroutine is not queued")
		}
	case _Gwaiting:
		restepUnlink(gp)
	default:
		dumpgstatus(gp)
		throw("restep: goroutine of a dead machine is neither runnable nor waiting")
	}
	if gp.restepWaits != 0 {
		restepUnwait(gp)
	}
	if gp.restepBlocked {
		gp.restepBlocked = false
		restep_kernelForget(restep.kernel, gp.restepMachine, uintptr(unsafe.Pointer(gp)))
	}
	if gp.timer != nil {
		gp.timer.stop()
	}
	gp.waiting = nil
	gp.param = nil
	gp.activeStackChans = false
	gp.parkingOnChan.Store(false)
	gp.selectDone.Store(0)
}

// restepDestroy is gdestroy for a goroutine that does not run.
func restepDestroy(gp *g) {
	if b := gp.bubble; b != nil && b.root.restepMachine == gp.restepMachine && b.root.restepInc == gp.restepInc {
		gp.bubble = nil // all of the bubble dies, nobody is left to account to
	}
	pp := getg().m.p.ptr()
	casgstatus(gp, readgstatus(gp), _Gdead)
	gcController.addScannableStack(pp, -int64(gp.stack.hi-gp.stack.lo))
	if isSystemGoroutine(gp, false) {
		sched.ngsys.Add(-1)
	}
	gp.m = nil
	gp.lockedm = 0
	gp.preemptStop = false
	gp.paniconfault = false
	gp._defer = nil
	gp._panic = nil
	gp.writebuf = nil
	gp.waitreason = waitReasonZero
	gp.labels = nil
	gp.timer = nil
	gp.bubble = nil
	gp.coroarg = nil
	gp.coroexit = false
	gp.asyncSafePoint = false
	gp.fipsOnlyBypass = false
	gp.gcAssistBytes = 0
	gp.restepMark = 0
	gp.restepCoro = 0
	gfput(pp, gp)
}

// restepWaitMachine parks the caller until machine id is off.
func restepWaitMachine(id uint32) {
	if id != getg().restepMachine {
		var never uint32
		restepWaitFor(id, &never)
	}
}

// restepWaitFor parks the caller until flag, which others set and then call
// restepWakeWaiters, is not 0, or the present boot of machine id is over.
func restepWaitFor(id uint32, flag *uint32) {
	gp := getg()
	m := &restep.machine[id]
	inc := m.inc
	for m.alive && m.inc == inc && *flag == 0 {
		gp.restepWaits = id
		gp.restepNext = m.waiters
		m.waiters.set(gp)
		gopark(nil, nil, waitReasonZero, traceBlockGeneric, 1)
	}
}

// restepUnwait takes gp out of the list of those that wait for a machine.
func restepUnwait(gp *g) {
	for p := &restep.machine[gp.restepWaits].waiters; *p != 0; p = &(*p).ptr().restepNext {
		if p.ptr() == gp {
			*p = gp.restepNext
			break
		}
	}
	gp.restepNext, gp.restepWaits = 0, 0
}

// restepUnlink takes a waiting goroutine off what it waits on.
func restepUnlink(gp *g) {
	switch gp.waitreason {
	case waitReasonChanReceive, waitReasonChanSend, waitReasonSelect:
		for sg := gp.waiting; sg != nil; {
			next := sg.waitlink
			restepUnlinkChan(sg)
			sg = next
		}
	case waitReasonSemacquire, waitReasonSyncMutexLock, waitReasonSyncRWMutexRLock,
		waitReasonSyncRWMutexLock, waitReasonSyncWaitGroupWait:
		if sg := gp.waiting; sg != nil {
			restepUnlinkSema(sg)
		}
	case waitReasonSyncCondWait:
		if sg := gp.waiting; sg != nil {
			restepUnlinkCond(sg)
		}
	case waitReasonCoroutine:
		restepUnlinkCoro(gp)
	case waitReasonGCAssistWait, waitReasonGCAssistMarking:
		// The program does not run while a collection marks.
		throw("restep: goroutine of a dead machine assists a collection")
	}
}

// restepCoroSwitch notes in which coroutine gp, which runs, is about to wait.
func restepCoroSwitch(gp *g, c *coro) { gp.restepCoro = uintptr(unsafe.Pointer(c)) }

// restepUnlinkCoro takes a goroutine out of the coroutine it waits in. The
// coroutine is alive: one of its two goroutines is in corostart, which holds it.
func restepUnlinkCoro(gp *g) {
	c := gp.coroarg // of one that has not yet started
	if c == nil {
		c = (*coro)(unsafe.Pointer(gp.restepCoro))
	}
	if c != nil && c.gp.ptr() == gp {
		c.gp = 0
	}
}

// restepCoroGone is where a goroutine waits for ever whose partner in a
// coroutine was on a machine that is dead.
func restepCoroGone() {
	getg().restepCoro = 0
	gopark(nil, nil, waitReasonCoroutine, traceBlockGeneric, 1)
	throw("restep: goroutine of a coroutine without a partner was woken")
}

// restepDropSudog returns sg to the pool.
func restepDropSudog(sg *sudog) {
	sg.elem.set(nil)
	sg.c.set(nil)
	sg.isSelect = false
	sg.next, sg.prev, sg.waitlink = nil, nil, nil
	sg.parent, sg.waittail = nil, nil
	sg.ticket, sg.waiters = 0, 0
	sg.g = nil
	releaseSudog(sg)
}

func restepUnlinkChan(sg *sudog) {
	c := sg.c.get()
	if c != nil {
		lock(&c.lock)
		restepDequeue(&c.sendq, sg)
		restepDequeue(&c.recvq, sg)
		unlock(&c.lock)
		if c.timer != nil && c.timer.blocked > 0 {
			unblockTimerChan(c)
		}
	}
	restepDropSudog(sg)
}

// restepDequeue takes sg out of q if it is there.
func restepDequeue(q *waitq, sg *sudog) {
	for x := q.first; x != nil; x = x.next {
		if x == sg {
			q.dequeueSudoG(sg)
			return
		}
	}
}

// restepUnlinkSema takes sg out of the semaphore table. Waiters on one address
// form a list whose head is a node of the table's tree.
func restepUnlinkSema(sg *sudog) {
	key := (*uint32)(sg.elem.get())
	root := semtable.rootFor(key)
	lockWithRank(&root.lock, lockRankRoot)
	head := root.treap
	for head != nil && head.elem.get() != unsafe.Pointer(key) {
		if uintptr(unsafe.Pointer(key)) < head.elem.uintptr() {
			head = head.prev
		} else {
			head = head.next
		}
	}
	found := head == sg
	if found {
		root.dequeue(key)
	} else if head != nil {
		for x := head; x.waitlink != nil; x = x.waitlink {
			if x.waitlink != sg {
				continue
			}
			x.waitlink = sg.waitlink
			if head.waittail == sg {
				head.waittail = x
				if x == head {
					head.waittail = nil
				}
			}
			if head.waiters > 0 {
				head.waiters--
			}
			found = true
			break
		}
	}
	if found {
		root.nwait.Add(-1)
	}
	unlock(&root.lock)
	restepDropSudog(sg)
}

// restepUnlinkCond takes sg out of the list of a sync.Cond. The list of a
// dead machine's own variable went with its image.
func restepUnlinkCond(sg *sudog) {
	l := (*notifyList)(sg.elem.get())
	if a := uintptr(unsafe.Pointer(l)); l != nil && (a < restepImages.lo || a >= restepImages.hi) {
		lockWithRank(&l.lock, lockRankNotifyList)
		var prev *sudog
		for x := l.head; x != nil; prev, x = x, x.next {
			if x != sg {
				continue
			}
			if prev == nil {
				l.head = sg.next
			} else {
				prev.next = sg.next
			}
			if l.tail == sg {
				l.tail = prev
			}
			break
		}
		unlock(&l.lock)
	}
	restepDropSudog(sg)
}

// restepPollOpen and restepPollClose register a descriptor with the simulated
// kernel's poller.
func restepPollOpen(fd uintptr, pd *pollDesc) uintptr {
	gp := getg()
	pd.restepMachine, pd.restepInc = gp.restepMachine, gp.restepInc
	// Descriptors are made by the dozen and used again: their deadlines belong
	// to whoever opens one.
	for _, t := range [...]*timer{&pd.rt, &pd.wt} {
		t.restepMachine, t.restepInc = gp.restepMachine, gp.restepInc
	}
	pd.restepNext = restep.pds
	restep.pds = pd
	var errno uintptr
	systemstack(func() {
		errno = restep_kernelPollOpen(restep.kernel, gp.restepMachine, fd, uintptr(unsafe.Pointer(pd)))
		restepKernelDone()
	})
	if errno != 0 {
		restepForgetPoll(pd)
	}
	return errno
}

func restepPollClose(fd uintptr) uintptr {
	gp := getg()
	for pd := restep.pds; pd != nil; pd = pd.restepNext {
		if pd.restepMachine == gp.restepMachine && pd.fd == fd {
			systemstack(func() {
				restep_kernelPollClose(restep.kernel, gp.restepMachine, fd, uintptr(unsafe.Pointer(pd)))
				restepKernelDone()
			})
			restepForgetPoll(pd)
			return 0
		}
	}
	return 0
}

func restepForgetPoll(pd *pollDesc) {
	for p := &restep.pds; *p != nil; p = &(*p).restepNext {
		if *p == pd {
			*p = pd.restepNext
			pd.restepNext = nil
			return
		}
	}
}

// restepWake is the simulated kernel's word that a descriptor became ready.
func restepWake(p uintptr, mode uint8) {
	pd := (*pollDesc)(unsafe.Pointer(p))
	var list gList
	netpollready(&list, pd, int32(mode))
	for !list.empty() {
		gp := list.pop()
		casgstatus(gp, _Gwaiting, _Grunnable)
		restepEnqueue(gp)
	}
}

// restepClosePolls returns the poll descriptors of a dead machine.
func restepClosePolls(id uint32) {
	for p := &restep.pds; *p != nil; {
		pd := *p
		if pd.restepMachine != id {
			p = &pd.restepNext
			continue
		}
		*p = pd.restepNext
		pd.restepNext = nil
		lock(&pd.lock)
		pd.closing = true
		pd.rseq++
		pd.wseq++
		pd.rg.Store(pdNil)
		pd.wg.Store(pdNil)
		rrun, wrun := pd.rrun, pd.wrun
		pd.rrun, pd.wrun = false, false
		pd.publishInfo()
		unlock(&pd.lock)
		if rrun {
			pd.rt.stop()
		}
		if wrun {
			pd.wt.stop()
		}
		pollcache.free(pd)
	}
}
