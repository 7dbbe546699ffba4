package lsp

import (
	"strconv"

	"go.lsp.dev/protocol"
)

// A file may have thousands of lenses and hints, and editors ask for them after
// each edit. The encoder of protocol takes twice as long for them as all else
// that is done; these write the same JSON.

// typical is about how many bytes of JSON a lens or hint is.
const typical = 320

// marshalList encodes a list of what one appends.
func marshalList[T any](list []T, one func([]byte, *T) ([]byte, error)) ([]byte, error) {
	b := append(make([]byte, 0, 2+typical*len(list)), '[')
	var err error
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = one(b, &list[i]); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendLens encodes a lens that has a command and nothing else.
func appendLens(b []byte, l *protocol.CodeLens) (_ []byte, err error) {
	b = appendRange(append(b, `{"range":`...), l.Range)
	if b, err = appendCommand(append(b, `,"command":`...), &l.Command); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// appendHint encodes a hint whose label is of parts with a command, and that
// has nothing else but the space before it.
func appendHint(b []byte, h *protocol.InlayHint) (_ []byte, err error) {
	b = appendPosition(append(b, `{"position":`...), h.Position)
	b = append(b, `,"label":[`...)
	parts, _ := h.Label.(protocol.InlayHintLabelPartSlice)
	for j := range parts {
		if j > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(append(b, `{"value":`...), parts[j].Value); err != nil {
			return nil, err
		}
		if b, err = appendCommand(append(b, `,"command":`...), &parts[j].Command); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	return append(b, `],"paddingLeft":true}`...), nil
}

// appendLink encodes a link with its target as it is: the encoder of protocol
// writes %3D for = in a query, which only some readers take back.
func appendLink(b []byte, l *protocol.DocumentLink) (_ []byte, err error) {
	b = appendRange(append(b, `{"range":`...), l.Range)
	if b, err = appendString(append(b, `,"target":`...), string(*l.Target)); err != nil {
		return nil, err
	}
	if b, err = appendString(append(b, `,"tooltip":`...), *l.Tooltip); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

func appendRange(b []byte, r protocol.Range) []byte {
	b = appendPosition(append(b, `{"start":`...), r.Start)
	b = appendPosition(append(b, `,"end":`...), r.End)
	return append(b, '}')
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
