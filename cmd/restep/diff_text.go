package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/replay/compare"
	"github.com/restep/restep/replay/launch"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const (
	diffWidth  = 80 // columns
	diffFrames = 12 // of a stack
)

// text prints the comparison for people, 80 columns wide.
func (p *diffPrinter) text() {
	h := p.a.Header()
	build := ""
	if h.Build == p.b.Header().Build {
		build = ", build " + h.Build
	}
	p.line("%s of %s%s", h.Test, h.Package, build)
	p.head("A", p.a, build == "")
	p.head("B", p.b, build == "")
	for _, n := range p.notes() {
		p.line("note: %s", n)
	}
	d := p.d
	if d == nil {
		p.line("all %s are equal", plural(p.a.Steps(), "step"))
		return
	}
	if d.Before == nil {
		p.line("nothing is equal")
	} else {
		p.line("equal up to step #%d, %s", d.Before.Number, p.when(d.Before))
	}
	p.choice()
	p.line("first difference: step #%d, %s", d.Step, fieldText(d.Field))
	p.sides(d.StepA, d.StepB)
	step := d.Step
	if d.Event > d.Step {
		p.line("first step that is not the same but for its time: #%d", d.Event)
		p.sides(d.EventA, d.EventB)
		step = d.Event
	}
	p.look(step)
}

// fieldText is the field that differs, in words.
func fieldText(field string) string {
	if field == "steps" {
		return "one run has ended"
	}
	return field
}

// when is the tick and time of a step.
func (p *diffPrinter) when(s *steplog.Step) string {
	return fmt.Sprintf("tick %d, t=%.9fs", s.Tick, time.Duration(s.TimeNs-p.a.Header().StartNs).Seconds())
}

// line prints a line, cut to the width. Its arguments are raw.
func (p *diffPrinter) line(format string, args ...any) {
	p.u.print(append(cutWidth(text.AppendEscaped(nil, fmt.Sprintf(format, args...)), diffWidth), '\n'))
}

// cutWidth cuts a line of escaped text to a number of characters.
func cutWidth(b []byte, width int) []byte {
	r := []rune(string(b))
	if len(r) <= width {
		return b
	}
	return append([]byte(string(r[:width-1])), "…"...)
}

func (p *diffPrinter) head(name string, rec *recording, build bool) {
	h := rec.Header()
	text := "seed " + seedPolicy(h.Seed, h.Variant) + ": "
	if result := resultOf(rec); result != "" {
		text += result + ", "
	}
	text += plural(rec.Steps(), "step")
	if build {
		text += ", build " + h.Build
	}
	p.line("%s  %s", name, text)
}

// streamNames say where a choice comes from.
var streamNames = map[string]string{
	compare.Schedule: "the scheduler's", compare.Network: "the network's: a delay, a loss or an order",
	compare.Faults:  "of the injected faults",
	compare.Program: "of what the program draws: random numbers, the order of maps and of select",
}

// choice says which choice fell differently.
func (p *diffPrinter) choice() {
	a, b := p.a.Header(), p.b.Header()
	c := p.d.Choice
	switch {
	case c == nil && a.Build == b.Build:
		p.line("first choice that differs: none; seed and policy are the same")
	case c == nil:
		p.line("first choice that differs: not known, for the builds are not the same")
	case c.Stream == compare.Schedule && c.From == c.To:
		p.line("first choice that differs: %s, at tick %d", streamNames[c.Stream], c.From)
	case c.Stream == compare.Schedule:
		p.line("first choice that differs: %s, at one of the ticks %d to %d", streamNames[c.Stream], c.From, c.To)
	case c.Number != 0:
		p.line("first choice that differs: number %d %s", c.Number, streamNames[c.Stream])
	default:
		p.line("first choice that differs: one %s", streamNames[c.Stream])
	}
	if c != nil && c.Stream == compare.Schedule && p.d.StepA != nil && p.d.StepB != nil {
		whoA, whoB := text.Who(p.a.Reader, p.d.StepA), text.Who(p.b.Reader, p.d.StepB)
		if whoA != whoB {
			p.line("  %s goes on in A, %s in B", whoA, whoB)
		}
	}
}

// sides prints a step of both runs.
func (p *diffPrinter) sides(a, b *steplog.Step) {
	p.side("A", p.a, a, false)
	same := a != nil && b != nil && a.StackID != 0 && p.a.StackHash(a.StackID) == p.b.StackHash(b.StackID) &&
		p.a.Header().Build == p.b.Header().Build
	p.side("B", p.b, b, same)
}

// side prints the step of one run and its stack, unless that is the same.
func (p *diffPrinter) side(name string, rec *recording, s *steplog.Step, same bool) {
	if s == nil {
		p.line("%s  has ended: it has %s", name, plural(rec.Steps(), "step"))
		return
	}
	printer := text.NewPrinter(rec.Reader, rec.src)
	first, _, _ := bytes.Cut(printer.Append(nil, s), []byte("\n"))
	p.u.print(append(cutWidth(append([]byte(name+" "), first...), diffWidth), '\n'))
	p.line("     %s", p.when(s))
	frames := rec.Stack(s.StackID, nil)
	for len(frames) > 1 && records(frames[0].Func) {
		frames = frames[1:]
	}
	switch {
	case same:
		p.line("     the same stack")
		return
	case len(frames) == 0:
		p.line("     no stack")
	}
	for i, f := range frames {
		if i == diffFrames && len(frames) > diffFrames+1 {
			p.line("     … %d more", len(frames)-i)
			break
		}
		p.frame(rec.src.Name(f.File)+":"+strconv.Itoa(f.Line), f.Func)
	}
}

// records reports the functions that make a step of what a program does: nobody
// looks for them in a stack.
func records(function string) bool {
	for _, prefix := range []string{"internal/restep/", "runtime.restep", "testing.restep"} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// frame prints a frame: the end of a long name says more than its beginning.
func (p *diffPrinter) frame(place, function string) {
	place, name := text.Escape(place), []rune(text.Escape(function))
	room := diffWidth - len("     ") - 1 - len([]rune(place))
	if room < 20 {
		room = 20
	}
	if len(name) > room {
		name = append([]rune("…"), name[len(name)-room+1:]...)
	}
	p.u.print(append(cutWidth([]byte("     "+string(name)+" "+place), diffWidth), '\n'))
}

// look prints the commands that lead to a step in both runs.
func (p *diffPrinter) look(step uint64) {
	for _, side := range []struct {
		name string
		rec  *recording
	}{{"A", p.a}, {"B", p.b}} {
		if step > side.rec.Steps() || !canDebug {
			continue
		}
		h := side.rec.Header()
		words := append([]string{"-test", h.Test, "-seed", strconv.FormatUint(h.Seed, 10), "-step", strconv.FormatUint(step, 10)},
			launch.PolicyFlags(h.Variant)...)
		p.u.print([]byte("look " + side.name + "  restep debug " + quoteArgs(append(words, packageArgument(h.Package, h.Module))) + "\n"))
	}
}
