package steplog

import "unsafe"

// frame is a frame definition that waits for the news whether another one of
// the same pc follows.
type frame struct {
	pc         uint64
	fn, file   uint32
	line       uint32
	firstID    uint32
	waiting    bool
	inProgress bool
}

// slot is an entry of the intern table; kind 0 = free.
type slot struct {
	key  uint64 // content hash (string, stack) or pc (frame)
	val  uint64 // string: offset of the definition; frame: number of frames
	id   uint32 // string, stack: id; frame: id of the first
	kind uint32 // defKind
}

const tableMin = 64

// table is an open-addressing hash table in the caller's memory, with linear
// probing and at most three quarters full.
type table struct {
	slots []slot
	used  int
}

func newTable(mem []byte) table {
	n := len(mem) / int(unsafe.Sizeof(slot{}))
	if n < tableMin {
		return table{}
	}
	size := tableMin
	for size*2 <= n {
		size *= 2
	}
	return table{slots: unsafe.Slice((*slot)(unsafe.Pointer(unsafe.SliceData(mem))), size)}
}

// start returns where the search for a key begins. The table must not be empty.
func (t *table) start(kind defKind, key uint64) int {
	h := (key ^ uint64(kind)) * mulA
	return int(h>>32) & (len(t.slots) - 1)
}

func (t *table) find(kind defKind, key uint64) *slot {
	if len(t.slots) == 0 {
		return nil
	}
	for i := t.start(kind, key); ; i = (i + 1) & (len(t.slots) - 1) {
		s := &t.slots[i]
		if s.kind == 0 {
			return nil
		}
		if s.key == key && s.kind == uint32(kind) {
			return s
		}
	}
}

// insert adds an entry that may have the same key as another one.
func (t *table) insert(e slot) {
	i := t.start(defKind(e.kind), e.key)
	for t.slots[i].kind != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = e
	t.used++
}

// remember inserts e, into a bigger table if needed. Without memory it does
// nothing: the definition will be written again at its next use.
func (w *Writer) remember(e slot) {
	t := &w.table
	if (t.used+1)*4 > len(t.slots)*3 {
		if w.cfg.GrowTable == nil {
			return
		}
		want := max(len(t.slots)*2, tableMin)
		bigger := newTable(w.cfg.GrowTable(uint64(want) * uint64(unsafe.Sizeof(slot{}))))
		if len(bigger.slots) < want {
			w.cfg.GrowTable = nil
			return
		}
		for i := range t.slots {
			if t.slots[i].kind != 0 {
				bigger.insert(t.slots[i])
			}
		}
		*t = bigger
	}
	t.insert(e)
}

// define reserves a definition record and returns its body and offset. The
// caller fills the body, then calls publish.
func (w *Writer) define(length int) (body []byte, off uint64, ok bool) {
	size := defSize + pad8(length)
	if !w.recording {
		return nil, 0, false
	}
	if w.defBlock.off == 0 || BlockSize-w.defBlock.pos < size {
		if !w.openBlock(&w.defBlock, blockDefs, w.defs+1, w.tick) {
			return nil, 0, false
		}
	}
	off = w.defBlock.off + uint64(w.defBlock.pos)
	p := w.cfg.Log[off : w.defBlock.off+BlockSize]
	if length > 0 {
		put64(p[size-8:], 0)
	}
	if size+8 <= len(p) {
		put64(p[size:], 0)
	}
	return p[defSize : defSize+length], off, true
}

// publish completes the record at off that define reserved.
func (w *Writer) publish(kind defKind, flags uint8, id uint32, off uint64, body []byte) {
	p := w.cfg.Log[off : off+defSize]
	put64(p[8:], uint64(len(body))|uint64(sumDef(kind, flags, id, body))<<32)
	put64(p, uint64(kind)|uint64(flags)<<8|uint64(id)<<32)
	w.defBlock.pos += defSize + pad8(len(body))
	w.defs++
}

// newID returns the next id of a kind.
func (w *Writer) newID(kind defKind) uint32 {
	w.lastID[kind]++
	return w.lastID[kind]
}

// stringID returns the id of s, whose hash is given; 0 when recording ended.
func (w *Writer) stringID(s string, hash uint64) uint32 {
	t := &w.table
	if len(t.slots) > 0 {
		for i := t.start(defString, hash); t.slots[i].kind != 0; i = (i + 1) & (len(t.slots) - 1) {
			e := &t.slots[i]
			if e.key == hash && e.kind == uint32(defString) && w.stringAt(e.val) == s {
				return e.id
			}
		}
	}
	body, off, ok := w.define(len(s))
	if !ok {
		return 0
	}
	copy(body, s)
	id := w.newID(defString)
	w.publish(defString, 0, id, off, body)
	w.remember(slot{key: hash, val: off, id: id, kind: uint32(defString)})
	return id
}

func (w *Writer) stringAt(off uint64) string {
	n := uint64(get32(w.cfg.Log[off+8:]))
	return view(w.cfg.Log[off+defSize : off+defSize+n])
}

// Machine defines a machine or gives it another name. Call it before the first
// step of that machine.
func (w *Writer) Machine(m Machine) {
	flags := uint8(0)
	names := [3]string{m.Label, m.Host, m.Addr}
	length := 6
	for i := range names {
		if len(names[i]) > MaxName {
			names[i] = names[i][:MaxName]
			flags = defCut
		}
		length += len(names[i])
	}
	body, off, ok := w.define(length)
	if !ok {
		return
	}
	at := 0
	for _, s := range names {
		put16(body[at:], uint16(len(s)))
		at += 2 + copy(body[at+2:], s)
	}
	w.publish(defMachine, flags, uint32(m.ID), off, body)
}

// stackID returns the id of a stack, 0 when recording ended.
func (w *Writer) stackID(pcs []uintptr, hash uint64) uint32 {
	if e := w.table.find(defStack, hash); e != nil {
		return e.id
	}
	n, flags := 0, uint8(0)
	for _, pc := range pcs {
		first, count := w.framesOf(pc)
		if n+count > MaxFrames {
			flags = defCut
			break
		}
		for i := 0; i < count; i++ {
			w.frameIDs[n] = first + uint32(i)
			n++
		}
	}
	body, off, ok := w.define(stackFixed + 4*n)
	if !ok {
		return 0
	}
	put64(body, hash)
	put32(body[8:], uint32(n))
	for i := 0; i < n; i++ {
		put32(body[stackFixed+4*i:], w.frameIDs[i])
	}
	id := w.newID(defStack)
	w.publish(defStack, flags, id, off, body)
	w.remember(slot{key: hash, id: id, kind: uint32(defStack)})
	return id
}

// framesOf returns the ids of a pc's frames, which follow one another.
func (w *Writer) framesOf(pc uintptr) (first uint32, count int) {
	rel := uint64(pc - w.cfg.TextBase)
	if e := w.table.find(defFrame, rel); e != nil {
		return e.id, int(e.val)
	}
	w.pending = frame{pc: rel, firstID: w.lastID[defFrame] + 1, inProgress: true}
	w.emitted = 0
	if w.cfg.Symbolize != nil {
		w.cfg.Symbolize(w, pc)
	}
	if w.emitted == 0 {
		w.Frame("", "", 0)
	}
	w.flushFrame(0)
	w.pending.inProgress = false
	first, count = w.pending.firstID, w.emitted
	if w.recording {
		w.remember(slot{key: rel, val: uint64(count), id: first, kind: uint32(defFrame)})
	}
	return first, count
}

// Frame is for WriterConfig.Symbolize only: it adds a function to the pc that
// is asked about. Frames behind the MaxInlined-th are left out.
func (w *Writer) Frame(function, file string, line int) {
	assert(w.pending.inProgress, "Frame outside of Symbolize")
	if w.emitted == MaxInlined {
		return
	}
	w.flushFrame(frameInline)
	w.emitted++
	w.pending.fn = w.frameString(function)
	w.pending.file = w.frameString(file)
	w.pending.line = uint32(line)
	w.pending.waiting = true
}

func (w *Writer) frameString(s string) uint32 {
	s = s[:min(len(s), MaxInterned)]
	return w.stringID(s, hashString(mulB, s))
}

// flushFrame writes the frame that waits, if any.
func (w *Writer) flushFrame(flags uint32) {
	f := &w.pending
	if !f.waiting {
		return
	}
	f.waiting = false
	body, off, ok := w.define(frameSize)
	if !ok {
		return
	}
	put64(body, f.pc)
	put32(body[8:], f.fn)
	put32(body[12:], f.file)
	put32(body[16:], f.line)
	put32(body[20:], flags)
	w.publish(defFrame, 0, w.newID(defFrame), off, body)
}
