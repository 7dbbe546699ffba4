package testing

import (
	"strings"
	_ "unsafe" // for go:linkname
)

//go:linkname restepSimOn runtime.restepSimOn
func restepSimOn() bool

//go:linkname restepTestLog runtime.restepTestLog
func restepTestLog(text string)

// restepLog makes a step of what T.Log and its kin print. Under simulation
// the step is the only place the line goes to.
func restepLog(s string) bool {
	if !restepSimOn() {
		return false
	}
	restepTestLog(strings.TrimSuffix(s, "\n"))
	return true
}
