package sched

import "testing"

// A policy comes back from its variant, and no bits have two meanings.
func TestPolicyBits(t *testing.T) {
	valid := 0
	for v := range uint64(PolicyBits + 1) {
		p, ok := PolicyOf(v)
		if !ok {
			continue
		}
		valid++
		if p.Variant() != v {
			t.Fatalf("variant %#x is policy %+v, whose variant is %#x", v, p, p.Variant())
		}
	}
	if want := 4 * (1 + MaxDepth*(1+MaxLength-MinLength+1)); valid != want {
		t.Errorf("%d policies, want %d", valid, want)
	}
	if p, ok := PolicyOf(0xabcd_0000); !ok || p != (Policy{}) {
		t.Error("the hash of overrides reaches the policy", p, ok)
	}
}

// world runs goroutines that only count: each does its number of points.
type world struct {
	t     *testing.T
	src   Source
	s     Strategy
	queue []Runnable
	left  map[uintptr]int
	trace []uintptr // who went through each point
}

func newWorld(t *testing.T, seed uint64, p Policy, points ...int) *world {
	w := &world{t: t, s: new(Strategies).Use(p), left: map[uintptr]int{}}
	w.src.Init(seed)
	w.s.Start(&w.src, p.Preempt)
	for i, n := range points {
		g := uintptr(i + 1)
		w.left[g] = n
		w.queue = append(w.queue, Runnable{g, w.s.Born(&w.src)})
	}
	return w
}

func (w *world) run() {
	_, gap := w.s.Turn(&w.src, 0, 0, 0)
	passed := uint32(0)
	for len(w.queue) > 0 {
		i := w.s.Pick(&w.src, w.queue)
		r := w.queue[i]
		w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
		for w.left[r.G] > 0 {
			w.left[r.G]--
			w.trace = append(w.trace, r.G)
			if passed++; passed == gap {
				r.Word, gap = w.s.Turn(&w.src, r.Word, passed, uint32(len(w.queue)))
				if passed = 0; gap == 0 {
					w.t.Fatal("a gap of 0")
				}
				w.queue = append(w.queue, r)
				break
			}
		}
	}
}

// switches counts how often another goroutine went on.
func (w *world) switches() (n int) {
	for i := 1; i < len(w.trace); i++ {
		if w.trace[i] != w.trace[i-1] {
			n++
		}
	}
	return n
}

// PCT switches at most at its change points and where a goroutine ends; its
// change points are spread over the whole length.
func TestPCTSwitches(t *testing.T) {
	first := map[int]int{} // where the first switch is, in sixteenths
	for seed := range uint64(2000) {
		w := newWorld(t, seed, Policy{Strategy: KindPCT, Depth: 4, Length: 10}, 512, 512)
		w.run()
		if len(w.trace) != 1024 {
			t.Fatal(len(w.trace), "points")
		}
		if n := w.switches(); n > 3+1 {
			t.Errorf("seed %d: %d switches with 3 change points and 2 goroutines", seed, n)
		}
		for i := 1; i < len(w.trace); i++ {
			if w.trace[i] != w.trace[i-1] {
				first[i*16/1024]++
				break
			}
		}
	}
	for i := range 8 {
		if first[i] < 50 {
			t.Errorf("only %d of 2000 runs switch first in sixteenth %d", first[i], i)
		}
	}
}

// With a depth of 1 nothing is interrupted, and each order is as likely.
func TestPCTDepthOne(t *testing.T) {
	orders := map[[3]uintptr]int{}
	for seed := range uint64(6000) {
		w := newWorld(t, seed, Policy{Strategy: KindPCT, Depth: 1}, 10, 10, 10)
		w.run()
		if n := w.switches(); n != 2 {
			t.Fatalf("seed %d: %d switches", seed, n)
		}
		orders[[3]uintptr{w.trace[0], w.trace[10], w.trace[20]}]++
	}
	for o, n := range orders {
		if n < 850 || n > 1150 {
			t.Errorf("order %v %d times of 6000", o, n)
		}
	}
	if len(orders) != 6 {
		t.Error(len(orders), "orders")
	}
}

// A goroutine that goes on and on gives way to others at last, and one that
// gives way by itself falls below all.
func TestPCTPatience(t *testing.T) {
	w := newWorld(t, 1, Policy{Strategy: KindPCT, Depth: 1}, 100_000, 100_000)
	w.run()
	if n := w.switches(); n < 5 || n > 14 {
		t.Errorf("%d switches in 200,000 points", n)
	}
	a := w.s.Gosched(pctBorn)
	b := w.s.Gosched(pctBorn)
	if !(b < a && a < pctChange) {
		t.Errorf("priorities %x, then %x", a, b)
	}
	if w.s.NeverUrgent() || !w.s.Urgent(a, b) || w.s.Urgent(b, a) {
		t.Error("urgency is not by priority")
	}
}

// The random strategy lets every goroutine run at every time.
func TestRandomMixes(t *testing.T) {
	for level := Points; level <= Memory; level++ {
		means := map[int]bool{}
		for seed := range uint64(50) {
			w := newWorld(t, seed, Policy{Preempt: level}, 3000, 3000)
			w.run()
			n := w.switches()
			if n < 1 || n > 3000 {
				t.Errorf("level %d, seed %d: %d switches", level, seed, n)
			}
			means[n/100] = true
		}
		if len(means) < 4 {
			t.Errorf("level %d: all seeds switch about as often: %v", level, means)
		}
	}
}

// The same seed gives the same schedule.
func TestStrategiesRepeat(t *testing.T) {
	for _, p := range []Policy{{}, {Strategy: KindPCT, Depth: 3}} {
		for seed := range uint64(20) {
			a, b := newWorld(t, seed, p, 500, 400, 300), newWorld(t, seed, p, 500, 400, 300)
			a.run()
			b.run()
			for i := range a.trace {
				if a.trace[i] != b.trace[i] {
					t.Fatalf("%+v, seed %d: point %d", p, seed, i)
				}
			}
		}
	}
}
