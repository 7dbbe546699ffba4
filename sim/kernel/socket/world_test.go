package socket

import (
	"container/heap"
	"fmt"
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// world carries segments between the stacks of a test, with a clock that only
// moves when the test says so.
type world struct {
	t      *testing.T
	now    Time
	seq    int
	queue  events
	hosts  []*host
	conns  uint64
	random uint64
	delay  Time
	cut    bool
	// lose is asked for every segment; true drops it.
	lose func(s *Segment) bool
	// jitter is added to the delay of each segment, if set.
	jitter func() Time
	sent   int // segments handed over
	log    []string
}

type event struct {
	at  Time
	seq int
	fn  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// host is one machine: it is the Env of its stack.
type host struct {
	*world
	ip    IP
	off   bool
	flaky bool // never healthy
	stack *Stack
}

// program is the owner of a connection or listener: it remembers readiness.
type program struct{ ready Ready }

func (p *program) Notify(r Ready) { p.ready |= r }

func newWorld(t *testing.T, n int) *world {
	w := &world{t: t, now: 1000 * Second, delay: 5000}
	for i := range n {
		h := &host{world: w, ip: V4(11, 0, 0, byte(i+1))}
		h.stack = NewStack(h)
		w.hosts = append(w.hosts, h)
	}
	return w
}

func (w *world) at(when Time, fn func()) {
	w.seq++
	heap.Push(&w.queue, event{when, w.seq, fn})
}

// run lets time pass up to a moment from now, event by event.
func (w *world) run(d Time) {
	end := w.now + d
	for n := 0; len(w.queue) > 0 && w.queue[0].at <= end; n++ {
		if n == 1_000_000 {
			w.t.Fatalf("a million events in %d ns: a storm", d)
		}
		e := heap.Pop(&w.queue).(event)
		w.now = max(w.now, e.at)
		e.fn()
	}
	w.now = end
}

// until runs events until cond holds, and fails the test if none is left or a
// simulated day went by. It tells how long it took.
func (w *world) until(what string, cond func() bool) Time {
	w.t.Helper()
	start := w.now
	for !cond() {
		if len(w.queue) == 0 {
			w.t.Fatalf("nothing more happens, but not: %s\n%s", what, strings.Join(w.log, "\n"))
		}
		e := heap.Pop(&w.queue).(event)
		w.now = max(w.now, e.at)
		if w.now-start > 86400*Second {
			w.t.Fatalf("a day went by, but not: %s", what)
		}
		e.fn()
	}
	return w.now - start
}

func (h *host) Now() Time               { return h.now }
func (h *host) At(when Time, fn func()) { h.at(when, fn) }
func (h *host) Random() uint64 {
	h.random = h.random*6364136223846793005 + 1442695040888963407
	return h.random >> 16
}

func (h *host) byIP(ip IP) *host {
	if h.Local(ip) {
		return h
	}
	for _, x := range h.hosts {
		if x.ip == ip {
			return x
		}
	}
	return nil
}

func (h *host) Output(s *Segment) {
	h.sent++
	to := h.byIP(s.Dst.IP)
	if to == nil || h.cut || h.lose != nil && h.lose(s) {
		return
	}
	seg := *s
	delay := h.delay
	if h.jitter != nil {
		delay += h.jitter()
	}
	h.at(h.now+delay, func() {
		if !to.off && !h.cut {
			to.stack.Input(&seg)
		}
	})
}

func (h *host) RTT(_, _ IP) Time { return 2 * h.delay }
func (h *host) Healthy(c *Conn) bool {
	to := h.byIP(c.Remote.IP)
	if to == nil || to.off || h.cut || h.flaky {
		return false
	}
	peer := to.stack.Find(c.Remote, c.Local)
	return peer != nil && peer.ID == c.ID
}
func (h *host) Local(ip IP) bool { return ip == h.ip || ip.Loopback() }
func (h *host) Route(remote IP) (IP, abi.Errno) {
	if remote.Loopback() {
		return V4(127, 0, 0, 1), abi.OK
	}
	return h.ip, abi.OK
}
func (h *host) NextConn() uint64 { h.conns++; return h.conns }
func (h *host) Happened(c *Conn, what What, errno abi.Errno) {
	h.log = append(h.log, fmt.Sprintf("%d %s conn %d what %d errno %d", h.now-1000*Second, c.LocalText, c.ID, what, errno))
}

// pairUp opens a connection from host 0 to a listener on host 1.
func pairUp(t *testing.T, opts Options) (w *world, client, server *Conn, l *Listener) {
	t.Helper()
	w = newWorld(t, 2)
	l = w.listen(1, 80, 128)
	client = w.connect(0, Addr{w.hosts[1].ip, 80}, opts)
	w.until("accept", func() bool { return l.Pending() == 1 })
	server, _ = l.Accept(&program{})
	return w, client, server, l
}

func (w *world) listen(host int, port uint16, backlog int) *Listener {
	w.t.Helper()
	s := w.hosts[host].stack
	b := &Binding{Addr: Addr{Port: port}, Reuse: true}
	if errno := s.Bind(b); errno != abi.OK {
		w.t.Fatalf("bind: errno %d", errno)
	}
	l, errno := s.Listen(b, backlog, fast(), &program{})
	if errno != abi.OK {
		w.t.Fatalf("listen: errno %d", errno)
	}
	return l
}

func (w *world) connect(host int, to Addr, opts Options) *Conn {
	w.t.Helper()
	c, errno := w.hosts[host].stack.Connect(nil, to, opts, &program{})
	if errno != abi.OK {
		w.t.Fatalf("connect: errno %d", errno)
	}
	return c
}

// fast is what Go programs set.
func fast() Options {
	o := DefaultOptions()
	o.NoDelay, o.KeepAlive = true, true
	o.KeepIdle, o.KeepInterval = 15*Second, 15*Second
	return o
}

func write(t *testing.T, c *Conn, p string) {
	t.Helper()
	n, errno := c.Write([]byte(p))
	if n != len(p) || errno != abi.OK {
		t.Fatalf("write of %d bytes took %d, errno %d", len(p), n, errno)
	}
}

// wantRead reads once and compares.
func wantRead(t *testing.T, c *Conn, want string, wantErrno abi.Errno) {
	t.Helper()
	buf := make([]byte, 1<<20)
	n, errno := c.Read(buf, false)
	if string(buf[:n]) != want || errno != wantErrno {
		t.Fatalf("read %q, errno %d, want %q, errno %d", buf[:n], errno, want, wantErrno)
	}
}

func wantState(t *testing.T, c *Conn, want State) {
	t.Helper()
	if c.State() != want {
		t.Fatalf("state is %d, want %d", c.State(), want)
	}
}
