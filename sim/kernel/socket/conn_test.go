package socket

import (
	"bytes"
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

func TestHandshakeTakesOneRoundTrip(t *testing.T) {
	w := newWorld(t, 2)
	w.delay = Second
	l := w.listen(1, 80, 10)
	c := w.connect(0, Addr{w.hosts[1].ip, 80}, fast())
	if c.LocalText != "11.0.0.1:10000" {
		t.Errorf("local address is %s", c.LocalText)
	}
	if d := w.until("connected", func() bool { return c.State() == StateEstablished }); d != 2*Second {
		t.Errorf("connect took %d ns, want 2 s", d)
	}
	if d := w.until("accept", func() bool { return l.Pending() == 1 }); d != Second {
		t.Errorf("the listener heard %d ns later, want 1 s", d)
	}
	c2 := w.connect(0, Addr{w.hosts[1].ip, 80}, fast())
	if c2.Local.Port != 10001 {
		t.Errorf("second port is %d, want 10001", c2.Local.Port)
	}
}

func TestDataTakesOneDelayEachWay(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	w.run(Second)
	w.delay = Second
	write(t, c, "ping")
	if d := w.until("request", s.Readable); d != Second {
		t.Errorf("request took %d ns, want 1 s", d)
	}
	wantRead(t, s, "ping", abi.OK)
	write(t, s, "pong")
	if d := w.until("answer", c.Readable); d != Second {
		t.Errorf("answer took %d ns, want 1 s", d)
	}
	wantRead(t, c, "pong", abi.OK)
	wantRead(t, c, "", abi.EAGAIN)
}

func TestNoSpuriousRetransmissionOnSlowLink(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	w.run(Second)
	w.delay = 10 * Second
	again := 0
	w.lose = func(s *Segment) bool {
		if s.Again {
			again++
		}
		return false
	}
	write(t, c, "x")
	w.run(100 * Second)
	wantRead(t, s, "x", abi.OK)
	if again != 0 {
		t.Errorf("%d retransmissions over a link that loses nothing", again)
	}
}

func TestSilentConnectionHasNoEvents(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	write(t, c, "x")
	w.run(Second)
	wantRead(t, s, "x", abi.OK)
	w.run(60 * Second)
	if len(w.queue) != 0 {
		t.Errorf("%d events are still to come on an idle connection", len(w.queue))
	}
}

func TestWindowStopsAndReopens(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
	sent, got := 0, []byte{}
	buf := make([]byte, 10000)
	fill := func() {
		for sent < len(data) {
			n, errno := c.Write(data[sent:min(len(data), sent+30000)])
			if errno == abi.EAGAIN {
				return
			}
			sent += n
		}
	}
	fill()
	w.run(10 * Second)
	fill()
	w.run(10 * Second)
	if s.Buffered() != BufferSize || c.Unsent() != BufferSize {
		t.Fatalf("receiver holds %d, sender %d bytes; want full buffers of %d", s.Buffered(), c.Unsent(), BufferSize)
	}
	if len(w.queue) != 0 {
		t.Errorf("%d events wait though the window is shut on a healthy path", len(w.queue))
	}
	start := w.now
	for len(got) < len(data) {
		n, errno := s.Read(buf, false)
		if errno == abi.EAGAIN {
			w.until("more data", func() bool { fill(); return s.Readable() })
			continue
		}
		got = append(got, buf[:n]...)
		fill()
		w.run(0)
	}
	if !bytes.Equal(got, data) {
		t.Error("the stream was changed")
	}
	if d := w.now - start; d > Second {
		t.Errorf("2 MiB took %d ns over a link of 5 µs: waits for timers", d)
	}
}

func TestWriterIsWokenWhenRoomAppears(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	owner := c.owner.(*program)
	for {
		if _, errno := c.Write(make([]byte, 50000)); errno == abi.EAGAIN {
			break
		}
		w.run(Second)
	}
	owner.ready = 0
	w.run(10 * Second)
	if owner.ready&Writable != 0 {
		t.Fatal("woken though nothing was read")
	}
	for s.Buffered() > 0 {
		s.Read(make([]byte, 1<<20), false)
	}
	w.until("wake", func() bool { return owner.ready&Writable != 0 })
}

func TestHalfClose(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	write(t, c, "last")
	if errno := c.Shutdown(false, true); errno != abi.OK {
		t.Fatalf("shutdown: %d", errno)
	}
	if _, errno := c.Write([]byte("x")); errno != abi.EPIPE {
		t.Errorf("write after SHUT_WR: errno %d, want EPIPE", errno)
	}
	w.run(Second)
	wantState(t, c, StateFinWait2)
	wantState(t, s, StateCloseWait)
	wantRead(t, s, "last", abi.OK)
	wantRead(t, s, "", abi.OK)
	write(t, s, "answer")
	s.Close()
	w.run(Second)
	wantRead(t, c, "answer", abi.OK)
	wantRead(t, c, "", abi.OK)
	wantState(t, c, StateClosed)
	wantState(t, s, StateClosed)
	c.Close()
	for _, h := range w.hosts {
		if h.stack.Conns() != 0 {
			t.Errorf("%d connections are left", h.stack.Conns())
		}
	}
}

func TestCloseWithUnreadDataResets(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	write(t, c, "unread")
	w.run(Second)
	s.Close()
	wantState(t, s, StateClosed)
	w.run(Second)
	wantState(t, c, StateClosed)
	if _, errno := c.Write([]byte("x")); errno != abi.ECONNRESET {
		t.Errorf("first write: errno %d, want ECONNRESET", errno)
	}
	if _, errno := c.Write([]byte("x")); errno != abi.EPIPE {
		t.Errorf("second write: errno %d, want EPIPE", errno)
	}
	wantRead(t, c, "", abi.OK)
}

func TestWriteToClosedPeerResets(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	s.Close()
	w.run(Second)
	wantState(t, c, StateCloseWait)
	write(t, c, "nobody reads this")
	w.run(Second)
	wantState(t, c, StateClosed)
	wantRead(t, c, "", abi.OK) // FIN came first
	if _, errno := c.Write([]byte("x")); errno != abi.EPIPE {
		t.Errorf("write: errno %d, want EPIPE", errno)
	}
}

func TestSimultaneousClose(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	c.Shutdown(false, true)
	s.Shutdown(false, true)
	w.run(Second)
	wantState(t, c, StateClosed)
	wantState(t, s, StateClosed)
	wantRead(t, c, "", abi.OK)
}

func TestRefused(t *testing.T) {
	w := newWorld(t, 2)
	c := w.connect(0, Addr{w.hosts[1].ip, 80}, fast())
	if d := w.until("refused", func() bool { return c.State() == StateClosed }); d != 2*w.delay {
		t.Errorf("took %d ns, want a round trip", d)
	}
	if e := c.TakeError(); e != abi.ECONNREFUSED {
		t.Errorf("SO_ERROR %d, want ECONNREFUSED", e)
	}
	if e := c.TakeError(); e != abi.OK {
		t.Errorf("SO_ERROR was not cleared: %d", e)
	}
}

func TestConnectTimesOut(t *testing.T) {
	w := newWorld(t, 2)
	w.hosts[1].off = true
	syns := 0
	w.lose = func(s *Segment) bool { syns++; return false }
	c := w.connect(0, Addr{w.hosts[1].ip, 80}, fast())
	d := w.until("timeout", func() bool { return c.State() == StateClosed })
	if d != 131*Second || syns != 11 {
		t.Errorf("gave up after %d s and %d SYNs; ip-sysctl.rst says 131 s, 1+4+6 SYNs", d/Second, syns)
	}
	if e := c.TakeError(); e != abi.ETIMEDOUT {
		t.Errorf("SO_ERROR %d, want ETIMEDOUT", e)
	}
}

func TestDataTimesOut(t *testing.T) {
	w, c, _, _ := pairUp(t, fast())
	w.run(Second)
	w.cut = true
	write(t, c, "lost")
	d := w.until("timeout", func() bool { return c.State() == StateClosed })
	if d < 924*Second || d > 926*Second {
		t.Errorf("gave up after %d ms; ip-sysctl.rst says 924.6 s for tcp_retries2 = 15", d/Millisecond)
	}
	wantRead(t, c, "", abi.ETIMEDOUT)
}

func TestUserTimeout(t *testing.T) {
	o := fast()
	o.UserTimeout = 20 * Second
	w, c, _, _ := pairUp(t, o)
	w.cut = true
	write(t, c, "lost")
	d := w.until("timeout", func() bool { return c.State() == StateClosed })
	if d < 20*Second || d > 40*Second {
		t.Errorf("gave up after %d ms, want soon after 20 s", d/Millisecond)
	}
}

func TestPartitionHeals(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	w.run(Second)
	w.cut = true
	for _, h := range w.hosts {
		h.stack.Disturbed()
	}
	for range 100 {
		write(t, c, "0123456789")
	}
	w.run(30 * Second)
	if s.Readable() {
		t.Fatal("data went through a cut link")
	}
	w.cut = false
	d := w.until("heal", func() bool { return s.Buffered() == 1000 })
	if d > 60*Second {
		t.Errorf("took %d s to heal", d/Second)
	}
	wantRead(t, s, strings.Repeat("0123456789", 100), abi.OK)
	w.run(200 * Second)
	if c.State() != StateEstablished || len(w.queue) != 0 {
		t.Errorf("state %d, %d events; want a silent, open connection", c.State(), len(w.queue))
	}
}

func TestKeepAliveFindsDeadPeer(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	w.run(7 * Second)
	w.hosts[1].off = true
	w.hosts[1].stack.PowerOff()
	w.hosts[0].stack.Disturbed()
	wantState(t, s, StateClosed)
	d := w.until("death", func() bool { return c.State() == StateClosed })
	if d < 135*Second || d > 165*Second {
		t.Errorf("noticed after %d s, want 15 s + 9 * 15 s since the last segment", d/Second)
	}
	wantRead(t, c, "", abi.ETIMEDOUT)
}

func TestKeepAliveIgnoresShortPartition(t *testing.T) {
	w, c, _, _ := pairUp(t, fast())
	w.run(7 * Second)
	w.cut = true
	w.hosts[0].stack.Disturbed()
	w.run(40 * Second)
	w.cut = false
	w.run(1000 * Second)
	wantState(t, c, StateEstablished)
	if len(w.queue) != 0 {
		t.Errorf("%d events are left after the link was mended", len(w.queue))
	}
}

func TestRestartedPeerAnswersReset(t *testing.T) {
	w, c, _, _ := pairUp(t, fast())
	w.run(Second)
	w.hosts[1].stack.PowerOff()
	w.hosts[0].stack.Disturbed()
	w.listen(1, 80, 10)
	write(t, c, "GET / HTTP/1.1\r\n\r\n")
	if d := w.until("reset", func() bool { return c.State() == StateClosed }); d != 2*w.delay {
		t.Errorf("took %d ns, want a round trip", d)
	}
	wantRead(t, c, "", abi.ECONNRESET)
	if n := w.connect(0, Addr{w.hosts[1].ip, 80}, fast()).Local.Port; n != 10001 {
		t.Errorf("next port is %d, want 10001", n)
	}
}

func TestBacklogOverflow(t *testing.T) {
	w := newWorld(t, 2)
	l := w.listen(1, 80, 1)
	to := Addr{w.hosts[1].ip, 80}
	var conns []*Conn
	for range 4 {
		conns = append(conns, w.connect(0, to, fast()))
		w.run(500 * Millisecond)
	}
	if l.Pending() != 2 {
		t.Fatalf("%d connections wait with backlog 1, want 2 as on Linux", l.Pending())
	}
	for range 4 {
		w.until("accept", func() bool { return l.Pending() > 0 })
		if _, errno := l.Accept(&program{}); errno != abi.OK {
			t.Fatal(errno)
		}
	}
	for i, c := range conns {
		if c.State() != StateEstablished {
			t.Errorf("connection %d is in state %d", i, c.State())
		}
	}
}

func TestListenerCloseResetsWaiting(t *testing.T) {
	w := newWorld(t, 2)
	l := w.listen(1, 80, 10)
	c := w.connect(0, Addr{w.hosts[1].ip, 80}, fast())
	w.run(Second)
	l.Close()
	w.run(Second)
	wantRead(t, c, "", abi.ECONNRESET)
	if n := w.hosts[1].stack.Conns(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	w.listen(1, 80, 10)
}

func TestBindConflicts(t *testing.T) {
	w := newWorld(t, 1)
	s := w.hosts[0].stack
	own := w.hosts[0].ip
	bind := func(ip IP, port uint16, reuse bool) abi.Errno {
		return s.Bind(&Binding{Addr: Addr{ip, port}, Reuse: reuse})
	}
	for _, x := range []struct {
		ip    IP
		port  uint16
		reuse bool
		want  abi.Errno
	}{
		{IP{}, 80, false, abi.OK},
		{own, 80, false, abi.EADDRINUSE},
		{own, 80, true, abi.EADDRINUSE},
		{own, 81, true, abi.OK},
		{IP{}, 81, true, abi.OK},
		{IP{}, 81, false, abi.EADDRINUSE},
		{own, 82, false, abi.OK},
		{V4(127, 0, 0, 1), 82, false, abi.OK},
		{V4(11, 9, 9, 9), 83, false, abi.EADDRNOTAVAIL},
	} {
		if got := bind(x.ip, x.port, x.reuse); got != x.want {
			t.Errorf("bind %v:%d reuse %v: errno %d, want %d", x.ip, x.port, x.reuse, got, x.want)
		}
	}
}

func TestSelfConnect(t *testing.T) {
	w := newWorld(t, 1)
	s := w.hosts[0].stack
	b := &Binding{Addr: Addr{V4(127, 0, 0, 1), 5000}, Reuse: true}
	if errno := s.Bind(b); errno != abi.OK {
		t.Fatal(errno)
	}
	c, errno := s.Connect(b, Addr{V4(127, 0, 0, 1), 5000}, fast(), &program{})
	if errno != abi.OK {
		t.Fatal(errno)
	}
	w.run(Second)
	wantState(t, c, StateEstablished)
	write(t, c, "echo")
	w.run(Second)
	wantRead(t, c, "echo", abi.OK)
}

func TestOrphanIsForgotten(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	c.Close()
	w.run(Second)
	wantState(t, s, StateCloseWait)
	w.run(61 * Second)
	if n := w.hosts[0].stack.Conns(); n != 0 {
		t.Errorf("%d connections are left of a closed socket after tcp_fin_timeout", n)
	}
}

func TestNagleWaitsForAck(t *testing.T) {
	o := fast()
	o.NoDelay = false
	w, c, s, _ := pairUp(t, o)
	w.run(Second)
	write(t, c, "a")
	write(t, c, "b")
	w.until("first", s.Readable)
	wantRead(t, s, "a", abi.OK)
	if d := w.until("second", s.Readable); d < delayedAck {
		t.Errorf("the second small segment came after %d ns, before the delayed ACK", d)
	}
	wantRead(t, s, "b", abi.OK)
}

func TestOrphanWithShutWindowGivesUp(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	for {
		if _, errno := c.Write(make([]byte, 60000)); errno == abi.EAGAIN {
			break
		}
		w.run(Second)
	}
	c.Close()
	w.run(1000 * Second)
	if n := w.hosts[0].stack.Conns(); n != 0 {
		t.Errorf("a closed socket whose peer never reads is still in state %d", c.State())
	}
	wantState(t, s, StateEstablished)
}

func TestWindowUpdateLostInPartition(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	for {
		if _, errno := c.Write(make([]byte, 60000)); errno == abi.EAGAIN {
			break
		}
		w.run(Second)
	}
	w.cut = true
	w.hosts[0].stack.Disturbed()
	w.hosts[1].stack.Disturbed()
	buf := make([]byte, 1<<20)
	s.Read(buf, false)
	w.run(20 * Second)
	if s.Readable() {
		t.Fatal("data went through a cut link")
	}
	w.cut = false
	if d := w.until("probe", s.Readable); d > 60*Second {
		t.Errorf("the stream went on %d s after the link was mended", d/Second)
	}
}

func TestShorterDelayReorders(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	w.run(Second)
	w.delay = Second
	write(t, c, "first ")
	w.delay = 10
	write(t, c, "second ")
	write(t, c, "third")
	if d := w.until("data", s.Readable); d < 200*Millisecond || d > Second {
		t.Errorf("first data after %d ns; the segments behind were early", d)
	}
	w.run(2 * Second)
	wantRead(t, s, "first second third", abi.OK)
}

func TestChallengesAreLimited(t *testing.T) {
	w, c, _, _ := pairUp(t, fast())
	w.run(Second)
	before := w.sent
	for range 100 {
		c.stack.Input(&Segment{Src: c.Remote, Dst: c.Local, Flags: ACK, Seq: c.rcvNxt - 1000, Ack: c.sndUna})
	}
	if n := w.sent - before; n != 1 {
		t.Errorf("%d answers to 100 segments out of the window, want 1 in half a second", n)
	}
}

// TestTimeWait: the end that closed first answers a FIN whose acknowledgement
// was lost, so that the other end does not see a reset.
func TestTimeWait(t *testing.T) {
	w, c, s, _ := pairUp(t, fast())
	c.Close()
	w.run(Second)
	wantRead(t, s, "", abi.OK)
	lost := 0
	w.lose = func(seg *Segment) bool {
		// The first acknowledgement of the server's FIN.
		if seg.Src == c.Local && seg.Flags == ACK && lost == 0 {
			lost++
			return true
		}
		return false
	}
	if errno := s.Shutdown(false, true); errno != abi.OK {
		t.Fatal(errno)
	}
	w.run(10 * Second)
	if errno := s.TakeError(); errno != abi.OK || lost != 1 {
		t.Errorf("the end that closed second has errno %d; %d segments lost", errno, lost)
	}
	wantState(t, s, StateClosed)
	stack := w.hosts[0].stack
	if errno := stack.Bind(&Binding{Addr: c.Local}); errno != abi.EADDRINUSE {
		t.Errorf("bind in TIME-WAIT: errno %d", errno)
	}
	again := &Binding{Addr: Addr{c.Local.IP, 0}}
	if errno := stack.Bind(again); errno != abi.OK || again.Addr.Port == c.Local.Port {
		t.Errorf("an ephemeral port in TIME-WAIT was given out: %v, errno %d", again.Addr, errno)
	}
	w.run(61 * Second)
	if errno := stack.Bind(&Binding{Addr: c.Local}); errno != abi.OK {
		t.Errorf("bind after TIME-WAIT: errno %d", errno)
	}
	if len(stack.waits) != 0 || len(stack.waitOrder) != 0 {
		t.Errorf("%d connections still wait", len(stack.waits))
	}
}
