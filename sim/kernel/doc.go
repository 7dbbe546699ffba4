// Package kernel is a simulated Linux kernel for several machines in one
// process.
//
// It is compiled twice. As an ordinary package it is exercised by its own
// tests and by sim/conform; injected below GOROOT/src/internal/restep it
// answers the system calls of the program under test. The two builds are two
// copies with separate state.
//
// The kernel is passive. It runs synchronously on the caller's thread, on the
// system stack of the goroutine that made the system call, or on the
// scheduler's stack when time has come for an event it asked for. It never
// blocks: a call that would have to wait answers EAGAIN and readiness is
// reported through Host.Wake, or ERESTARTSYS and the caller makes it once more
// after Host.Ready. It knows simulated time only through Host.Now
// and Kernel.at, and randomness only through Host.Rand.
//
// What it deliberately does not do: it never schedules goroutines, it never
// writes a step log (it hands events to Host.Record), it never touches the
// real machine except through the read-only Host.Under tree.
//
// A machine has one process from its boot on and may get more by clone and
// execve (process.go). It keeps what Linux keeps of a process: numbers, groups,
// descriptors, directory, signals, parent and children, status. Memory and
// goroutines are the runtime's; to it, a child is one more machine
// (sim/inject/_goroot/runtime/restep_child.go). Which programs execve finds is
// written in their files (programMark), so they can be copied and linked.
//
// A process has users and groups (sys_identity.go), and permissions bind it as
// on Linux: those of files in vfs, where a Place says in whose name it was
// walked to, all others at the calls. Capabilities are not simulated but in one
// respect: the effective user 0 has them all.
//
// A machine's id is never used again, its slot (Machine.slot) is: the id names
// it in steps, the slot in the runtime and in tables.
//
// Invariant: two kernels given the same sequence of calls, times and random
// numbers answer identically. Nothing here ranges over a map, reads a clock
// or compares addresses.
//
// Invariant: a call that is not supported returns ENOSYS and records a step
// of kind "unsupported" that names it.
//
// It may import abi, vfs, memfs, socket, waitq, sched, steplog and the short
// list of std packages in sim/deps_test.go. It must never know the runtime,
// the test under way or the files of the host.
//
// Sources: man-pages 6.03 sections 2 and 7, Linux 6.12.
package kernel
