package sched

// Stream numbers an independent sequence of choices.
type Stream uint8

// The streams. Their numbers are part of a moment's meaning: new ones go to
// the end.
const (
	Schedule Stream = iota // which goroutine runs next, when one is preempted
	Select                 // order of select cases, semaphore tickets, ties of timers
	Program                // what the program draws: math/rand, crypto/rand, maphash
	Maps                   // seeds and iteration order of maps
	Latency                // network delays
	Faults                 // injected faults
	Network                // initial sequence numbers, ports
	Runtime                // everything else the runtime draws; no meaning for the program
	Plan                   // per-run knobs drawn once at the start
	Streams                // number of streams
)

// Source is the state of all streams of one run. The zero value is not
// usable: call Init.
type Source struct {
	key [Streams]uint64
	n   [Streams]uint64
}

const golden = 0x9e3779b97f4a7c15

// mix is SplitMix64's finalizer: a bijection of 64 bits.
//
//go:nosplit
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Init starts every stream anew from seed.
func (s *Source) Init(seed uint64) {
	for i := range s.key {
		s.key[i] = mix(mix(seed+golden) ^ mix(uint64(i+1)*golden))
		s.n[i] = 0
	}
}

// Next draws the next 64 bits of a stream.
//
//go:nosplit
func (s *Source) Next(st Stream) uint64 {
	n := s.n[st] + 1
	s.n[st] = n
	return mix(s.key[st] + n*golden)
}

// Below draws a number in [0, n) for n below 2^32; its bias is under n/2^32.
//
//go:nosplit
func (s *Source) Below(st Stream, n uint32) uint32 {
	return uint32(s.Next(st) >> 32 * uint64(n) >> 32)
}

// Drawn is how many choices of a stream were made so far.
func (s *Source) Drawn(st Stream) uint64 { return s.n[st] }
