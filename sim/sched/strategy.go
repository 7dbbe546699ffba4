package sched

// Strategy decides which goroutine runs next, and when one that runs is
// interrupted. It is all that the runtime knows of a strategy; a new one (POS,
// URW) is a type here, a Kind and a case in Strategies.Use.
//
// What a strategy remembers of a goroutine is its word, which the runtime keeps
// for it. Every choice is drawn from the source's Schedule stream, so that a
// strategy never shifts what the program draws.
type Strategy interface {
	// Start prepares for a run, before any goroutine is born.
	Start(src *Source, level Level)
	// Born returns the word of a new goroutine.
	Born(src *Source) uint64
	// Pick returns the index of the goroutine that runs next. The queue, never
	// empty, is in no meaningful but a repeatable order.
	Pick(src *Source, queue []Runnable) uint32
	// Turn is called at the start and then each time the running goroutine has
	// reached its turn: passed is how many preemption points all goroutines
	// together went through since the last call, waiting how many others could
	// run. It returns the goroutine's new word, and after how many further
	// points, from 1, the next turn is.
	Turn(src *Source, word uint64, passed, waiting uint32) (uint64, uint32)
	// Gosched returns the new word of a goroutine that gives way by itself.
	Gosched(word uint64) uint64
	// Urgent reports whether a goroutine that becomes runnable makes it the
	// running one's turn at once. Strategies whose answer is always no say so
	// by NeverUrgent.
	Urgent(woken, running uint64) bool
	NeverUrgent() bool
}

// Runnable is a goroutine that can run.
type Runnable struct {
	G    uintptr // identifies it
	Word uint64
}

// Strategies holds the state of whichever strategy a run uses, so that none
// has to be allocated.
type Strategies struct {
	random random
	pct    pct
}

// Use returns the strategy of a policy.
func (s *Strategies) Use(p Policy) Strategy {
	if p.Strategy == KindPCT {
		s.pct = pct{depth: uint32(p.Depth), length: uint32(p.Length)}
		return &s.pct
	}
	return &s.random
}

// random picks evenly among the runnable and interrupts after an even number
// of points around a mean that the seed draws: short ones find what lies close
// together, long ones let a goroutine get ahead.
type random struct{ mean uint32 }

// randomMeans are mean numbers of points between turns, by Level. There are
// many more points at the finer levels, and a turn costs what it costs.
var randomMeans = [...][4]uint32{
	Points: {2, 6, 20, 80}, Atomics: {2, 6, 20, 80}, Calls: {2, 6, 40, 250}, Memory: {2, 10, 80, 800},
}

func (r *random) Start(src *Source, level Level) { r.mean = randomMeans[level&3][src.Next(Plan)&3] }

func (r *random) Born(*Source) uint64 { return 0 }

func (r *random) Pick(src *Source, queue []Runnable) uint32 {
	if len(queue) == 1 {
		return 0
	}
	return src.Below(Schedule, uint32(len(queue)))
}

func (r *random) Turn(src *Source, _ uint64, _, _ uint32) (uint64, uint32) {
	return 0, src.Below(Schedule, 2*r.mean) + 1
}

func (r *random) Gosched(word uint64) uint64 { return word }
func (r *random) Urgent(uint64, uint64) bool { return false }
func (r *random) NeverUrgent() bool          { return true }
