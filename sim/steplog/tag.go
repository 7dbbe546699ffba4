package steplog

import "strconv"

// Tag names a field of a step. Its two top bits are the form of the value.
// Numbers are part of the format: append, never reorder.
type Tag uint8

// Form is how a field's value is stored.
type Form uint8

const (
	FormUint   Form = iota // uvarint
	FormInt                // zigzag varint
	FormBytes              // u16 length and bytes
	FormIntern             // u32 id of an interned string
)

// Form returns how the tag's value is stored.
func (t Tag) Form() Form { return Form(t >> 6) }

// Tags of unsigned numbers.
const (
	TagMessage   Tag = 0x00 + 1 + iota // offset of the message inside the text; see Step.Message
	TagSyscall                         // number of the system call
	TagErrno                           // Linux errno, positive
	TagCount                           // bytes moved
	TagFrom                            // machine id a link starts at
	TagTo                              // machine id a link leads to
	TagConn                            // connection id
	TagSignal                          // signal number
	TagPC                              // caller's pc relative to the text base
	TagGoroutine                       // id of the other goroutine (the one started)
	TagMessageID                       // number of a message; joins send, deliver and drop
	TagDelayNs                         // nanoseconds
	TagChoice                          // number of the choice behind a fault
	TagCause                           // number of the step that caused this one
)

// Tags of signed numbers.
const (
	TagLevel    Tag = 0x40 + 1 + iota // slog level: -4 debug, 0 info, 4 warn, 8 error
	TagResult                         // result of the system call
	TagFD                             // file descriptor
	TagExitCode                       // exit code of a machine
	TagOffset                         // offset in a file
)

// Tags of bytes. TagText is written by [Writer.End] only.
const (
	TagText   Tag = 0x80 + 1 + iota // raw text of the step, may span records
	TagLocal                        // local address
	TagPeer                         // address of the other end
	TagPath                         // path of a file
	TagPath2                        // second path (rename, link)
	TagReason                       // why, in words
)

// Tags of interned strings.
const (
	TagName   Tag = 0xc0 + 1 + iota // name of the system call
	TagFault                        // name of the fault
	TagTest                         // name of the test
	TagStatus                       // pass, fail, skip
	TagStream                       // stdout, stderr, log, slog, test
	TagFunc                         // function a goroutine runs
)

// tagNames is indexed by form and number.
var tagNames = [4][]string{
	{"", "message", "syscall", "errno", "count", "from", "to", "conn", "signal", "pc", "goroutine",
		"message-id", "delay-ns", "choice", "cause"},
	{"", "level", "result", "fd", "exit-code", "offset"},
	{"", "text", "local", "peer", "path", "path2", "reason"},
	{"", "name", "fault", "test", "status", "stream", "func"},
}

// String returns the tag's name, "field-N" for one this version does not know.
func (t Tag) String() string {
	names, n := tagNames[t>>6], int(t&0x3f)
	if n > 0 && n < len(names) {
		return names[n]
	}
	return "field-" + strconv.Itoa(int(t))
}
