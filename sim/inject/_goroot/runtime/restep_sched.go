package runtime

import (
	choice "internal/restep/sched"
	"internal/runtime/sys"
	"unsafe"
)

// restepQueue is a growing vector of runnable goroutines, outside the Go heap
// so that its size never shows in the program's addresses.
type restepQueue struct {
	mem uintptr // of cap elements of type choice.Runnable
	n   uint32
	cap uint32
}

const restepQueueElem = unsafe.Sizeof(choice.Runnable{})

//go:nosplit
func (q *restepQueue) elem(i uint32) *choice.Runnable {
	return (*choice.Runnable)(unsafe.Pointer(q.mem + uintptr(i)*restepQueueElem))
}

//go:nosplit
func (q *restepQueue) at(i uint32) *guintptr { return (*guintptr)(unsafe.Pointer(&q.elem(i).G)) }

//go:nowritebarrierrec
func (q *restepQueue) push(gp *g) {
	if q.n == q.cap {
		old := q.mem
		size := uintptr(q.cap) * restepQueueElem
		if size == 0 {
			size = 4096
		}
		if q.cap >= 1<<20 {
			throw("restep: more than a million runnable goroutines")
		}
		p := sysAlloc(size*2, &memstats.other_sys, "restep run queue")
		if p == nil {
			throw("restep: out of memory")
		}
		if old != 0 {
			memmove(p, unsafe.Pointer(old), size)
			if size > restepPageSize { // not the first, which is restepArena's
				sysFree(unsafe.Pointer(old), size, &memstats.other_sys)
			}
		}
		q.mem = uintptr(p)
		q.cap = uint32(size * 2 / restepQueueElem)
	}
	*q.elem(q.n) = choice.Runnable{G: uintptr(unsafe.Pointer(gp)), Word: gp.restepWord}
	q.n++
}

// take removes and returns element i; the last one takes its place.
//
//go:nowritebarrierrec
func (q *restepQueue) take(i uint32) *g {
	gp := q.at(i).ptr()
	q.n--
	*q.elem(i) = *q.elem(q.n)
	return gp
}

// remove takes gp out; the order of the others is kept.
//
//go:nowritebarrierrec
func (q *restepQueue) remove(gp *g) bool {
	for i := uint32(0); i < q.n; i++ {
		if q.at(i).ptr() == gp {
			q.n--
			for ; i < q.n; i++ {
				*q.elem(i) = *q.elem(i + 1)
			}
			return true
		}
	}
	return false
}

// restepEnqueue makes gp runnable: the one run queue of the simulation.
//
//go:nowritebarrierrec
func restepEnqueue(gp *g) {
	if gp.restepMachine == 0 {
		restep.sysq.pushBack(gp)
		return
	}
	if m := &restep.machine[gp.restepMachine]; m.paused {
		m.pausedq.push(gp)
		return
	}
	restep.runq.push(gp)
	if restep.urgent {
		restepUrgent(gp)
	}
}

// restepWoken is restepEnqueue for a goroutine that waited or is new.
//
//go:nowritebarrierrec
func restepWoken(gp *g) {
	restep.busy = min(restep.busy, restepBusyTurns<<restepBusyShift)
	restepEnqueue(gp)
}

// restepUrgent makes it the running goroutine's turn when one that has become
// runnable shall interrupt it.
//
//go:nowritebarrierrec
func restepUrgent(gp *g) {
	cur := getg().m.curg
	if cur == nil || cur == gp || cur.restepMachine == 0 || restepPoints <= 0 {
		return
	}
	if restep.strategy.Urgent(gp.restepWord, cur.restepWord) {
		restep.gap -= uint32(restepPoints)
		restepPoints = 0
	}
}

//go:nowritebarrierrec
func restepEnqueueAll(q *gQueue) {
	for !q.empty() {
		restepEnqueue(q.pop())
	}
}

// restepFindRunnable is the scheduler: it picks by the seed among the
// runnable goroutines of all machines, and when there is none lets simulated
// time go on to the next timer or kernel event.
func restepFindRunnable() (gp *g, inheritTime, tryWakeP bool) {
	pp := getg().m.p.ptr()
	for {
		if sched.gcwaiting.Load() {
			gcstopm()
			continue
		}
		if pp.runSafePointFn != 0 {
			runSafePointFn()
		}
		if gp := restepSystem(pp); gp != nil {
			return gp, false, false
		}
		if sched.disable.user {
			throw("restep: collection has nothing to run")
		}
		if gp := restep.gcStarter.ptr(); gp != nil {
			// The collection is over: whoever started it goes on, as if
			// nothing had happened.
			restep.gcStarter = 0
			if !restep.runq.remove(gp) {
				throw("restep: goroutine that started a collection is not runnable")
			}
			return gp, false, false
		}
		if restep.kernelNext != 0 && restep.kernelNext <= restep.now {
			restepKernelEvents()
		}
		pp.timers.check(restep.now, nil)
		if restep.deadline != 0 && restep.now > restep.deadline {
			restepTimeout()
		}
		if n := restep.runq.n; n > 0 {
			restep.tick++
			restep.now += restepTickCost
			if restep.busy >= 1<<restepBusyShift {
				restepPass(restepBusyCost(restepBusyTurns))
			}
			if restep.busy < restepBusyTurns<<restepBusyShift {
				restep.busy++
			}
			i := restep.strategy.Pick(&restep.src, unsafe.Slice(restep.runq.elem(0), int(n)))
			return restep.runq.take(i), false, false
		}
		if restep.sysq.empty() {
			restepAdvance(pp)
		}
	}
}

// restepSystem returns the next system goroutine to run, if there is one.
// System goroutines run first, in order, without a draw and without a tick.
func restepSystem(pp *p) *g {
	if gcBlackenEnabled != 0 {
		if gp, _ := gcController.findRunnableGCWorker(pp, restep.now); gp != nil {
			return gp
		}
	}
	if !sched.disable.user {
		if fingStatus.Load()&(fingWait|fingWake) == fingWait|fingWake {
			if gp := wakefing(); gp != nil {
				ready(gp, 0, true)
			}
		}
		if gcCleanups.needsWake() {
			gcCleanups.wake()
		}
	}
	if restep.sysq.empty() {
		return nil
	}
	return restep.sysq.pop()
}

// restepAdvance lets time go on to whatever comes next. With nothing to come
// the program is deadlocked.
func restepAdvance(pp *p) {
	next, timer := pp.timers.wakeTime(), true
	if k := restep.kernelNext; k != 0 && (next == 0 || k < next) {
		next, timer = k, false
	}
	if next == 0 {
		restepDeadlock()
		return
	}
	restep.busy = 0
	if next > restep.now {
		if restep.deadline != 0 && next > restep.deadline {
			restepTimeout()
			return
		}
		restep.now = next
		if timer { // what the kernel does then makes steps of its own
			restepRecordClock()
		}
	}
}

// restepSleep is a sleep during which nothing else can happen: no goroutine can
// run, no timer and no event of the kernel comes first. It does what parking,
// the scheduler and the timer would do, draws, ticks and steps included, in the
// same order, and reports false when any of it is not so plain.
func restepSleep(ns int64) bool {
	gp := getg()
	if !restep.on || restep.plain || gp.restepMachine == 0 || gp.restepLent || gp.bubble != nil || ns <= 0 {
		return false
	}
	when := restep.now + ns
	if when < restep.now || restep.deadline != 0 && when > restep.deadline ||
		restep.runq.n != 0 || !restep.sysq.empty() || restep.machine[gp.restepMachine].paused ||
		restep.kernelNext != 0 && restep.kernelNext <= when {
		return false
	}
	pp := gp.m.p.ptr()
	if next := pp.timers.wakeTime(); next != 0 && next <= when {
		return false
	}
	if gcBlackenEnabled != 0 || sched.gcwaiting.Load() || pp.runSafePointFn != 0 || sched.disable.user ||
		restep.gcStarter != 0 || fingStatus.Load()&(fingWait|fingWake) == fingWait|fingWake || gcCleanups.needsWake() {
		return false
	}
	restep.now = when
	restep.busy = 0
	systemstack(func() {
		restep.nobody = true
		restepRecordClock()
		restep.nobody = false
		restep.tick++
		restep.now += restepTickCost
		gp := getg().m.curg
		restep.lone = choice.Runnable{G: uintptr(unsafe.Pointer(gp)), Word: gp.restepWord}
		restep.strategy.Pick(&restep.src, unsafe.Slice(&restep.lone, 1))
	})
	return true
}

// restepUsePolicy takes the strategy and the level of preemption from the run's
// variant.
func restepUsePolicy(variant uint64) {
	policy, ok := choice.PolicyOf(variant)
	if !ok {
		restepDie("this build does not know the schedule of the run's variant", uintptr(variant))
	}
	restep.strategy = restep.strategies.Use(policy)
	restep.urgent = !restep.strategy.NeverUrgent()
	restep.strategy.Start(&restep.src, policy.Preempt)
	restepLevel = uint32(policy.Preempt)
}

// restepPreempt is a preemption point whose turn it is. It yields to the
// picker unless the goroutine must not be interrupted here.
//
//go:linkname restepPreempt
func restepPreempt() {
	if !restep.on {
		restepPoints = 1 << 30
		return
	}
	gp := getg()
	if !restepMayYield(gp) || restepInShared(sys.GetCallerPC(), getfp()) {
		restepLater()
		return
	}
	restepTurn(gp)
	if restep.collect {
		restepCollect()
	}
	if restep.runq.n == 0 && restep.kernelNext == 0 && !restepBusyTurn() {
		return
	}
	mcall(restepYield)
}

// restepMayYield reports whether gp, which runs, is in a state in which another
// goroutine may run.
//
//go:nosplit
func restepMayYield(gp *g) bool {
	mp := gp.m
	return gp.restepMachine != 0 && !gp.restepLent && gp == mp.curg && mp.locks == 0 && mp.mallocing == 0 && mp.preemptoff == "" && !gp.throwsplit
}

// restepLater puts a turn off to the next preemption point.
//
//go:nosplit
func restepLater() {
	restepPoints = 0
	restep.gap++
}

// restepTurn tells the strategy that it is gp's turn and learns when the next
// one is.
func restepTurn(gp *g) {
	gp.restepWord, restep.gap = restep.strategy.Turn(&restep.src, gp.restepWord, restep.gap, restep.runq.n)
	restepPoints = int32(restep.gap) - 1
}

// restepGosched runs on g0 when gp gives way by itself.
func restepGosched(gp *g) {
	if restep.on && restep.urgent && gp.restepMachine != 0 && restep.gcStarter.ptr() != gp {
		gp.restepWord = restep.strategy.Gosched(gp.restepWord)
	}
}

// restepYield puts the goroutine back among the runnable ones.
func restepYield(gp *g) {
	casgstatus(gp, _Grunning, _Grunnable)
	dropg()
	restepEnqueue(gp)
	schedule()
}

// restepCollect makes a whole collection. It is for the simulator's own tests.
func restepCollect() {
	if restep.src.Next(choice.Runtime)%8 == 0 {
		gcStart(gcTrigger{kind: gcTriggerCycle, n: work.cycles.Load() + 1})
	}
}

// restepInShared reports whether the innermost frames, locks and atomics
// aside, belong to a package that all machines share. Its locks are everyone's:
// nothing is preempted there.
func restepInShared(pc uintptr, fp uintptr) bool {
	var pcs [12]uintptr
	n := fpTracebackPCs(unsafe.Pointer(fp), pcs[:])
	for _, pc := range pcs[:n] {
		switch restepTextClass(pc) {
		case restepTextSync:
			continue
		case restepTextShared:
			return true
		}
		return false
	}
	return false
}

// restepGCStart notes who started a collection.
func restepGCStart() {
	if restep.on {
		restep.gcStarter.set(getg())
	}
}

// restepLock takes a lock that is free. One that is held would deadlock; the
// runtime's own code then says so.
//
//go:nosplit
func restepLock(l *mutex) bool {
	mp := getg().m
	if l.key != 0 || mp.locks < 0 {
		return false
	}
	mp.locks++
	l.key = mutexLocked
	return true
}

//go:nosplit
func restepUnlock(l *mutex) bool {
	gp := getg()
	if l.key != mutexLocked || gp.m.locks <= 0 {
		return false
	}
	l.key = 0
	gp.m.locks--
	if gp.m.locks == 0 && gp.preempt {
		gp.stackguard0 = stackPreempt // newstack may have cleared it
	}
	return true
}

// restepSetStatus is casgstatus's compare and swap.
//
//go:nosplit
func restepSetStatus(gp *g, from, to uint32) bool {
	if !restep.on {
		return gp.atomicstatus.CompareAndSwap(from, to)
	}
	p := (*uint32)(unsafe.Pointer(&gp.atomicstatus))
	if *p != from {
		return false
	}
	*p = to
	return true
}

// restepPoolCleanup empties the sync.Pools of every machine: their lists are
// among the machines' variables.
func restepPoolCleanup() {
	if !restep.on {
		poolcleanup()
		return
	}
	cur := restep.cur
	for id := uint32(1); id < restepMaxMachines+restep.nchild; id++ {
		if id == restep.nmachine+1 {
			id = restepMaxMachines
		}
		if restep.machine[id].image != nil {
			restepSwitch(id)
			poolcleanup()
		}
	}
	restepSwitch(cur)
}

// restepTimerInit notes whose timer t is.
func restepTimerInit(t *timer) {
	gp := restepCurrent()
	t.restepMachine = gp.restepMachine
	t.restepInc = gp.restepInc
}

// restepTimerRun calls a timer's function with the variables of its machine in
// place. A timer of a dead machine does nothing more.
func restepTimerRun(t *timer, f func(arg any, seq uintptr, delay int64), arg any, seq uintptr, delay int64) {
	id := t.restepMachine
	if !restep.on || id == 0 {
		f(arg, seq, delay)
		return
	}
	if !restepAlive(id, t.restepInc) {
		if t.period > 0 {
			t.stop()
		}
		return
	}
	gp := getg()
	cur := restep.cur
	oldMachine, oldInc := gp.restepMachine, gp.restepInc
	restepSwitch(id)
	gp.restepMachine, gp.restepInc = id, t.restepInc
	f(arg, seq, delay)
	gp.restepMachine, gp.restepInc = oldMachine, oldInc
	if gp.m.curg != nil {
		restepSwitch(cur)
	}
}

// restepAlive reports whether boot inc of machine id still runs.
//
//go:nosplit
func restepAlive(id, inc uint32) bool {
	return restep.machine[id].alive && restep.machine[id].inc == inc
}
