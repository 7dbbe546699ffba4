package inject

// allEdits returns the edits of programs under test. Each edits_*.go holds one
// table and the reason of each edit; linkerEdits is separate, for it patches
// a program of its own.
func allEdits() []Edit {
	var all []Edit
	for _, table := range [][]Edit{runtimeEdits, stdEdits, atomicEdits()} {
		all = append(all, table...)
	}
	return all
}
