// Package etcdwal runs the write-ahead log of etcd's server, unmodified, in the
// simulation, and cuts the power: whatever that leaves on the disk, the log
// must open as etcd's start-up opens it, with all that was acknowledged.
//
// It is a module of its own, so that etcd is no dependency of restep.
//
//	cd sim/realworld/etcdwal && restep test -seeds=1-100 .
//
// v3.5.5.mod builds the same files with a release that refuses to start from a
// log torn at its tail when the power cut lost the file's new size
// (github.com/etcd-io/etcd/pull/15068); TestPowerCuts finds it:
//
//	restep test -modfile=v3.5.5.mod -seeds=1-200 .
//
// Invariant: no test knows of that defect. The oracle is that start-up
// succeeds and that what Save promised is there.
//
// It may import etcd's wal and raftpb, zap and package sim, and must never be
// imported.
package etcdwal
