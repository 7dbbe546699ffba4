package processes

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestClockStandsStill checks that time at a breakpoint does not count.
func TestClockStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := make(chan func(), 16)
		c := newClock(func(f func()) { loop <- f })
		var fired []string
		begin := time.Now()
		note := func(name string) func() {
			return func() { fired = append(fired, name+" "+time.Since(begin).String()) }
		}
		pass := func(d time.Duration) {
			for end := time.After(d); ; {
				select {
				case f := <-loop:
					f()
				case <-end:
					return
				}
			}
		}
		c.after(2*time.Second, note("two"))
		c.after(10*time.Second, note("ten"))
		cancelled := c.after(11*time.Second, note("eleven"))
		pass(time.Second)
		c.stop()
		c.stop()
		c.after(time.Second, note("set while it stands"))
		pass(time.Hour)
		c.start()
		c.start()
		pass(time.Minute / 12)
		c.cancel(cancelled)
		c.cancel(nil)
		c.stop()
		pass(time.Hour)
		c.start()
		pass(time.Hour)
		want := []string{"two 1h0m2s", "set while it stands 1h0m2s", "ten 2h0m10s"}
		for i, w := range want {
			found := false
			for _, f := range fired {
				found = found || f == w
			}
			if !found || len(fired) != len(want) {
				t.Fatalf("fired %q, want %q (%d)", fired, want, i)
			}
		}
	})
}
