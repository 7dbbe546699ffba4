package inject

// Op says what an Edit does at its anchor.
type Op int

// The operations of an Edit. The zero value is Top, so that an Edit without
// an anchor needs no Op.
const (
	Top     Op = iota // Text becomes the first thing of the function's body or of the struct's fields
	End               // Text becomes the last thing there
	Before            // Text is put before the anchor
	After             // Text is put after the anchor
	Replace           // Text takes the anchor's place
	Delete            // the anchor goes away; its line ends stay
)

// Edit is one anchored change of a file below GOROOT/src. The anchor is
// resolved on the unchanged file, so the edits of a file do not see one
// another, and the number of lines never changes: a debugger that shows the
// user's own GOROOT file is then right about every line.
type Edit struct {
	// File is the slash path below GOROOT/src, "runtime/proc.go".
	File string
	// Func is the function the anchor lies in: "findRunnable",
	// "(*Mutex).Lock", "Time.String". "" means the whole file (or Type). In
	// an assembly file it is the name after the middle dot of a TEXT line.
	Func string
	// Type is the type the anchor lies in, "g". Func and Type exclude each
	// other.
	Type string
	// Find is the anchor. It occurs exactly once in the scope. "" goes with
	// Top and End and means the function's body or the struct's fields.
	Find string
	// Op is what happens; Top and End go without Find, the others with it.
	Op Op
	// Text is what is put in. A statement, field or declaration gets the
	// "; " that separates it from its neighbours by itself; anything else is
	// taken as it is. Line ends are allowed only in Replace, at most as many
	// as the anchor has.
	Text string
	// Only limits the edit to one release, "go1.26" or "go1.27".
	Only string
	// Optional says that the anchor may be missing; Why says why.
	Optional bool
	// Why is the reason: what breaks without the edit.
	Why string
}
