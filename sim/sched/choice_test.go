package sched

import "testing"

// A choice is a function of seed, stream and index: drawing from one stream
// never shifts another, and a seed gives the same values again.
func TestStreamsAreIndependent(t *testing.T) {
	var alone, mixed Source
	alone.Init(7)
	mixed.Init(7)
	for i := range 1000 {
		for other := range Streams {
			if other != Latency {
				mixed.Next(other)
			}
		}
		if a, m := alone.Next(Latency), mixed.Next(Latency); a != m {
			t.Fatalf("value %d of a stream is %x alone and %x beside others", i, a, m)
		}
	}
	if alone.Drawn(Latency) != 1000 || alone.Drawn(Faults) != 0 {
		t.Error("drawn", alone.Drawn(Latency), alone.Drawn(Faults))
	}
}

// Streams and seeds differ from one another from the first value on.
func TestSeedsAndStreamsDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(1000) {
		var s Source
		s.Init(seed)
		for st := range Streams {
			v := s.Next(st)
			if seen[v] {
				t.Fatalf("seed %d, stream %d repeats a value", seed, st)
			}
			seen[v] = true
		}
	}
}

func TestBelowIsEven(t *testing.T) {
	var s Source
	s.Init(1)
	var hits [10]int
	for range 100_000 {
		hits[s.Below(Schedule, 10)]++
	}
	for i, n := range hits {
		if n < 9_500 || n > 10_500 {
			t.Errorf("%d was drawn %d times of 100,000", i, n)
		}
	}
}

// The values are part of what a seed means: they may not change.
func TestValuesAreFixed(t *testing.T) {
	var s Source
	s.Init(1)
	if a, b := s.Next(Schedule), s.Next(Program); a != 0xc7ba33b30576ab0 || b != 0x27df16a1536dbc86 {
		t.Errorf("the first values of seed 1 are %#x and %#x", a, b)
	}
}

func BenchmarkNext(b *testing.B) {
	var s Source
	s.Init(1)
	for b.Loop() {
		s.Next(Schedule)
	}
}
