package steplog

import "embed"

// SourceFiles is the source of this package. sim/inject compiles it into
// programs under test and leaves out this file, which the import policy
// exempts.
//
//go:embed *.go
var SourceFiles embed.FS
