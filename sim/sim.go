package sim

import (
	"runtime"
	"time"
)

// IsSim reports whether the program runs in the simulation.
func IsSim() bool { return isSim() }

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
