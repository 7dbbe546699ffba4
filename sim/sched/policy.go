package sched

// Policy is how the goroutines of a run are interleaved, the seed aside. It
// is the low 16 bits of a run's variant, as it is and not as a hash: whoever
// has a link to a step can repeat the run from the link alone. The zero
// Policy is the one that runs have when nobody asks for another.
//
//	bits   what
//	0–2    Strategy
//	3–7    Depth
//	8–12   Length
//	13–14  Preempt
//	15     0
type Policy struct {
	Strategy Kind
	Depth    uint8 // of PCT: the bug depth d, 1 to MaxDepth; 0 otherwise
	Length   uint8 // of PCT: log2 of the expected number of preemption points; 0 lets the seed draw it
	Preempt  Level
}

// Kind names a strategy.
type Kind uint8

// The strategies. Their numbers are part of a moment's meaning.
const (
	KindRandom Kind = iota
	KindPCT
	kinds
)

// Level says what may be followed by another goroutine's turn. Each includes
// those before it.
type Level uint8

// The levels. Their numbers are part of a moment's meaning.
const (
	Points  Level = iota // operations on channels, locks and the types of sync/atomic
	Atomics              // and the functions of sync/atomic, in the user's modules
	Calls                // and the start of each function of the user's modules
	Memory               // and each access of theirs to memory that may be shared
)

// Bounds of a Policy's numbers.
const (
	MaxDepth  = 31
	MinLength = 4
	MaxLength = 28
)

// PolicyBits are the bits of a variant that hold its Policy. The others are
// the hash of the overrides, 0 for none.
const PolicyBits = 1<<16 - 1

// PolicyOf is the policy of a variant; ok is false for bits that no
// Policy has.
func PolicyOf(variant uint64) (p Policy, ok bool) {
	p = Policy{
		Strategy: Kind(variant & 7), Depth: uint8(variant >> 3 & 31), Length: uint8(variant >> 8 & 31),
		Preempt: Level(variant >> 13 & 3),
	}
	return p, variant>>15&1 == 0 && p.valid()
}

func (p Policy) valid() bool {
	switch p.Strategy {
	case KindRandom:
		return p.Depth == 0 && p.Length == 0
	case KindPCT:
		return p.Depth >= 1 && p.Depth <= MaxDepth && (p.Length == 0 || p.Length >= MinLength && p.Length <= MaxLength)
	}
	return false
}

// Variant is the variant of a run with this policy and no overrides.
func (p Policy) Variant() uint64 {
	return uint64(p.Strategy) | uint64(p.Depth)<<3 | uint64(p.Length)<<8 | uint64(p.Preempt)<<13
}
