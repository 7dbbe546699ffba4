package source

// maxEdits bounds the work of comparing two texts: with more differences than
// that nothing between the first and the last one is matched.
const maxEdits = 600

// Lines says where the lines of an older text are in a newer one.
type Lines struct {
	to    []int // by old line - 1: new line, 0 = gone
	exact []bool
}

// CompareLines finds out which lines moved. Lines count from 1, as in Go.
func CompareLines(old, now []string) *Lines {
	m := &Lines{to: make([]int, len(old)), exact: make([]bool, len(old))}
	a, b := intern(old, now)
	prefix := 0
	for prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	suffix := 0
	for suffix < len(a)-prefix && suffix < len(b)-prefix && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	for i := range prefix {
		m.match(i, i)
	}
	for i := range suffix {
		m.match(len(a)-1-i, len(b)-1-i)
	}
	m.middle(a[prefix:len(a)-suffix], b[prefix:len(b)-suffix], prefix)
	m.doubt(a, b)
	return m
}

// Line returns where an old line is now. exact is false when it may be another
// line by now: it was edited, or it could be one of several.
func (m *Lines) Line(old int) (now int, exact, ok bool) {
	if old < 1 || old > len(m.to) || m.to[old-1] == 0 {
		return 0, false, false
	}
	return m.to[old-1], m.exact[old-1], true
}

func (m *Lines) match(old, now int) { m.to[old], m.exact[old] = now+1, true }

// intern gives equal lines equal numbers.
func intern(old, now []string) (a, b []int) {
	ids := make(map[string]int, len(old))
	number := func(lines []string) []int {
		list := make([]int, len(lines))
		for i, s := range lines {
			id, ok := ids[s]
			if !ok {
				id = len(ids)
				ids[s] = id
			}
			list[i] = id
		}
		return list
	}
	return number(old), number(now)
}

// middle matches what differs, by the greedy algorithm of Myers: furthest[k] is
// how far one gets on diagonal k (old minus new) with d edits.
func (m *Lines) middle(a, b []int, shift int) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	limit := min(len(a)+len(b), maxEdits)
	furthest := make([]int, 2*limit+3)
	at := func(k int) int { return k + limit + 1 }
	var trace [][]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, append([]int(nil), furthest[at(-d-1):at(d+1)+1]...))
		for k := -d; k <= d; k += 2 {
			x := furthest[at(k-1)] + 1
			if k == -d || k != d && furthest[at(k-1)] < furthest[at(k+1)] {
				x = furthest[at(k+1)]
			}
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			furthest[at(k)] = x
			if x >= len(a) && x-k >= len(b) {
				m.backtrack(trace, len(a), len(b), shift)
				return
			}
		}
	}
}

// backtrack walks the shortest edit backwards and notes the matches. trace[d]
// holds the diagonals -d-1 to d+1 before round d.
func (m *Lines) backtrack(trace [][]int, x, y, shift int) {
	for d := len(trace) - 1; d >= 0; d-- {
		before := func(k int) int { return trace[d][k+d+1] }
		k := x - y
		px, py, start := 0, 0, 0 // where round d began, and where its matches begin
		switch {
		case d == 0:
		case k == -d || k != d && before(k-1) < before(k+1):
			px, py, start = before(k+1), before(k+1)-k-1, before(k+1)
		default:
			px, py, start = before(k-1), before(k-1)-k+1, before(k-1)+1
		}
		for x > start {
			x--
			y--
			m.match(shift+x, shift+y)
		}
		x, y = px, py
	}
}

// doubt goes through the gaps between matches. Lines of a gap that has as many
// lines as before are taken for edited ones. Where lines were removed from, or
// added to, a row of equal ones, it is not known which ones.
func (m *Lines) doubt(a, b []int) {
	back := make([]int, len(b)) // old line of a new one, 0 = none
	for i, to := range m.to {
		if to > 0 {
			back[to-1] = i + 1
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if i < len(a) && m.to[i] == j+1 {
			i, j = i+1, j+1
			continue
		}
		endA, endB := i, j
		for endA < len(a) && m.to[endA] == 0 {
			endA++
		}
		for endB < len(b) && back[endB] == 0 {
			endB++
		}
		m.slide(a, i, endA, func(old int) int { return old + 1 })
		m.slide(b, j, endB, func(now int) int { return back[now] })
		if endA-i == endB-j {
			for n := range endA - i {
				m.to[i+n] = j + n + 1
			}
		}
		i, j = endA, endB
	}
}

// slide marks the matched lines around a gap from start to end that could as
// well belong to the gap. old gives the old line, from 1, of an index.
func (m *Lines) slide(lines []int, start, end int, old func(int) int) {
	if start == end {
		return
	}
	mark := func(i int) {
		if n := old(i); n > 0 {
			m.exact[n-1] = false
		}
	}
	for k := 1; start-k >= 0 && lines[start-k] == lines[end-k]; k++ {
		mark(start - k)
	}
	for k := 0; end+k < len(lines) && lines[start+k] == lines[end+k]; k++ {
		mark(end + k)
	}
}
