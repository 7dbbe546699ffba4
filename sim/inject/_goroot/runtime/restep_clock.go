package runtime

import _ "unsafe" // for go:linkname

// Clocks of machines. A machine's monotonic clock may run faster or slower than
// simulated time, its wall clock is the monotonic one with an offset.

// restepMachineClock turns simulated time into what a machine's clocks show.
// The zero value shows simulated time itself.
type restepMachineClock struct {
	wall int64 // wall clock minus monotonic clock, ns
	off  int64 // monotonic clock minus simulated time at since
	// since is when the rate was last set, ppm how many parts in a million the
	// clock is faster than simulated time.
	since, ppm int64
}

//go:nosplit
func (c *restepMachineClock) mono(now int64) int64 {
	if c.ppm == 0 {
		return now + c.off
	}
	return now + c.off + restepScale(now-c.since, c.ppm, 1e6)
}

// restepScale is d*num/den without overflow for |num| < 1e9.
//
//go:nosplit
func restepScale(d, num, den int64) int64 { return d/den*num + d%den*num/den }

// span is how much simulated time passes while the machine's clock goes on by
// d ns.
func (c *restepMachineClock) span(d int64) int64 {
	if c.ppm == 0 || d <= 0 {
		return d
	}
	return restepScale(d, 1e6, 1e6+c.ppm)
}

// restepSpan is a length of time that a program named, as simulated time.
func restepSpan(d int64) int64 {
	gp := getg()
	if !restep.on || gp.bubble != nil {
		return d
	}
	return restep.machine[gp.restepMachine].clock.span(d)
}

// restepWhen is a time on the monotonic clock of the caller's machine as
// simulated time, rounded up so that no timer is early.
func restepWhen(when int64) int64 {
	gp := getg()
	if !restep.on || gp.bubble != nil || when == maxWhen {
		return when
	}
	c := &restep.machine[gp.restepMachine].clock
	if c.ppm == 0 {
		return when - c.off
	}
	d := when - c.off - c.since
	t := c.since + restepScale(d, 1e6, 1e6+c.ppm)
	for c.mono(t) < when {
		t++
	}
	return t
}

// restepKeepRate leaves the rate of a clock alone.
const restepKeepRate = -1 << 63

// restepSimClock changes machine id's clocks: the wall clock by step ns, the
// rate of both to ppm.
//
//go:linkname restepSimClock
func restepSimClock(id uint32, step, ppm int64) (wall, off, since, rate int64) {
	c := &restep.machine[id].clock
	if ppm != c.ppm && ppm != restepKeepRate {
		c.off = c.mono(restep.now) - restep.now
		c.since, c.ppm = restep.now, ppm
	}
	c.wall += step
	restepEachChild(id, func(child uint32) { restep.machine[child].clock = *c })
	return c.wall, c.off, c.since, c.ppm
}

// restepSimTime is what machine id's wall and monotonic clock show.
//
//go:linkname restepSimTime
func restepSimTime(id uint32) (wall, mono int64) {
	c := &restep.machine[id].clock
	mono = c.mono(restep.now)
	return mono + c.wall, mono
}
