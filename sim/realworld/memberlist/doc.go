// Package memberlist runs github.com/hashicorp/memberlist, unmodified, in the
// simulation: five machines that tell each other over UDP and TCP who is there,
// while machines crash and come back and the network fails in many ways.
//
// It is a module of its own, so that memberlist is no dependency of restep.
//
//	cd sim/realworld/memberlist && restep test -seeds=1-100 .
//
// v0.2.4.mod builds the same files with the release in which a machine whose
// own network is down goes on to hold all others for alive
// (github.com/hashicorp/memberlist/pull/242); TestViews finds it:
//
//	restep test -modfile=v0.2.4.mod -run TestViews -seeds=1-200 .
//
// Invariant: no test knows of that defect. The oracle is that, once nothing has
// changed for a while, each machine's view is the set of machines it reaches.
//
// It may import memberlist and package sim, and must never be imported.
package memberlist
