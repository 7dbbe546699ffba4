package steplog

// Verify reads the whole log and computes every checksum again. It returns nil
// for a good log, else an [*Error] that names the first thing that is wrong:
// what [Open] found, then definitions, then steps by rising number.
func Verify(r *Reader) error {
	if len(r.problems) > 0 {
		return r.problems[0]
	}
	if err := r.verifyDefs(); err != nil {
		return err
	}
	c := r.Cursor(Filter{})
	sum := sumStart(r.header.Seed, r.header.Variant)
	for n := uint64(1); n <= r.last; n++ {
		if err := c.Seek(n); err != nil {
			return err
		}
		if c.damage != nil && n == r.blocks[c.block].first+uint64(len(c.starts))-1 {
			return c.damage
		}
		s := &c.step
		var what string
		if sum, what = c.sum(sum); what != "" {
			return c.bad(what)
		}
		if uint32(sum) != s.Checksum {
			return c.bad("checksum differs: stored " + u64text(uint64(s.Checksum)) +
				", computed " + u64text(uint64(uint32(sum))))
		}
	}
	return nil
}

// sum adds the current step to the rolling checksum h. problem names a missing
// definition.
func (c *Cursor) sum(h uint64) (sum uint64, problem string) {
	s := &c.step
	h = sumHead(h, &Head{Kind: s.Kind, Machine: s.Machine, Goroutine: s.Goroutine, TimeNs: s.TimeNs, Tick: s.Tick})
	for i := range s.Fields {
		f := &s.Fields[i]
		switch f.Tag.Form() {
		case FormUint:
			h = sumNumber(h, f.Tag, f.Num)
		case FormInt:
			h = sumNumber(h, f.Tag, f.Num<<1^uint64(int64(f.Num)>>63))
		case FormBytes:
			h = sumBytes(h, f.Tag, view(f.Bytes))
		case FormIntern:
			if f.Bytes == nil {
				return h, "string " + u64text(f.Num) + " of field " + f.Tag.String() + " is not defined"
			}
			h = sumNumber(h, f.Tag, hashBytes(mulB, f.Bytes))
		}
	}
	stack := uint64(0)
	if s.StackID != 0 {
		body, ok := c.r.def(defStack, s.StackID)
		if !ok {
			return h, "stack " + u64text(uint64(s.StackID)) + " is not defined"
		}
		stack = get64(body)
	}
	return sumTail(h, stack, s.Flags, view(s.Text)), ""
}

func (r *Reader) verifyDefs() error {
	for off := uint64(BlockSize); off+blockHeader <= uint64(len(r.b)); off += BlockSize {
		p := r.b[off:min(off+BlockSize, uint64(len(r.b)))]
		if get32(p) != blockMagic {
			break
		}
		if p[4] != blockDefs {
			continue
		}
		if used := get32(p[16:]); used != 0 {
			p = p[:min(int(used), len(p))]
		}
		for at := blockHeader; ; {
			d, next, ok, _ := nextDef(p, off, at)
			if !ok {
				break
			}
			if sum := sumDef(d.kind, d.flags, d.id, d.body); sum != d.sum {
				return &Error{Offset: int64(d.off), What: d.kind.String() + " " + u64text(uint64(d.id)) +
					": checksum of the definition differs: stored " + u64text(uint64(d.sum)) +
					", computed " + u64text(uint64(sum)), Advice: adviceAgain}
			}
			at = next
		}
	}
	return nil
}
