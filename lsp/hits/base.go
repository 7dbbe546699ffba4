package hits

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/restep/restep/lsp/source"
)

// Base is a file as it was when a run was built.
type Base struct {
	Text  *source.Text
	lines func() []string
	file  func() *source.File
}

func newBase(name, content string) *Base {
	t := source.NewText(content)
	return &Base{
		Text:  t,
		lines: sync.OnceValue(t.Lines),
		file:  sync.OnceValue(func() *source.File { return source.Parse(name, content) }),
	}
}

// Lines returns the content of its lines.
func (b *Base) Lines() []string { return b.lines() }

// Has reports whether the file has at a line what was recorded there: the
// function, and a call or go statement. If not, it is not the file that ran.
func (b *Base) Has(l *Line) bool {
	f := b.file()
	if !f.InFunc(l.Number, l.Func) {
		return false
	}
	return f.HasCall(l.Number) || l.Kind == Go && f.HasGo(l.Number)
}

// maxSource is the size in bytes of the largest file whose lines are followed.
const maxSource = 8 << 20

// grain is how much older than the real moment the time of a change may be:
// Linux stamps files with the time of its last tick, at least every 10 ms.
const grain = 20 * time.Millisecond

// settled reports whether a file with a time of its last change cannot have
// been changed after a moment. Some file systems keep whole seconds, FAT every
// second one.
func settled(changed, moment time.Time) bool {
	if changed.Nanosecond() == 0 {
		return changed.Add(2 * time.Second).Before(moment)
	}
	return changed.Add(grain).Before(moment)
}

// read returns a file if it was last changed before a moment.
func read(name string, before time.Time) *Base {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSource || !settled(info.ModTime(), before) {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSource))
	if err != nil {
		return nil
	}
	// It may have been written to meanwhile.
	if again, err := os.Stat(name); err != nil || !again.ModTime().Equal(info.ModTime()) || again.Size() != int64(len(b)) {
		return nil
	}
	return newBase(name, string(b))
}

// baseKey names a file of a build.
type baseKey struct{ build, file string }

// addBase returns a file, by its path, as it was in a build that began at a
// moment. Once known it stays: the file may change, the build does not.
func addBase(known map[baseKey]*Base, build, file string, before time.Time) *Base {
	key := baseKey{build, file}
	b := known[key]
	if b == nil {
		if b = read(file, before); b != nil {
			known[key] = b
		}
	}
	return b
}
