package socket

import "github.com/restep/restep/sim/kernel/abi"

// State is a connection's state, RFC 9293 3.3.2. LISTEN is a Listener, and
// TIME-WAIT a timeWait, for both are less than a Conn.
type State uint8

// The states.
const (
	StateClosed State = iota
	StateSynSent
	StateSynReceived
	StateEstablished
	StateFinWait1
	StateFinWait2
	StateCloseWait
	StateClosing
	StateLastAck
)

// Sizes in bytes.
const (
	// SegmentMax is the most data in one segment: that of the loopback
	// device, and what segmentation offload makes of Ethernet.
	SegmentMax = 65483
	// BufferSize is the default of both buffers.
	BufferSize = 256 << 10
	// congestionMax is where a congestion window ends to be one.
	congestionMax = 16 << 20
)

// Options are the socket options that change how a connection behaves.
type Options struct {
	NoDelay      bool // TCP_NODELAY
	KeepAlive    bool // SO_KEEPALIVE
	KeepIdle     Time // TCP_KEEPIDLE
	KeepInterval Time // TCP_KEEPINTVL
	KeepCount    int  // TCP_KEEPCNT
	UserTimeout  Time // TCP_USER_TIMEOUT, 0 for none
	SynCount     int  // TCP_SYNCNT, 0 for the default
	SendBuffer   int  // bytes
	ReceiveMax   int  // bytes
	// LingerReset is SO_LINGER with a time of 0: close(2) resets.
	LingerReset bool
}

// DefaultOptions are Linux's, tcp(7), but for the sizes of the buffers.
func DefaultOptions() Options {
	return Options{
		KeepIdle: 7200 * Second, KeepInterval: 75 * Second, KeepCount: 9,
		SendBuffer: BufferSize, ReceiveMax: BufferSize,
	}
}

// Conn is one end of a TCP connection.
type Conn struct {
	Local, Remote Addr
	// LocalText and RemoteText are the addresses as text.
	LocalText, RemoteText string
	// ID is the simulator's number of the connection, equal at both ends.
	ID uint64

	stack    *Stack
	next     *Conn // list of the stack
	prev     *Conn
	bind     *Binding
	ownsBind bool      // the binding ends with the connection
	listener *Listener // of a connection that was not accepted yet
	owner    Owner
	opts     Options
	state    State
	err      abi.Errno // what SO_ERROR would tell
	soft     abi.Errno // why segments do not arrive, if somebody told

	// Sending, RFC 9293 3.3.1.
	iss    uint32
	sndUna uint32
	sndNxt uint32
	sndMax uint32 // the highest sndNxt ever; sndNxt goes back to retransmit
	sndWnd uint32
	sndWl1 uint32
	sndWl2 uint32
	sendq  queue
	// finQueued: no byte will be added, FIN follows the last one.
	finQueued bool
	// waiting: a write found the buffer full; the owner is told about room.
	waiting bool
	dupAcks int
	// cwnd is the congestion window in bytes, 0 for none: nothing was lost
	// yet. Above ssthresh it grows slowly. RFC 5681 3.1.
	cwnd, ssthresh uint32

	// Receiving.
	irs      uint32
	rcvNxt   uint32
	rcvAdv   uint32 // right edge of the window as last advertised
	recvq    queue
	early    []piece // out of order, by sequence number
	finSeen  bool    // FIN received in order
	rdShut   bool    // SHUT_RD
	unacked  int     // bytes received since the last ACK was sent
	orphaned bool    // close(2) was called
	settled  func()  // see WhenSettled

	// Timers: absolute deadlines, 0 when off. armed is when the event in the
	// kernel's queue comes, 0 for none.
	armed   Time
	timerFn func()
	rtoAt   Time
	ackAt   Time
	probeAt Time // zero window probe
	keepAt  Time
	lifeAt  Time // end of an orphan in FIN-WAIT-2
	retries int  // of the oldest segment in flight
	probes  int  // zero window or keep-alive probes without answer
	// orphanProbes counts zero window probes of a connection nobody owns.
	orphanProbes int
	lastHeard    Time
	challenged   Time // when the last challenge ACK was sent, 0 for never
	firstTried   Time // when the oldest segment in flight was first sent
}

// piece is data that came out of order.
type piece struct {
	seq  uint32
	data []byte
	fin  bool
}

func (s *Stack) newConn(local, remote Addr, opts Options, id uint64) *Conn {
	c := &Conn{
		Local: local, Remote: remote, LocalText: local.String(), RemoteText: remote.String(),
		ID: id, stack: s, opts: opts, ownsBind: true,
	}
	c.iss = uint32(s.env.Random())
	c.sndUna, c.sndNxt, c.sndMax = c.iss, c.iss, c.iss
	c.timerFn = c.timer
	c.lastHeard = s.env.Now()
	return c
}

// Connect opens a connection to remote, from binding b or, if b is nil, from
// the next free ephemeral port. The owner is told when it is open or failed.
// connect(2): EADDRNOTAVAIL, ENETUNREACH, EINVAL.
func (s *Stack) Connect(b *Binding, remote Addr, opts Options, owner Owner) (*Conn, abi.Errno) {
	if remote.IP.Unspecified() {
		remote.IP = LocalOf(remote.IP)
	}
	source, errno := s.env.Route(remote.IP)
	if errno != abi.OK {
		return nil, errno
	}
	if remote.Port == 0 {
		return nil, abi.ECONNREFUSED
	}
	owns := b == nil
	if owns {
		n := s.ephemeral(true)
		if n == 0 {
			return nil, abi.EADDRNOTAVAIL
		}
		b = &Binding{Addr: Addr{source, n}}
	} else if !b.Addr.IP.Unspecified() {
		if b.Addr.IP.Loopback() && !s.env.Local(remote.IP) {
			return nil, abi.EINVAL // net/ipv4/route.c: no loopback source outside
		}
		source = b.Addr.IP
	}
	local := Addr{source, b.Addr.Port}
	if s.Find(local, remote) != nil {
		return nil, abi.EADDRNOTAVAIL
	}
	if w := s.waits[pair{local, remote}]; w != nil {
		if !owns && w.until > s.env.Now() && !local.IP.Loopback() {
			return nil, abi.EADDRNOTAVAIL // net.ipv4.tcp_tw_reuse is 2: loopback alone
		}
		s.endWait(w)
	}
	c := s.newConn(local, remote, opts, s.env.NextConn())
	c.bind, c.ownsBind, c.owner = b, owns, owner
	if owns {
		s.use(b)
	}
	c.state = StateSynSent
	s.insert(c)
	c.sendSyn()
	return c, abi.OK
}

// State is the connection's state.
func (c *Conn) State() State { return c.state }

// Owned reports whether a socket has the connection: accepted and not closed.
func (c *Conn) Owned() bool { return c.owner != nil }

// TakeError is SO_ERROR: the pending error, which is then cleared.
func (c *Conn) TakeError() abi.Errno {
	e := c.err
	c.err = abi.OK
	return e
}

// Options and SetOptions are the options in force.
func (c *Conn) Options() Options { return c.opts }

// SetOptions changes the options of a connection.
func (c *Conn) SetOptions(o Options) {
	nagle := c.opts.NoDelay != o.NoDelay
	c.opts = o
	if c.state == StateClosed {
		return
	}
	if nagle {
		c.push()
	}
	c.keepAt = 0
	c.watch()
	c.arm()
}

// Readable and Writable tell whether a read or write would not wait; poll(2),
// net/ipv4/tcp.c:tcp_poll.
func (c *Conn) Readable() bool {
	return c.recvq.size > 0 || c.finSeen || c.rdShut || c.err != abi.OK || c.state == StateClosed
}

// Writable: see Readable.
func (c *Conn) Writable() bool {
	switch c.state {
	case StateSynSent, StateSynReceived:
		return false
	case StateClosed:
		return true
	}
	return c.err != abi.OK || c.finQueued || c.room() > 0
}

// Buffered is how many bytes can be read at once.
func (c *Conn) Buffered() int { return c.recvq.size }

// Unsent is how many bytes were written and not acknowledged.
func (c *Conn) Unsent() int { return c.sendq.size }

func (c *Conn) room() int { return max(c.opts.SendBuffer-c.sendq.size, 0) }

// Write takes bytes to send and answers how many it took. EAGAIN when the
// buffer is full or the connection is not open yet, EPIPE after the end,
// or the pending error. net/ipv4/tcp.c:tcp_sendmsg_locked.
func (c *Conn) Write(p []byte) (int, abi.Errno) {
	if c.err != abi.OK {
		return 0, c.TakeError()
	}
	switch c.state {
	case StateSynSent, StateSynReceived:
		c.waiting = true
		return 0, abi.EAGAIN
	case StateEstablished, StateCloseWait:
	default:
		return 0, abi.EPIPE
	}
	if c.finQueued {
		return 0, abi.EPIPE
	}
	n := min(len(p), c.room())
	if n == 0 && len(p) > 0 {
		c.waiting = true
		return 0, abi.EAGAIN
	}
	c.waiting = n < len(p)
	c.sendq.push(p[:n])
	c.push()
	c.arm()
	return n, abi.OK
}

// Read takes received bytes; 0 without an error is the end of the stream.
// With peek they stay. EAGAIN when there is nothing yet, or the pending
// error. net/ipv4/tcp.c:tcp_recvmsg_locked.
func (c *Conn) Read(p []byte, peek bool) (int, abi.Errno) {
	if c.recvq.size > 0 {
		if peek {
			return c.recvq.peek(p), abi.OK
		}
		n := c.recvq.read(p)
		c.opened()
		return n, abi.OK
	}
	switch {
	case c.finSeen:
		return 0, abi.OK
	case c.err != abi.OK:
		return 0, c.TakeError()
	case c.rdShut, c.state == StateClosed, len(p) == 0:
		return 0, abi.OK
	}
	return 0, abi.EAGAIN
}

// opened sends a window update when reading opened the window by much: half
// the buffer, or a full segment after it had been shut. RFC 9293 3.8.6.2.2.
func (c *Conn) opened() {
	if c.state == StateClosed || c.finSeen {
		return
	}
	had := int(c.rcvAdv - c.rcvNxt)
	gain := c.window() - had
	if gain >= c.opts.ReceiveMax/2 || had < SegmentMax && gain >= min(SegmentMax, c.opts.ReceiveMax/2) {
		c.sendAck()
		c.arm()
	}
}

// Shutdown closes one or both directions, shutdown(2). ENOTCONN when there is
// no connection any more.
func (c *Conn) Shutdown(read, write bool) abi.Errno {
	if c.state == StateClosed {
		return abi.ENOTCONN
	}
	if c.state == StateSynSent {
		c.err = abi.ECONNRESET // net/ipv4/tcp.c:tcp_disconnect
		c.release()
		c.notify(Readable | Writable)
		return abi.OK
	}
	if read {
		c.rdShut = true
	}
	if write {
		c.finish()
	}
	c.notify(Readable | Writable)
	return abi.OK
}

// finish queues FIN behind the data.
func (c *Conn) finish() {
	switch c.state {
	case StateEstablished, StateSynReceived:
		c.state = StateFinWait1
	case StateCloseWait:
		c.state = StateLastAck
	default:
		return
	}
	c.finQueued = true
	c.push()
	c.arm()
}

// Close is close(2) of the last descriptor. Bytes nobody read, or a linger
// time of 0, turn it into a reset; net/ipv4/tcp.c:__tcp_close.
func (c *Conn) Close() {
	c.owner = nil
	c.orphaned = true
	unread := c.recvq.size > 0
	c.recvq.clear()
	switch c.state {
	case StateClosed:
		c.stack.Unbind(c.bind)
		return
	case StateSynSent:
		c.release()
		return
	}
	if unread || c.opts.LingerReset {
		c.abort()
		return
	}
	c.finish()
	if c.state == StateFinWait2 {
		c.lifeAt = c.stack.env.Now() + finTimeout
	}
	c.watch()
	c.arm()
}

// Abort ends the connection at once, with a reset if the peer knows of it.
func (c *Conn) Abort() {
	c.owner = nil
	switch c.state {
	case StateClosed:
	case StateSynSent:
		c.release()
	default:
		c.abort()
	}
}

// abort sends RST and ends the connection.
func (c *Conn) abort() {
	c.emit(RST|ACK, c.sndMax, nil, false)
	c.stack.env.Happened(c, ResetSent, abi.OK)
	c.release()
}

// fail ends the connection with an error that the program will see.
func (c *Conn) fail(errno abi.Errno) {
	if c.state == StateSynSent {
		c.stack.env.Happened(c, Connected, errno)
	}
	c.err = errno
	c.sendq.clear()
	c.release()
	c.notify(Readable | Writable)
}

// release takes the connection out of the stack; it is closed from now on.
func (c *Conn) release() {
	if c.state == StateClosed {
		return
	}
	if c.listener != nil && c.state == StateSynReceived {
		c.listener.half--
	}
	c.stack.remove(c)
	if c.ownsBind || c.orphaned {
		c.stack.Unbind(c.bind)
	}
	c.state = StateClosed
	c.sendq.clear()
	c.early = nil
	c.rtoAt, c.ackAt, c.probeAt, c.keepAt, c.lifeAt = 0, 0, 0, 0, 0
	c.settle()
}

// Lingers reports whether the peer has not yet acknowledged all data and the
// end of it: what close(2) waits for with SO_LINGER
// (net/core/stream.c:sk_stream_closing).
func (c *Conn) Lingers() bool {
	return c.state == StateFinWait1 || c.state == StateClosing || c.state == StateLastAck
}

// WhenSettled calls f once when the connection lingers no longer.
func (c *Conn) WhenSettled(f func()) { c.settled = f }

func (c *Conn) settle() {
	if f := c.settled; f != nil {
		c.settled = nil
		f()
	}
}

// vanish ends the connection without a word to anybody.
func (c *Conn) vanish() {
	c.owner = nil
	c.release()
	c.recvq.clear()
}

func (c *Conn) notify(r Ready) {
	if c.owner != nil {
		c.owner.Notify(r)
	}
}
