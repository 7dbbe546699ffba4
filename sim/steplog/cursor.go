package steplog

import (
	"iter"
	"sort"
)

// Filter selects steps. The zero Filter selects all.
type Filter struct {
	Machines  []string // labels; empty = all; an unknown label selects nothing
	Goroutine uint32   // 0 = all
	Kinds     []Kind   // empty = all
	// Text is asked about the raw text of a step that passes the rest. It must
	// not keep the slice.
	Text     func(text []byte) bool
	From, To uint64 // numbers, both included; 0 = no limit
}

// start is where a step's record lies in a block.
type start struct {
	pos  int
	tick uint64
}

// Cursor walks over the steps of a log in both directions. It re-uses its
// memory: a [Step] is valid until the next move.
type Cursor struct {
	r        *Reader
	filter   Filter
	kinds    [4]uint64 // bit set, used when byKind
	byKind   bool
	machines []MachineID // used when filter.Machines is not empty
	at       uint64      // current step, or where to start when !on
	on       bool        // the cursor stands on a step

	block      int // loaded block, -1 = none
	starts     []start
	damage     *Error // of the loaded block
	err        *Error // first damage met
	incomplete bool   // the step last decoded lacks its continuation at the log's end
	step       Step
	text       []byte // assembled text of a split step
}

// Cursor returns a cursor before the first step that the filter selects.
func (r *Reader) Cursor(f Filter) *Cursor {
	c := &Cursor{r: r, filter: f, block: -1, at: max(f.From, 1), byKind: len(f.Kinds) > 0}
	for _, k := range f.Kinds {
		c.kinds[k>>6] |= 1 << (k & 63)
	}
	for _, label := range f.Machines {
		for _, m := range r.machines {
			if m.Label == label {
				c.machines = append(c.machines, m.ID)
			}
		}
	}
	return c
}

// Step returns the step the cursor stands on.
func (c *Cursor) Step() *Step { return &c.step }

// Err returns the first damage that the cursor met, or nil. Damaged steps are
// left out by Next and Prev.
func (c *Cursor) Err() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

// Stack appends the frames of the current step to dst.
func (c *Cursor) Stack(dst []Frame) []Frame { return c.r.Stack(c.step.StackID, dst) }

// Machine returns the machine of the current step.
func (c *Cursor) Machine() Machine {
	m, _ := c.r.Machine(c.step.Machine)
	return m
}

// Reset puts the cursor between steps n-1 and n: Next looks from n upwards,
// Prev from n-1 downwards. Reset(r.Steps()+1) is behind the end.
func (c *Cursor) Reset(n uint64) { c.at, c.on = n, false }

// Seek moves to step n, whatever the filter. It fails with an [*Error] when
// there is no such step or it is damaged; the cursor then is where Reset(n)
// puts it.
func (c *Cursor) Seek(n uint64) error {
	c.Reset(n)
	if n == 0 || n > c.r.last {
		return &Error{Offset: -1, What: "there is no step " + u64text(n) + ": the log has " + u64text(c.r.last) +
			" steps", Advice: "give a number from 1 to " + u64text(c.r.last)}
	}
	i, ok := c.locate(n)
	if !ok {
		if c.damage != nil {
			return c.damage
		}
		return &Error{Step: n, Offset: -1, What: "the block that holds this step is damaged", Advice: adviceAgain}
	}
	if err := c.decode(i, n, false); err != nil {
		return err
	}
	c.on = true
	return nil
}

// Next moves to the next step that the filter selects.
func (c *Cursor) Next() bool {
	n := c.at
	if c.on {
		n++
	}
	n = max(n, c.filter.From, 1)
	last := c.r.last
	if c.filter.To != 0 {
		last = min(last, c.filter.To)
	}
	for n <= last {
		i, ok := c.locate(n)
		if !ok {
			c.note(c.damage)
			if c.block+1 >= len(c.r.blocks) {
				break
			}
			n = max(n+1, c.r.blocks[c.block+1].first)
			continue
		}
		if c.try(i, n) {
			return true
		}
		n++
	}
	c.Reset(max(n, c.at))
	return false
}

// Prev moves to the previous step that the filter selects.
func (c *Cursor) Prev() bool {
	n := min(c.at, c.r.last+1) - min(c.at, 1)
	if c.filter.To != 0 {
		n = min(n, c.filter.To)
	}
	for n > 0 && n >= c.filter.From {
		i, ok := c.locate(n)
		if !ok {
			c.note(c.damage)
			if c.block < 0 || len(c.r.blocks) == 0 {
				break
			}
			// The last step that this block has.
			n = min(n-1, c.r.blocks[c.block].first+uint64(len(c.starts))-1)
			continue
		}
		if c.try(i, n) {
			return true
		}
		n--
	}
	c.Reset(n + 1)
	return false
}

// try decodes a step if the filter selects it.
func (c *Cursor) try(i int, n uint64) bool {
	if err := c.decode(i, n, true); err != nil {
		c.note(err)
		return false
	}
	if !c.on {
		return false
	}
	if c.filter.Text != nil && !c.filter.Text(c.step.Text) {
		c.on = false
		return false
	}
	return true
}

func (c *Cursor) note(err *Error) {
	if c.err == nil {
		c.err = err
	}
}

// locate loads the block of step n and returns its index there.
func (c *Cursor) locate(n uint64) (int, bool) {
	blocks := c.r.blocks
	i := c.block
	if i < 0 || n < blocks[i].first || i+1 < len(blocks) && n >= blocks[i+1].first {
		i = sort.Search(len(blocks), func(k int) bool { return blocks[k].first > n }) - 1
		if i < 0 {
			c.block, c.damage, c.starts = -1, nil, c.starts[:0]
			return 0, false
		}
		c.load(i)
	}
	at := n - blocks[i].first
	return int(at), n >= blocks[i].first && at < uint64(len(c.starts))
}

// load finds the records of a block.
func (c *Cursor) load(i int) {
	info := c.r.blocks[i]
	c.block, c.damage, c.starts = i, nil, c.starts[:0]
	limit := maxPerBlock
	if i+1 < len(c.r.blocks) {
		limit = int(min(maxPerBlock, c.r.blocks[i+1].first-info.first))
	}
	p := c.r.b[info.off : info.off+uint64(info.end)]
	at, tick, more := blockHeader, info.tick, FlagContinued
	for at+recordSize <= len(p) && p[at] != 0 {
		length := get32(p[at+24:])
		flags := Flags(p[at+1])
		if uint64(length) > uint64(len(p)-at-recordSize) || flags&FlagBigTick != 0 && length < 8 {
			if info.off+uint64(info.end) < uint64(len(c.r.b)) || len(c.r.b)%BlockSize == 0 {
				c.damaged(at+24, "record of "+u64text(uint64(length))+" bytes does not fit into its block")
			} // else the file ends here: a copy that was cut short
			return
		}
		if flags&FlagContinued == 0 {
			if len(c.starts) == limit {
				c.damaged(at, "block holds more steps than the next block's number tells")
				return
			}
			delta := uint64(get32(p[at+16:]))
			if big := flags&FlagBigTick != 0; big != (delta == tickBig) {
				c.damaged(at+16, "tick delta and its flag do not agree")
				return
			} else if big {
				delta = get64(p[at+recordSize:])
			}
			tick += delta
			c.starts = append(c.starts, start{at, tick})
		} else if more == 0 {
			c.damaged(at+1, "record continues a step that is complete")
			return
		}
		// A block may begin with the continuation of the block before.
		more = flags & FlagMore
		at += recordSize + pad8(int(length))
	}
	if info.whole && at != info.end {
		c.damaged(at, "block ends early")
	}
}

// damaged notes what is wrong with the loaded block at a position in it.
func (c *Cursor) damaged(at int, what string) {
	info := &c.r.blocks[c.block]
	c.damage = &Error{Step: info.first + uint64(len(c.starts)), Offset: int64(info.off) + int64(at), What: what,
		Advice: adviceAgain}
}

// decode reads record i of the loaded block as step n. With check it stops
// after the fixed part when the filter does not select the step: c.on tells.
func (c *Cursor) decode(i int, n uint64, check bool) *Error {
	info := &c.r.blocks[c.block]
	pos := c.starts[i].pos
	p := c.r.b[info.off+uint64(pos) : info.off+uint64(info.end)]
	s := &c.step
	word := get64(p)
	s.Kind, s.Flags, s.Machine, s.Goroutine = Kind(word), Flags(word>>8), MachineID(word>>16), uint32(word>>32)
	c.on = false
	if check && !c.selects(s) {
		return nil
	}
	s.Number, s.Tick, s.TimeNs = n, c.starts[i].tick, int64(get64(p[8:]))
	s.StackID, s.Checksum = get32(p[20:]), get32(p[28:])
	s.Offset = info.off + uint64(pos)
	payload := p[recordSize : recordSize+int(get32(p[24:]))]
	if s.Flags&FlagBigTick != 0 {
		payload = payload[8:]
	}
	ok := false
	c.incomplete = false
	if s.Fields, s.Text, ok = c.r.parsePayload(payload, s.Fields[:0]); !ok {
		return c.bad("its fields are damaged")
	}
	if s.Flags&FlagMore != 0 {
		if err := c.continuation(pos + recordSize + pad8(int(get32(p[24:])))); err != nil {
			return err
		}
	}
	s.Flags &= meaningFlags
	c.at, c.on = n, true
	return nil
}

func (c *Cursor) bad(what string) *Error {
	return &Error{Step: c.step.Number, Offset: int64(c.step.Offset), What: what, Advice: adviceAgain}
}

// continuation appends the text of the records that continue the current step,
// from pos of the loaded block on.
func (c *Cursor) continuation(pos int) *Error {
	c.text = append(c.text[:0], c.step.Text...)
	for block := c.block; ; {
		info := &c.r.blocks[block]
		p := c.r.b[info.off : info.off+uint64(info.end)]
		if pos+recordSize > len(p) || p[pos] == 0 {
			if block+1 == len(c.r.blocks) {
				c.incomplete = !info.whole
				return c.bad("the end of its text is missing")
			}
			block, pos = block+1, blockHeader
			continue
		}
		length, flags := get32(p[pos+24:]), Flags(p[pos+1])
		if flags&FlagContinued == 0 {
			return c.bad("the record that continues it is missing")
		}
		if !continues(p[pos:], c.r.b[c.step.Offset:]) {
			return c.bad("the record that continues it belongs to another step")
		}
		if uint64(length) > uint64(len(p)-pos-recordSize) {
			c.incomplete = block+1 == len(c.r.blocks)
			return c.bad("the record that continues it is damaged")
		}
		fields, text, ok := c.r.parsePayload(p[pos+recordSize:pos+recordSize+int(length)], c.step.Fields)
		if !ok || len(c.text)+len(text) > MaxText || len(fields) > MaxFields {
			return c.bad("the record that continues it is damaged")
		}
		c.step.Fields = fields
		c.text = append(c.text, text...)
		if flags&FlagMore == 0 {
			c.step.Text = c.text
			return nil
		}
		pos += recordSize + pad8(int(length))
	}
}

// continues tells whether the fixed part p repeats that of a step's first record.
func continues(p, first []byte) bool {
	return p[0] == first[0] && Flags(p[1])&meaningFlags == Flags(first[1])&meaningFlags &&
		view(p[2:16]) == view(first[2:16]) && get32(p[16:]) == 0 &&
		view(p[20:24]) == view(first[20:24]) && view(p[28:32]) == view(first[28:32])
}

func (c *Cursor) selects(s *Step) bool {
	if c.byKind && c.kinds[s.Kind>>6]&(1<<(s.Kind&63)) == 0 {
		return false
	}
	if c.filter.Goroutine != 0 && c.filter.Goroutine != s.Goroutine {
		return false
	}
	if len(c.filter.Machines) == 0 {
		return true
	}
	for _, id := range c.machines {
		if id == s.Machine {
			return true
		}
	}
	return false
}

// Forward yields the steps that the filter selects, from the lowest number on.
// A step is valid until the next one.
func (r *Reader) Forward(f Filter) iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		for c := r.Cursor(f); c.Next(); {
			if !yield(&c.step) {
				return
			}
		}
	}
}

// Backward yields the same steps from the highest number down.
func (r *Reader) Backward(f Filter) iter.Seq[*Step] {
	return func(yield func(*Step) bool) {
		c := r.Cursor(f)
		for c.Reset(r.last + 1); c.Prev(); {
			if !yield(&c.step) {
				return
			}
		}
	}
}
