package vfs

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// picture is everything that can be read of a tree, as text. Bytes are read
// through fs.
func picture(t *testing.T, fs *FS) string {
	t.Helper()
	w := &world{t: t, fs: fs, synced: map[*Inode][]byte{}}
	w.check(false) // links, parents, counts
	var b strings.Builder
	var walk func(d *Inode, path string)
	walk = func(d *Inode, path string) {
		for i := range d.dir.entries {
			e := &d.dir.entries[i]
			n := e.inode
			fmt.Fprintf(&b, "%s%s ino %d mode %o owner %d size %d", path, e.name, n.ino, n.meta.Mode, n.meta.UID, n.meta.Size)
			if n.file != nil {
				fmt.Fprintf(&b, " crc %08x", crc32.ChecksumIEEE(w.read(n)))
			}
			b.WriteByte('\n')
			if n.dir != nil {
				walk(n, path+e.name+"/")
			}
		}
	}
	walk(fs.root, "/")
	return b.String()
}

// TestCrashStatesAgree: the state in which nothing survived is what PowerOff
// leaves, the one in which everything did is what a sync would have kept,
// making them changes nothing, and what is done to a disk of a state shows
// nowhere else.
func TestCrashStatesAgree(t *testing.T) {
	for seed := range uint64(40) {
		w := newWorld(t, seed)
		for range 60 {
			w.step()
		}
		before := picture(t, w.fs)
		c := w.fs.Freeze()
		all, nothing := c.Disk(c.All()), c.Disk(c.Nothing())
		if got := picture(t, all); got != before {
			t.Fatalf("seed %d: with everything on the disk:\n%s\nbefore the power failure:\n%s", seed, got, before)
		}
		states := c.States(40, w.r.Uint64)
		seen := map[string]int{}
		for i, s := range states {
			d := c.Disk(s)
			p := picture(t, d)
			if other, dup := seen[p]; dup {
				t.Fatalf("seed %d: states %d (%s) and %d (%s) look alike", seed, other, c.Describe(states[other]), i, c.Describe(s))
			}
			seen[p] = i
			if d.Pending() || d.root.linkOps != 0 {
				t.Fatalf("seed %d: a disk has something pending", seed)
			}
			scribble(d)
		}
		scribble(all)
		if got := picture(t, w.fs); got != before {
			t.Fatalf("seed %d: looking at the states changed the disk to\n%s\nfrom\n%s", seed, got, before)
		}
		w.fs.PowerOff()
		if got, want := picture(t, nothing), picture(t, w.fs); got != want {
			t.Fatalf("seed %d: with nothing on the disk:\n%s\nafter PowerOff:\n%s", seed, got, want)
		}
	}
}

// scribble overwrites every file of a tree.
func scribble(fs *FS) {
	var walk func(d *Inode)
	walk = func(d *Inode) {
		for i := range d.dir.entries {
			n := d.dir.entries[i].inode
			if n.file != nil {
				n.WriteAt(bytes.Repeat([]byte{0xee}, 30_000), 0)
			}
			if n.dir != nil {
				walk(n)
			}
		}
	}
	walk(fs.root)
}

// TestCrashKeepsWhatWasSynced: in every state, a file that was synced and not
// touched since is there, under its name and with its bytes.
func TestCrashKeepsWhatWasSynced(t *testing.T) {
	now := int64(1)
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 9))
		fs := New(Config{Now: func() int64 { now++; return now }})
		fs.Seal()
		place := func(path string) Place {
			p, errno := fs.Walk(fs.Root(), path, 0)
			if errno != abi.OK {
				t.Fatal(path, errno)
			}
			return p
		}
		fs.Mkdir(place("/dir"), 0o755)
		kept, _ := fs.Create(place("/dir/new"), 0o600)
		kept.WriteAt([]byte("promised"), 0)
		fs.Sync(kept, false)
		fs.Rename(place("/dir/new"), place("/dir/kept"), 0)
		fs.Sync(place("/dir").Inode, false)
		for i := range 6 {
			n, _ := fs.Create(place(fmt.Sprint("/dir/other", i)), 0o600)
			n.WriteAt(make([]byte, r.IntN(9000)), 0)
			if r.IntN(2) == 0 {
				fs.Rename(place(fmt.Sprint("/dir/other", i)), place(fmt.Sprint("/moved", i)), 0)
			}
		}
		c := fs.Freeze()
		for _, s := range c.States(100, r.Uint64) {
			d := c.Disk(s)
			n, errno := d.Resolve(d.Root(), "/dir/kept", 0)
			if errno != abi.OK || text(t, n) != "promised" {
				t.Fatalf("seed %d: the promise is broken (errno %d) with %s", seed, errno, c.Describe(s))
			}
		}
	}
}

// TestCrashStatesOfOneFile is small enough to list all states by hand: ten
// bytes appended to a file of ten that were synced.
func TestCrashStatesOfOneFile(t *testing.T) {
	fs := New(Config{Now: func() int64 { return 1 }})
	fs.Seal()
	p, _ := fs.Walk(fs.Root(), "/f", 0)
	n, _ := fs.Create(p, 0o600)
	n.WriteAt(bytes.Repeat([]byte("a"), 1020), 0)
	fs.Sync(n, false)
	n.WriteAt(bytes.Repeat([]byte("b"), 10), 1020)
	c := fs.Freeze()
	got := map[string]bool{}
	for _, s := range c.States(1000, rand.New(rand.NewPCG(1, 1)).Uint64) {
		d := c.Disk(s)
		f, _ := d.Resolve(d.Root(), "/f", 0)
		got[strings.TrimLeft(text(t, f), "a")] = true
	}
	for _, want := range []string{"", strings.Repeat("\x00", 10), strings.Repeat("b", 10), "bbbb" + strings.Repeat("\x00", 6)} {
		if !got[want] {
			t.Errorf("no state ends in %q", want)
		}
		delete(got, want)
	}
	for extra := range got {
		t.Errorf("a state ends in %q", extra)
	}
}

// TestSpace: a disk of eight pages.
func TestSpace(t *testing.T) {
	fs := New(Config{Now: func() int64 { return 1 }})
	fs.Seal()
	fs.SetLimit(8 * pageSize)
	p, _ := fs.Walk(fs.Root(), "/f", 0)
	n, _ := fs.Create(p, 0o600)
	n.Open()
	want := func(what string, used int64) {
		t.Helper()
		if _, got := fs.Space(); got != used {
			t.Errorf("%s: %d pages used, want %d", what, got, used)
		}
	}
	if got, errno := n.WriteAt(make([]byte, 10*pageSize), 0); got != 8*pageSize || errno != abi.ENOSPC {
		t.Errorf("ten pages: %d bytes, errno %d", got, errno)
	}
	want("written", 8)
	n.WriteAt(make([]byte, pageSize), 0)
	want("overwritten", 8)
	n.Truncate(3*pageSize + 1)
	want("truncated", 4)
	n.Zero(0, 2*pageSize)
	want("punched", 2)
	if errno := n.Reserve(0, 16*pageSize); errno != abi.ENOSPC {
		t.Errorf("sixteen pages: errno %d", errno)
	}
	want("reserved too much", 2)
	if errno := n.Reserve(0, 8*pageSize); errno != abi.OK {
		t.Errorf("eight pages: errno %d", errno)
	}
	want("reserved", 8)
	if _, errno := n.WriteAt(make([]byte, 8*pageSize), 0); errno != abi.OK {
		t.Errorf("a write into what is reserved: errno %d", errno)
	}
	want("reserved and written", 8)
	fs.SyncAll()
	p, _ = fs.Walk(fs.Root(), "/f", 0)
	fs.Unlink(p)
	want("unlinked and open", 8)
	n.Close()
	want("closed", 0)
	fs.PowerOff()
	want("back after a power failure", 8)
}
