package sim

import (
	"strconv"
	"time"
)

// The clocks of a machine are simulated time until a test changes them. The
// wall clock is the monotonic one with an offset; both may drift.

// Now is what the machine's wall clock shows.
func (m Machine) Now() time.Time {
	m.check("Now")
	wall, _ := simTime(m.id)
	return time.Unix(0, wall)
}

// SetClock sets the machine's wall clock, as date(1) does. Its monotonic clock
// and timers do not notice.
func (m Machine) SetClock(t time.Time) {
	m.check("SetClock")
	wall, _ := simTime(m.id)
	m.changeClock(t.UnixNano()-wall, keepRate)
}

// StepClock moves the machine's wall clock by d, forwards or back, as a time
// daemon does that gives up slewing. Its monotonic clock and timers do not
// notice.
func (m Machine) StepClock(d time.Duration) {
	m.check("StepClock")
	m.changeClock(int64(d), keepRate)
}

// maxDrift is how many parts in a million a clock may be off at most.
const maxDrift = 900_000

// SetClockDrift lets the machine's clocks, wall and monotonic, run faster than
// simulated time by ppm parts in a million, or slower when that is negative;
// 100 is a bad quartz. Timers follow the drift from when they are next set.
// Both clocks go on from what they show.
func (m Machine) SetClockDrift(ppm int) {
	m.check("SetClockDrift")
	if ppm < -maxDrift || ppm > maxDrift {
		panic("sim.Machine.SetClockDrift: " + strconv.Itoa(ppm) + " is not between -900000 and 900000")
	}
	m.changeClock(0, int64(ppm))
}

// keepRate asks simClock to leave the rate alone.
const keepRate = -1 << 63

func (m Machine) changeClock(step, ppm int64) {
	wall, off, since, rate := simClock(m.id, step, ppm)
	text := ""
	for i, v := range [...]int64{wall, off, since, rate} {
		if i > 0 {
			text += " "
		}
		text += strconv.FormatInt(v, 10)
	}
	simOp(opClock, m.id, text, "", 0)
}
