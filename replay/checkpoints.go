package replay

import (
	"sort"
	"time"
)

// Checkpoint is a place to which a target can go without starting again.
type Checkpoint struct {
	Step uint64
	// At is how much CPU time the program takes from its start to there.
	At time.Duration
}

// Checkpoints are those of a target.
type Checkpoints struct {
	List []Checkpoint  // by step, ascending
	Back time.Duration // CPU time that going to one took last, 0 when none was used
}

// Before returns the last checkpoint at or before step n; ok is false when
// there is none.
func (c Checkpoints) Before(n uint64) (p Checkpoint, ok bool) {
	i := c.after(n)
	if i == 0 {
		return Checkpoint{}, false
	}
	return c.List[i-1], true
}

// after is the index of the first checkpoint behind step n.
func (c Checkpoints) after(n uint64) int {
	return sort.Search(len(c.List), func(i int) bool { return c.List[i].Step > n })
}

// Time estimates how much CPU time the program takes from its start to step n:
// all steps between two checkpoints take the same.
func (c Checkpoints) Time(n uint64) time.Duration {
	var from, to Checkpoint
	switch i := c.after(n); {
	case i < len(c.List):
		to = c.List[i]
		if i > 0 {
			from = c.List[i-1]
		}
	case i > 0:
		to = c.List[i-1] // and on at its pace
	default:
		return 0
	}
	if to.Step == from.Step {
		return to.At
	}
	return from.At + time.Duration(float64(to.At-from.At)*float64(n-from.Step)/float64(to.Step-from.Step))
}

// Cost estimates the CPU time from step a to a later step b.
func (c Checkpoints) Cost(a, b uint64) time.Duration { return c.Time(b) - c.Time(a) }
