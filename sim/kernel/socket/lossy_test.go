package socket

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// lossy is one stream in each direction over a network that loses, delays and
// reorders, with writes, reads and buffers of random sizes.
type lossy struct {
	t    *testing.T
	rnd  *rand.Rand
	w    *world
	from *Conn
	to   *Conn
	data []byte
	sent int
	got  []byte
	shut bool
	end  bool
}

// step writes and reads a little; it reports whether anything is left to do.
func (x *lossy) step() bool {
	if x.sent < len(x.data) {
		n, errno := x.from.Write(x.data[x.sent:min(len(x.data), x.sent+1+x.rnd.IntN(100_000))])
		if errno != abi.OK && errno != abi.EAGAIN {
			x.t.Fatalf("write at %d: errno %d", x.sent, errno)
		}
		x.sent += n
	} else if !x.shut {
		x.shut = true
		if errno := x.from.Shutdown(false, true); errno != abi.OK {
			x.t.Fatalf("shutdown: errno %d", errno)
		}
	}
	if x.end {
		return false
	}
	buf := make([]byte, 1+x.rnd.IntN(80_000))
	n, errno := x.to.Read(buf, false)
	switch {
	case errno == abi.EAGAIN:
	case errno != abi.OK:
		x.t.Fatalf("read at %d: errno %d", len(x.got), errno)
	case n == 0:
		x.end = true
	}
	x.got = append(x.got, buf[:n]...)
	return true
}

func (x *lossy) check() {
	x.t.Helper()
	if !bytes.Equal(x.got, x.data) {
		x.t.Fatalf("received %d bytes, sent %d; they differ", len(x.got), len(x.data))
	}
}

func TestLossyNetworkKeepsStreams(t *testing.T) {
	for seed := range uint64(300) {
		runLossy(t, seed)
	}
}

func runLossy(t *testing.T, seed uint64) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	rnd := rand.New(rand.NewPCG(seed, 1))
	o := fast()
	o.NoDelay = rnd.IntN(2) == 0
	o.SendBuffer = 5000 + rnd.IntN(300_000)
	o.ReceiveMax = 3000 + rnd.IntN(300_000)
	w, c, s, _ := pairUp(t, o)
	loss := rnd.IntN(30)
	w.lose = func(*Segment) bool { return rnd.IntN(100) < loss }
	if rnd.IntN(2) == 0 {
		w.jitter = func() Time { return Time(rnd.IntN(3000)) * 1000 }
	}
	// The path is never healthy in the sense of Env: probes must be made.
	for _, h := range w.hosts {
		h.flaky = true
	}
	random := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(rnd.Uint32())
		}
		return p
	}
	there := &lossy{t: t, rnd: rnd, w: w, from: c, to: s, data: random(rnd.IntN(600_000))}
	back := &lossy{t: t, rnd: rnd, w: w, from: s, to: c, data: random(rnd.IntN(600_000))}
	for busy := true; busy; {
		a, b := there.step(), back.step()
		busy = a || b
		w.run(Time(rnd.IntN(200)) * Millisecond)
		if w.now > 1_000_000*Second {
			t.Fatalf("seed %d: no progress: %d of %d and %d of %d bytes", seed,
				len(there.got), len(there.data), len(back.got), len(back.data))
		}
	}
	there.check()
	back.check()
	c.Close()
	s.Close()
	w.run(5000 * Second)
	for i, h := range w.hosts {
		if n := h.stack.Conns(); n != 0 {
			t.Fatalf("seed %d: %d connections are left on host %d, states %d and %d", seed, n, i, c.State(), s.State())
		}
	}
}
