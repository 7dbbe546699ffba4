package processes

import "time"

// clock measures time-outs. It stands still while the processes are stopped in
// the debugger: nobody shall lose a process because he thinks. It belongs to
// the session's loop; post brings a function there.
type clock struct {
	post   func(func())
	still  bool
	timers map[*timer]bool // those that are not over
}

type timer struct {
	f       func()
	left    time.Duration // when it was armed last, or what is left while the clock stands still
	armed   time.Time
	running *time.Timer // nil while the clock stands still
}

func newClock(post func(func())) *clock { return &clock{post: post, timers: map[*timer]bool{}} }

// after calls f, in the loop, when the clock has run for d, unless the timer is
// cancelled before.
func (c *clock) after(d time.Duration, f func()) *timer {
	t := &timer{f: f, left: d}
	c.timers[t] = true
	if !c.still {
		c.arm(t)
	}
	return t
}

func (c *clock) arm(t *timer) {
	t.armed = time.Now()
	t.running = time.AfterFunc(t.left, func() {
		c.post(func() {
			if c.timers[t] && t.running != nil {
				delete(c.timers, t)
				t.f()
			}
		})
	})
}

// cancel takes a timer out; nil is none.
func (c *clock) cancel(t *timer) {
	if t == nil {
		return
	}
	delete(c.timers, t)
	if t.running != nil {
		t.running.Stop()
	}
}

// stop lets the clock stand still.
func (c *clock) stop() {
	if c.still {
		return
	}
	c.still = true
	for t := range c.timers {
		t.running.Stop()
		t.running = nil
		t.left = max(t.left-time.Since(t.armed), time.Nanosecond)
	}
}

// start lets it go on.
func (c *clock) start() {
	if !c.still {
		return
	}
	c.still = false
	for t := range c.timers {
		c.arm(t)
	}
}
