package runtime

import (
	choice "internal/restep/sched"
	"internal/stringslite"
	"unsafe"
)

// restep is the state of the simulation that runs in this process. All of it
// belongs to the simulator: it is never swapped with a machine's image.
var restep struct {
	// wanted is set when the process was started as a zygote; on when the
	// simulation runs (in a fork of the zygote).
	wanted, on bool

	src  choice.Source
	now  int64  // simulated time, ns since the Unix epoch
	tick uint64 // scheduling decisions so far

	strategy   choice.Strategy   // decides who runs
	strategies choice.Strategies // its state
	urgent     bool              // some goroutines interrupt others when they become runnable
	collect    bool              // collect garbage at random turns, in the simulator's own tests
	plain      bool              // no shortcut past the scheduler, in the simulator's own tests
	gap        uint32            // preemption points from the last turn to the next
	goid       uint64            // last goroutine id given to a goroutine of a machine
	sysgoid    uint64            // last id given to a system goroutine
	deadline   int64             // simulated time at which the run is given up, 0 never
	gcStarter  guintptr
	runq       restepQueue    // runnable goroutines of machines
	sysq       gQueue         // runnable system goroutines, first come first served
	kernel     unsafe.Pointer // *kernel.Kernel, a Go heap object
	kernelNext int64          // time of the kernel's next event, 0 for none
	busy       uint32         // turns and readings of the clock since time last went on by itself: see restepBusyShift

	cur      uint32 // machine whose image is in place
	nmachine uint32
	nchild   uint32                              // children that have ever run at one time
	machine  [restepProcesses]restepMachineState // machines, then children

	step     uint64         // steps recorded so far
	sum      uint64         // rolling checksum after the last step
	stopStep uint64         // step at which to stop for a debugger, 0 for none
	stopping bool           // that step has been recorded
	control  *restepControl // nil unless a debugger holds the process
	exiting  bool
	reserve  bool      // the collector has had more memory than the limit
	blame    guintptr  // goroutine that makes the next step, when it is not the running one
	nobody   bool      // the next step is the scheduler's, though a goroutine runs
	pds      *pollDesc // open poll descriptors of machines
	lone     choice.Runnable

	outMachine uint32 // machine that the runtime prints for, 0 the present one
	outLevel   int8
}

// restepMaxMachines bounds the machines of one simulation.
const restepMaxMachines = 4096

// restepMachineState is what the runtime knows of one machine, or of a child
// process.
type restepMachineState struct {
	image      unsafe.Pointer // saved variables, a heap object of type restepImage.typ; nil when off
	inc        uint32         // number of the present boot; goroutines, timers and cleanups carry it
	alive      bool
	main       func()
	args       []string
	env        []string
	sigrecv    guintptr // goroutine in signal_recv
	sigs       uint64   // pending signals
	sigIgnored uint64
	waiters    guintptr // goroutines in Machine.Wait, linked by restepNext
	maxproc    int32
	booted     uint32 // 1 when the init functions have run
	paused     bool
	pausedq    restepQueue // goroutines that could run if it were not paused
	clock      restepMachineClock
	host, pid  uint32 // of a child: its machine and what programs call it
	mutexRate  int    // what SetMutexProfileFraction was told
	trace      restepTrace
	number     uint32         // of a child: which of restepPrograms it runs, 0 for the test binary
	program    unsafe.Pointer // of a child: its copy of restepProgram, nil when off
}

// Costs of simulated time, in ns: they make loops over the clock or Gosched
// end, and are small enough not to be seen at the milliseconds people print.
const (
	restepTickCost  = 50
	restepClockCost = 50
)

// restepPoints counts down to the next preemption. The hooks in channels,
// locks and atomics decrement it and call restepPreempt when it turns
// negative.
//
//go:linkname restepPoints
var restepPoints int32 = 1 << 30

// restepNewG completes a new goroutine: it belongs to its creator's machine,
// and its id comes from the machines' or the system's range. Goroutines of
// the runtime itself (collector, finalizers) belong to nobody, whoever caused
// them.
func restepNewG(gp, creator *g) {
	gp.restepMachine = creator.restepMachine
	gp.restepInc = creator.restepInc
	gp.restepMark = 0
	if !restep.on {
		return
	}
	if name := funcname(findfunc(gp.startpc)); stringslite.HasPrefix(name, "runtime.") && name != "runtime.corostart" {
		gp.restepMachine, gp.restepInc = 0, 0
	}
	if gp.restepMachine == 0 {
		restep.sysgoid++
		gp.goid = restep.sysgoid
		return
	}
	restep.goid++
	gp.goid = restep.goid
	gp.restepWord = restep.strategy.Born(&restep.src)
	restepRecordGo(creator, gp)
}

// restepExitG runs on g0 when gp ends by itself.
func restepExitG(gp *g) {
	if restep.on && gp.restepMachine != 0 {
		restepRecordGoexit(gp)
	}
}

// restepCurrent is the goroutine on whose behalf the caller works: the one that
// runs, also when its thread is on the system stack.
func restepCurrent() *g {
	gp := getg()
	if mp := gp.m; mp != nil && gp == mp.g0 && mp.curg != nil {
		return mp.curg
	}
	return gp
}

//go:nosplit
func restepNanotime() int64 { return restep.now }

// restepClock is a reading of the clock by a program: it costs a little time,
// and more in a busy wait.
func restepClock() int64 {
	gp := getg()
	id := gp.restepMachine
	if id == 0 {
		return restep.now
	}
	restep.now += restepClockCost
	if restep.busy++; restep.busy >= 1<<restepBusyShift {
		restepBusyRead(gp)
	}
	return restep.machine[id].clock.mono(restep.now)
}

// restepUserNano is time.runtimeNano.
func restepUserNano() int64 {
	if restep.on {
		return restepClock()
	}
	return nanotime()
}

func restepTimeNow() (sec int64, nsec int32, mono int64) {
	mono = restepClock()
	t := mono + restep.machine[getg().restepMachine].clock.wall
	return t / 1e9, int32(t % 1e9), mono
}

// restepRand is runtime.rand: the program's own stream on a goroutine of a
// machine, the runtime's elsewhere.
//
//go:nosplit
func restepRand() uint64 {
	if gp := getg(); gp.restepMachine != 0 {
		return restep.src.Next(choice.Program)
	}
	return restep.src.Next(choice.Runtime)
}

func restepMapsRand() uint64 {
	if getg().restepMachine != 0 {
		return restep.src.Next(choice.Maps)
	}
	return restep.src.Next(choice.Runtime)
}

// restepCheaprand stands for cheaprand where the value decides a schedule:
// the order of select cases, semaphore tickets, ties of timers.
//
//go:nosplit
func restepCheaprand() uint32 {
	if restep.on {
		return uint32(restep.src.Next(choice.Select))
	}
	return cheaprand()
}

//go:nosplit
func restepCheaprandn(n uint32) uint32 {
	return uint32((uint64(restepCheaprand()) * uint64(n)) >> 32)
}

// restepStartupSeed gives the runtime the same random start in every process.
// A binary built by restep only ever runs as a simulation.
func restepStartupSeed(seed *[32]byte) {
	for i := range seed {
		seed[i] = byte(i + 1)
	}
}

// restepSeedM restarts the random state of the one thread.
func restepSeedM() {
	mp := getg().m
	var s [4]uint64
	for i := range s {
		s[i] = restep.src.Next(choice.Runtime)
	}
	mp.chacha8.Init64(s)
	restepSeedCheap(&mp.cheaprand)
}

func restepSeedCheap[T uint32 | uint64](p *T) { *p = T(restep.src.Next(choice.Runtime)) }

func restepGOMAXPROCS(n int) int {
	m := &restep.machine[getg().restepMachine]
	old := int(m.maxproc)
	if n > 0 {
		m.maxproc = int32(n)
	}
	return old
}

// restepNumCPU is what every machine reports, whatever the host has.
const restepNumCPU = 4
