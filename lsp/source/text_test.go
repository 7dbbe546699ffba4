package source

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

const mixed = "a\u00e9\u20ac\U0001f600z\r\nsecond\rthird\n\nlast \U0001f600"

func TestPositions(t *testing.T) {
	text := NewText(mixed)
	for off := 0; off <= len(mixed); off++ {
		if off < len(mixed) && !utf8.RuneStart(mixed[off]) || off > 0 && mixed[off-1] == '\r' && mixed[off:off+1] == "\n" {
			continue // no position a client can mean
		}
		for _, e := range []Encoding{UTF8, UTF16, UTF32} {
			p := text.Position(off, e)
			if back := text.Offset(p, e); back != off {
				t.Errorf("encoding %d: offset %d is %v, which is offset %d", e, off, p, back)
			}
			line := mixed[:off]
			if i := strings.LastIndexAny(line, "\r\n"); i >= 0 {
				line = line[i+1:]
			}
			want := map[Encoding]int{UTF8: len(line), UTF16: len(utf16.Encode([]rune(line))), UTF32: len([]rune(line))}[e]
			if p.Column != want {
				t.Errorf("encoding %d: offset %d is column %d, want %d", e, off, p.Column, want)
			}
		}
	}
}

func TestOffsetClamps(t *testing.T) {
	text := NewText(mixed)
	for _, c := range []struct {
		p    Position
		want int
	}{
		{Position{0, 1000}, strings.Index(mixed, "\r\n")},
		{Position{1, 1000}, strings.Index(mixed, "\rthird")},
		{Position{1000, 0}, len(mixed)},
		{Position{-1, 5}, 0},
		{Position{0, 4}, strings.Index(mixed, "\U0001f600")}, // the middle of a surrogate pair
	} {
		if got := text.Offset(c.p, UTF16); got != c.want {
			t.Errorf("%v is offset %d, want %d", c.p, got, c.want)
		}
	}
}

func TestEdit(t *testing.T) {
	text := NewText("one\r\ntw\U0001f600o\nthree")
	edited, err := text.Edit(Position{1, 2}, Position{2, 1}, UTF16, "X\nY")
	if err != nil || edited.Content() != "one\r\ntwX\nYhree" {
		t.Fatalf("got %q, %v", edited.Content(), err)
	}
	if _, err := text.Edit(Position{2, 0}, Position{1, 0}, UTF16, ""); err == nil {
		t.Error("an edit that ends before it starts is taken")
	}
	if text.Content() != "one\r\ntw\U0001f600o\nthree" {
		t.Error("the old text changed")
	}
}

func TestGoLines(t *testing.T) {
	text := NewText(mixed)
	if n := text.GoLines(); n != 4 {
		t.Errorf("%d lines, want 4: Go ends lines at newlines only", n)
	}
	start, end, ok := text.GoLine(4)
	if !ok || mixed[start:end] != "last \U0001f600" || text.GoLineAt(start) != 4 || text.GoLineAt(start-1) != 3 {
		t.Errorf("line 4 is %q", mixed[start:end])
	}
	if _, _, ok := text.GoLine(5); ok {
		t.Error("there is a line 5")
	}
	if lines := NewText("a\r\nb").Lines(); lines[0] != "a" || lines[1] != "b" {
		t.Errorf("lines %q", lines)
	}
}

func FuzzEdit(f *testing.F) {
	f.Add(mixed, 0, 3, 1, 2, "x", uint8(1))
	f.Fuzz(func(t *testing.T, content string, l1, c1, l2, c2 int, insert string, e uint8) {
		text := NewText(content)
		from, to := Position{l1, c1}, Position{l2, c2}
		edited, err := text.Edit(from, to, Encoding(e%3), insert)
		if err != nil {
			return
		}
		if !strings.Contains(edited.Content(), insert) {
			t.Fatalf("%q is not in %q", insert, edited.Content())
		}
		last := uint64(0)
		next := func() uint64 { last++; return last }
		ids := NewLineIDs(text, next)
		for how, now := range map[string]LineIDs{
			"edited": ids.Edit(text, edited, from, to, Encoding(e%3), next), "replaced": ids.Replace(text, edited, next),
		} {
			if len(now) != edited.GoLines() {
				t.Fatalf("%s: %d names for %d lines", how, len(now), edited.GoLines())
			}
			seen := map[uint64]bool{}
			for n, id := range now {
				if seen[id] {
					t.Fatalf("%s: two lines of %q have one name", how, edited.Content())
				}
				seen[id] = true
				if old := slices.Index(ids, id); old >= 0 && text.line(old) != edited.line(n) {
					t.Fatalf("%s: line %d of %q keeps its name in %q as line %d", how, old, content, edited.Content(), n)
				}
			}
		}
	})
}
