package replay

import "context"

// Target is a program that can be run to a step. It runs the same binary, test
// and seed as the recorded run. All methods but Close are called while it is
// stopped, by one goroutine at a time.
type Target interface {
	// Rewind goes back before step 1. Breakpoints are kept.
	Rewind(ctx context.Context) error
	// RunTo goes on until step n has just been made and stops there, on the
	// goroutine that made it if there is one; breakpoints do not stop it. It
	// returns without an error when the program ends first.
	RunTo(ctx context.Context, n uint64) error
	// Checkpoints returns the places from which the target can go on without
	// starting again; none for a program that has ended.
	Checkpoints() (Checkpoints, error)
	// Restore goes to the checkpoint at step from, which lies anywhere, and on
	// to step n as RunTo does; n is not before from. When the checkpoint turns
	// out to be gone, the program has ended, with StatusLost.
	Restore(ctx context.Context, from, n uint64) error
	// State says where the target is.
	State() (State, error)
	// Repeat makes the run once more from its start, on the side, and returns
	// its step log. The target does not move.
	Repeat(ctx context.Context) ([]byte, error)
	// Close ends the program and everything that was started for it.
	Close() error
}

// StatusLost is the exit code of a program that could not go back.
const StatusLost = 126

// State is where a target is.
type State struct {
	Step    uint64 // the last step made, 0 before the first
	Sum     uint32 // low half of the rolling checksum after that step
	AtStep  bool   // nothing has happened since that step
	Exited  bool   // the program has ended; Status is its exit code
	Changed bool   // the user has changed it: what it does now is not the recorded run
	Status  int
	Machine uint32 // whose variables are in place
	// Goroutine is the id of the goroutine that is stopped, 0 when the
	// scheduler or the network made the step.
	Goroutine int64
}
