package vfs

import (
	"slices"
	"testing"
)

// buildsOn is findNeeds in plain words: o cannot be on the disk without the
// earlier p.
func (o *op) buildsOn(p *op) bool {
	for _, e := range o.real() {
		for _, f := range p.real() {
			switch {
			case f.dir == e.dir && f.name == e.name:
				return true
			case f.new != nil && f.new.dir != nil && e.dir.within(f.new):
				return true // made or moved a directory above
			case e.old != nil && e.old.dir != nil && f.dir == e.old:
				return true // emptied the directory that goes
			}
		}
	}
	return false
}

// TestNeeds: what is missing takes with it what each pair of changes says.
func TestNeeds(t *testing.T) {
	needed := 0
	for seed := range uint64(200) {
		w := newWorld(t, seed)
		for range 80 {
			w.step()
		}
		c := w.fs.Freeze()
		pairs := *c
		pairs.needs = make([][]int, c.ops)
		for i := range c.ops {
			for k := range i {
				if c.items[i].op.buildsOn(c.items[k].op) {
					pairs.needs[i] = append(pairs.needs[i], k)
					needed++
				}
			}
		}
		for range 50 {
			s := c.Nothing()
			for i := range s {
				s[i] = Sectors * uint8(min(w.r.IntN(4), 1))
			}
			if got, want := c.legal(slices.Clone(s)), pairs.legal(slices.Clone(s)); !slices.Equal(got, want) {
				t.Fatalf("seed %d: of %v survives\n%v, want\n%v", seed, s, got, want)
			}
		}
	}
	if needed < 1000 {
		t.Errorf("only %d changes build on others", needed)
	}
}

// TestPrints: two states have the same print if and only if their disks read
// the same.
func TestPrints(t *testing.T) {
	alike := 0
	for seed := range uint64(60) {
		w := newWorld(t, seed)
		for range 60 {
			w.step()
		}
		c := w.fs.Freeze()
		p, fresh := c.newPrints(), c.newPrints()
		prints, pictures := map[uint64]string{}, map[string]uint64{}
		for range 60 {
			s := c.Random(w.r.Uint64)
			print, look := p.of(s), picture(t, c.Disk(s))
			if other, ok := prints[print]; ok && other != look {
				t.Fatalf("seed %d: one print of\n%s\nand\n%s", seed, other, look)
			}
			if other, ok := pictures[look]; ok {
				if alike++; other != print {
					t.Fatalf("seed %d: two prints of\n%s", seed, look)
				}
			}
			prints[print], pictures[look] = look, print
			if again := fresh.of(s); again != print {
				t.Fatalf("seed %d: the print of a state depends on those before it", seed)
			}
		}
	}
	if alike < 50 {
		t.Errorf("only %d states looked alike", alike)
	}
}

// TestStatesOfMany: with very many changes the work is bounded, also where all
// states look alike.
func TestStatesOfMany(t *testing.T) {
	fs := manyFiles(t, 0, 500)
	c := fs.Freeze()
	next := uint64(0)
	random := func() uint64 { next = next*6364136223846793005 + 1442695040888963407; return next >> 11 }
	if n := len(c.States(200, random)); n != 200 {
		t.Errorf("%d states of %d things", n, c.Items())
	}
	tried := enumeration{c: c, limit: 10, tries: 3, prints: c.newPrints(), seen: map[uint64]bool{}}
	for range 5 {
		tried.add(c.Nothing())
	}
	if len(tried.states) != 1 || !tried.full() || tried.tries != 0 {
		t.Errorf("%d states, %d tries are left", len(tried.states), tried.tries)
	}
}
