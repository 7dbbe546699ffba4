// Package restep holds the source of the packages that sim/inject compiles
// into programs under test, so that the tool works without its checkout.
//
// It does nothing else. It stands at the module's root because go:embed
// reaches only downwards and the packages themselves must not import embed.
//
// Invariant: only sim/inject imports it; a program under test never does.
package restep

import "embed"

// InjectedSource holds sim/kernel, sim/sched and sim/steplog by their path in
// this module, tests included.
//
//go:embed sim/kernel/*.go sim/kernel/*/*.go sim/sched/*.go sim/steplog/*.go
var InjectedSource embed.FS
