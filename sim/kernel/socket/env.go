package socket

import "github.com/restep/restep/sim/kernel/abi"

// Time is simulated time, and its differences, in nanoseconds.
type Time int64

// Units of Time.
const (
	Millisecond Time = 1_000_000
	Second      Time = 1_000_000_000
)

// Flags are the control bits of a segment.
type Flags uint8

// The bits as in the TCP header, RFC 9293 3.1.
const (
	FIN Flags = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// Segment is one TCP segment.
type Segment struct {
	Src, Dst Addr
	Seq, Ack uint32
	Flags    Flags
	// Window is in bytes; window scaling is not on the wire here.
	Window uint32
	// Data is never written to once the segment was handed over.
	Data []byte
	// Conn is the simulator's number of the connection: not part of the
	// protocol, it tells the recorder which two ends belong together.
	Conn uint64
	// Again marks a retransmission, for the recorder.
	Again bool
}

// Length is the room a segment takes in sequence space.
func (s *Segment) Length() uint32 {
	n := uint32(len(s.Data))
	if s.Flags&SYN != 0 {
		n++
	}
	if s.Flags&FIN != 0 {
		n++
	}
	return n
}

// Ready says what an Owner can do without waiting.
type Ready uint8

// Sides of readiness, as in poll(2) POLLIN and POLLOUT; errors set both.
const (
	Readable Ready = 1 << iota
	Writable
)

// Owner is told when a connection or listener may be worth another try.
type Owner interface {
	Notify(Ready)
}

// What happened to a connection, for the recorder.
type What uint8

// The happenings. Connected carries an errno when the attempt failed; Reset
// carries the errno that the program will see.
const (
	Connected   What = iota + 1 // active open ended
	Accepted                    // taken from the accept queue
	FinSent                     // this side will send no more
	FinReceived                 // the peer will send no more
	ResetSent                   // RST sent for a connection that existed
	ResetReceived
	TimedOut  // given up, nobody answers
	Forgotten // a half-closed connection that nobody owns was dropped
)

// Env is what a stack asks of the world.
type Env interface {
	Now() Time
	// At calls fn at time when; it cannot be cancelled.
	At(when Time, fn func())
	// Random draws 64 bits for sequence numbers.
	Random() uint64
	// Output sends a segment. It must copy what s points to except Data.
	Output(s *Segment)
	// RTT is the time a segment and its answer take at least at present,
	// between a local address and a remote one.
	RTT(local, remote IP) Time
	// Healthy reports whether segments pass both ways at present and the
	// other end of c exists.
	Healthy(c *Conn) bool
	// Local reports whether ip is an address of this machine.
	Local(ip IP) bool
	// Route is the address to send from to reach remote, or the errno when
	// there is no way.
	Route(remote IP) (IP, abi.Errno)
	// NextConn numbers a new connection.
	NextConn() uint64
	// Happened tells the recorder.
	Happened(c *Conn, what What, errno abi.Errno)
}

// Sequence numbers are compared modulo 2^32, RFC 9293 3.4.
func before(a, b uint32) bool   { return int32(a-b) < 0 }
func after(a, b uint32) bool    { return int32(a-b) > 0 }
func notAfter(a, b uint32) bool { return int32(a-b) <= 0 }

func assert(ok bool, what string) {
	if !ok {
		panic("restep socket: " + what)
	}
}
