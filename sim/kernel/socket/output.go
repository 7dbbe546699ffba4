package socket

import "github.com/restep/restep/sim/kernel/abi"

// window is how many bytes the receive buffer still takes.
func (c *Conn) window() int { return max(c.opts.ReceiveMax-c.recvq.size, 0) }

// advertise is the window to put into a segment. It never takes back room
// that the peer was promised (RFC 9293 3.8.6).
func (c *Conn) advertise() uint32 {
	edge := c.rcvNxt + uint32(c.window())
	if after(edge, c.rcvAdv) {
		c.rcvAdv = edge
	}
	if before(c.rcvAdv, c.rcvNxt) {
		c.rcvAdv = c.rcvNxt
	}
	return c.rcvAdv - c.rcvNxt
}

// emit sends one segment and notes what it acknowledges.
func (c *Conn) emit(flags Flags, seq uint32, data []byte, again bool) {
	out := &c.stack.out
	*out = Segment{
		Src: c.Local, Dst: c.Remote, Seq: seq, Flags: flags, Data: data, Conn: c.ID, Again: again,
	}
	if flags&ACK != 0 {
		out.Ack = c.rcvNxt
		out.Window = c.advertise()
		c.ackAt, c.unacked = 0, 0
	} else {
		out.Window = uint32(c.window())
	}
	c.stack.env.Output(out)
}

// sendSyn sends SYN, or SYN and ACK on the passive side.
func (c *Conn) sendSyn() {
	flags := SYN
	if c.state == StateSynReceived {
		flags |= ACK
	}
	c.emit(flags, c.iss, nil, c.sndMax != c.iss)
	c.sndNxt, c.sndMax = c.iss+1, c.iss+1
	if c.rtoAt == 0 {
		c.startRTO()
	}
	c.arm()
}

// sendAck sends a segment without data. Its sequence number is the highest
// one used: that of a retransmission would be too old for the peer, which
// then would not look at the acknowledgement.
func (c *Conn) sendAck() { c.emit(ACK, c.sndMax, nil, false) }

// challenge answers a segment that does not fit with an ACK, but not more
// often than Linux does: two ends that are out of step would else talk for
// ever. tcp_input.c:tcp_oow_rate_limited, tcp_invalid_ratelimit.
func (c *Conn) challenge() {
	now := c.stack.env.Now()
	if c.challenged != 0 && now-c.challenged < invalidLimit {
		return
	}
	c.challenged = now
	c.sendAck()
}

// sendWindow is how much may be under way: the peer's window and, once
// something was lost, the congestion window.
func (c *Conn) sendWindow() uint32 {
	if c.cwnd != 0 {
		return min(c.sndWnd, c.cwnd)
	}
	return c.sndWnd
}

// lost shrinks the congestion window after a loss, RFC 5681 3.1: to one
// segment after a time-out, else to half of what was under way.
func (c *Conn) lost(to uint32) {
	c.ssthresh = max((c.sndMax-c.sndUna)/2, SegmentMax)
	c.cwnd = max(to, SegmentMax)
}

// grow widens the congestion window for n acknowledged bytes. One that is
// wider than any buffer limits nothing any more.
func (c *Conn) grow(n uint32) {
	switch {
	case c.cwnd == 0:
	case c.cwnd < c.ssthresh:
		c.cwnd += min(n, SegmentMax)
	default:
		c.cwnd += max(1, uint32(uint64(SegmentMax)*uint64(min(n, SegmentMax))/uint64(c.cwnd)))
	}
	if c.cwnd > congestionMax {
		c.cwnd = 0
	}
}

// finDue reports whether FIN is what comes next.
func (c *Conn) finDue() bool {
	switch c.state {
	case StateFinWait1, StateClosing, StateLastAck:
		return c.sendq.ahead == 0 && c.sndNxt-c.sndUna == uint32(c.sendq.size)
	}
	return false
}

// push sends what may be sent now: the window, Nagle's rule and a running
// retransmission allow it. RFC 9293 3.7.4 and 3.8.6.2.1.
func (c *Conn) push() {
	switch c.state {
	case StateClosed, StateSynSent, StateSynReceived:
		return
	}
	for c.sendq.ahead > 0 {
		inFlight := c.sndNxt - c.sndUna
		if c.retries > 0 && inFlight > 0 {
			return // one segment at a time until the path is known to work
		}
		usable := int(int32(c.sendWindow() - inFlight))
		length := min(c.sendq.peekLen(), SegmentMax)
		if usable < length && (usable <= 0 || inFlight > 0 && usable < SegmentMax) {
			break // wait for a better window
		}
		if !c.opts.NoDelay && length < SegmentMax && inFlight > 0 && !c.finQueued {
			return // RFC 896; the ACK under way will call again
		}
		c.sendData(min(usable, length))
	}
	if c.finDue() {
		c.sendFin()
	}
	if c.sendq.ahead > 0 && c.sndNxt == c.sndUna {
		c.watch()
	}
}

// sendData sends n contiguous bytes at the cursor.
func (c *Conn) sendData(n int) {
	data := c.sendq.next(n)
	seq := c.sndNxt
	c.sndNxt += uint32(len(data))
	again := before(seq, c.sndMax)
	if after(c.sndNxt, c.sndMax) {
		c.sndMax = c.sndNxt
	}
	c.emit(ACK|PSH, seq, data, again)
	if c.rtoAt == 0 {
		c.startRTO()
	}
}

func (c *Conn) sendFin() {
	seq := c.sndNxt
	again := before(seq, c.sndMax)
	c.sndNxt++
	if after(c.sndNxt, c.sndMax) {
		c.sndMax = c.sndNxt
	}
	c.emit(FIN|ACK, seq, nil, again)
	if !again {
		c.stack.env.Happened(c, FinSent, abi.OK)
	}
	if c.rtoAt == 0 {
		c.startRTO()
	}
}

// rewind makes everything that is not acknowledged be sent again.
func (c *Conn) rewind() {
	c.sendq.rewind()
	c.sndNxt = c.sndUna
}
