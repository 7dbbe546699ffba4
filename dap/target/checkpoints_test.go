package target

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/replay"
)

// noRewind is a target that must not start again.
type noRewind struct {
	*Target
	t *testing.T
}

func (n noRewind) Rewind(ctx context.Context) error {
	n.t.Error("the program was started again")
	return n.Target.Rewind(ctx)
}

// TestWalkInPlace goes to and fro among the steps of the machines case, within
// one process.
func TestWalkInPlace(t *testing.T) {
	p, target, engine := openMachines(t)
	if err := engine.Jump(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	engine = replay.NewEngine(p.Log, noRewind{target, t})
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		n := 1 + r.Uint64N(p.Log.Steps())
		if err := engine.Jump(t.Context(), n); err != nil {
			t.Fatalf("to step %d: %v", n, err)
		}
		s, err := p.Log.Step(n)
		if err != nil {
			t.Fatal(err)
		}
		state, err := target.State()
		if err != nil {
			t.Fatal(err)
		}
		if state.Step != n || !state.AtStep || uint32(state.Goroutine) != s.Goroutine {
			t.Fatalf("step %d (%v of goroutine %d): stopped at %+v", n, s.Kind, s.Goroutine, state)
		}
	}
	points, err := target.Checkpoints()
	t.Log(points, err)
}
