package socket

// timeWait is what is left of a connection that this end closed first, RFC
// 9293 3.6.1: it acknowledges a FIN that comes again, and holds the port
// against sockets without SO_REUSEADDR.
type timeWait struct {
	key      pair
	bind     *Binding
	snd, rcv uint32
	until    Time
	conn     uint64
}

// timeWaitLength is TCP_TIMEWAIT_LEN, include/net/tcp.h.
const timeWaitLength = 60 * Second

// wait leaves a timeWait behind for c, which was just released. There is no
// timer: what is over is removed when somebody looks.
func (s *Stack) wait(c *Conn) {
	s.purge()
	w := &timeWait{
		key:  pair{c.Local, c.Remote},
		bind: &Binding{Addr: c.Local, Reuse: c.bind.Reuse, ReusePort: c.bind.ReusePort, waiting: true},
		snd:  c.sndMax, rcv: c.rcvNxt, until: s.env.Now() + timeWaitLength, conn: c.ID,
	}
	s.use(w.bind)
	s.waits[w.key] = w
	s.waitOrder = append(s.waitOrder, w)
}

// purge removes every timeWait whose time is over; they end in the order in
// which they began.
func (s *Stack) purge() {
	now, n := s.env.Now(), 0
	for n < len(s.waitOrder) && s.waitOrder[n].until <= now {
		s.endWait(s.waitOrder[n])
		n++
	}
	s.waitOrder = s.waitOrder[n:]
}

// endWait forgets w, which may be forgotten already.
func (s *Stack) endWait(w *timeWait) {
	if s.waits[w.key] == w {
		delete(s.waits, w.key)
		s.Unbind(w.bind)
	}
}

// inputWait takes a segment for a connection in TIME-WAIT; false when it is
// none of its business: there is none, or a new connection begins, which
// timestamps (RFC 7323) tell from an old duplicate.
// net/ipv4/tcp_minisocks.c:tcp_timewait_state_process.
func (s *Stack) inputWait(seg *Segment) bool {
	w := s.waits[pair{seg.Dst, seg.Src}]
	switch {
	case w == nil:
		return false
	case w.until <= s.env.Now():
		s.endWait(w)
		return false
	case seg.Flags&RST != 0:
		if seg.Seq == w.rcv {
			s.endWait(w)
		}
	case seg.Flags&(SYN|ACK) == SYN:
		s.endWait(w)
		return false
	case seg.Length() > 0:
		s.out = Segment{Src: seg.Dst, Dst: seg.Src, Seq: w.snd, Ack: w.rcv, Flags: ACK, Conn: w.conn}
		s.env.Output(&s.out)
	}
	return true
}
