package vfs

// States returns up to limit different states of the disk that a power failure
// may leave, the most telling ones first: nothing survived, everything did,
// then each thing alone, each thing missing, everything up to a point in time,
// torn pages, and at last random ones drawn by rand. When there are few enough,
// these are all states of whole pages. Two states that look alike to whoever
// reads the disk count once.
func (c *Crash) States(limit int, rand func() uint64) []CrashState {
	e := &enumeration{c: c, limit: limit, tries: 4096 + 16*limit, prints: c.newPrints(), seen: map[uint64]bool{}}
	e.add(c.Nothing())
	e.add(c.All())
	n := len(c.items)
	if n < 16 && 1<<n <= 2*limit {
		for bits := range 1 << n {
			s := c.Nothing()
			for i := range s {
				if bits>>i&1 != 0 {
					s[i] = Sectors
				}
			}
			e.add(s)
		}
	}
	e.prefixes()
	for i := 0; i < n && !e.full(); i++ {
		e.alone(i)
		e.missing(i)
	}
	for _, sectors := range [...]uint8{1, Sectors / 2, Sectors - 1} {
		for i := c.ops; i < n && !e.full(); i++ {
			if c.items[i].page >= 0 {
				s := c.All()
				s[i] = sectors
				e.add(s)
			}
		}
	}
	for tries := 0; n > 0 && tries < 4*limit && len(e.states) < limit; tries++ {
		e.tries = 1
		e.add(c.Random(rand))
	}
	return e.states
}

type enumeration struct {
	c      *Crash
	limit  int
	tries  int // how many states more are looked at
	states []CrashState
	prints *prints
	seen   map[uint64]bool // the prints of states
}

// full reports whether no more states are wanted. It bounds the work where very
// many look alike, as the pages of a file without a name.
func (e *enumeration) full() bool { return len(e.states) >= e.limit || e.tries <= 0 }

// add takes a state that is legal, or becomes so by losing more, and that no
// other one looks like.
func (e *enumeration) add(s CrashState) {
	if e.full() {
		return
	}
	e.tries--
	s = e.c.legal(s)
	if print := e.prints.of(s); !e.seen[print] {
		e.seen[print] = true
		e.states = append(e.states, s)
	}
}

// alone is a state in which one thing and its foundations survived.
func (e *enumeration) alone(i int) {
	s := e.c.Nothing()
	s[i] = Sectors
	for k := min(i, e.c.ops-1); k >= 0; k-- {
		if s[k] != 0 {
			for _, j := range e.c.needs[k] { // all of them earlier
				s[j] = Sectors
			}
		}
	}
	e.add(s)
}

// missing is a state in which everything survived but one thing and what
// builds on it.
func (e *enumeration) missing(i int) {
	s := e.c.All()
	s[i] = 0
	e.add(s)
}

// prefixes are the states of a file system that keeps changes of names in
// order: with all bytes of files, with none, and with sizes only.
func (e *enumeration) prefixes() {
	for k := 0; k <= e.c.ops && !e.full(); k++ {
		for _, kind := range [...]int{0, 1, 2} {
			s := e.c.Nothing()
			for i := range s {
				data := i >= e.c.ops
				switch {
				case !data && i < k, data && kind == 1, data && kind == 2 && e.c.items[i].page < 0:
					s[i] = Sectors
				}
			}
			e.add(s)
		}
	}
}
