package vfs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/restep/restep/sim/kernel/abi"
)

// world is a file system under random changes, with what each file held when
// it was last synced.
type world struct {
	t      *testing.T
	seed   uint64
	fs     *FS
	r      *rand.Rand
	files  []*Inode
	synced map[*Inode][]byte // nil: never synced since it was made
}

func newWorld(t *testing.T, seed uint64) *world {
	now := int64(1)
	fs := New(Config{Now: func() int64 { now++; return now }})
	fs.Seal()
	return &world{t: t, seed: seed, fs: fs, r: rand.New(rand.NewPCG(seed, 2)), synced: map[*Inode][]byte{}}
}

func (w *world) place() Place {
	names := []string{"/a", "/b", "/c", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/d/e/b", "/f", "/f/a", "/f/e", "/f/e/a"}
	for range 100 {
		if p, errno := w.fs.Walk(w.fs.Root(), names[w.r.IntN(len(names))], 0); errno == abi.OK {
			return p
		}
	}
	return Place{Dir: w.fs.Root(), Inode: w.fs.Root(), Kind: LastRoot}
}

// step makes one random change or sync.
func (w *world) step() {
	p := w.place()
	switch w.r.IntN(14) {
	case 0, 1:
		if n, errno := w.fs.Create(p, 0o644); errno == abi.OK {
			w.files = append(w.files, n)
			w.synced[n] = nil
		}
	case 2, 3:
		w.fs.Mkdir(p, 0o755)
	case 4:
		w.fs.Unlink(p)
	case 5:
		w.fs.Rmdir(p)
	case 6, 7:
		w.fs.Rename(p, w.place(), 0)
	case 8:
		w.fs.Rename(p, w.place(), abi.RENAME_EXCHANGE)
	case 9:
		if p.Inode != nil {
			w.fs.Link(p.Inode, w.place())
		}
	case 10, 11:
		if p.Inode != nil && p.Inode.IsRegular() {
			p.Inode.WriteAt(bytes.Repeat([]byte{byte(w.r.Uint32())}, w.r.IntN(9000)), w.r.Int64N(20000))
			if w.r.IntN(3) == 0 {
				p.Inode.Truncate(w.r.Int64N(20000))
			}
			if w.r.IntN(3) == 0 {
				p.Inode.Zero(w.r.Int64N(20000), 1+w.r.Int64N(9000))
			}
		}
	case 12:
		if p.Inode != nil {
			w.sync(p.Inode)
		}
	case 13:
		if w.r.IntN(10) == 0 {
			w.fs.SyncAll()
			for _, n := range w.files {
				w.synced[n] = w.read(n)
			}
		}
	}
}

func (w *world) sync(n *Inode) {
	w.fs.Sync(n, w.r.IntN(2) == 0)
	if n.IsRegular() {
		w.synced[n] = w.read(n)
	}
}

func (w *world) read(n *Inode) []byte {
	b := make([]byte, n.Size())
	if got, errno := n.ReadAt(b, 0); errno != abi.OK || got != len(b) {
		w.t.Fatalf("seed %d: read %d bytes of %d, errno %d", w.seed, got, len(b), errno)
	}
	return b
}

// check looks at the whole tree: links, parents and counts must agree, and
// after a power failure each file must hold what was synced.
func (w *world) check(afterCrash bool) map[*Inode]string {
	paths := map[*Inode]string{}
	links := map[*Inode]uint32{}
	var walk func(d *Inode, path string)
	walk = func(d *Inode, path string) {
		dirs := 0
		for i := range d.dir.entries {
			e := &d.dir.entries[i]
			if i > 0 && d.dir.entries[i-1].name >= e.name {
				w.t.Fatalf("seed %d: %s is out of order", w.seed, path+e.name)
			}
			links[e.inode]++
			paths[e.inode] = path + e.name
			if e.inode.dir != nil {
				dirs++
				if e.inode.dir.parent != d || links[e.inode] > 1 {
					w.t.Fatalf("seed %d: directory %s has another parent", w.seed, path+e.name)
				}
				walk(e.inode, path+e.name+"/")
			}
		}
		if dirs != d.dir.subdirs {
			w.t.Fatalf("seed %d: %s counts %d directories and has %d", w.seed, path, d.dir.subdirs, dirs)
		}
	}
	walk(w.fs.root, "/")
	for n, count := range links {
		if n.nlink != count {
			w.t.Fatalf("seed %d: %s has %d names and counts %d", w.seed, paths[n], count, n.nlink)
		}
		if n.file != nil && afterCrash && !bytes.Equal(w.read(n), w.synced[n]) {
			w.t.Fatalf("seed %d: %s does not hold what was synced", w.seed, paths[n])
		}
	}
	if afterCrash {
		if w.fs.first != nil || w.fs.dirty != nil {
			w.t.Fatalf("seed %d: something is pending after a power failure", w.seed)
		}
		for n := range links {
			if n.linkOps != 0 || n.editOps != 0 || n.dirty {
				w.t.Fatalf("seed %d: %s counts %d and %d pending operations", w.seed, paths[n], n.linkOps, n.editOps)
			}
		}
	}
	return paths
}

func TestRandomPowerFailures(t *testing.T) {
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		for range 8 {
			for range w.r.IntN(60) {
				w.step()
			}
			before := w.check(false)
			// The last thing before the power fails is a sync of one object.
			n := w.place().Inode
			if n == nil {
				n = w.fs.Root()
			}
			moved := n.IsDir() || n.linkOps > 0 && n.nlink == 1
			w.sync(n)
			list := w.listing(n)
			w.fs.PowerOff()
			after := w.check(true)
			if _, ok := after[n]; !ok && n != w.fs.Root() {
				t.Fatalf("seed %d: %s was synced and is gone", seed, before[n])
			}
			if n.IsDir() && w.listing(n) != list {
				t.Fatalf("seed %d: directory %s was synced with %s and holds %s", seed, before[n], list, w.listing(n))
			}
			if moved && after[n] != before[n] {
				t.Fatalf("seed %d: %s was synced under that name and is now %s", seed, before[n], after[n])
			}
		}
	}
}

// listing is the names of a directory with their inodes, "" for a file.
func (w *world) listing(d *Inode) string {
	s := ""
	if d.IsDir() {
		for _, e := range d.dir.entries {
			s += fmt.Sprint(e.name, ":", e.inode.ino, " ")
		}
	}
	return s
}

func TestSyncAllKeepsEverything(t *testing.T) {
	for seed := range uint64(100) {
		w := newWorld(t, seed)
		for range 200 {
			w.step()
		}
		w.fs.SyncAll()
		for _, n := range w.files {
			w.synced[n] = w.read(n)
		}
		before := w.check(false)
		w.fs.PowerOff()
		after := w.check(true)
		if len(before) != len(after) {
			t.Fatalf("seed %d: %d names before the power failure, %d after it", seed, len(before), len(after))
		}
		for n, path := range after {
			if n.nlink == 1 && before[n] != path {
				t.Errorf("seed %d: %s became %s", seed, before[n], path)
			}
		}
	}
}
