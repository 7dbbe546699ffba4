package steplog

import "unsafe"

// WriterConfig is what a [Writer] works with. All memory is the caller's. The
// functions must not be closures when the Writer lies outside the Go heap: the
// collector would not see what they capture.
type WriterConfig struct {
	Seed, Variant uint64

	// Log is the whole window of the mapped file; its first block is the
	// header of [EncodeHeader]. nil switches recording off: steps and
	// checksums are counted all the same.
	Log []byte
	// Grow backs the first need bytes of Log, at once or in larger pieces. It
	// is called before a block is first touched. nil = all of Log is backed;
	// false = no more space, recording ends.
	Grow func(need uint64) bool

	// Table is zeroed memory for the intern tables, 24 bytes an entry; use
	// [TableSize]. It may be nil if GrowTable is not.
	Table []byte
	// GrowTable returns at least need bytes of other, zeroed memory; the old
	// table is no longer used when the next call is made. nil or a short
	// answer = no: the log then repeats definitions, which costs only space.
	GrowTable func(need uint64) []byte

	// Symbolize calls w.Frame once for each function at pc, innermost
	// (inlined) first. It is asked once for each new pc of a stack.
	Symbolize func(w *Writer, pc uintptr)
	// TextBase is subtracted from pcs before they are stored.
	TextBase uintptr
}

// TableSize is a table's size in bytes that holds n strings, pcs and stacks
// together before it must grow.
func TableSize(n int) int {
	slots := tableMin
	for slots*3/4 < n {
		slots *= 2
	}
	return slots * int(unsafe.Sizeof(slot{}))
}

// WriterSize is the size of a [Writer] in bytes, for callers that place one in
// memory of their own (8-aligned, zeroed).
const WriterSize = unsafe.Sizeof(Writer{})

// Head is what is known at the beginning of a step.
type Head struct {
	Kind      Kind
	Flags     Flags // only FlagUser and the two bits above it
	Machine   MachineID
	Goroutine uint32
	TimeNs    int64  // simulated, since Unix epoch
	Tick      uint64 // never lower than that of the step before
}

// Tail is what a step ends with.
type Tail struct {
	Text      string    // raw text; at most MaxText is kept
	Message   int       // offset of the message in Text; 0 = the text is the message
	PCs       []uintptr // call stack, innermost first; empty = none
	StackHash uint64    // content hash of PCs, see HashPCs; equal hash = equal stack
}

// block is the place where the next record of a kind goes.
type block struct {
	off uint64 // of the block in the log, 0 = none is open
	pos int    // of the next record in the block
}

// Writer appends steps to a log. The zero Writer counts nothing: call
// [Writer.Init] first. One step is Begin, any number of fields, End.
type Writer struct {
	cfg       WriterConfig
	recording bool
	open      bool   // between Begin and End
	steps     uint64 // finished
	sum       uint64
	tick      uint64 // of the last finished step
	lost      uint64
	next      uint64 // offset of the first unused block
	stepBlock block
	defBlock  block
	defs      uint64 // definitions written
	lastID    [defStack + 1]uint32
	table     table
	head      Head
	pending   frame
	emitted   int // frames of the pc that is being symbolized
	used      int // bytes of fields
	frameIDs  [MaxFrames]uint32
	fields    [MaxFields]byte
}

// Init makes w ready for a new run. It fails when cfg.Log is not nil and does
// not begin with the header of this very seed and variant; w then counts
// without recording.
func (w *Writer) Init(cfg *WriterConfig) error {
	w.cfg = *cfg
	w.recording, w.open = false, false
	w.steps, w.tick, w.lost, w.defs, w.emitted, w.used = 0, 0, 0, 0, 0, 0
	w.sum = sumStart(cfg.Seed, cfg.Variant)
	w.stepBlock, w.defBlock = block{}, block{}
	w.lastID = [defStack + 1]uint32{}
	w.table = newTable(cfg.Table)
	w.next = BlockSize
	if cfg.Log == nil {
		return nil
	}
	if len(cfg.Log) < BlockSize || view(cfg.Log[:8]) != headerMagic || get32(cfg.Log[8:]) != Version {
		return errNoHeader
	}
	if get64(cfg.Log[16:]) != cfg.Seed || get64(cfg.Log[24:]) != cfg.Variant {
		return errOtherRun
	}
	w.recording = true
	return nil
}

var (
	errNoHeader = &Error{Offset: 0, What: "the log to write has no header of this version",
		Advice: "write the block of EncodeHeader first"}
	errOtherRun = &Error{Offset: 16, What: "the log to write was prepared for another seed or variant",
		Advice: "give each run its own log"}
)

// Steps returns the number of finished steps, which is the last one's number.
func (w *Writer) Steps() uint64 { return w.steps }

// Checksum returns the rolling checksum after the last finished step. Its low
// half is what the log stores.
func (w *Writer) Checksum() uint64 { return w.sum }

// Recording tells whether steps still reach the log.
func (w *Writer) Recording() bool { return w.recording }

// Lost returns the number of the first step that the log lacks because it
// could not grow, or 0.
func (w *Writer) Lost() uint64 { return w.lost }

// Bytes returns how much of the log is in use. What lies behind may be cut off.
func (w *Writer) Bytes() uint64 {
	if w.cfg.Log == nil {
		return 0
	}
	return w.next
}

// Begin starts a step. Every Begin needs one End; steps do not nest.
func (w *Writer) Begin(h Head) {
	assert(!w.open, "Begin within a step")
	assert(h.Kind != 0, "step without a kind")
	assert(h.Tick >= w.tick, "tick runs backwards")
	h.Flags &= meaningFlags &^ FlagCut
	w.head, w.open, w.used = h, true, 0
	w.sum = sumHead(w.sum, &h)
}

// room tells whether n more bytes of fields fit; if not the field is left out
// and the step marked.
func (w *Writer) room(n int) bool {
	assert(w.open, "field outside of a step")
	if w.used+n > MaxFields {
		w.head.Flags |= FlagCut
		return false
	}
	return true
}

// Uint adds a field of [FormUint].
func (w *Writer) Uint(tag Tag, v uint64) {
	assert(tag.Form() == FormUint, "tag is no unsigned number")
	w.number(tag, v)
}

// Int adds a field of [FormInt].
func (w *Writer) Int(tag Tag, v int64) {
	assert(tag.Form() == FormInt, "tag is no signed number")
	w.number(tag, uint64(v)<<1^uint64(v>>63))
}

func (w *Writer) number(tag Tag, v uint64) {
	if !w.room(11) {
		return
	}
	w.sum = sumNumber(w.sum, tag, v)
	w.fields[w.used] = byte(tag)
	n := w.used + 1
	for v >= 0x80 {
		w.fields[n] = byte(v) | 0x80
		v >>= 7
		n++
	}
	w.fields[n] = byte(v)
	w.used = n + 1
}

// String adds a field of [FormBytes]; at most MaxBytes of s are kept.
func (w *Writer) String(tag Tag, s string) {
	assert(tag.Form() == FormBytes && tag != TagText, "tag is no bytes field")
	if len(s) > MaxBytes {
		s = s[:MaxBytes]
		w.head.Flags |= FlagCut
	}
	if !w.room(3 + len(s)) {
		return
	}
	w.sum = sumBytes(w.sum, tag, s)
	p := w.fields[w.used:]
	p[0] = byte(tag)
	put16(p[1:], uint16(len(s)))
	copy(p[3:], s)
	w.used += 3 + len(s)
}

// Intern adds a field of [FormIntern]: s is stored once in the log. For
// strings that come again and again; at most MaxInterned of s is kept.
func (w *Writer) Intern(tag Tag, s string) {
	assert(tag.Form() == FormIntern, "tag is no interned string")
	if len(s) > MaxInterned {
		s = s[:MaxInterned]
		w.head.Flags |= FlagCut
	}
	if !w.room(5) {
		return
	}
	hash := hashString(mulB, s)
	w.sum = sumNumber(w.sum, tag, hash)
	id := uint32(0)
	if w.recording {
		id = w.stringID(s, hash)
	}
	p := w.fields[w.used:]
	p[0] = byte(tag)
	put32(p[1:], id)
	w.used += 5
}

// End finishes the step and returns its number.
func (w *Writer) End(t Tail) uint64 {
	assert(w.open, "End without Begin")
	text := t.Text
	if len(text) > MaxText {
		text = text[:MaxText]
		w.head.Flags |= FlagCut
	}
	if t.Message > 0 && t.Message <= len(text) {
		w.Uint(TagMessage, uint64(t.Message))
	}
	hash := t.StackHash
	if len(t.PCs) == 0 {
		hash = 0
	}
	w.sum = sumTail(w.sum, hash, w.head.Flags, text)
	if w.recording {
		stack := uint32(0)
		if len(t.PCs) > 0 {
			stack = w.stackID(t.PCs, hash)
		}
		if w.recording {
			w.record(text, stack)
		}
	}
	w.steps++
	w.tick = w.head.Tick
	w.open = false
	return w.steps
}

// EndBytes is [Writer.End] with the text as bytes.
func (w *Writer) EndBytes(text []byte, t Tail) uint64 {
	t.Text = view(text)
	return w.End(t)
}

// Close marks the open blocks as finished. A log without it can be read as
// well. No step may follow.
func (w *Writer) Close() {
	assert(!w.open, "Close within a step")
	w.closeBlock(&w.stepBlock)
	w.closeBlock(&w.defBlock)
	w.recording = false
}
