package match

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restep/restep/sim/steplog"
)

// Pattern is a breakpoint on the simulation.
type Pattern struct {
	// ranges are the steps themselves; nil for a pattern that looks at them.
	ranges [][2]uint64
	filter steplog.Filter
	// first stops at the first step that is found.
	first bool
	// accepts is asked about a step that passes the filter; nil accepts all.
	accepts func(r *steplog.Reader, s *steplog.Step) bool
}

var machineKinds = []steplog.Kind{
	steplog.KindBoot, steplog.KindStop, steplog.KindKill, steplog.KindCrash, steplog.KindRestart, steplog.KindPanic, steplog.KindExit,
}

var netKinds = []steplog.Kind{
	steplog.KindConnect, steplog.KindAccept, steplog.KindClose, steplog.KindReset, steplog.KindSend, steplog.KindDeliver, steplog.KindDrop,
}

// words says how to read what follows each word.
var words = map[string]func(p *Pattern, rest string) error{
	"step":    parseSteps,
	"time":    parseTime,
	"machine": parseMachine,
	"net":     func(p *Pattern, rest string) error { return p.kindsAt(rest, netKinds, "net") },
	"fault":   func(p *Pattern, rest string) error { return p.onlyAt(rest, steplog.KindFault) },
	"log":     func(p *Pattern, rest string) error { return p.text(rest, "log", steplog.KindLog, steplog.KindTest) },
	"syscall": parseSyscall,
	"mark":    func(p *Pattern, rest string) error { return p.text(rest, "mark", steplog.KindMark) },
	"kind":    func(p *Pattern, rest string) error { return p.kindsAt(rest, steplog.Kinds(), "kind") },
}

// Parse reads a breakpoint. ours is false for text that begins with none of
// the words, such as the name of a function.
func Parse(text string) (p *Pattern, ours bool, err error) {
	word, rest, colon := strings.Cut(text, ":")
	word = strings.TrimSpace(word)
	read, known := words[word]
	if !known || !colon && word != "fault" {
		return nil, false, nil
	}
	p = &Pattern{}
	if err := read(p, strings.TrimSpace(rest)); err != nil {
		return nil, true, err
	}
	return p, true, nil
}

// parseSteps reads "120", "40-60" and lists of both.
func parseSteps(p *Pattern, rest string) error {
	for part := range strings.SplitSeq(rest, ",") {
		lo, hi, both := strings.Cut(strings.TrimSpace(part), "-")
		if !both {
			hi = lo
		}
		a, errA := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(lo), "#"), 10, 64)
		b, errB := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(hi), "#"), 10, 64)
		if errA != nil || errB != nil || a == 0 || b < a {
			return fmt.Errorf("%q is no step: write step:120, step:40-60 or step:1,7", part)
		}
		p.ranges = append(p.ranges, [2]uint64{a, b})
	}
	return nil
}

// parseTime reads a duration since the start of the run, or a time of day as
// log lines show it.
func parseTime(p *Pattern, rest string) error {
	p.first = true
	if d, err := time.ParseDuration(rest); err == nil && d >= 0 {
		p.accepts = func(r *steplog.Reader, s *steplog.Step) bool { return s.TimeNs-r.Header().StartNs >= int64(d) }
		return nil
	}
	clock, err := time.Parse("15:04:05", rest)
	if err != nil {
		return fmt.Errorf("%q is no simulated time: write time:3.5s for the time since the start, or time:14:10:06.5", rest)
	}
	p.accepts = func(r *steplog.Reader, s *steplog.Step) bool {
		start := time.Unix(0, r.Header().StartNs).UTC()
		at := time.Date(start.Year(), start.Month(), start.Day(), clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), time.UTC)
		if at.Before(start) {
			at = at.AddDate(0, 0, 1)
		}
		return s.TimeNs >= at.UnixNano()
	}
	return nil
}

// parseMachine reads "LABEL" or "LABEL KINDS".
func parseMachine(p *Pattern, rest string) error {
	label, kinds, _ := strings.Cut(rest, " ")
	if label == "" {
		return fmt.Errorf("write machine:LABEL, or machine:* for any, and perhaps what happens to it: machine:server crash")
	}
	p.filter.Kinds = machineKinds
	if kinds = strings.TrimSpace(kinds); kinds != "" {
		if err := p.kinds(kinds, machineKinds, "machine"); err != nil {
			return err
		}
	}
	p.at(label)
	return nil
}

func parseSyscall(p *Pattern, rest string) error {
	names, machine, _ := strings.Cut(rest, " ")
	if names == "" {
		return fmt.Errorf("write syscall:NAME, as in syscall:fsync, or syscall:* for any")
	}
	p.filter.Kinds = []steplog.Kind{steplog.KindSyscall, steplog.KindUnsupported}
	p.at(machine)
	if names == "*" {
		return nil
	}
	list := strings.Split(names, ",")
	p.accepts = func(_ *steplog.Reader, s *steplog.Step) bool {
		name := s.Text
		if i := bytes.IndexFunc(name, func(c rune) bool { return c != '_' && (c < '0' || c > '9' && c < 'a' || c > 'z') }); i >= 0 {
			name = name[:i]
		}
		return slices.Contains(list, string(name))
	}
	return nil
}

// kindsAt reads "KINDS" or "KINDS LABEL".
func (p *Pattern) kindsAt(rest string, allowed []steplog.Kind, word string) error {
	names, machine, _ := strings.Cut(rest, " ")
	p.at(machine)
	if names == "*" {
		p.filter.Kinds = allowed
		return nil
	}
	return p.kinds(names, allowed, word)
}

// kinds reads names with commas or bars between them.
func (p *Pattern) kinds(names string, allowed []steplog.Kind, word string) error {
	p.filter.Kinds = nil
	for _, name := range strings.FieldsFunc(names, func(c rune) bool { return c == ',' || c == '|' || c == ' ' }) {
		k, ok := steplog.ParseKind(name)
		if !ok || !slices.Contains(allowed, k) {
			return fmt.Errorf("%s: has no %q: it is one of %s", word, name, list(allowed))
		}
		p.filter.Kinds = append(p.filter.Kinds, k)
	}
	if len(p.filter.Kinds) == 0 {
		return fmt.Errorf("write %s: and one of %s", word, list(allowed))
	}
	return nil
}

func (p *Pattern) onlyAt(machine string, kinds ...steplog.Kind) error {
	p.filter.Kinds = kinds
	p.at(machine)
	return nil
}

func (p *Pattern) at(machine string) {
	if machine = strings.TrimSpace(machine); machine != "" && machine != "*" {
		p.filter.Machines = []string{machine}
	}
}

// text reads "/regexp/" or a text.
func (p *Pattern) text(rest, word string, kinds ...steplog.Kind) error {
	p.filter.Kinds = kinds
	if rest == "" {
		return fmt.Errorf("write %s:TEXT or %s:/REGEXP/", word, word)
	}
	if len(rest) > 1 && rest[0] == '/' && rest[len(rest)-1] == '/' {
		re, err := regexp.Compile(rest[1 : len(rest)-1])
		if err != nil {
			return fmt.Errorf("%s:%s: %w", word, rest, err)
		}
		p.accepts = func(_ *steplog.Reader, s *steplog.Step) bool { return re.Match(s.Message()) }
		return nil
	}
	p.accepts = func(_ *steplog.Reader, s *steplog.Step) bool { return bytes.Contains(s.Message(), []byte(rest)) }
	return nil
}

func list(kinds []steplog.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.String()
	}
	return strings.Join(names, ", ")
}

// Steps returns the numbers of the steps of a run, in ascending order.
func (p *Pattern) Steps(r *steplog.Reader) []uint64 {
	var steps []uint64
	for _, span := range p.ranges {
		for n := span[0]; n <= min(span[1], r.Steps()); n++ {
			steps = append(steps, n)
		}
	}
	if p.ranges != nil {
		slices.Sort(steps)
		return slices.Compact(steps)
	}
	for c := r.Cursor(p.filter); c.Next(); {
		if p.accepts != nil && !p.accepts(r, c.Step()) {
			continue
		}
		steps = append(steps, c.Step().Number)
		if p.first {
			break
		}
	}
	return steps
}
