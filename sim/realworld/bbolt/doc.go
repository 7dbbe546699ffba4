// Package bbolt runs go.etcd.io/bbolt, unmodified, in the simulation: a key
// store that maps its file into memory, locks it, and promises that what was
// committed survives a power failure.
//
// It is a module of its own, so that bbolt is no dependency of restep. It does
// not test what bbolt's own suite does; that one runs unchanged, too:
//
//	cd sim/realworld/bbolt && restep test -seeds=1-100 .
//
// It may import bbolt and package sim, and must never be imported.
package bbolt
