package text

import (
	"bytes"

	"github.com/restep/restep/sim/steplog"
)

// LevelOf returns the level of a log step in slog's numbers: that of package log
// or testing or, where these know none, what the line itself says. A logger that
// writes its lines to a descriptor has no other way to tell.
func LevelOf(s *steplog.Step) int64 {
	f, _ := s.Field(steplog.TagLevel)
	if n := f.Int(); n != 0 || s.Kind != steplog.KindLog {
		return n
	}
	return levelIn(s.Message())
}

// levelReach is how many bytes of a line are searched for its level.
const levelReach = 512

// levelIn is the level that a line of a well-known logger names; 0, which is
// info, for others. The forms, by the loggers that write them:
//
//	{"level":"warn", ...}    zap, zerolog, slog.JSONHandler, hclog ("@level")
//	time=... level=WARN ...  slog.TextHandler, logrus, go-kit (lvl=)
//	time\tWARN\tmessage      zap's console encoder
//	time [WARN]  message     hclog, logutils, nats-server
//	10:00AM WRN message      zerolog.ConsoleWriter
//	WARN[0000] message       logrus on a terminal
//	name date WARNING: m     badger and others by package log
//	W0115 14:10:03.000000    klog, glog
func levelIn(line []byte) int64 {
	line, _, _ = bytes.Cut(line, []byte("\n"))
	line = line[:min(len(line), levelReach)]
	if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] == '{' {
		return levelInJSON(trimmed)
	}
	if len(line) > 8 && line[5] == ' ' && line[8] == ':' && digits(line[1:5]) {
		if n, ok := klogLevels[line[0]]; ok {
			return n
		}
	}
	for words, tab := 0, true; len(line) > 0; {
		word, before := line, tab
		tab = false
		if end := bytes.IndexAny(line, " \t"); end >= 0 {
			word, tab = line[:end], line[end] == '\t'
			line = line[end+1:]
		} else {
			line = nil
		}
		word = plain(word)
		if len(word) == 0 {
			continue
		}
		if n, ok := levelOfWord(word, words, before && tab); ok {
			return n
		}
		words++
	}
	return 0
}

// klogLevels are by the first letter of a line of klog.
var klogLevels = map[byte]int64{'I': 0, 'W': 4, 'E': 8, 'F': 12}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// plain is a word without the escape sequences that colour it.
func plain(word []byte) []byte {
	for len(word) > 0 && word[0] == 0x1b {
		end := bytes.IndexByte(word, 'm')
		if end < 0 {
			return nil
		}
		word = word[end+1:]
	}
	if i := bytes.IndexByte(word, 0x1b); i >= 0 {
		word = word[:i]
	}
	return word
}

// levelOfWord reads the level in word number n of a line; tab says that it
// stands between tabs.
func levelOfWord(word []byte, n int, tab bool) (level int64, ok bool) {
	for _, key := range [...]string{"level=", "lvl=", "severity="} {
		if value, found := bytes.CutPrefix(word, []byte(key)); found {
			return levelOfName(bytes.Trim(value, `"`))
		}
	}
	if n > 3 { // what follows is the message
		return 0, false
	}
	if word[0] == '[' && word[len(word)-1] == ']' {
		return levelOfName(word[1 : len(word)-1])
	}
	if name, number, found := bytes.Cut(word, []byte("[")); found && n == 0 && len(number) > 1 && digits(number[:len(number)-1]) {
		return levelOfName(name)
	}
	upper := bytes.Equal(word, bytes.ToUpper(word))
	if name, found := bytes.CutSuffix(word, []byte(":")); found && upper {
		return levelOfName(name)
	}
	if tab || len(word) == 3 && upper {
		return levelOfName(word)
	}
	return 0, false
}

// levelOfName is the number of a level's name; slog's may have a difference
// behind it, "ERROR+2", which changes nothing that is shown.
func levelOfName(name []byte) (level int64, ok bool) {
	if i := bytes.IndexAny(name, "+-"); i > 0 {
		name = name[:i]
	}
	switch string(bytes.ToLower(name)) {
	case "trace", "trc", "trac":
		return -8, true
	case "debug", "dbg", "debu":
		return -4, true
	case "info", "inf", "notice":
		return 0, true
	case "warn", "warning", "wrn":
		return 4, true
	case "error", "err", "erro":
		return 8, true
	case "fatal", "ftl", "fata", "panic", "pnc", "dpanic", "critical", "crit", "alert", "emergency":
		return 12, true
	}
	return 0, false
}

// levelInJSON finds the level among the members of the object that a line
// begins with, not of objects within it.
func levelInJSON(line []byte) int64 {
	depth, key := 0, false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{':
			depth, key = depth+1, true
		case '[':
			depth, key = depth+1, false
		case '}', ']':
			depth--
		case ',':
			key = true
		case '"':
			end := i + 1
			for end < len(line) && line[end] != '"' {
				if line[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(line) {
				return 0
			}
			name, rest := line[i+1:end], bytes.TrimLeft(line[end+1:], " ")
			isKey := key && depth == 1 && len(rest) > 0 && rest[0] == ':'
			i, key = end, false
			switch {
			case !isKey:
			case string(name) == "level", string(name) == "@level", string(name) == "lvl", string(name) == "severity":
				value, _, _ := bytes.Cut(bytes.TrimPrefix(bytes.TrimLeft(rest[1:], " "), []byte(`"`)), []byte(`"`))
				n, _ := levelOfName(value)
				return n
			}
		}
	}
	return 0
}
