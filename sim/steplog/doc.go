// Package steplog is the binary step log: the recorded steps of one run.
//
// Its job is the format alone: a [Writer] that runs inside the program under
// test and appends to memory it was given, and a [Reader] that answers
// questions about such bytes for the command line, the debug adapter and the
// language server. Bytes in, bytes out.
//
// It deliberately opens no file, maps no memory, reads no clock and knows no
// symbol table: the caller hands in the bytes and the callbacks. It does not
// follow a log that still grows: open it again.
//
// It may import cmp, errors, iter, math/bits, slices, sort, strconv, strings,
// unicode/utf8, hash/crc32, container/heap and unsafe. It must never know the
// simulated kernel, the scheduler, files or a protocol of an editor.
//
// The Writer belongs to the one thread of the simulation; steps do not nest and
// it takes no lock. A Reader does not change after
// [Open] and may be shared; a [Cursor] belongs to one goroutine.
//
// # Invariants
//
// Invariant: the writer never allocates on the Go heap.
// Invariant: steps and checksums are the same with recording on and off.
// Invariant: a record is complete before its first word is stored, so that a
// process killed at any instruction leaves a log that can be read.
// Invariant: a definition is stored before the first step that names it.
// Invariant: a record never straddles two blocks.
// Invariant: for the reader no byte of a log is trusted: memory is bounded by
// a small multiple of the log's size and nothing panics.
//
// # Format, version 1
//
// Little endian. A file is a sequence of blocks of 65536 bytes; the last one
// may be cut short. Block 0 is written by the host before the run ([EncodeHeader]):
//
//	offset | size | name    | unit                  | since
//	     0 |    8 | magic   | "RESTEPLG"            | 1
//	     8 |    4 | version | 1                     | 1
//	    12 |    4 | length  | bytes of pairs        | 1
//	    16 |    8 | seed    |                       | 1
//	    24 |    8 | variant | hash, 0 = no override | 1
//	    32 |    8 | start   | ns since Unix epoch   | 1
//	    40 |    … | pairs   | key, value; each u16 length and bytes | 1
//
// Keys: build, package, test, go, restep, module, args, env (the last two are
// lists joined by NUL). A reader keeps unknown keys and ignores their meaning.
//
// Every other block begins with a block header:
//
//	offset | size | name  | unit                                   | since
//	     0 |    4 | magic | "RSTB"; 0 = end of log                 | 1
//	     4 |    1 | kind  | 1 steps, 2 definitions                 | 1
//	     5 |    3 | spare | 0                                      | 1
//	     8 |    8 | first | number of the first step that starts here, or ordinal of the first definition, from 1 | 1
//	    16 |    4 | used  | bytes, this header included; 0 = still open, read up to a zero word | 1
//	    20 |    4 | spare | 0                                      | 1
//	    24 |    8 | tick  | tick of the last step before `first`   | 1
//
// A step block holds step records. A step's number is `first` plus its index.
//
//	offset | size | name      | unit                               | since
//	     0 |    1 | kind      | Kind; 0 = end of data              | 1
//	     1 |    1 | flags     | Flags                              | 1
//	     2 |    2 | machine   | machine id                         | 1
//	     4 |    4 | goroutine | id, low half                       | 1
//	     8 |    8 | time      | ns since Unix epoch, simulated     | 1
//	    16 |    4 | tickDelta | ticks since the step before, saturating | 1
//	    20 |    4 | stack     | stack id, 0 = none                 | 1
//	    24 |    4 | length    | bytes of payload, padding excluded | 1
//	    28 |    4 | checksum  | low half of the rolling checksum after this step | 1
//	    32 |    … | payload   | fields, zero padded to 8           | 1
//
// With FlagBigTick the payload starts with the full tick delta (8 bytes). A
// field is a tag byte and a value. The tag's two top bits tell the form, so
// that an unknown tag can be skipped: 0 uvarint, 1 zigzag varint, 2 u16 length
// and bytes, 3 u32 string id. A record with FlagMore is continued by the next
// record of the step blocks, which has FlagContinued, carries more of the text
// and gets no number.
//
// A definition block holds definition records:
//
//	offset | size | name     | unit                                | since
//	     0 |    1 | kind     | 1 string, 2 machine, 3 frame, 4 stack; 0 = end of data | 1
//	     1 |    1 | flags    | 1 = cut to the size limit           | 1
//	     2 |    2 | spare    | 0                                   | 1
//	     4 |    4 | id       | per kind, dense from 1 in order of first use (machines: as given) | 1
//	     8 |    4 | length   | bytes of body, padding excluded     | 1
//	    12 |    4 | checksum | of kind, flags, id and body         | 1
//	    16 |    … | body     | zero padded to 8                    | 1
//
// Bodies. string: the bytes. machine: label, hostname, address, each u16
// length and bytes. frame: u64 pc relative to the text base, u32 function
// (string id), u32 file (string id), u32 line, u32 flags (1 = inlined into the
// next frame). stack: u64 content hash, u32 count, count u32 frame ids,
// innermost first.
//
// # Checksum
//
// The rolling checksum starts from seed and variant. Each step adds kind,
// machine, goroutine, time, tick, every field (strings by content, never by
// id), the content hash of the stack, the flags that carry meaning, and the
// text. The stack's hash is what the caller of [Writer.End] gave (see
// [HashPCs]); it is stored in the stack's definition, so that [Verify] needs
// no binary. Definitions have a checksum of their own.
//
// # Sources
//
// The format is our own. Mixing
// constants: the first two primes of xxHash64 (XXH64 specification 0.1.1).
package steplog
