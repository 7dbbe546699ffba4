package steplog

import "strconv"

// Error is damage or misuse found in a log: what, where, and what to do next.
type Error struct {
	Step   uint64 // number of the step, 0 = not about one step
	Offset int64  // byte offset in the log, -1 = not about one place
	What   string // what is wrong
	Advice string // what to do next, may be empty
}

// Error returns one line without a full stop.
func (e *Error) Error() string {
	text := "steplog: "
	if e.Step > 0 {
		text += "step " + strconv.FormatUint(e.Step, 10) + ": "
	}
	text += e.What
	if e.Offset >= 0 {
		text += " (at offset " + strconv.FormatInt(e.Offset, 10) + ")"
	}
	if e.Advice != "" {
		text += "; " + e.Advice
	}
	return text
}

const adviceAgain = "record the run again"

func u64text(v uint64) string { return strconv.FormatUint(v, 10) }
