package testing

import (
	"strings"
	_ "unsafe" // for go:linkname
)

//go:linkname restepSimOn runtime.restepSimOn
func restepSimOn() bool

//go:linkname restepTestLog runtime.restepTestLog
func restepTestLog(text string)

//go:linkname restepSimChild runtime.restepSimChild
func restepSimChild() bool

// restepLog makes a step of what T.Log and its kin print. Under simulation
// the step is the only place the line goes to, but in child processes.
func restepLog(s string) bool {
	if !restepSimOn() || restepSimChild() {
		return false // a child process prints
	}
	restepTestLog(strings.TrimSuffix(s, "\n"))
	return true
}

// restepUnit names simulated time as such in the result of a benchmark.
func restepUnit(unit string) string {
	if restepSimOn() {
		return "sim-" + unit
	}
	return unit
}

// restepCPU keeps the host's processor out of what a benchmark prints.
func restepCPU(name func() string) string {
	if restepSimOn() {
		return "simulated"
	}
	return name()
}
