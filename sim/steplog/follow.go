package steplog

// Follower reads the checksums of a log one after the other, without
// allocating and without an index. A replay compares them, inside the program
// under test, with [Writer.Checksum] of a writer that does not record. Its
// state is plain memory: put back together with the rest of the program, it
// stands at the right step again.
type Follower struct {
	log  []byte
	off  uint64 // of the block, 0 = none yet
	pos  int
	step uint64 // number of the step last returned
}

// Init starts before step 1. The bytes must stay as they are.
func (f *Follower) Init(log []byte) { *f = Follower{log: log} }

// Step returns the number of the step that Next returned last.
func (f *Follower) Step() uint64 { return f.step }

// Next returns the stored checksum of the next step. ok is false at the end of
// the log and at damage.
func (f *Follower) Next() (sum uint32, ok bool) {
	p := f.record()
	if p == nil {
		return 0, false
	}
	sum = get32(p[28:])
	for more := Flags(p[1]); more&FlagMore != 0; more = Flags(p[1]) {
		if p = f.record(); p == nil || Flags(p[1])&FlagContinued == 0 {
			return 0, false
		}
		sum = get32(p[28:])
	}
	f.step++
	return sum, true
}

// record returns the fixed part of the next step record and moves behind it.
func (f *Follower) record() []byte {
	for {
		if f.off != 0 {
			p := f.log[f.off:min(f.off+BlockSize, uint64(len(f.log)))]
			if used := get32(p[16:]); used != 0 && uint64(used) < uint64(len(p)) {
				p = p[:used]
			}
			if f.pos+recordSize <= len(p) && p[f.pos] != 0 {
				length := get32(p[f.pos+24:])
				if uint64(length) > uint64(len(p)-f.pos-recordSize) {
					return nil
				}
				p = p[f.pos : f.pos+recordSize]
				f.pos += recordSize + pad8(int(length))
				return p
			}
		}
		if !f.nextBlock() {
			return nil
		}
	}
}

func (f *Follower) nextBlock() bool {
	for {
		off := f.off + BlockSize
		if off+blockHeader > uint64(len(f.log)) || get32(f.log[off:]) != blockMagic {
			return false
		}
		f.off, f.pos = off, blockHeader
		if f.log[off+4] == blockSteps {
			return true
		}
	}
}
