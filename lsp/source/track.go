package source

import "strings"

// LineIDs name the lines of a text, as Go counts them: a line that an edit does
// not change keeps its name, wherever it goes.
type LineIDs []uint64

// NewLineIDs names the lines of a text. next gives names that were never given.
func NewLineIDs(t *Text, next func() uint64) LineIDs {
	ids := make(LineIDs, t.GoLines())
	for i := range ids {
		ids[i] = next()
	}
	return ids
}

// Edit returns the names after a range of a text was replaced, which made it
// the text now.
func (ids LineIDs) Edit(t, now *Text, from, to Position, e Encoding, next func() uint64) LineIDs {
	start := t.Offset(from, e)
	first, last := t.GoLineAt(start)-1, t.GoLineAt(t.Offset(to, e))-1
	changed := last - first + 1 + now.GoLines() - t.GoLines() // lines that the edit left between the others
	if first > last || last >= len(ids) || changed < 1 {
		return NewLineIDs(now, next)
	}
	edited := append(make(LineIDs, 0, now.GoLines()), ids[:first]...)
	for range changed {
		edited = append(edited, next())
	}
	head, tail := first, first+changed-1
	keep := func(old, new int) bool {
		if t.line(old) != now.line(new) {
			return false
		}
		edited[new] = ids[old]
		return true
	}
	// The text before the range is of the first line, that behind it of the last
	// one. Where only one of two can have stayed, it is the one with more left.
	one := first == last || head == tail
	if start == t.goLines[first] {
		if !keep(last, tail) || !one {
			keep(first, head)
		}
	} else if !keep(first, head) || !one {
		keep(last, tail)
	}
	return append(edited, ids[last+1:]...)
}

// Replace returns the names after all of a text was replaced: only comparing
// tells what became of its lines.
func (ids LineIDs) Replace(t, now *Text, next func() uint64) LineIDs {
	replaced := NewLineIDs(now, next)
	moved := CompareLines(t.Lines(), now.Lines())
	for i, id := range ids {
		if n, exact, ok := moved.Line(i + 1); ok && exact {
			replaced[n-1] = id
		}
	}
	return replaced
}

// line returns the content of a line, from 0, without \r\n.
func (t *Text) line(n int) string {
	end := len(t.content)
	if n+1 < len(t.goLines) {
		end = t.goLines[n+1] - 1
	}
	return strings.TrimSuffix(t.content[t.goLines[n]:end], "\r")
}

// Anchor joins an older text with the names of lines, at the moment when both
// were compared. Edits after that need no guessing.
type Anchor struct {
	old   map[uint64]int // line of the older text, from 1
	lines *Lines
}

// NewAnchor joins what a comparison found with the names of the newer text.
func NewAnchor(m *Lines, ids LineIDs) *Anchor {
	a := &Anchor{old: make(map[uint64]int, len(m.to)), lines: m}
	for i, to := range m.to {
		if to > 0 && to <= len(ids) {
			a.old[ids[to-1]] = i + 1
		}
	}
	return a
}

// Lines says where the lines of the older text are under the names of now. m is
// what comparing with the text of now found: it places lines that lost their
// names, where no other one is that kept it.
func (a *Anchor) Lines(m *Lines, ids LineIDs) *Lines {
	r := &Lines{to: make([]int, len(m.to)), exact: make([]bool, len(m.to))}
	taken := make([]bool, len(ids))
	for n, id := range ids {
		if old := a.old[id]; old > 0 {
			r.to[old-1], r.exact[old-1], taken[n] = n+1, a.lines.exact[old-1], true
		}
	}
	for i, to := range m.to {
		if r.to[i] == 0 && to > 0 && to <= len(ids) && !taken[to-1] {
			r.to[i], r.exact[i], taken[to-1] = to, m.exact[i], true
		}
	}
	return r
}
