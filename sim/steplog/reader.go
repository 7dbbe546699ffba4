package steplog

import "sort"

// maxProblems bounds how many problems a Reader keeps.
const maxProblems = 16

// maxPerBlock is the largest number of steps a block can hold.
const maxPerBlock = (BlockSize - blockHeader) / recordSize

// blockInfo is what opening a log learns of a step block.
type blockInfo struct {
	off   uint64
	first uint64 // number of the first step that starts here
	tick  uint64 // of the step before it
	end   int    // bytes that may hold records, header included
	whole bool   // the writer closed it and all of it is there: records end at end
}

// Reader answers questions about a log's bytes. It keeps the slice given to
// [Open] and never changes after that, so it may be shared.
type Reader struct {
	b        []byte
	header   Header
	blocks   []blockInfo
	defs     [defStack + 1][]uint64 // offsets of definition records by kind and id; [0] is unused
	machines []Machine              // sorted by id
	last     uint64
	problems []*Error
	defsOpen bool // the last definition block is not marked as finished
}

// Frame is one function of a call stack.
type Frame struct {
	Func    string // "" = unknown
	File    string
	Line    int
	PC      uint64 // relative to the text base
	Inlined bool   // inlined into the next frame
}

// Open reads the header, one block header a block, and the definitions. It
// fails with an [*Error] only when the header cannot be read; damage behind it
// is skipped and listed by [Reader.Problems].
func Open(b []byte) (*Reader, error) {
	h, err := DecodeHeader(b)
	if err != nil {
		return nil, err
	}
	r := &Reader{b: b, header: h}
	for off := uint64(BlockSize); off+blockHeader <= uint64(len(b)); off += BlockSize {
		p := b[off:]
		if get32(p) == 0 {
			break
		}
		r.addBlock(off, p[:min(len(p), BlockSize)])
	}
	r.findLast()
	return r, nil
}

func (r *Reader) problem(off uint64, what string) {
	if len(r.problems) == maxProblems {
		return
	}
	r.problems = append(r.problems, &Error{Offset: int64(off), What: what, Advice: adviceAgain})
}

func (r *Reader) addBlock(off uint64, p []byte) {
	if get32(p) != blockMagic {
		r.problem(off, "block has a damaged header and is left out")
		return
	}
	end, whole := len(p), false
	if used := get32(p[16:]); used != 0 {
		if used < blockHeader || used > BlockSize {
			r.problem(off+16, "block says it uses "+u64text(uint64(used))+" bytes")
		} else {
			whole = int(used) <= end
			end = min(end, int(used))
		}
	}
	switch p[4] {
	case blockSteps:
		r.addSteps(blockInfo{off: off, first: get64(p[8:]), tick: get64(p[24:]), end: end, whole: whole})
	case blockDefs:
		if r.defsOpen {
			r.problem(off, "block follows one that is not finished")
		}
		r.defsOpen = !whole
		r.addDefs(off, p[:end], whole)
	default:
		r.problem(off+4, "block of unknown kind "+u64text(uint64(p[4])))
	}
}

func (r *Reader) addSteps(b blockInfo) {
	low := uint64(1)
	if n := len(r.blocks); n > 0 {
		low = r.blocks[n-1].first
		if !r.blocks[n-1].whole {
			r.problem(r.blocks[n-1].off+16, "block is not finished, but another one follows")
		}
	}
	if b.first < low || b.first > uint64(len(r.b))/recordSize+1 {
		r.problem(b.off+8, "block starts with step "+u64text(b.first)+", which cannot be, and is left out")
		return
	}
	if len(r.blocks) == 0 && b.first != 1 {
		r.problem(b.off+8, "the steps before "+u64text(b.first)+" are missing")
	}
	r.blocks = append(r.blocks, b)
}

// definition is one record of a definition block.
type definition struct {
	kind  defKind
	flags uint8
	id    uint32
	sum   uint32
	off   uint64 // of the record in the log
	body  []byte
}

// nextDef reads the record at position at of a definition block. ok is false
// at the end of the data; problem then says why it ended early, if it did.
func nextDef(p []byte, off uint64, at int) (d definition, next int, ok bool, problem string) {
	if at+defSize > len(p) || p[at] == 0 {
		return d, at, false, ""
	}
	d = definition{kind: defKind(p[at]), flags: p[at+1], id: get32(p[at+4:]), sum: get32(p[at+12:]), off: off + uint64(at)}
	length := get32(p[at+8:])
	if uint64(length) > uint64(len(p)-at-defSize) {
		return d, at, false, "definition of " + u64text(uint64(length)) + " bytes reaches behind its block"
	}
	d.body = p[at+defSize : at+defSize+int(length)]
	return d, at + defSize + pad8(int(length)), true, ""
}

// addDefs indexes a definition block.
func (r *Reader) addDefs(off uint64, p []byte, whole bool) {
	for at := blockHeader; ; {
		d, next, ok, problem := nextDef(p, off, at)
		if !ok {
			if problem != "" && off+uint64(len(p)) < uint64(len(r.b)) {
				r.problem(d.off+8, problem)
			} else if whole && at != len(p) {
				r.problem(off+uint64(at), "definition block ends early")
			}
			return
		}
		r.addDef(d.kind, d.id, d.off, d.body)
		at = next
	}
}

func (r *Reader) addDef(kind defKind, id uint32, off uint64, body []byte) {
	small := false
	switch kind {
	case defString:
	case defMachine:
		r.addMachine(id, off, body)
		return
	case defFrame:
		small = len(body) < frameSize
	case defStack:
		small = len(body) < stackFixed || uint64(get32(body[8:]))*4 > uint64(len(body)-stackFixed)
	default:
		return // a kind of a later version
	}
	if small {
		r.problem(off, kind.String()+" definition is too short")
		return
	}
	list := r.defs[kind]
	if len(list) == 0 {
		list = append(list, 0)
	}
	switch {
	case uint64(id) > uint64(len(r.b))/defSize || id == 0:
		r.problem(off+4, kind.String()+" definition has the impossible id "+u64text(uint64(id)))
		return
	case int(id) < len(list) && list[id] != 0:
		r.problem(off+4, kind.String()+" "+u64text(uint64(id))+" is defined twice; the first one counts")
		return
	}
	for len(list) <= int(id) {
		list = append(list, 0)
	}
	list[id] = off
	r.defs[kind] = list
}

func (r *Reader) addMachine(id uint32, off uint64, body []byte) {
	label, n, ok := cutString16(body)
	host, m, ok2 := cutString16(body[n:])
	addr, _, ok3 := cutString16(body[n+m:])
	if !ok || !ok2 || !ok3 || id > 1<<16-1 {
		r.problem(off, "machine definition is damaged")
		return
	}
	def := Machine{ID: MachineID(id), Label: label, Host: host, Addr: addr}
	i := r.machineIndex(def.ID)
	if i < len(r.machines) && r.machines[i].ID == def.ID {
		r.machines[i] = def
		return
	}
	r.machines = append(r.machines, Machine{})
	copy(r.machines[i+1:], r.machines[i:])
	r.machines[i] = def
}

func (r *Reader) machineIndex(id MachineID) int {
	return sort.Search(len(r.machines), func(i int) bool { return r.machines[i].ID >= id })
}

// findLast determines the number of the last complete step.
func (r *Reader) findLast() {
	if len(r.blocks) == 0 {
		return
	}
	c := Cursor{r: r, block: -1}
	c.load(len(r.blocks) - 1)
	r.last = r.blocks[len(r.blocks)-1].first - 1 + uint64(len(c.starts))
	if c.damage != nil {
		r.problems = append(r.problems, c.damage)
	}
	// A process that was killed may have left the last step half written.
	if r.last > 0 {
		if err := c.Seek(r.last); err != nil && c.incomplete {
			r.last--
		}
	}
}

// Header returns what block 0 says.
func (r *Reader) Header() Header { return r.header }

// Steps returns the number of steps, which is the last one's number. Steps of
// damaged blocks count.
func (r *Reader) Steps() uint64 { return r.last }

// Problems returns the damage found on opening (the first 16), in the order of
// the file; empty for a good log, also for one of a killed process.
func (r *Reader) Problems() []*Error { return r.problems }

// Machines returns all machines by rising id. The caller must not change it.
func (r *Reader) Machines() []Machine { return r.machines }

// Machine returns a machine's definition.
func (r *Reader) Machine(id MachineID) (Machine, bool) {
	if i := r.machineIndex(id); i < len(r.machines) && r.machines[i].ID == id {
		return r.machines[i], true
	}
	return Machine{ID: id}, false
}

// Stacks returns the number of stack ids; ids run from 1.
func (r *Reader) Stacks() int { return max(0, len(r.defs[defStack])-1) }

// def returns the body of a definition.
func (r *Reader) def(kind defKind, id uint32) ([]byte, bool) {
	list := r.defs[kind]
	if uint64(id) >= uint64(len(list)) || list[id] == 0 {
		return nil, false
	}
	p := r.b[list[id]:]
	return p[defSize : defSize+get32(p[8:])], true
}

// stringBytes returns an interned string, nil when it is not defined.
func (r *Reader) stringBytes(id uint32) ([]byte, bool) { return r.def(defString, id) }

// Stack appends the frames of a stack to dst, innermost first. A frame that is
// not defined comes as a zero Frame, an unknown stack as nothing.
func (r *Reader) Stack(id uint32, dst []Frame) []Frame {
	body, ok := r.def(defStack, id)
	if !ok {
		return dst
	}
	for n := get32(body[8:]); n > 0; n-- {
		dst = append(dst, r.frame(get32(body[stackFixed:])))
		body = body[4:]
	}
	return dst
}

// StackHash returns the content hash of a stack, 0 for none.
func (r *Reader) StackHash(id uint32) uint64 {
	if body, ok := r.def(defStack, id); ok {
		return get64(body)
	}
	return 0
}

func (r *Reader) frame(id uint32) Frame {
	body, ok := r.def(defFrame, id)
	if !ok {
		return Frame{}
	}
	fn, _ := r.stringBytes(get32(body[8:]))
	file, _ := r.stringBytes(get32(body[12:]))
	return Frame{
		Func: string(fn), File: string(file), PC: get64(body),
		Line:    int(int32(get32(body[16:]))),
		Inlined: get32(body[20:])&frameInline != 0,
	}
}

// Step returns a copy of step n that stays valid; use a [Cursor] to read many.
func (r *Reader) Step(n uint64) (Step, error) {
	c := r.Cursor(Filter{})
	if err := c.Seek(n); err != nil {
		return Step{}, err
	}
	return c.Step().Clone(), nil
}
