// Package processes debugs several real programs at once, as one session of the
// Debug Adapter Protocol: launch configurations of mode "processes". It takes
// the place of one configuration for each server and one more for the test that
// drives them.
//
// The programs are built from the workspace and each is started under a Delve
// of its own, in a process of its own (target.ServeProcess). All are stopped at
// their first instruction while breakpoints are set. Then each starts when
// those that it depends on are ready: something listens on a port, a line of
// output matches. When one of them stops, all stop, and all go on together:
// what one looks at is one moment, as far as signals allow. A request about a
// thread, frame or variable goes to the process that it belongs to; one about
// breakpoints goes to all. terminate and restart end processes by SIGTERM, and
// by SIGKILL when they take longer than allowed; disconnect kills. Time-outs
// stand still while the processes are stopped in the debugger. Those of the
// programs themselves do not: they see the time of the host.
//
// It deliberately simulates nothing and records nothing: there are no steps
// here, and nothing goes backwards. It knows neither Delve nor runs; it may
// import go-dap and the standard library. Linux on amd64 only, as all of the
// adapter; it needs signals, process groups and ptrace(2).
//
// A Session's state belongs to one goroutine, its loop. Hosts (host.go) have
// goroutines that bring what they hear to the loop; none of them is ever waited
// for there.
//
// Invariant: nothing that a session has started is left when Close returns.
// Invariant: the end of one process is not the end of another one.
// Invariant: the client hears of a stop only when no process runs any more.
//
// Sources: Debug Adapter Protocol 1.71; go-delve v1.27.2 service/dap; ptrace(2),
// prctl(2), kill(2).
package processes
