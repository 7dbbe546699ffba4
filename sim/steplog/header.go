package steplog

import "strings"

// Pair is one entry of the header that this version has no field for.
type Pair struct{ Key, Value string }

// Header is what block 0 of a log says about the run.
type Header struct {
	Version uint32
	Seed    uint64
	Variant uint64 // hash of the overrides, 0 = none
	StartNs int64  // simulated start, ns since Unix epoch
	Build   string // build id, hex
	Package string // import path of the package under test
	Test    string // name of the test
	Go      string // Go release
	Restep  string // version of the tool
	Module  string // module path
	Args    []string
	Env     []string // KEY=value
	Extra   []Pair   // keys unknown to this version, in the order of the file
}

// EncodeHeader returns block 0 of a log: [BlockSize] bytes. Version is always
// the one of this package. It fails when the strings do not fit, when a string
// is longer than 65535 bytes, or when an element of Args or Env holds a NUL.
func EncodeHeader(h *Header) ([]byte, error) {
	args, err := joinNUL("args", h.Args)
	if err != nil {
		return nil, err
	}
	env, err := joinNUL("env", h.Env)
	if err != nil {
		return nil, err
	}
	pairs := []Pair{
		{"build", h.Build}, {"package", h.Package}, {"test", h.Test}, {"go", h.Go},
		{"restep", h.Restep}, {"module", h.Module}, {"args", args}, {"env", env},
	}
	b := make([]byte, headerFixed, BlockSize)
	for _, p := range append(pairs, h.Extra...) {
		for _, s := range []string{p.Key, p.Value} {
			if len(s) > 1<<16-1 || len(b)+2+len(s) > BlockSize {
				return nil, &Error{Offset: -1, What: "header value " + p.Key + " does not fit into the header block",
					Advice: "shorten the arguments or declare fewer environment variables"}
			}
			b = append(b, byte(len(s)), byte(len(s)>>8))
			b = append(b, s...)
		}
	}
	copy(b, headerMagic)
	put32(b[8:], Version)
	put32(b[12:], uint32(len(b)-headerFixed))
	put64(b[16:], h.Seed)
	put64(b[24:], h.Variant)
	put64(b[32:], uint64(h.StartNs))
	return b[:BlockSize], nil
}

// joinNUL puts a NUL after each element, so that an empty element survives.
func joinNUL(key string, list []string) (string, error) {
	var b strings.Builder
	for _, s := range list {
		if strings.IndexByte(s, 0) >= 0 {
			return "", &Error{Offset: -1, What: "header value " + key + " holds a NUL byte", Advice: "remove it"}
		}
		b.WriteString(s)
		b.WriteByte(0)
	}
	return b.String(), nil
}

func splitNUL(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\x00"), "\x00")
}

// DecodeHeader reads block 0. b may be cut short behind the last pair. It
// fails with an [*Error] when b is no step log or one of a version that this
// package does not read.
func DecodeHeader(b []byte) (Header, error) {
	var h Header
	if len(b) < headerFixed {
		return h, &Error{Offset: int64(len(b)), What: "file too short for a step log header", Advice: adviceAgain}
	}
	if view(b[:8]) != headerMagic {
		return h, &Error{Offset: 0, What: "not a step log: it does not start with " + headerMagic,
			Advice: "give a .steplog file"}
	}
	if h.Version = get32(b[8:]); h.Version != Version {
		return h, &Error{Offset: 8, What: "step log has format version " + u64text(uint64(h.Version)) +
			", this restep reads version " + u64text(Version), Advice: "use the restep that wrote it, or " + adviceAgain}
	}
	length := get32(b[12:])
	if uint64(length) > uint64(min(len(b), BlockSize)-headerFixed) {
		return h, &Error{Offset: 12, What: "header says " + u64text(uint64(length)) +
			" bytes of text, more than there are", Advice: adviceAgain}
	}
	h.Seed, h.Variant, h.StartNs = get64(b[16:]), get64(b[24:]), int64(get64(b[32:]))
	rest, at := b[headerFixed:headerFixed+int(length)], int64(headerFixed)
	for len(rest) > 0 {
		key, n, ok := cutString16(rest)
		value, m, ok2 := cutString16(rest[n:])
		if !ok || !ok2 {
			return h, &Error{Offset: at, What: "header text is cut short", Advice: adviceAgain}
		}
		h.set(key, value)
		rest = rest[n+m:]
		at += int64(n + m)
	}
	return h, nil
}

func (h *Header) set(key, value string) {
	switch key {
	case "build":
		h.Build = value
	case "package":
		h.Package = value
	case "test":
		h.Test = value
	case "go":
		h.Go = value
	case "restep":
		h.Restep = value
	case "module":
		h.Module = value
	case "args":
		h.Args = splitNUL(value)
	case "env":
		h.Env = splitNUL(value)
	default:
		h.Extra = append(h.Extra, Pair{key, value})
	}
}

// cutString16 reads a u16 length and as many bytes; n is what it used up.
func cutString16(b []byte) (s string, n int, ok bool) {
	if len(b) < 2 {
		return "", 0, false
	}
	n = 2 + int(get16(b))
	if n > len(b) {
		return "", 0, false
	}
	return string(b[2:n]), n, true
}
