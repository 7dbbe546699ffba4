package lsp

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.lsp.dev/protocol"
	"pgregory.net/rapid"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// cell is a character of a text and the line of the text that ran, from 1, that
// it is of; 0 = it was typed since.
type cell struct {
	char rune
	line int
}

// edited is the reference: it knows of each character where it came from, and
// so of each line which one it is, without comparing anything.
type edited struct {
	cells []cell
	ran   []string
	kept  []bool // by line that ran: it was whole after each edit so far
}

func newEdited(content string) *edited {
	e := &edited{ran: strings.Split(content, "\n")}
	for i, line := range e.ran {
		for _, r := range line {
			e.cells = append(e.cells, cell{r, i + 1})
		}
		if i < len(e.ran)-1 {
			e.cells = append(e.cells, cell{'\n', 0})
		}
	}
	e.kept = make([]bool, len(e.ran))
	for i, line := range e.ran {
		e.kept[i] = line != ""
	}
	return e
}

// lines returns the lines of now.
func (e *edited) lines() (all [][]cell) {
	start := 0
	for i, c := range e.cells {
		if c.char == '\n' {
			all = append(all, e.cells[start:i])
			start = i + 1
		}
	}
	return append(all, e.cells[start:])
}

func textOf(line []cell) string {
	var b strings.Builder
	for _, c := range line {
		b.WriteRune(c.char)
	}
	return b.String()
}

// identity is the line that ran which a line is: all of it, and nothing else. 0
// = none.
func (e *edited) identity(line []cell) int {
	if len(line) == 0 || line[0].line == 0 || textOf(line) != e.ran[line[0].line-1] {
		return 0
	}
	for _, c := range line {
		if c.line != line[0].line {
			return 0
		}
	}
	return line[0].line
}

// replace edits from one offset to another one.
func (e *edited) replace(from, to int, text string) {
	var typed []cell
	for _, r := range text {
		typed = append(typed, cell{r, 0})
	}
	e.cells = slices.Concat(e.cells[:from], typed, e.cells[to:])
	still := make([]bool, len(e.ran))
	for _, line := range e.lines() {
		if id := e.identity(line); id > 0 {
			still[id-1] = true
		}
	}
	for i := range e.kept {
		e.kept[i] = e.kept[i] && still[i]
	}
}

// position is that of an offset, in UTF-16.
func (e *edited) position(off int) (p protocol.Position) {
	for _, c := range e.cells[:off] {
		switch {
		case c.char == '\n':
			p.Line, p.Character = p.Line+1, 0
		case c.char >= 0x10000:
			p.Character += 2
		default:
			p.Character++
		}
	}
	return p
}

// starts are the offsets of lines.
func (e *edited) starts() []int {
	list := []int{0}
	for i, c := range e.cells {
		if c.char == '\n' {
			list = append(list, i+1)
		}
	}
	return list
}

// drawEdit is what people do: whole lines most of the time, which may equal
// other ones, or anything.
func (e *edited) drawEdit(t *rapid.T) (from, to int, text string) {
	starts := append(e.starts(), len(e.cells))
	line := func(name string) int { return rapid.IntRange(0, len(starts)-1).Draw(t, name) }
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0: // lines are removed
		a, b := line("first"), line("last")
		return starts[min(a, b)], starts[max(a, b)], ""
	case 1: // a line is typed
		at := line("at")
		return starts[at], starts[at], rapid.SampledFrom(lineTexts).Draw(t, "line") + "\n"
	case 2: // a line is typed behind another one
		at := max(starts[max(line("at"), 1)]-1, 0)
		return at, at, "\n" + rapid.SampledFrom(lineTexts).Draw(t, "line")
	case 3: // a line is removed with the newline before it
		n := max(line("line"), 1)
		return max(starts[n-1]-1, 0), max(starts[n]-1, 0), ""
	}
	a, b := rapid.IntRange(0, len(e.cells)).Draw(t, "from"), rapid.IntRange(0, len(e.cells)).Draw(t, "to")
	if rapid.Bool().Draw(t, "near") {
		b = min(a+rapid.IntRange(0, 3).Draw(t, "length"), len(e.cells))
	}
	return min(a, b), max(a, b), rapid.SampledFrom([]string{"", "x", "\n", " 😀", "\tlog.Print(1)", "1)\n\tlog.Print("}).Draw(t, "text")
}

// lineTexts are few, so that many lines are equal.
var lineTexts = []string{"\tlog.Print(1)", "\tlog.Print(2)", "\tlog.Print(3)", "\tx++", "", "\t// é😀"}

// TestEditsNeverWrong edits a file at random after a run, as LSP says it, and
// looks at each hint after each edit. A hint that is not marked as stale must be
// at a line with the text that ran, and not at one that is another line of what
// ran. A line that no edit touched has its hint. What lines are the reference
// knows of the characters.
func TestEditsNeverWrong(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		body := rapid.SliceOfN(rapid.SampledFrom(lineTexts), 1, 12).Draw(rt, "body")
		content := "package m\n\nfunc TestPass() {\n" + strings.Join(body, "\n") + "\n}\n"
		ref := newEdited(content)
		dir := t.TempDir()
		write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
		file := filepath.Join(dir, "m_test.go")
		write(t, file, content)
		r := runs.Result{Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestPass", Seed: 1, Result: runs.Pass}
		var lineOfStep []int // from 1
		record(t, dir, &r, func(l *logtest.Log) {
			for i, line := range ref.ran {
				if strings.Contains(line, "log.Print") {
					e := passEvent
					e.Stack = []steplog.Frame{{Func: "example.com/m.TestPass", File: "example.com/m/m_test.go", Line: i + 1}}
					l.Add(e)
					lineOfStep = append(lineOfStep, i+1)
				}
			}
		})
		c := start(t, dir, nil)
		defer func() {
			_ = c.conn.Close()
			<-c.ended
		}()
		id := c.open(t, file, content)
		whole := rapid.Bool().Draw(rt, "client sends all of the text")
		ref.check(rt, c, t, id, lineOfStep, true)
		for n := range rapid.IntRange(1, 8).Draw(rt, "edits") {
			from, to, text := ref.drawEdit(rt)
			p := &protocol.DidChangeTextDocumentParams{}
			p.TextDocument.URI, p.TextDocument.Version = id.URI, int32(n+2)
			partial := &protocol.TextDocumentContentChangePartial{Range: protocol.Range{Start: ref.position(from), End: ref.position(to)}, Text: text}
			ref.replace(from, to, text)
			p.ContentChanges = []protocol.TextDocumentContentChangeEvent{partial}
			if whole {
				p.ContentChanges[0] = &protocol.TextDocumentContentChangeWholeDocument{Text: textOf(ref.cells)}
			}
			if err := c.DidChange(c.ctx, p); err != nil {
				rt.Fatal(err)
			}
			ref.check(rt, c, t, id, lineOfStep, !whole)
		}
	})
}

// check looks at all hints. Without the edits themselves a line of several equal
// ones cannot be told from the others.
func (e *edited) check(rt *rapid.T, c *client, t *testing.T, id protocol.TextDocumentIdentifier, lineOfStep []int, known bool) {
	lines := e.lines()
	shown := map[int]int{} // line that ran -> line of its hint that is not stale, both from 1
	for n, labels := range c.hints(t, id) {
		for _, label := range labels {
			var step int
			if _, err := fmt.Sscanf(strings.TrimPrefix(label, "stale: "), "#%d", &step); err != nil {
				rt.Fatalf("hint %q", label)
			}
			if strings.HasPrefix(label, "stale: ") {
				continue
			}
			ran := lineOfStep[step-1]
			shown[ran] = int(n) + 1
			if got := textOf(lines[n]); got != e.ran[ran-1] {
				rt.Fatalf("step %d of %q is at line %d, %q, of\n%s", step, e.ran[ran-1], n+1, got, textOf(e.cells))
			}
			if is := e.identity(lines[n]); known && is != 0 && is != ran {
				rt.Fatalf("step %d of line %d is at line %d, which is line %d, of\n%s", step, ran, n+1, is, textOf(e.cells))
			}
		}
	}
	if !known {
		return
	}
	for n, line := range lines {
		if is := e.identity(line); is != 0 && e.kept[is-1] && slices.Contains(lineOfStep, is) && shown[is] != n+1 {
			rt.Fatalf("line %d is line %d now, untouched, but its hint is at %d, of\n%s", is, n+1, shown[is], textOf(e.cells))
		}
	}
}
