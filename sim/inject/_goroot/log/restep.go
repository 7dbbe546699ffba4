package log

import _ "unsafe" // for go:linkname

//go:linkname restepLogMark runtime.restepLogMark
func restepLogMark(n, off int, level int8)

// restepMark tells the recorder that the write that follows is a log line, and
// where its message starts: past date, time and file, which steps have
// themselves, but not past a prefix of the program's own. A line that comes
// from log/slog (calldepth 0) starts with its level.
func restepMark(line []byte, off int, prefix string, flag, calldepth int) {
	if flag&Lmsgprefix != 0 {
		off -= len(prefix)
	} else if prefix != "" {
		off = 0
	}
	level := int8(0)
	if calldepth == 0 && off < len(line) {
		level, off = restepLevel(line, off)
	}
	restepLogMark(len(line), off, level)
}

// restepLevel reads slog's level ("WARN", "ERROR+2") at line[off:].
func restepLevel(line []byte, off int) (int8, int) {
	rest := string(line[off:])
	for _, l := range [...]struct {
		name  string
		level int8
	}{{"DEBUG", -4}, {"INFO", 0}, {"WARN", 4}, {"ERROR", 8}} {
		if len(rest) <= len(l.name) || rest[:len(l.name)] != l.name {
			continue
		}
		i, delta := len(l.name), 0
		sign := rest[i]
		for i++; i < len(rest) && rest[i] >= '0' && rest[i] <= '9' && delta < 10; i++ {
			delta = delta*10 + int(rest[i]-'0')
		}
		switch {
		case sign == ' ':
			return l.level, off + len(l.name) + 1
		case sign == '+' && i < len(rest) && rest[i] == ' ':
			return l.level + int8(delta), off + i + 1
		case sign == '-' && i < len(rest) && rest[i] == ' ':
			return l.level - int8(delta), off + i + 1
		}
	}
	return 0, off
}
