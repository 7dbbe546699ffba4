package lsp

import (
	"cmp"
	"slices"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
)

// place is a line of a document with what it did in a run.
type place struct {
	line  int  // from 1, in the document
	stale bool // the line may not be the one that ran
	run   *hits.Run
	hits  *hits.Line
}

// view is a document joined with runs.
type view struct {
	places []place // by line and kind; of each the newest run
	// hidden is the newest run that touched this file, when it is not known
	// what the file was then; nil otherwise.
	hidden *hits.Run
}

// lineKey names a line of a run, for what a user has selected there.
type lineKey struct {
	log  string
	file string
	line int
	kind hits.Kind
}

func (p *place) key() lineKey { return lineKey{p.run.Log, p.hits.File, p.hits.Number, p.hits.Kind} }

// newest returns the runs of all states: those that a user asked for, then the
// newest first.
func newest(states []*hits.State) []*hits.Run {
	if len(states) == 1 {
		return states[0].Runs
	}
	var wished, rest []*hits.Run
	for _, state := range states {
		wished = append(wished, state.Runs[:state.Wished]...)
		rest = append(rest, state.Runs[state.Wished:]...)
	}
	slices.SortStableFunc(rest, func(a, b *hits.Run) int { return b.Time.Compare(a.Time) })
	return append(wished, rest...)
}

// join returns the document's view of states. It is kept for the next request.
func (d *document) join(states []*hits.State) *view {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.view != nil && slices.Equal(d.states, states) {
		return d.view
	}
	v := &view{}
	type slot struct {
		line int
		kind hits.Kind
	}
	taken := map[slot]bool{}
	for _, run := range newest(states) {
		for _, name := range d.names {
			lines, base := run.Lines(name), run.Base(name)
			if base == nil {
				if len(lines) > 0 && len(v.places) == 0 && v.hidden == nil {
					v.hidden = run
				}
				continue
			}
			moved := d.movedSince(base)
			for _, l := range lines {
				if !base.Has(l) {
					continue
				}
				now, exact, ok := moved.Line(l.Number)
				if !ok || taken[slot{now, l.Kind}] {
					continue
				}
				taken[slot{now, l.Kind}] = true
				v.places = append(v.places, place{now, !exact, run, l})
			}
		}
	}
	slices.SortFunc(v.places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.hits.Kind, b.hits.Kind))
	})
	d.states, d.view = states, v
	return v
}

// movedSince says where the lines of a base are in the document.
func (d *document) movedSince(base *hits.Base) *source.Lines {
	m := d.moved[base]
	if m == nil {
		m = d.history.follow(base, d)
		d.moved[base] = m
	}
	return m
}

// at returns the places of a line, from 1.
func (v *view) at(line int) []place {
	i, _ := slices.BinarySearchFunc(v.places, line, func(p place, line int) int { return p.line - line })
	j := i
	for j < len(v.places) && v.places[j].line == line {
		j++
	}
	return v.places[i:j]
}
