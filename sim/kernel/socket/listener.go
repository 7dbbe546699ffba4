package socket

import "github.com/restep/restep/sim/kernel/abi"

// Listener is a passive socket with its two queues, listen(2).
type Listener struct {
	stack   *Stack
	bind    *Binding
	owner   Owner
	backlog int
	// Opts are what accepted connections start with.
	Opts Options
	// half counts connections in SYN-RECEIVED, ready are those to accept.
	half   int
	ready  []*Conn
	closed bool
}

// Listen makes binding b a listener. backlog is as given to listen(2).
// EADDRINUSE when another socket listens there.
func (s *Stack) Listen(b *Binding, backlog int, opts Options, owner Owner) (*Listener, abi.Errno) {
	b.listening = true
	p := s.ports[b.Addr.Port]
	if p == nil {
		return nil, abi.EINVAL // the power was off meanwhile
	}
	if s.conflict(b) {
		b.listening = false
		return nil, abi.EADDRINUSE
	}
	l := &Listener{stack: s, bind: b, owner: owner, Opts: opts}
	l.SetBacklog(backlog)
	p.listeners = append(p.listeners, l)
	return l, abi.OK
}

// SetBacklog changes the backlog, as a second listen(2) does. Values above
// SOMAXCONN and below zero stand for SOMAXCONN.
func (l *Listener) SetBacklog(n int) {
	if n < 0 || n > abi.SOMAXCONN {
		n = abi.SOMAXCONN
	}
	l.backlog = n
}

// full reports whether the accept queue takes no more.
// include/net/sock.h:sk_acceptq_is_full lets one more in than the backlog.
func (l *Listener) full() bool { return len(l.ready) > l.backlog }

// Pending is the length of the accept queue.
func (l *Listener) Pending() int { return len(l.ready) }

// syn starts a connection for a SYN. With a full accept queue it is dropped,
// and the peer tries again (net/ipv4/tcp_input.c:tcp_conn_request).
func (l *Listener) syn(seg *Segment) {
	if l.full() || l.half > l.backlog {
		return
	}
	s := l.stack
	c := s.newConn(seg.Dst, seg.Src, l.Opts, seg.Conn)
	c.bind = &Binding{Addr: seg.Dst, Reuse: l.bind.Reuse, ReusePort: l.bind.ReusePort}
	s.use(c.bind)
	c.listener = l
	c.state = StateSynReceived
	l.half++
	c.irs = seg.Seq
	c.rcvNxt = seg.Seq + 1
	c.rcvAdv = c.rcvNxt
	c.sndWnd = seg.Window
	s.insert(c)
	c.sendSyn()
}

// established moves c, whose handshake is complete, to the accept queue.
func (l *Listener) established(c *Conn) {
	l.half--
	l.ready = append(l.ready, c)
	if l.owner != nil {
		l.owner.Notify(Readable)
	}
}

// Accept takes the connection that waits longest, EAGAIN when none does.
func (l *Listener) Accept(owner Owner) (*Conn, abi.Errno) {
	if len(l.ready) == 0 {
		return nil, abi.EAGAIN
	}
	c := l.ready[0]
	n := copy(l.ready, l.ready[1:])
	l.ready[n] = nil
	l.ready = l.ready[:n]
	c.listener = nil
	c.owner = owner
	l.stack.env.Happened(c, Accepted, abi.OK)
	return c, abi.OK
}

// Close ends listening: connections nobody accepted are reset.
// net/ipv4/inet_connection_sock.c:inet_csk_listen_stop.
func (l *Listener) Close() {
	if l.closed {
		return
	}
	l.closed = true
	l.owner = nil
	s := l.stack
	if p := s.ports[l.bind.Addr.Port]; p != nil {
		for i, x := range p.listeners {
			if x == l {
				p.listeners = append(p.listeners[:i], p.listeners[i+1:]...)
				break
			}
		}
	}
	for c := s.first; c != nil; {
		next := c.next
		if c.listener == l && c.state == StateSynReceived {
			c.vanish()
		}
		c = next
	}
	for _, c := range l.ready {
		c.listener = nil
		if c.state != StateClosed {
			c.abort()
		}
	}
	l.ready = nil
	s.Unbind(l.bind)
}
