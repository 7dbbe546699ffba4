package steplog

import "strconv"

// Difference is the first step in which two logs differ.
type Difference struct {
	Step  uint64
	Field string // kind, machine, goroutine, time, tick, text, stack, flags, checksum, steps, or a tag's name
	A, B  string // the values; "" = the step does not have the field
}

// String returns one line without a full stop.
func (d *Difference) String() string {
	return "step " + u64text(d.Step) + ": " + d.Field + " differs: " + strconv.Quote(d.A) + " and " + strconv.Quote(d.B)
}

// Diff returns the first step in which two logs differ, nil when all steps are
// equal. Steps are compared by what they say: machines by label, strings by
// content, stacks by content hash; checksums only between logs of the same seed
// and variant. Headers are not compared. The error tells damage that keeps a
// step from being read.
func Diff(a, b *Reader) (*Difference, error) {
	sums := a.header.Seed == b.header.Seed && a.header.Variant == b.header.Variant
	ca, cb := a.Cursor(Filter{}), b.Cursor(Filter{})
	for n := uint64(1); n <= min(a.last, b.last); n++ {
		if err := ca.Seek(n); err != nil {
			return nil, err
		}
		if err := cb.Seek(n); err != nil {
			return nil, err
		}
		if field, va, vb := diffStep(ca, cb, sums); field != "" {
			return &Difference{Step: n, Field: field, A: va, B: vb}, nil
		}
	}
	if a.last != b.last {
		return &Difference{Step: min(a.last, b.last) + 1, Field: "steps", A: u64text(a.last), B: u64text(b.last)}, nil
	}
	return nil, nil
}

func diffStep(a, b *Cursor, sums bool) (field, va, vb string) {
	s, t := &a.step, &b.step
	number := func(v uint64) string { return strconv.FormatUint(v, 10) }
	switch {
	case s.Kind != t.Kind:
		return "kind", s.Kind.String(), t.Kind.String()
	case s.Machine != t.Machine || a.Machine().Label != b.Machine().Label:
		return "machine", a.machineText(), b.machineText()
	case s.Goroutine != t.Goroutine:
		return "goroutine", number(uint64(s.Goroutine)), number(uint64(t.Goroutine))
	case s.TimeNs != t.TimeNs:
		return "time", strconv.FormatInt(s.TimeNs, 10), strconv.FormatInt(t.TimeNs, 10)
	case s.Tick != t.Tick:
		return "tick", number(s.Tick), number(t.Tick)
	case string(s.Text) != string(t.Text):
		return "text", string(s.Text), string(t.Text)
	}
	for i := range max(len(s.Fields), len(t.Fields)) {
		var f, g Field
		if i < len(s.Fields) {
			f = s.Fields[i]
		}
		if i < len(t.Fields) {
			g = t.Fields[i]
		}
		if f.Tag == g.Tag && f.value() == g.value() {
			continue
		}
		tag := f.Tag
		if _, both := t.Field(f.Tag); tag == 0 || both && tag != g.Tag && g.Tag != 0 {
			tag = g.Tag
		}
		f, _ = s.Field(tag)
		g, _ = t.Field(tag)
		return tag.String(), f.value(), g.value()
	}
	hs, ht := a.r.StackHash(s.StackID), b.r.StackHash(t.StackID)
	switch {
	case hs != ht:
		return "stack", a.stackText(), b.stackText()
	case s.Flags != t.Flags:
		return "flags", number(uint64(s.Flags)), number(uint64(t.Flags))
	case sums && s.Checksum != t.Checksum:
		return "checksum", number(uint64(s.Checksum)), number(uint64(t.Checksum))
	}
	return "", "", ""
}

func (c *Cursor) machineText() string {
	m := c.Machine()
	if m.Label == "" {
		return strconv.Itoa(int(c.step.Machine))
	}
	return m.Label
}

// stackText names the innermost frame, enough to find the stack.
func (c *Cursor) stackText() string {
	frames := c.Stack(nil)
	if len(frames) == 0 {
		return "none"
	}
	f := frames[0]
	return f.Func + " " + f.File + ":" + strconv.Itoa(f.Line) + " (" + strconv.Itoa(len(frames)) +
		" frames, hash " + strconv.FormatUint(c.r.StackHash(c.step.StackID), 16) + ")"
}

// Value returns the field's value as text: numbers in decimal, strings as they
// are, an undefined string as "#id".
func (f Field) Value() string { return f.value() }

func (f Field) value() string {
	switch f.Tag.Form() {
	case FormInt:
		return strconv.FormatInt(int64(f.Num), 10)
	case FormBytes:
		return string(f.Bytes)
	case FormIntern:
		if f.Bytes == nil {
			return "#" + strconv.FormatUint(f.Num, 10)
		}
		return string(f.Bytes)
	}
	if f.Tag == 0 {
		return ""
	}
	return strconv.FormatUint(f.Num, 10)
}
