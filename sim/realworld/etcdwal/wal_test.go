package etcdwal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/sim"
	"go.etcd.io/etcd/raft/v3/raftpb"
	"go.etcd.io/etcd/server/v3/wal"
	"go.etcd.io/etcd/server/v3/wal/walpb"
	"go.uber.org/zap"
)

const dir = "/member/wal"

// writer saves a hundred entries in small batches; acked is the index of the
// last entry whose Save returned, begun of the last that was handed to it.
func writer(segment int64, acked, begun *int) {
	wal.SegmentSizeBytes = segment
	w, err := wal.Create(zap.NewNop(), dir, []byte("member"))
	if err != nil {
		log.Fatal(err)
	}
	for *begun < 100 {
		var batch []raftpb.Entry
		for range 1 + rand.IntN(3) {
			*begun++
			batch = append(batch, entry(*begun))
		}
		if err := w.Save(raftpb.HardState{Term: 1, Commit: uint64(*acked)}, batch); err != nil {
			log.Fatal(err)
		}
		*acked = *begun
	}
}

// entry is entry i of the log; its data and their length follow from i.
func entry(i int) raftpb.Entry {
	r := rand.New(rand.NewPCG(uint64(i), 0))
	var data []byte
	for range 1 + r.IntN(800) {
		data = binary.BigEndian.AppendUint64(data, r.Uint64())
	}
	return raftpb.Entry{Term: 1, Index: uint64(i), Data: data}
}

// start opens the log as etcd's start-up does: a torn tail is repaired once.
func start() ([]raftpb.Entry, error) {
	for repaired := false; ; repaired = true {
		w, err := wal.Open(zap.NewNop(), dir, walpb.Snapshot{})
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		_, _, entries, err := w.ReadAll()
		w.Close()
		if err == nil {
			return entries, nil
		}
		if repaired || !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("read: %w", err)
		}
		if !wal.Repair(zap.NewNop(), dir) {
			return nil, fmt.Errorf("repair of: %w", err)
		}
	}
}

// check starts from what a power cut left: the entries must be those that were
// saved, from the first to one from acked to begun.
func check(acked, begun int) error {
	if acked == 0 && !wal.Exist(dir) {
		return nil // nothing was promised
	}
	entries, err := start()
	if err != nil {
		return err
	}
	for i, e := range entries {
		if want := entry(i + 1); e.Index != want.Index || string(e.Data) != string(want.Data) {
			return fmt.Errorf("entry %d is not what was saved", i+1)
		}
	}
	if n := len(entries); n < acked || n > begun {
		return fmt.Errorf("the last entry is %d, not one from %d to %d", n, acked, begun)
	}
	return nil
}

// TestPowerCuts: etcd's log starts from whatever a power cut leaves.
func TestPowerCuts(t *testing.T) {
	acked, begun := 0, 0
	segment := int64(1+rand.IntN(16)) << 14
	m := sim.NewMachine(sim.MachineConfig{Label: "etcd", MainFunc: func() { writer(segment, &acked, &begun) }})
	disks := 0
	for m.Running() {
		for range rand.IntN(60) {
			sim.Yield()
		}
		m.Pause() // the log stays as it is while its disks are looked at
		low := acked
		found := m.CrashStates(10)
		for _, s := range found {
			disks++
			err := error(nil)
			c := sim.NewMachine(sim.MachineConfig{
				Label: "check", Disk: sim.Disk{From: s}, MayExit: true, MainFunc: func() { err = check(low, begun) },
			})
			c.Wait()
			if code := c.ExitCode(); err == nil && code != 0 {
				err = fmt.Errorf("the program ended with %d", code)
			}
			c.Remove()
			if err != nil {
				t.Fatalf("segments of %d bytes, %d entries acknowledged, %v: %v", segment, low, s, err)
			}
		}
		m.Resume()
	}
	t.Logf("%d disks, %d entries", disks, acked)
	if disks == 0 {
		t.Error("no disk was looked at")
	}
}
