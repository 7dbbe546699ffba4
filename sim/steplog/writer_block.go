package steplog

// stop ends recording because the log cannot grow. What is written stays; the
// blocks stay marked as open, because the last step may lack its continuation.
func (w *Writer) stop() {
	w.stepBlock, w.defBlock = block{}, block{}
	w.recording = false
	w.lost = w.steps + 1
}

func (w *Writer) closeBlock(b *block) {
	if b.off != 0 {
		put32(w.cfg.Log[b.off+16:], uint32(b.pos))
	}
	*b = block{}
}

// openBlock closes *b and puts a new block in its place.
func (w *Writer) openBlock(b *block, kind uint8, first, tick uint64) bool {
	off, end := w.next, w.next+BlockSize
	if end > uint64(len(w.cfg.Log)) || w.cfg.Grow != nil && !w.cfg.Grow(end) {
		w.stop()
		return false
	}
	w.closeBlock(b)
	p := w.cfg.Log[off:end]
	put64(p[blockHeader:], 0)
	put64(p[8:], first)
	put64(p[16:], 0)
	put64(p[24:], tick)
	put64(p, blockMagic|uint64(kind)<<32)
	w.next = end
	*b = block{off: off, pos: blockHeader}
	return true
}

// stepRoom returns how many bytes a record may have in the open step block.
func (w *Writer) stepRoom() int {
	if w.stepBlock.off == 0 {
		return 0
	}
	return BlockSize - w.stepBlock.pos
}

// record writes the step between Begin and End.
func (w *Writer) record(text string, stack uint32) {
	delta := w.head.Tick - w.tick
	big := 0
	if delta >= tickBig {
		big = 8
	}
	fixed := w.used + big
	size := recordSize + fixed
	if len(text) > 0 {
		size += 3 + len(text)
	}
	number := w.steps + 1
	if pad8(size) > w.stepRoom() {
		need := pad8(size)
		if need > splitMin {
			need = pad8(recordSize + fixed + 3 + splitRoom)
		}
		if need > w.stepRoom() && !w.openBlock(&w.stepBlock, blockSteps, number, w.tick) {
			return
		}
	}
	flags, fields := w.head.Flags, w.fields[:w.used]
	if big > 0 {
		flags |= FlagBigTick
	}
	for {
		part := text
		if most := w.stepRoom() - recordSize - big - len(fields) - 3; len(part) > 0 && len(part) > most {
			part = text[:most&^7]
			flags |= FlagMore
		}
		w.put(flags, delta, stack, fields, part)
		text = text[len(part):]
		if flags&FlagMore == 0 {
			return
		}
		flags = flags&^(FlagMore|FlagBigTick) | FlagContinued
		delta, big, fields = 0, 0, nil
		if recordSize+3+splitRoom > w.stepRoom() &&
			!w.openBlock(&w.stepBlock, blockSteps, number+1, w.head.Tick) {
			return
		}
	}
}

// put stores one record; the caller made sure that it fits.
func (w *Writer) put(flags Flags, delta uint64, stack uint32, fields []byte, text string) {
	b := &w.stepBlock
	p := w.cfg.Log[b.off+uint64(b.pos) : b.off+BlockSize]
	at := recordSize
	if flags&FlagBigTick != 0 {
		at += 8
	}
	length := at - recordSize + len(fields)
	if len(text) > 0 {
		length += 3 + len(text)
	}
	size := recordSize + pad8(length)
	if length > 0 {
		put64(p[size-8:], 0) // the padding
	}
	if size+8 <= len(p) {
		put64(p[size:], 0) // end of data, also in memory that was used before
	}
	if flags&FlagBigTick != 0 {
		put64(p[recordSize:], delta)
		delta = tickBig
	}
	at += copy(p[at:], fields)
	if len(text) > 0 {
		p[at] = byte(TagText)
		put16(p[at+1:], uint16(len(text)))
		copy(p[at+3:], text)
	}
	put64(p[8:], uint64(w.head.TimeNs))
	put32(p[16:], uint32(delta))
	put32(p[20:], stack)
	put32(p[24:], uint32(length))
	put32(p[28:], uint32(w.sum))
	// The first word makes the record visible: it is stored last.
	put64(p, uint64(w.head.Kind)|uint64(flags)<<8|uint64(w.head.Machine)<<16|uint64(w.head.Goroutine)<<32)
	b.pos += size
}
