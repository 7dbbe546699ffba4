package runtime

import (
	"internal/abi"
	"internal/goarch"
	"unsafe"
)

// restepRange is one run of variables that each machine has its own copy of.
// Nothing else that is ever written lies before limit.
type restepRange struct{ addr, size, limit uintptr }

// restepImages describes the machines' variables: the ranges in which the
// linker laid them out, and the type that tells the collector where the
// pointers of a saved copy are.
var restepImages struct {
	n        int
	ranges   [64]restepRange
	lo, hi   uintptr // bounds of all ranges
	size     uintptr
	typ      *_type
	pristine unsafe.Pointer // the variables as the linker made them; not on the heap
}

// restepInitImages makes the type of images and keeps the pristine copy. It
// runs before any variable of a machine has changed.
func restepInitImages() {
	im := &restepImages
	im.lo = ^uintptr(0)
	for _, r := range im.ranges[:im.n] {
		if r.addr%8 != 0 || r.size%8 != 0 {
			throw("restep: machine data is not aligned")
		}
		im.lo = min(im.lo, r.addr)
		im.hi = max(im.hi, r.addr+r.size)
		im.size += r.size
	}
	words := im.size / goarch.PtrSize
	mask := persistentalloc((words+7)/8+8, 8, &memstats.other_sys)
	bits := unsafe.Slice((*byte)(mask), (words+7)/8+8)
	last, w := uintptr(0), uintptr(0)
	for _, r := range im.ranges[:im.n] {
		for a := r.addr; a < r.addr+r.size; a += goarch.PtrSize {
			if restepIsPointer(a) {
				bits[w/8] |= 1 << (w % 8)
				last = (w + 1) * goarch.PtrSize
			}
			w++
		}
	}
	im.typ = restepImageType(im.size, last, mask)
	im.pristine = sysAlloc(im.size, &memstats.other_sys, "restep pristine image")
	off := uintptr(0)
	for _, r := range im.ranges[:im.n] {
		memmove(add(im.pristine, off), unsafe.Pointer(r.addr), r.size)
		off += r.size
	}
	restepInitPages()
	restepInitProgram()
}

// restepImageType is the type of size bytes whose pointers, all before last,
// mask shows.
func restepImageType(size, last uintptr, mask unsafe.Pointer) *_type {
	t := (*_type)(persistentalloc(unsafe.Sizeof(_type{}), 8, &memstats.other_sys))
	t.Size_ = size
	t.PtrBytes = last
	t.Align_, t.FieldAlign_ = 8, 8
	t.Kind_ = abi.Struct
	t.GCData = (*byte)(mask)
	return t
}

// restepIsPointer tells from the linker's masks whether the word at a is a
// pointer.
func restepIsPointer(a uintptr) bool {
	md := &firstmoduledata
	bit := func(v *bitvector, off uintptr) bool {
		i := off / goarch.PtrSize
		return *addb(v.bytedata, i/8)>>(i%8)&1 != 0
	}
	switch {
	case a >= md.data && a < md.edata:
		return bit(&md.gcdatamask, a-md.data)
	case a >= md.bss && a < md.ebss:
		return bit(&md.gcbssmask, a-md.bss)
	}
	return false
}

// restepSwitch puts the variables of machine to in place.
//
//go:nowritebarrierrec
func restepSwitch(to uint32) {
	cur := restep.cur
	if to == cur {
		return
	}
	if gcphase != _GCoff {
		throw("restep: machine switch during a collection")
	}
	image := restep.machine[to].image
	if image == nil {
		throw("restep: switch to a machine that is off")
	}
	if old := restep.machine[cur].image; old != nil {
		restepSave(old)
	}
	restep.cur = 0 // a debugger that watches a machine's variable shall not stop here
	restepLoad(image)
	restep.cur = to
	if c := restepChildID(to); c != restepProgram.cur {
		restepSwitchProgram(c)
	}
}

// restepCanonical is the address by which the runtime knows a variable when
// several machines have one: variables of a machine count by their place in
// that machine's image, everything else by its address.
//
//go:nosplit
func restepCanonical(p unsafe.Pointer) unsafe.Pointer {
	a := uintptr(p)
	if !restep.on {
		return p
	}
	if a < restepImages.lo || a >= restepImages.hi {
		return restepProgramPlace(p)
	}
	off := uintptr(0)
	for i := 0; i < restepImages.n; i++ {
		r := &restepImages.ranges[i]
		if a >= r.addr && a < r.addr+r.size {
			return add(restep.machine[restep.cur].image, off+a-r.addr)
		}
		off += r.size
	}
	return restepProgramPlace(p)
}

// restepSemaKey is the key of a semaphore.
func restepSemaKey(p *uint32) *uint32 { return (*uint32)(restepCanonical(unsafe.Pointer(p))) }

// restepElem is where the element of a waiting sudog is now: a variable of a
// machine that is not in place lies in its image.
func restepElem(sg *sudog, p unsafe.Pointer) unsafe.Pointer {
	a := uintptr(p)
	if !restep.on || a < restepImages.lo || a >= restepImages.hi || sg.g.restepMachine == restep.cur {
		return p
	}
	off := uintptr(0)
	for i := 0; i < restepImages.n; i++ {
		r := &restepImages.ranges[i]
		if a >= r.addr && a < r.addr+r.size {
			restepWritePages(a, uintptr(sg.c.get().elemsize))
			return add(restep.machine[sg.g.restepMachine].image, off+a-r.addr)
		}
		off += r.size
	}
	return p
}

// restepStartMachine boots machine id.
func restepStartMachine(id uint32) { restepStart(id, true) }

// restepStart gives a process fresh variables and a goroutine that runs its
// init functions and its program; boots says that it is the first one of its
// machine.
func restepStart(id uint32, boots bool) {
	m := &restep.machine[id]
	if m.alive {
		throw("restep: boot of a running machine")
	}
	m.image = mallocgc(restepImages.size, restepImages.typ, true)
	memmove(m.image, restepImages.pristine, restepImages.size)
	m.inc++
	m.alive = true
	m.sigs, m.sigrecv = 0, 0
	m.maxproc = restepNumCPU
	m.booted = 0
	m.mutexRate, m.trace = 0, restepTrace{}
	fn := restep_kernelEntry
	systemstack(func() {
		if boots {
			m.sigIgnored = 0
			restep_kernelBootMachine(restep.kernel, id)
			restepKernelDone()
		}
		gp := getg().m.curg
		oldMachine, oldInc := gp.restepMachine, gp.restepInc
		gp.restepMachine, gp.restepInc = id, m.inc
		newg := newproc1(*(**funcval)(unsafe.Pointer(&fn)), gp, 0, false, waitReasonZero)
		gp.restepMachine, gp.restepInc = oldMachine, oldInc
		runqput(getg().m.p.ptr(), newg, true)
	})
}

// restepMachineMain is the first goroutine of a process: init functions, then
// the program. It is called from the injected kernel so that the goroutine
// counts as one of the program.
func restepMachineMain() {
	id := getg().restepMachine
	for _, t := range firstmoduledata.inittasks {
		if restepRunsInit(id, uintptr(unsafe.Pointer(t))) {
			doInit1(t)
		}
	}
	restep.machine[id].booted = 1
	restepWakeWaiters(id)
	restep.machine[id].main()
	restepProcessExit(0)
}

// restepInit1 runs a package's init functions. That they have run is noted for
// packages that all machines share, which the zygote has initialised, and for no
// other: it would be one more page for a switch of machines to copy.
func restepInit1(t *initTask) {
	if t.state == 2 {
		return
	}
	first := add(unsafe.Pointer(t), 8)
	for i := range uintptr(t.nfns) {
		p := add(first, i*goarch.PtrSize)
		f := *(*func())(unsafe.Pointer(&p))
		f()
	}
}

// restepRunsInit reports whether process id runs an init task: a program its
// own, everybody else all but those that only programs have and, on machines,
// those of package testing.
func restepRunsInit(id uint32, task uintptr) bool {
	if n := restep.machine[id].number; n != 0 {
		return restepHas(restepLayout.programs[n-1], task)
	}
	return !restepHas(restepLayout.programOnly, task) && (id >= restepMaxMachines || !restepHas(restepLayout.mainOnly, task))
}

func restepHas(list []uintptr, task uintptr) bool {
	for _, a := range list {
		if a == task {
			return true
		}
	}
	return false
}

// restepProcessExit is os.Exit: it ends a child, a machine, or on main the run.
func restepProcessExit(code int) {
	restepSetEnd("")
	restepEndSelf(restepEndExit, code)
}

// Ways for a machine's process to end, as the kernel's step kinds; their
// values are checked against steplog in the injected kernel.
const (
	restepEndStop  = 5
	restepEndKill  = 6
	restepEndPanic = 9
	restepEndExit  = 10
)

// restepEndSelf ends the process the calling goroutine runs on.
func restepEndSelf(kind uint8, code int) { restepEndWith(getg().restepMachine, kind, int32(code)) }

// restepEndWith ends process id, and with it the calling goroutine.
func restepEndWith(id uint32, kind uint8, code int32) {
	gp := getg()
	if id == 1 {
		systemstack(func() { restepFinish(code) })
	}
	gp.restepEnds, gp.restepEndKind, gp.restepEndCode = id, kind, code
	mcall(restepEndSelfM)
}

func restepEndSelfM(gp *g) {
	id := gp.restepEnds
	restepEndProcess(id, gp.restepEndKind, gp.restepEndCode, restepEndText())
	casgstatus(gp, _Grunning, _Gwaiting)
	gp.waitreason = waitReasonZero
	dropg()
	restepBuryAll(id)
	restepDoActs()
	schedule()
}

// restepHalt ends process id: power loss of the machine whose first one it is,
// or its death alone. The caller is any goroutine or on g0.
func restepHalt(id uint32, crash bool, kind uint8, code int32, text string) {
	if !restep.machine[id].alive {
		return
	}
	if crash {
		kind = 0
	}
	if self := getg().restepMachine; id == 1 || self == id || restepOwner(self) == id {
		restepSetEnd(text)
		restepEndWith(id, kind, code)
	}
	systemstack(func() {
		restepEndProcess(id, kind, code, text)
		restepBuryAll(id)
	})
	restepDoActs()
}
