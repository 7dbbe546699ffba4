// Package host tells benchmarks what they run on: the processor, how busy it
// is, which processes are below another and what these hold and have used, and
// where the repository is.
//
// It deliberately measures nothing: what is compared, and when, is for the
// benchmark to say. It reads /proc of Linux and may import the standard library
// only; it must never import another package of this module.
//
// Invariant: a process that ends while it is read is left out, never an error.
//
// Sources: proc_pid_task(5), proc_pid_smaps(5), proc_loadavg(5);
// Documentation/scheduler/sched-stats.rst of Linux.
package host
