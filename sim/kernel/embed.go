package kernel

import "embed"

// SourceFiles is the source of this package and of the packages below it, by
// path from here. sim/inject compiles it into programs under test and leaves
// out this file, which the import policy exempts.
//
//go:embed *.go */*.go
var SourceFiles embed.FS
