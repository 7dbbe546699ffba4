package steplog

// Sizes of the format, in bytes. They are part of version 1 and never change
// within it.
const (
	BlockSize   = 1 << 16 // every block, the header block included
	Version     = 1       // the format version this package writes
	headerFixed = 40      // fixed part of block 0
	blockHeader = 32      // header of every later block
	recordSize  = 32      // fixed part of a step record
	defSize     = 16      // fixed part of a definition record
	frameSize   = 24      // body of a frame definition
	stackFixed  = 12      // fixed part of a stack's body
)

// Limits of what one step may hold. The writer cuts what is longer and sets
// [FlagCut]; the reader refuses what is longer.
const (
	MaxText     = 16 << 20 // bytes of a step's text
	MaxFields   = 8 << 10  // encoded bytes of a step's fields, text excluded
	MaxBytes    = 4 << 10  // bytes of one bytes field (PATH_MAX)
	MaxInterned = 32 << 10 // bytes of one interned string
	MaxFrames   = 1024     // frames of one stack
	MaxInlined  = 64       // frames of one pc
	MaxName     = 1 << 10  // bytes of a machine's label, hostname or address
)

const (
	splitMin    = 4 << 10 // a record up to this size is never split
	splitRoom   = 256     // a part of a split record carries at least this much text
	blockMagic  = 0x42545352
	blockSteps  = 1
	blockDefs   = 2
	tickBig     = 1<<32 - 1 // a tick delta from here on is stored in full
	frameInline = 1         // frame flag: inlined into the next frame
	defCut      = 1         // definition flag: cut to a limit
)

const headerMagic = "RESTEPLG"

// defKind is the kind byte of a definition record.
type defKind uint8

const (
	defString defKind = 1 + iota
	defMachine
	defFrame
	defStack
)

func (k defKind) String() string {
	switch k {
	case defString:
		return "string"
	case defMachine:
		return "machine"
	case defFrame:
		return "frame"
	case defStack:
		return "stack"
	}
	return "unknown"
}

// Flags of a step. The low four bits belong to the layout of the record, the
// high four are part of the step's meaning and of its checksum.
type Flags uint8

const (
	FlagMore      Flags = 1 << iota // the next record continues this step
	FlagContinued                   // this record continues the step before it
	FlagBigTick                     // the payload starts with the full tick delta
	_
	FlagCut  // text or a field was longer than a limit
	FlagUser // the first of three bits that are free for the caller

	meaningFlags = ^Flags(15)
)

// MachineID is a machine's number in one log. The host side resolves it with
// [Reader.Machine].
type MachineID uint16

// Machine is the definition of a simulated machine.
type Machine struct {
	ID    MachineID
	Label string // name in the test: "server"
	Host  string // hostname
	Addr  string // first address as text
}

func pad8(n int) int { return (n + 7) &^ 7 }

func get16(b []byte) uint16 {
	_ = b[1]
	return uint16(b[0]) | uint16(b[1])<<8
}

func get32(b []byte) uint32 {
	_ = b[3]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func get64(b []byte) uint64 {
	_ = b[7]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func put16(b []byte, v uint16) {
	_ = b[1]
	b[0], b[1] = byte(v), byte(v>>8)
}

func put32(b []byte, v uint32) {
	_ = b[3]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}

// put64 is one 8-byte store on amd64. The order of two calls is the order in
// which memory sees them: the compiler keeps stores in program order.
func put64(b []byte, v uint64) {
	_ = b[7]
	b[0], b[1], b[2], b[3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
	b[4], b[5], b[6], b[7] = byte(v>>32), byte(v>>40), byte(v>>48), byte(v>>56)
}

// assert ends the simulation when one of its own invariants is broken.
func assert(ok bool, text string) {
	if !ok {
		panic("steplog: " + text)
	}
}
