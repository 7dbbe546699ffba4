package lsp

import (
	"strconv"

	"go.lsp.dev/protocol"
)

// A file may have thousands of lenses and hints, and editors ask for them after
// each edit. The encoder of protocol takes twice as long for them as all else
// that is done; these two write the same JSON.

// typical is about how many bytes of JSON a lens or hint is.
const typical = 320

// marshalLenses encodes lenses that have a command and nothing else.
func marshalLenses(list []protocol.CodeLens) ([]byte, error) {
	b := append(make([]byte, 0, 2+typical*len(list)), '[')
	var err error
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"range":{"start":`...)
		b = appendPosition(b, list[i].Range.Start)
		b = append(b, `,"end":`...)
		b = appendPosition(b, list[i].Range.End)
		b = append(b, `},"command":`...)
		if b, err = appendCommand(b, &list[i].Command); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// marshalHints encodes hints whose label is of parts with a command, and that
// have nothing else but the space before them.
func marshalHints(list []protocol.InlayHint) ([]byte, error) {
	b := append(make([]byte, 0, 2+typical*len(list)), '[')
	var err error
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"position":`...)
		b = appendPosition(b, list[i].Position)
		b = append(b, `,"label":[`...)
		parts, _ := list[i].Label.(protocol.InlayHintLabelPartSlice)
		for j := range parts {
			if j > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"value":`...)
			if b, err = appendString(b, parts[j].Value); err != nil {
				return nil, err
			}
			b = append(b, `,"command":`...)
			if b, err = appendCommand(b, &parts[j].Command); err != nil {
				return nil, err
			}
			b = append(b, '}')
		}
		b = append(b, `],"paddingLeft":true}`...)
	}
	return append(b, ']'), nil
}

// marshalLinks encodes links with a target as it is: the encoder of protocol
// writes %3D for = in a query, which only some readers take back.
func marshalLinks(list []protocol.DocumentLink) ([]byte, error) {
	b := append(make([]byte, 0, 2+typical*len(list)), '[')
	var err error
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"range":{"start":`...)
		b = appendPosition(b, list[i].Range.Start)
		b = append(b, `,"end":`...)
		b = appendPosition(b, list[i].Range.End)
		b = append(b, `},"target":`...)
		if b, err = appendString(b, string(*list[i].Target)); err != nil {
			return nil, err
		}
		b = append(b, `,"tooltip":`...)
		if b, err = appendString(b, *list[i].Tooltip); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

func appendPosition(b []byte, p protocol.Position) []byte {
	b = strconv.AppendUint(append(b, `{"line":`...), uint64(p.Line), 10)
	b = strconv.AppendUint(append(b, `,"character":`...), uint64(p.Character), 10)
	return append(b, '}')
}

func appendString(b []byte, s string) ([]byte, error) {
	return protocol.AppendMarshal(b, protocol.String(s))
}

// appendCommand encodes a command whose arguments are JSON already.
func appendCommand(b []byte, c *protocol.Command) (_ []byte, err error) {
	b = append(b, `{"title":`...)
	if b, err = appendString(b, c.Title); err != nil {
		return nil, err
	}
	b = append(b, `,"command":`...)
	if b, err = appendString(b, c.Command); err != nil {
		return nil, err
	}
	b = append(b, `,"arguments":[`...)
	for i, a := range c.Arguments {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, a...)
	}
	return append(b, "]}"...), nil
}
