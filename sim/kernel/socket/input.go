package socket

import "github.com/restep/restep/sim/kernel/abi"

// input takes a segment for this connection, RFC 9293 3.10.7.
func (c *Conn) input(seg *Segment) {
	c.lastHeard = c.stack.env.Now()
	c.probes = 0
	if c.state == StateSynSent {
		c.inputSynSent(seg)
	} else {
		c.inputOpen(seg)
	}
	if c.state != StateClosed {
		c.arm()
	}
}

// inputSynSent is RFC 9293 3.10.7.3.
func (c *Conn) inputSynSent(seg *Segment) {
	acked := seg.Flags&ACK != 0
	if acked && seg.Ack != c.iss+1 {
		if seg.Flags&RST == 0 {
			c.stack.refuse(seg)
		}
		return
	}
	if seg.Flags&RST != 0 {
		if acked {
			c.fail(abi.ECONNREFUSED)
		}
		return
	}
	if seg.Flags&SYN == 0 {
		return
	}
	c.irs = seg.Seq
	c.rcvNxt = seg.Seq + 1
	c.rcvAdv = c.rcvNxt
	c.sndWnd, c.sndWl1, c.sndWl2 = seg.Window, seg.Seq, seg.Ack
	if !acked { // both ends opened at once
		c.state = StateSynReceived
		c.sendSyn()
		return
	}
	c.sndUna = seg.Ack
	c.open()
	c.sendAck()
	c.stack.env.Happened(c, Connected, abi.OK)
	c.notify(Readable | Writable)
}

// open makes the connection ESTABLISHED.
func (c *Conn) open() {
	c.state = StateEstablished
	c.retries, c.rtoAt, c.waiting = 0, 0, false
	c.sndNxt = c.sndUna
	c.watch()
}

// inputOpen is RFC 9293 3.10.7.4.
func (c *Conn) inputOpen(seg *Segment) {
	if !c.acceptable(seg) {
		switch {
		case seg.Flags&RST != 0:
		case c.state == StateSynReceived && seg.Flags&SYN != 0 && seg.Seq == c.irs:
			if seg.Flags&ACK == 0 {
				c.sendSyn() // our SYN-ACK was lost
			}
		case seg.Length() == 0:
			c.challenge() // a probe, or a peer that is out of step
			return
		default:
			c.sendAck()
			return
		}
		if c.state != StateSynReceived || seg.Flags&(SYN|ACK) != SYN|ACK {
			return
		}
	}
	if seg.Flags&RST != 0 {
		if seg.Seq == c.rcvNxt {
			c.reset()
		} else {
			c.challenge() // RFC 5961 3.2
		}
		return
	}
	if seg.Flags&SYN != 0 && seg.Seq != c.irs {
		c.challenge() // RFC 5961 4.2
		return
	}
	if seg.Flags&ACK == 0 || !c.inputAck(seg) {
		return
	}
	if len(seg.Data) > 0 || seg.Flags&FIN != 0 {
		c.inputData(seg.Seq, seg.Data, seg.Flags&FIN != 0)
	}
	if c.state != StateClosed {
		c.push()
	}
}

// acceptable is the test of RFC 9293 3.10.7.4, first step.
func (c *Conn) acceptable(seg *Segment) bool {
	n := seg.Length()
	edge := c.rcvAdv
	if n == 0 {
		return seg.Seq == c.rcvNxt || !before(seg.Seq, c.rcvNxt) && before(seg.Seq, edge)
	}
	last := seg.Seq + n - 1
	return !before(seg.Seq, c.rcvNxt) && before(seg.Seq, edge) ||
		!before(last, c.rcvNxt) && before(last, edge) ||
		// FIN may stand right behind a full window.
		seg.Flags&FIN != 0 && last == edge && !after(seg.Seq, edge)
}

// reset takes a valid RST; net/ipv4/tcp_input.c:tcp_reset.
func (c *Conn) reset() {
	c.stack.env.Happened(c, ResetReceived, abi.OK)
	switch c.state {
	case StateSynReceived:
		if c.listener != nil {
			c.release()
			return
		}
		c.fail(abi.ECONNREFUSED)
	case StateCloseWait:
		c.fail(abi.EPIPE)
	default:
		c.fail(abi.ECONNRESET)
	}
}

// inputAck handles the acknowledgement and the window; false when the
// segment ends there.
func (c *Conn) inputAck(seg *Segment) bool {
	if c.state == StateSynReceived {
		if after(seg.Ack, c.sndMax) || notAfter(seg.Ack, c.sndUna) {
			c.stack.refuse(seg)
			return false
		}
		if l := c.listener; l != nil {
			if l.full() {
				return false // tcp_abort_on_overflow is 0: as if lost
			}
		}
		c.sndUna = c.iss + 1
		c.sndWl1, c.sndWl2 = seg.Seq, seg.Ack
		c.sndWnd = seg.Window
		c.open()
		if l := c.listener; l != nil {
			l.established(c)
		} else {
			c.stack.env.Happened(c, Connected, abi.OK)
			c.notify(Readable | Writable)
		}
	}
	if after(seg.Ack, c.sndMax) {
		c.challenge()
		return false
	}
	if before(seg.Ack, c.sndUna) {
		return true // old; its data may be new
	}
	c.inputWindow(seg)
	if seg.Ack != c.sndUna {
		c.acked(seg.Ack)
	}
	return c.state != StateClosed
}

// inputWindow takes over the peer's window, and counts duplicate ACKs.
func (c *Conn) inputWindow(seg *Segment) {
	same := seg.Window == c.sndWnd
	if before(c.sndWl1, seg.Seq) || c.sndWl1 == seg.Seq && notAfter(c.sndWl2, seg.Ack) {
		c.sndWnd, c.sndWl1, c.sndWl2 = seg.Window, seg.Seq, seg.Ack
		if c.sndWnd > 0 {
			c.probeAt = 0
		}
	}
	if seg.Ack != c.sndUna || seg.Length() != 0 || !same || c.sndMax == c.sndUna {
		c.dupAcks = 0
		return
	}
	c.dupAcks++
	if c.dupAcks == 3 { // fast retransmit, RFC 5681 3.2
		c.lost((c.sndMax - c.sndUna) / 2)
		c.rewind()
		c.retryHead()
	}
}

// acked takes an acknowledgement of new bytes.
func (c *Conn) acked(ack uint32) {
	n := int(ack - c.sndUna)
	fin := c.finQueued && n == c.sendq.size+1
	if fin {
		n--
	}
	// After a retransmission the peer may acknowledge more than was sent again.
	c.sendq.drop(n)
	c.sndUna = ack
	if before(c.sndNxt, ack) {
		c.sndNxt = ack
	}
	c.retries, c.dupAcks, c.rtoAt, c.soft = 0, 0, 0, abi.OK
	c.grow(uint32(n))
	if c.sndNxt != c.sndUna {
		c.startRTO()
	}
	if c.waiting && c.room() >= c.opts.SendBuffer/3 {
		c.waiting = false
		c.notify(Writable)
	}
	if !fin {
		return
	}
	switch c.state {
	case StateFinWait1:
		c.state = StateFinWait2
		if c.orphaned {
			c.lifeAt = c.stack.env.Now() + finTimeout
		}
		c.settle()
	case StateClosing:
		c.release()
		c.stack.wait(c)
		c.notify(Readable | Writable)
	case StateLastAck:
		c.release()
		c.notify(Readable | Writable)
	}
}

// inputData takes data and FIN, in order or early.
func (c *Conn) inputData(seq uint32, data []byte, fin bool) {
	switch c.state {
	case StateEstablished, StateFinWait1, StateFinWait2:
	default:
		c.sendAck()
		return
	}
	end := seq + uint32(len(data))
	if c.orphaned && after(end, c.rcvNxt) {
		c.abort() // nobody will read it; tcp_input.c:tcp_rcv_state_process
		return
	}
	if after(seq, c.rcvNxt) {
		c.keepEarly(piece{seq, data, fin})
		c.sendAck()
		return
	}
	old := c.rcvNxt
	c.take(seq, data, fin)
	hadEarly := len(c.early) > 0
	for len(c.early) > 0 && notAfter(c.early[0].seq, c.rcvNxt) && !c.finSeen {
		p := c.early[0]
		n := copy(c.early, c.early[1:])
		c.early[n] = piece{}
		c.early = c.early[:n]
		c.take(p.seq, p.data, p.fin)
	}
	if c.state == StateClosed {
		return // FIN ended it
	}
	c.unacked += int(c.rcvNxt - old)
	switch {
	case hadEarly, c.finSeen, c.rcvNxt == old, c.unacked >= SegmentMax, c.rcvAdv-c.rcvNxt < SegmentMax:
		c.sendAck()
	case c.ackAt == 0:
		c.ackAt = c.stack.env.Now() + delayedAck
	}
	if c.rcvNxt != old {
		c.notify(Readable)
	}
}

// take appends the part of data that is new and fits, and handles FIN.
func (c *Conn) take(seq uint32, data []byte, fin bool) {
	skip := int(c.rcvNxt - seq)
	if skip > len(data) {
		return
	}
	data = data[skip:]
	if room := int(c.rcvAdv - c.rcvNxt); len(data) > room {
		data, fin = data[:room], false
	}
	c.recvq.pushShared(data)
	c.rcvNxt += uint32(len(data))
	if fin && !c.finSeen {
		c.inputFin()
	}
}

// inputFin is RFC 9293 3.10.7.4, eighth step.
func (c *Conn) inputFin() {
	c.rcvNxt++
	c.finSeen = true
	c.early = nil
	c.stack.env.Happened(c, FinReceived, abi.OK)
	switch c.state {
	case StateEstablished:
		c.state = StateCloseWait
	case StateFinWait1:
		c.state = StateClosing
	case StateFinWait2:
		c.sendAck()
		c.release()
		c.stack.wait(c)
		c.notify(Readable | Writable)
		return
	}
}

// keepEarly stores a piece that came before its turn, within the window.
func (c *Conn) keepEarly(p piece) {
	if after(p.seq+uint32(len(p.data)), c.rcvAdv) {
		return
	}
	i := 0
	for i < len(c.early) && before(c.early[i].seq, p.seq) {
		i++
	}
	if i < len(c.early) && c.early[i].seq == p.seq && len(c.early[i].data) >= len(p.data) {
		return
	}
	c.early = append(c.early, piece{})
	copy(c.early[i+1:], c.early[i:])
	c.early[i] = p
}
