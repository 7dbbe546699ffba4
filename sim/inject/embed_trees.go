package inject

import (
	"github.com/restep/restep/sim/kernel"
	"github.com/restep/restep/sim/sched"
	"github.com/restep/restep/sim/steplog"
)

var injectedTrees = []injectedTree{
	{"kernel", kernel.SourceFiles},
	{"sched", sched.SourceFiles},
	{"steplog", steplog.SourceFiles},
}
