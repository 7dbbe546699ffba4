package text

import (
	"bytes"
	"strconv"
	"time"

	"github.com/restep/restep/sim/steplog"
)

// Printer renders steps of one log as lines:
//
//	104 server/21  14:10:04.000 INF machines_test.go:20 > got a request
//
// that is step, machine/goroutine, simulated time (UTC), level or kind, the
// user's file and line, and what happened. It belongs to one goroutine.
type Printer struct {
	Source Source
	Color  bool // terminal colours
	Stacks bool // the call stack below each step

	r         *steplog.Reader
	stepWidth int
	whoWidth  int
	text      []byte
	frames    []steplog.Frame
}

// NewPrinter returns a printer for the steps of r.
func NewPrinter(r *steplog.Reader, src Source) *Printer {
	return &Printer{Source: src, r: r, stepWidth: max(5, len(strconv.FormatUint(r.Steps(), 10)))}
}

// NewLivePrinter returns a printer for steps that are printed while the run
// goes on. Its columns are as wide as the steps so far need, wherever the run
// was when they were printed.
func NewLivePrinter(r *steplog.Reader, src Source) *Printer {
	return &Printer{Source: src, r: r, stepWidth: 5}
}

// Reopen goes on with another reader of the same log, which has more steps.
func (p *Printer) Reopen(r *steplog.Reader) { p.r = r }

// FitBoot makes room for the goroutines of a machine whose boot is recorded.
func (p *Printer) FitBoot(s *steplog.Step) {
	if m, ok := p.r.Machine(s.Machine); ok {
		p.whoWidth = max(p.whoWidth, width(AppendEscaped(p.text[:0], m.Label))+len("/16"))
	}
}

// Fit makes room for the names of a step that will be printed. Without it
// columns may not line up.
func (p *Printer) Fit(s *steplog.Step) {
	p.text = p.appendWho(p.text[:0], s)
	p.whoWidth = max(p.whoWidth, width(p.text))
	p.stepWidth = max(p.stepWidth, len(strconv.FormatUint(s.Number, 10)))
}

// width counts characters; the text is escaped, so each takes a cell or two.
func width(b []byte) (n int) {
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

// Who names the machine and goroutine of a step: "server/21", "server" when no
// goroutine did it, "-" for the simulator itself.
func Who(r *steplog.Reader, s *steplog.Step) string {
	who := "-"
	if s.Machine != 0 {
		who = "machine-" + strconv.Itoa(int(s.Machine))
		if m, ok := r.Machine(s.Machine); ok {
			who = m.Label
		}
	}
	if s.Goroutine != 0 {
		who += "/" + strconv.FormatUint(uint64(s.Goroutine), 10)
	}
	return who
}

func (p *Printer) appendWho(dst []byte, s *steplog.Step) []byte {
	return AppendEscaped(dst, Who(p.r, s))
}

// Append appends the lines of a step, each with a newline at its end. A text
// of several lines gets the same beginning on each.
func (p *Printer) Append(dst []byte, s *steplog.Step) []byte {
	p.frames = p.r.Stack(s.StackID, p.frames[:0])
	head := p.head(s)
	p.text = AppendDescription(p.text[:0], p.r, s)
	rest := p.text
	for more := true; more; {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte("\n"))
		dst = append(dst, head...)
		dst = AppendEscaped(dst, bytes.TrimSuffix(line, []byte("\r")))
		dst = append(bytes.TrimRight(dst, " "), '\n')
	}
	if p.Stacks {
		dst = p.appendStack(dst)
	}
	return dst
}

// head is what stands before the message.
func (p *Printer) head(s *steplog.Step) []byte {
	b := make([]byte, 0, 96)
	number := strconv.FormatUint(s.Number, 10)
	for range p.stepWidth - len(number) {
		b = append(b, ' ')
	}
	b = p.paint(b, colorStep, number)
	b = append(b, ' ')
	before := len(b)
	b = p.appendWho(b, s)
	for range p.whoWidth - width(b[before:]) {
		b = append(b, ' ')
	}
	b = append(b, "  "...)
	b = time.Unix(0, s.TimeNs).UTC().AppendFormat(b, "15:04:05.000")
	b = append(b, ' ')
	if s.Kind == steplog.KindLog {
		level := LevelOf(s)
		b = p.paint(b, levelColor(level), Level(level))
	} else {
		b = append(b, s.Kind.String()...)
	}
	b = append(b, ' ')
	if f, ok := p.Source.PlaceOf(s, p.frames); ok {
		b = AppendEscaped(b, p.Source.Name(f.File))
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(f.Line), 10)
		b = append(b, ' ')
	}
	return append(b, "> "...)
}

func (p *Printer) appendStack(dst []byte) []byte {
	for _, f := range p.frames {
		dst = append(dst, "          "...)
		if f.Func == "" {
			dst = append(dst, '?')
		}
		dst = AppendEscaped(dst, f.Func)
		dst = append(dst, ' ')
		dst = AppendEscaped(dst, p.Source.Name(f.File))
		dst = append(dst, ':')
		dst = strconv.AppendInt(dst, int64(f.Line), 10)
		dst = append(dst, '\n')
	}
	return dst
}

// Select graphic rendition, ECMA-48 8.3.117.
const (
	colorStep = "2"  // faint
	colorWarn = "33" // yellow
	colorErr  = "31" // red
)

func levelColor(level int64) string {
	switch {
	case level >= 8:
		return colorErr
	case level >= 4:
		return colorWarn
	}
	return ""
}

func (p *Printer) paint(dst []byte, color, s string) []byte {
	if !p.Color || color == "" {
		return append(dst, s...)
	}
	dst = append(append(append(dst, "\x1b["...), color...), 'm')
	return append(append(dst, s...), "\x1b[0m"...)
}
