package text

import (
	"unicode/utf8"
)

// AppendEscaped appends s so that nothing in it can act on a terminal: C0
// controls but tab, DEL, C1 controls, bidirectional overrides and bytes that
// are no UTF-8 become \xNN or \uNNNN. Newlines are escaped too: split before.
func AppendEscaped[S string | []byte](dst []byte, s S) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\t' || c >= ' ' && c < 0x7f:
			dst = append(dst, c)
			i++
			continue
		case c < 0x80:
			dst = appendHex(dst, 'x', uint32(c), 2)
			i++
			continue
		}
		r, n := decodeRune(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			dst = appendHex(dst, 'x', uint32(c), 2)
			n = 1
		case hostile(r):
			dst = appendHex(dst, 'u', uint32(r), 4)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
}

// Escape is AppendEscaped for a string.
func Escape(s string) string { return string(AppendEscaped(nil, s)) }

// hostile reports characters that change how the rest of a line looks: C1
// controls, line separators and bidirectional controls.
func hostile(r rune) bool {
	return r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func decodeRune[S string | []byte](s S) (rune, int) {
	var b [utf8.UTFMax]byte
	n := copy(b[:], s)
	return utf8.DecodeRune(b[:n])
}

func appendHex(dst []byte, letter byte, v uint32, digits int) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '\\', letter)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hex[v>>shift&15])
	}
	return dst
}
