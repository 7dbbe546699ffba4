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

// TestCheckpointsStay runs through a hundred thousand steps once. The
// checkpoints of that run are all that jumps need later.
func TestCheckpointsStay(t *testing.T) {
	p, target, engine := openCase(t, "testdata/big/big_test.go", "TestSome")
	last := p.Log.Steps()
	if err := engine.Jump(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	before := forks(t, target)
	points, err := target.Checkpoints()
	if err != nil {
		t.Fatal(err)
	}
	list := points.List
	if len(list) < 5 || len(list) > controlPlaces || list[0].Step != 1 {
		t.Fatalf("%d checkpoints, the first is at %v", len(list), list[0])
	}
	length := points.Time(last)
	for i, p := range list {
		end := length
		if i+1 < len(list) {
			end = list[i+1].At
		}
		if end-p.At > length/2 {
			t.Errorf("from %v of %v there is no other checkpoint until %v", p.At, length, end)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 30 {
		if err := engine.Jump(t.Context(), 1+r.Uint64N(last)); err != nil {
			t.Fatal(err)
		}
	}
	if made := forks(t, target) - before; made > 5 {
		t.Errorf("30 jumps made %d checkpoints beside the %d that were there", made, len(list))
	}
	t.Log(list)
}
