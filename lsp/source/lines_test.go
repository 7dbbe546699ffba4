package source

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCompareLines(t *testing.T) {
	for _, c := range []struct {
		name, old, now string
		want           string // new line of each old one; - gone, ? not exact
	}{
		{"same", "a b c", "a b c", "1 2 3"},
		{"empty", "", "", "1"},
		{"inserted above", "a b c", "x y a b c", "3 4 5"},
		{"inserted between", "a b c", "a x b y c", "1 3 5"},
		{"removed", "a b c d", "a d", "1 - - 2"},
		{"edited in place", "a b c", "a B c", "1 2? 3"},
		{"edited into more lines", "a b c", "a x y c", "1 - 4"},
		{"everything else", "a b", "x y z", "- -"},
		{"one of two equal lines removed", "a a b", "a b", "1? - 2"},
		{"one of two equal blocks removed", "x a b a b y", "x a b y", "1 2? 3? - - 4"},
		{"equal line added", "x a y", "x a a y", "1 2? 4"},
		{"two edits", "a b c d e f g", "a c d x e f Y", "1 - 2 3 5 6 7?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, now := strings.Split(c.old, " "), strings.Split(c.now, " ")
			m := CompareLines(old, now)
			var got []string
			for i := range old {
				n, exact, ok := m.Line(i + 1)
				switch {
				case !ok:
					got = append(got, "-")
				case exact:
					got = append(got, string(rune('0'+n)))
				default:
					got = append(got, string(rune('0'+n))+"?")
				}
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
			if _, _, ok := m.Line(len(old) + 1); ok {
				t.Error("a line behind the last one is somewhere")
			}
		})
	}
}

// TestCompareLinesNeverWrong removes, adds or repeats a block in texts with
// many equal lines: where a line is said to be, it must really be.
func TestCompareLinesNeverWrong(t *testing.T) {
	for seed := range uint64(20_000) {
		r := rand.New(rand.NewPCG(seed, 1))
		old := make([]string, 1+r.IntN(12))
		for i := range old {
			old[i] = string(rune('a' + r.IntN(3)))
		}
		truth := make([]int, len(old)) // new line of each old one, -1 = gone
		at, removed := r.IntN(len(old)+1), 0
		var added []string
		if r.IntN(2) == 0 {
			removed = r.IntN(len(old) - at + 1)
		} else {
			for range r.IntN(4) {
				added = append(added, string(rune('a'+r.IntN(3))))
			}
		}
		for i := range old {
			switch {
			case i < at:
				truth[i] = i + 1
			case i < at+removed:
				truth[i] = -1
			default:
				truth[i] = i - removed + len(added) + 1
			}
		}
		now := slices.Concat(old[:at], added, old[at+removed:])
		m := CompareLines(old, now)
		for i := range old {
			n, exact, ok := m.Line(i + 1)
			if ok && exact && n != truth[i] {
				t.Fatalf("seed %d: %q became %q: line %d is said to be at %d, but is at %d", seed, old, now, i+1, n, truth[i])
			}
			if ok && exact && old[i] != now[n-1] {
				t.Fatalf("seed %d: line %d is %q, but %q at %d", seed, i+1, old[i], now[n-1], n)
			}
		}
	}
}

// TestCompareLinesMatches checks that lines that occur once are found whatever
// else changes around them, as long as their order stays.
func TestCompareLinesMatches(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 2))
		var old, now []string
		truth := map[int]int{}
		for i := range 100 {
			unique := "line " + string(rune('A'+i))
			switch r.IntN(6) {
			case 0:
				old = append(old, unique)
			case 1:
				now = append(now, unique)
			default:
				old, now = append(old, unique), append(now, unique)
				truth[len(old)] = len(now)
			}
		}
		m := CompareLines(old, now)
		for line, want := range truth {
			if n, exact, ok := m.Line(line); !ok || !exact || n != want {
				t.Fatalf("seed %d: line %d is at %d (%v, %v), want %d", seed, line, n, exact, ok, want)
			}
		}
	}
}

func TestCompareLinesHuge(t *testing.T) {
	old, now := make([]string, 20_000), make([]string, 20_000)
	for i := range old {
		old[i], now[i] = "old"+string(rune(i)), "now"+string(rune(i))
	}
	old[0], now[0] = "same", "same"
	m := CompareLines(old, now)
	if n, exact, ok := m.Line(1); n != 1 || !exact || !ok {
		t.Errorf("the first line is at %d", n)
	}
	if _, exact, _ := m.Line(2); exact {
		t.Error("a line that is gone is somewhere for sure")
	}
}
