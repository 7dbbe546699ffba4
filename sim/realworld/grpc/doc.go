// Package grpc runs google.golang.org/grpc, unmodified, in the simulation:
// calls of all four kinds, keep-alive over a network that goes silent, a server
// that crashes and comes back, and a client that is closed in the middle of it.
//
// It is a module of its own, so that gRPC is no dependency of restep. It does
// not test what gRPC's own suite does.
//
//	cd sim/realworld/grpc && restep test -seeds=1-100 .
//
// v1.65.0.mod builds the same files with the release in which Close of a
// client waits for ever for a peer that has stopped reading
// (github.com/grpc/grpc-go/issues/7314); TestEveryCallReturns finds it:
//
//	restep test -modfile=v1.65.0.mod -run TestEveryCallReturns -seeds=1-200 .
//
// Invariant: no test knows of that defect. The oracle is that a call returns.
//
// It may import gRPC and package sim, and must never be imported.
package grpc
