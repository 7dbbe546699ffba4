package runtime

import "internal/runtime/sys"

// Busy waits. A program that waits for time to pass without giving it a chance
// to (for time.Since(t) < d {}, with Gosched or without, spin locks with a
// deadline, work until a timer fires) would go on for as long as the host needs
// for d/50ns rounds. So readings of the clock and turns cost more and more
// while time does not go on by itself: twice as much after every 2^restepBusyShift
// of them, up to a bound. When something falls due thereby, it is done; a
// goroutine that reads the clock gives way at that reading.
const (
	restepBusyShift = 14
	// restepBusyTurns bounds the doublings while other things happen, turns,
	// system calls and goroutines that wake others among them: 6.4 µs each, what
	// they may take on a computer that is busy. A time-out that is longer than
	// the work takes natively does not fire.
	restepBusyTurns = 7
	// restepBusyReads bounds them while nothing but readings of the clock
	// happens: 0.8 ms each.
	restepBusyReads = 14
)

// restepBusyCost is what the next event costs beyond its usual 50 ns.
func restepBusyCost(doublings uint32) int64 {
	return restepClockCost<<min(restep.busy>>restepBusyShift, doublings) - restepClockCost
}

// restepPass lets ns pass, but nothing that is due in this time is passed
// over: it reports whether something is.
func restepPass(ns int64) (due bool) {
	next := getg().m.p.ptr().timers.wakeTime()
	if k := restep.kernelNext; k != 0 && (next == 0 || k < next) {
		next = k
	}
	if end := restep.deadline + 1; restep.deadline != 0 && (next == 0 || end < next) {
		next = end
	}
	if next != 0 && next <= restep.now+ns {
		restep.now = max(restep.now, next)
		return true
	}
	restep.now += ns
	return false
}

// restepBusyTurn is the turn of a goroutine that is alone: time passes, and it
// reports whether something is due.
func restepBusyTurn() bool {
	if restep.busy < restepBusyTurns<<restepBusyShift {
		if restep.busy++; restep.busy < 1<<restepBusyShift {
			return false
		}
	}
	return restepPass(restepTickCost + restepBusyCost(restepBusyTurns))
}

// restepBusyRead is a reading of the clock by gp in a busy wait. It gives way to
// what is due and to others that can run.
func restepBusyRead(gp *g) {
	restep.busy = min(restep.busy, restepBusyReads<<restepBusyShift)
	due := restepPass(restepBusyCost(restepBusyReads))
	if !due && restep.runq.n == 0 || !restepMayYield(gp) || restepInShared(sys.GetCallerPC(), getfp()) {
		return
	}
	mcall(restepBusyYield)
}

// restepBusyYield is restepYield for a goroutine that waits for others.
func restepBusyYield(gp *g) {
	restepGosched(gp)
	restepYield(gp)
}
