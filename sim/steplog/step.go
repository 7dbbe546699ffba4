package steplog

// Step is one recorded event as a [Cursor] shows it.
type Step struct {
	Number    uint64
	Tick      uint64
	TimeNs    int64 // simulated, since Unix epoch
	Machine   MachineID
	Goroutine uint32
	Kind      Kind
	Flags     Flags
	StackID   uint32 // for Reader.Stack, 0 = none
	Checksum  uint32 // low half of the rolling checksum after this step
	Offset    uint64 // of the record in the log
	Text      []byte // raw text; valid until the cursor moves
	Fields    []Field
}

// Field is one value of a step.
type Field struct {
	Tag   Tag
	Num   uint64 // FormUint, FormInt (two's complement), FormIntern (string id)
	Bytes []byte // FormBytes, FormIntern: content; nil when the string is not defined
}

// Int returns the value of a FormInt field.
func (f Field) Int() int64 { return int64(f.Num) }

// Field returns the first field with a tag.
func (s *Step) Field(tag Tag) (Field, bool) {
	for i := range s.Fields {
		if s.Fields[i].Tag == tag {
			return s.Fields[i], true
		}
	}
	return Field{}, false
}

// Message returns the text without what the program's logger put before it.
func (s *Step) Message() []byte {
	if f, ok := s.Field(TagMessage); ok && f.Num <= uint64(len(s.Text)) {
		return s.Text[f.Num:]
	}
	return s.Text
}

// Clone returns a copy that shares no memory with the cursor or the log.
func (s *Step) Clone() Step {
	d := *s
	d.Text = append([]byte(nil), s.Text...)
	d.Fields = append([]Field(nil), s.Fields...)
	for i := range d.Fields {
		if d.Fields[i].Bytes != nil {
			d.Fields[i].Bytes = append([]byte{}, d.Fields[i].Bytes...)
		}
	}
	return d
}

// parsePayload appends the fields of one record's payload to dst. Text comes
// back on its own. ok is false when the payload ends within a field.
func (r *Reader) parsePayload(p []byte, dst []Field) (fields []Field, text []byte, ok bool) {
	for len(p) > 0 {
		f := Field{Tag: Tag(p[0])}
		p = p[1:]
		switch f.Tag.Form() {
		case FormUint, FormInt:
			n := 0
			if f.Num, n = uvarint(p); n == 0 {
				return dst, text, false
			}
			if f.Tag.Form() == FormInt {
				f.Num = f.Num>>1 ^ -(f.Num & 1)
			}
			p = p[n:]
		case FormBytes:
			if len(p) < 2 || 2+int(get16(p)) > len(p) {
				return dst, text, false
			}
			n := 2 + int(get16(p))
			f.Bytes, p = p[2:n:n], p[n:]
			if f.Tag == TagText {
				text = f.Bytes
				continue
			}
		case FormIntern:
			if len(p) < 4 {
				return dst, text, false
			}
			f.Num = uint64(get32(p))
			f.Bytes, _ = r.stringBytes(uint32(f.Num))
			p = p[4:]
		}
		dst = append(dst, f)
	}
	return dst, text, true
}

// uvarint reads an unsigned number; n is 0 when it does not end or overflows.
func uvarint(p []byte) (v uint64, n int) {
	for i := 0; i < len(p) && i < 10; i++ {
		c := p[i]
		if c < 0x80 {
			if i == 9 && c > 1 {
				return 0, 0
			}
			return v | uint64(c)<<(7*uint(i)), i + 1
		}
		v |= uint64(c&0x7f) << (7 * uint(i))
	}
	return 0, 0
}
