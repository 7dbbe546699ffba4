package source

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Encoding is the unit in which a client counts columns.
type Encoding uint8

// Encodings of LSP 3.17; UTF16 is what clients without a choice mean.
const (
	UTF16 Encoding = iota
	UTF8
	UTF32
)

// Position is a place in a text, both counted from 0. Column is in units of an
// encoding.
type Position struct{ Line, Column int }

// Text is the content of a file.
type Text struct {
	content string
	starts  []int // offsets of lines as LSP counts them: ended by \n, \r\n or \r
	goLines []int // offsets of lines as Go counts them: ended by \n
}

// NewText returns a text with a content.
func NewText(content string) *Text {
	t := &Text{content: content, starts: []int{0}, goLines: []int{0}}
	for i := 0; i < len(content); i++ {
		switch content[i] {
		case '\n':
			t.starts = append(t.starts, i+1)
			t.goLines = append(t.goLines, i+1)
		case '\r':
			if i+1 == len(content) || content[i+1] != '\n' {
				t.starts = append(t.starts, i+1)
			}
		}
	}
	return t
}

// Content returns all of it.
func (t *Text) Content() string { return t.content }

// width is how many units of the encoding a character takes.
func (e Encoding) width(r rune, size int) int {
	switch {
	case e == UTF8:
		return size
	case e == UTF16 && r >= 0x10000:
		return 2
	}
	return 1
}

// Offset returns the byte offset of a position. A column behind the line's end
// means its end, a line behind the last one the text's end (LSP 3.17,
// Position). A column within a character means its start.
func (t *Text) Offset(p Position, e Encoding) int {
	if p.Line < 0 {
		return 0
	}
	if p.Line >= len(t.starts) {
		return len(t.content)
	}
	off, end := t.starts[p.Line], t.lineEnd(p.Line)
	for column := 0; off < end; {
		r, size := utf8.DecodeRuneInString(t.content[off:end])
		if column += e.width(r, size); column > p.Column {
			break
		}
		off += size
	}
	return off
}

// lineEnd is the offset of an LSP line's end without what ends it.
func (t *Text) lineEnd(line int) int {
	if line+1 == len(t.starts) {
		return len(t.content)
	}
	end := t.starts[line+1] - 1
	if t.content[end] == '\n' && end > t.starts[line] && t.content[end-1] == '\r' {
		end--
	}
	return end
}

// Position returns where an offset is.
func (t *Text) Position(off int, e Encoding) Position {
	off = max(0, min(off, len(t.content)))
	line := sort.SearchInts(t.starts, off+1) - 1
	column := 0
	for i := t.starts[line]; i < off; {
		r, size := utf8.DecodeRuneInString(t.content[i:])
		column += e.width(r, size)
		i += size
	}
	return Position{line, column}
}

// Edit returns the text with a range replaced. It fails when the range ends
// before it starts.
func (t *Text) Edit(from, to Position, e Encoding, text string) (*Text, error) {
	start, end := t.Offset(from, e), t.Offset(to, e)
	if end < start {
		return nil, fmt.Errorf("edit from %d:%d to %d:%d ends before it starts", from.Line, from.Column, to.Line, to.Column)
	}
	return NewText(t.content[:start] + text + t.content[end:]), nil
}

// GoLines returns the number of lines as Go counts them.
func (t *Text) GoLines() int { return len(t.goLines) }

// GoLine returns the offsets of a line's start and end; n counts from 1. The
// end is before white space at the line's end. ok is false when there is no
// such line.
func (t *Text) GoLine(n int) (start, end int, ok bool) {
	if n < 1 || n > len(t.goLines) {
		return 0, 0, false
	}
	start, end = t.goLines[n-1], len(t.content)
	if n < len(t.goLines) {
		end = t.goLines[n] - 1
	}
	return start, start + len(strings.TrimRight(t.content[start:end], " \t\r")), true
}

// GoLineAt returns the number of the line, from 1, in which an offset is.
func (t *Text) GoLineAt(off int) int { return sort.SearchInts(t.goLines, off+1) }

// Lines returns the content of all lines as Go counts them, without \r\n.
func (t *Text) Lines() []string {
	lines := make([]string, len(t.goLines))
	for i, start := range t.goLines {
		end := len(t.content)
		if i+1 < len(t.goLines) {
			end = t.goLines[i+1] - 1
		}
		lines[i] = strings.TrimSuffix(t.content[start:end], "\r")
	}
	return lines
}
