package inject

import (
	"embed"

	restep "github.com/restep/restep"
)

// addedFiles are whole files that GOROOT/src gets, by their path there.
//
//go:embed all:_goroot
var addedFiles embed.FS

// injectedSource is the source of the packages that are compiled into the
// program under test.
var injectedSource = restep.InjectedSource

// injectedDirs are their trees, below sim/ here and internal/restep/ there.
var injectedDirs = []string{"kernel", "sched", "steplog"}
