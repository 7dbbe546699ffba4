package sched

// pct is probabilistic concurrency testing: every goroutine has a random
// priority, the highest that can run runs, and at depth-1 random points of the
// run whoever runs falls below all that did not fall before. A bug that needs
// d ordering constraints among n goroutines and k points is found by a seed
// with a probability of at least 1/(n·k^(d-1)).
//
// Burckhardt, Kothari, Musuvathi, Nagarakatte: "A randomized scheduler with
// probabilistic guarantees of finding bugs", ASPLOS 2010.
//
// Where we depart from it: k is not measured but drawn, evenly among powers of
// two, unless it is given. And a goroutine that gives way by Gosched, or goes
// on for pctPatience points while others wait, falls to the bottom: programs
// that spin until another goroutine has done something would never end.
type pct struct {
	depth, length uint32
	changes       [MaxDepth]uint32 // points at which a priority falls, ascending
	next          uint32           // index of the next of them
	at            uint32           // points passed so far, at most maxPoint
	floor         uint64           // priority of the last that fell to the bottom
	last          uintptr          // goroutine that was picked last
	since         uint32           // points passed since another one was picked, up to the last turn
	fresh         bool             // another one was picked since the last turn
}

// Priorities, from high to low: those goroutines are born with, those they
// fall to at change points, those at the bottom.
const (
	pctBorn     = 1 << 63
	pctChange   = 1 << 62
	pctBottom   = 1 << 61
	pctPatience = 1 << 14
	maxPoint    = 1<<32 - 1
)

// pctLengths are, by Level, the least log2 of k that is drawn; the greatest is
// eleven more.
var pctLengths = [...]uint64{Points: 5, Atomics: 5, Calls: 6, Memory: 8}

func (p *pct) Start(src *Source, level Level) {
	if p.length == 0 {
		p.length = uint32(pctLengths[level&3] + src.Next(Plan)%12)
	}
	for i := uint32(1); i < p.depth; i++ {
		// Insert in order.
		c := src.Below(Schedule, 1<<p.length) + 1
		j := i - 1
		for ; j > 0 && p.changes[j-1] > c; j-- {
			p.changes[j] = p.changes[j-1]
		}
		p.changes[j] = c
	}
	p.floor = pctBottom
}

func (p *pct) Born(src *Source) uint64 { return pctBorn | src.Next(Schedule)>>1 }

func (p *pct) Pick(_ *Source, queue []Runnable) uint32 {
	best := 0
	for i := range queue {
		if queue[i].Word > queue[best].Word {
			best = i
		}
	}
	if g := queue[best].G; g != p.last {
		p.last, p.since, p.fresh = g, 0, true
	}
	return uint32(best)
}

func (p *pct) Turn(_ *Source, word uint64, passed, waiting uint32) (uint64, uint32) {
	p.at = min(p.at, maxPoint-passed) + passed
	if p.since += passed; p.fresh || waiting == 0 {
		p.since, p.fresh = 0, false
	}
	for p.next+1 < p.depth && p.changes[p.next] <= p.at {
		word = pctChange + uint64(p.depth-p.next)
		p.next++
	}
	if p.since >= pctPatience {
		word, p.since = p.Gosched(word), 0
	}
	gap := uint32(pctPatience)
	if p.next+1 < p.depth {
		gap = min(gap, p.changes[p.next]-p.at)
	}
	return word, gap
}

func (p *pct) Gosched(uint64) uint64 {
	p.floor--
	return p.floor
}

func (p *pct) Urgent(woken, running uint64) bool { return woken > running }
func (p *pct) NeverUrgent() bool                 { return false }
