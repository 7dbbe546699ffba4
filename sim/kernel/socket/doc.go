// Package socket is the protocol logic of the simulated network: TCP over IPv4
// and IPv6 at the level of segments, one [Stack] per machine.
//
// A stack is fed with segments ([Stack.Input]) and with the calls of programs
// (Connect, Listen, Read, Write, Shutdown, Close) and hands its own segments
// to [Env.Output]. Time passes only through timers asked for with [Env.At].
//
// What it deliberately does not do: it knows no links, delays or partitions
// (package kernel carries segments), no descriptors, no socket options as
// numbers, and no readiness queues (it tells an [Owner]). There is no
// slow start, and a congestion window only after a loss, no urgent data, and no
// timer of TIME-WAIT. Round trip times are not measured but asked for
// ([Env.RTT]), so there are no spurious retransmissions after the delay of a
// link was changed.
//
// Invariant: in a Conn sndUna <= sndNxt <= sndMax in sequence space, and the
// send queue holds exactly the bytes from the first unacknowledged one on.
//
// Invariant: the right edge of an advertised window never moves left.
//
// Invariant: a connection is in Stack.conns if and only if a segment could
// still concern it; its state is then not StateClosed.
//
// Invariant: a connection over a healthy path on which nothing is under way
// asks for no timer, so that a silent simulation has no events (see
// Conn.Disturbed).
//
// It may import abi and the short list of std packages in sim/deps_test.go.
// It must never know machines, the kernel, the step log or real time.
//
// Sources: RFC 9293 (TCP), RFC 6298 (retransmission timer), RFC 5961 (reset
// attacks), tcp(7), Linux 6.12 net/ipv4/{tcp,tcp_input,tcp_output,tcp_timer,
// inet_connection_sock,af_inet}.c, Documentation/networking/ip-sysctl.rst.
package socket
