package sync

import _ "unsafe" // for go:linkname

// restepPoints counts down to the next preemption; see package runtime.
//
//go:linkname restepPoints runtime.restepPoints
var restepPoints int32

//go:linkname restepPreempt runtime.restepPreempt
func restepPreempt()
