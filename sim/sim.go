package sim

import (
	"errors"
	"runtime"
	"time"
)

// IsSim reports whether the program runs in the simulation.
func IsSim() bool { return isSim() }

// SetDelay sets the one-way delay of the network between two machines, in both
// directions. a and b are labels or addresses.
func SetDelay(a, b string, d time.Duration) error {
	need("SetDelay")
	if d < 0 {
		return errors.New("sim.SetDelay: the delay " + d.String() + " is negative")
	}
	return linkError("SetDelay", simLink(0, a, b, int64(d)))
}

// SetConnected cuts the network between two machines, in both directions, or
// heals it. While it is cut, packets vanish without a trace.
func SetConnected(a, b string, connected bool) error {
	need("SetConnected")
	v := int64(0)
	if connected {
		v = 1
	}
	return linkError("SetConnected", simLink(1, a, b, v))
}

func linkError(function, text string) error {
	if text == "" {
		return nil
	}
	return errors.New("sim." + function + ": " + text)
}

// Yield lets another goroutine run, of any machine.
func Yield() { runtime.Gosched() }

// SetSimulationTimeout sets how much simulated time the test may take from now
// on before it fails; 0 is no limit. The limit at the start is ten minutes.
func SetSimulationTimeout(d time.Duration) {
	need("SetSimulationTimeout")
	simTimeout(int64(d))
}

// Mark makes a step with the given text: a place to jump to.
func Mark(text string) {
	need("Mark")
	simMark(text)
}

// need stops a program that calls the simulation outside of it.
func need(function string) {
	if !isSim() {
		panic("sim." + function + " works in the simulation only; run the test with: restep test")
	}
}
