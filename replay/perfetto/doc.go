// Package perfetto writes the steps of a run as a trace that the viewer at
// ui.perfetto.dev and Perfetto's trace processor open: a process for each
// machine, a thread for each goroutine, a slice for each stretch in which it
// ran, within it one for each system call and message, instants for log lines
// and other events, and arrows from the sending of a message to its delivery.
//
// Time in a trace is simulated time since the run's start. A step takes none
// there, so that a viewer would show nothing of it: each step is given one
// nanosecond, and later ones of the same instant are moved behind it. The order
// of a trace is the order of steps, and no event is earlier than its step. The
// step's own number, tick and time are arguments of its event.
//
// TCP is a stream: a delivery is tied to the sending of the first of its bytes.
//
// It deliberately opens no file. It may import sim/steplog, replay/text and the
// standard library.
//
// Invariant: slices of a track nest, timestamps never decrease, and every track
// is described before its first event.
// Invariant: text of the program under test is valid UTF-8 without control
// characters when it is in a trace.
//
// Sources: Perfetto documentation, "Writing TrackEvent Protos Synthetically";
// protos/perfetto/trace/trace_packet.proto and track_event/*.proto of its
// repository (field numbers); Protocol Buffers, "Encoding".
package perfetto
