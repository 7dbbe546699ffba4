// Package inputs says what a run was made of: the files of the program, the
// modules it takes, the Go release, and the data beside the tests. Later, when
// the same run does not come out any more, it names what has changed.
//
// A [Manifest] is taken when a test binary was built, and is kept beside the
// runs of that binary. The build id alone tells that something is different,
// not what; and files that a test reads are no part of the build at all.
//
// It deliberately decides nothing: whether a run may be shown is the caller's
// to say. It may import sim/steplog and the standard library; it must never
// know Delve, editors or the store of runs.
//
// Invariant: names in a manifest are those of recorded frames, module path and
// slashes, never paths of a host; nothing is opened by a name in a manifest.
// Invariant: what is read is bounded, and so is a manifest that is decoded.
//
// Sources: go help list.
package inputs
