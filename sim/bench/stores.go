package main

import "path/filepath"

// stores measures two key stores that write to disks: a put of etcd, a server
// of one member in the process, and a commit of a hundred puts of bbolt. They
// are the heavy program, which takes minutes to build the first time.
func (b *bench) stores() ([]row, error) {
	if !b.heavy {
		return nil, nil
	}
	dir := filepath.Join(b.root, "sim", "bench", "testdata", "heavy")
	plain, err := buildNative(b.ctx, dir, "", filepath.Join(b.temp, "heavy.test"))
	if err != nil {
		return nil, err
	}
	plainNL, err := buildNative(b.ctx, dir, "example.org/heavy=-N -l", filepath.Join(b.temp, "heavy-nl.test"))
	if err != nil {
		return nil, err
	}
	if b.big == nil {
		if b.big, err = buildSimulated(b.ctx, dir, b.temp); err != nil {
			return nil, err
		}
	}
	runners := []runner{plain, plainNL, b.big}
	puts, err := b.compareOf(runners, "etcd put, one member", "TestEtcdPut", size{100, 2100}, 0)
	if err != nil {
		return nil, err
	}
	commits, err := b.compareOf(runners, "bbolt commit of 100 puts", "TestBoltCommit", size{20, 520}, 0)
	return append(puts, commits...), err
}
