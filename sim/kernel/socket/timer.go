package socket

import "github.com/restep/restep/sim/kernel/abi"

// Time limits of Linux 6.12, include/net/tcp.h and ip-sysctl.rst.
const (
	rtoInit       = Second            // TCP_TIMEOUT_INIT
	rtoMin        = 200 * Millisecond // TCP_RTO_MIN
	rtoMax        = 120 * Second      // TCP_RTO_MAX
	delayedAck    = 40 * Millisecond  // TCP_DELACK_MIN
	finTimeout    = 60 * Second       // tcp_fin_timeout
	invalidLimit  = 500 * Millisecond // tcp_invalid_ratelimit
	synRetries    = 6                 // tcp_syn_retries, as doublings
	synLinear     = 4                 // tcp_syn_linear_timeouts, tries before these
	synAckRetries = 5                 // tcp_synack_retries
	dataRetries   = 15                // tcp_retries2
	orphanRetries = 8                 // tcp_orphan_retries, 0 stands for 8
	doublingsMax  = 10                // beyond, rtoMax counts
)

// rto is the time to wait for an acknowledgement before the try number
// retries+1 is given up. RFC 6298 with the path's true round trip time in
// place of a measured one and Linux's rule RTO = SRTT + max(200 ms, ...).
func (c *Conn) rto() Time {
	rtt := c.stack.env.RTT(c.Local.IP, c.Remote.IP)
	base, doublings := rtt+rtoMin, c.retries
	switch c.state {
	case StateSynSent:
		base = max(rtoInit, base)
		doublings = max(0, c.retries-synLinear)
	case StateSynReceived:
		base = max(rtoInit, base)
	}
	return backoff(base, doublings)
}

func backoff(base Time, doublings int) Time {
	return max(base, min(base<<min(doublings, doublingsMax), rtoMax))
}

// startRTO starts the retransmission timer for a segment just sent.
func (c *Conn) startRTO() {
	now := c.stack.env.Now()
	c.rtoAt = now + c.rto()
	if c.retries == 0 {
		c.firstTried = now
	}
}

// arm asks for an event at the earliest deadline, unless one is to come by
// then. Later ones that were asked for before find nothing to do.
func (c *Conn) arm() {
	at := Time(0)
	for _, t := range [...]Time{c.rtoAt, c.ackAt, c.probeAt, c.keepAt, c.lifeAt} {
		if t != 0 && (at == 0 || t < at) {
			at = t
		}
	}
	if at == 0 || c.armed != 0 && c.armed <= at {
		return
	}
	c.armed = at
	c.stack.env.At(at, c.timerFn)
}

// timer runs whatever is due.
func (c *Conn) timer() {
	now := c.stack.env.Now()
	if c.armed == 0 || now < c.armed {
		return
	}
	c.armed = 0
	if c.state != StateClosed && due(c.lifeAt, now) {
		c.release()
		c.stack.env.Happened(c, Forgotten, abi.OK)
	}
	if c.state != StateClosed && due(c.rtoAt, now) {
		c.retransmit(now)
	}
	if c.state != StateClosed && due(c.ackAt, now) {
		c.sendAck()
	}
	if c.state != StateClosed && due(c.probeAt, now) {
		c.probeWindow(now)
	}
	if c.state != StateClosed && due(c.keepAt, now) {
		c.keepAlive(now)
	}
	if c.state != StateClosed {
		c.arm()
	}
}

func due(at, now Time) bool { return at != 0 && at <= now }

// retransmit sends the oldest segment again, or gives up.
// net/ipv4/tcp_timer.c:tcp_retransmit_timer, tcp_write_timeout.
func (c *Conn) retransmit(now Time) {
	limit := dataRetries
	switch {
	case c.state == StateSynSent && c.opts.SynCount > 0:
		limit = c.opts.SynCount + synLinear
	case c.state == StateSynSent:
		limit = synRetries + synLinear
	case c.state == StateSynReceived:
		limit = synAckRetries
	case c.orphaned:
		limit = orphanRetries
	}
	user := c.opts.UserTimeout
	if c.retries >= limit || user > 0 && now-c.firstTried >= user {
		c.giveUp()
		return
	}
	c.retries++
	switch c.state {
	case StateSynSent, StateSynReceived:
		c.sendSyn()
	default:
		c.lost(SegmentMax)
		c.rewind()
		c.retryHead()
	}
	c.rtoAt = now + c.rto()
}

// retryHead sends one segment from the front.
func (c *Conn) retryHead() {
	switch {
	case c.sendq.ahead > 0:
		c.sendData(min(c.sendq.peekLen(), SegmentMax))
	case c.finQueued:
		c.sendFin()
	}
}

// giveUp ends a connection whose peer does not answer.
func (c *Conn) giveUp() {
	errno := abi.ETIMEDOUT
	if c.soft != abi.OK {
		errno = c.soft // net/ipv4/tcp_timer.c:tcp_write_err
	}
	if c.state != StateSynSent {
		c.stack.env.Happened(c, TimedOut, errno)
	}
	c.fail(errno)
}

// watch starts the timers of a silent connection where silence could mean
// that something was lost: probing of a closed window and keep-alive. Over a
// healthy path to a living peer every probe would be answered and change
// nothing, so it is not made.
func (c *Conn) watch() {
	stuck := c.sendq.ahead > 0 && c.sndNxt == c.sndUna
	idle := c.opts.KeepAlive && c.state >= StateEstablished
	if !stuck {
		c.probeAt = 0
	}
	if !stuck && !idle || c.probeAt != 0 && (c.keepAt != 0 || !idle) {
		return
	}
	if !c.orphaned && c.stack.env.Healthy(c) {
		return
	}
	now := c.stack.env.Now()
	if stuck && c.probeAt == 0 {
		c.probes, c.orphanProbes = 0, 0
		c.probeAt = now + c.rto()
	}
	if idle && c.keepAt == 0 {
		// The probes that were not made would have been answered.
		silent := now - c.lastHeard
		c.lastHeard += silent / c.opts.KeepIdle * c.opts.KeepIdle
		c.keepAt = c.lastHeard + c.opts.KeepIdle
	}
}

// Disturbed is called when the path or the peer may have failed.
func (c *Conn) Disturbed() {
	c.watch()
	c.arm()
}

// probe sends a segment that is out of the window and so must be answered
// with an ACK; net/ipv4/tcp_output.c:tcp_xmit_probe_skb.
func (c *Conn) probe() { c.emit(ACK, c.sndUna-1, nil, false) }

// probeWindow asks for the peer's window, RFC 9293 3.8.6.1.
func (c *Conn) probeWindow(now Time) {
	c.probeAt = 0
	if c.sendq.ahead == 0 || c.sndNxt != c.sndUna {
		return
	}
	if c.orphaned {
		// Not for ever, even if the peer answers: tcp_timer.c:tcp_probe_timer.
		if c.orphanProbes++; c.orphanProbes > doublingsMax {
			c.giveUp()
			return
		}
		c.probe()
		c.probeAt = now + backoff(c.rto(), c.orphanProbes)
		return
	}
	c.probe()
	if c.probes == 0 && c.stack.env.Healthy(c) {
		return // the window update was lost while the path was cut
	}
	if c.probes++; c.probes > dataRetries {
		c.giveUp()
		return
	}
	c.probeAt = now + backoff(c.rto(), c.probes)
}

// keepAlive asks a silent peer whether it is there.
// net/ipv4/tcp_timer.c:tcp_keepalive_timer.
func (c *Conn) keepAlive(now Time) {
	c.keepAt = 0
	if !c.opts.KeepAlive {
		return
	}
	if c.probes == 0 && c.stack.env.Healthy(c) {
		return
	}
	if c.sendq.size > 0 || c.rtoAt != 0 {
		c.keepAt = now + c.opts.KeepIdle // the other timers watch the peer
		return
	}
	if silent := now - c.lastHeard; silent < c.opts.KeepIdle {
		c.keepAt = c.lastHeard + c.opts.KeepIdle
		return
	}
	user := c.opts.UserTimeout
	if user > 0 && now-c.lastHeard >= user && c.probes > 0 || user == 0 && c.probes >= c.opts.KeepCount {
		c.emit(RST|ACK, c.sndMax, nil, false)
		c.giveUp()
		return
	}
	c.probe()
	c.probes++
	c.keepAt = now + c.opts.KeepInterval
}
