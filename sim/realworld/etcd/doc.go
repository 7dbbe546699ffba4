// Package etcd runs a cluster of three etcd servers, unmodified, in the
// simulation: clients put and get while the network falls apart and machines
// crash, stand still and come back, and what the clients saw must be
// linearizable (github.com/anishathalye/porcupine).
//
// It is a module of its own, so that etcd is no dependency of restep.
//
//	cd sim/realworld/etcd && restep test -seeds=1-20 .
//
// It may import etcd, porcupine, zap and package sim, and must never be
// imported.
package etcd
