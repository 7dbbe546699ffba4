package text_test

import (
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

// TestLevelOfLines has lines as the loggers wrote them.
func TestLevelOfLines(t *testing.T) {
	for line, want := range map[string]string{
		`{"level":"warn","ts":1579097403,"msg":"order is late"}`:                        "WRN", // zap
		`{"level":"dpanic","ts":1579097403,"msg":"x"}`:                                  "ERR",
		`{"level":"error","time":"2020-01-15T14:10:03Z","message":"payment failed"}`:    "ERR", // zerolog
		`{"time":"2020-01-15T14:10:03Z","level":"DEBUG","msg":"m"}`:                     "DBG", // slog
		`{"time":"2020-01-15T14:10:03Z","level":"ERROR+2","msg":"m"}`:                   "ERR",
		`{"@level":"warn","@message":"m"}`:                                              "WRN", // hclog
		`{"severity":"WARNING","message":"m"}`:                                          "WRN",
		`{"msg":"a \"level\":\"error\"","parts":{"level":"error"},"level":"info"}`:      "INF",
		`{"msg":"level","x":["level","error"],"y":{"level":"error"}}`:                   "INF",
		`{"level":30,"msg":"m"}`:                                                        "INF",
		`{"level":"war`:                                                                 "INF",
		`time=2020-01-15T14:10:03.000Z level=WARN msg="m level=ERROR"`:                  "WRN", // slog, logrus
		`ts=2020-01-15T14:10:03Z caller=main.go:3 component="a b" lvl=error msg=m`:      "ERR", // go-kit
		"2020-01-15T14:10:03.000Z\tWARN\tlogging/zap.go:41\torder is late\t{\"id\": 7}": "WRN", // zap
		"2020-01-15T14:10:03.000Z\t\x1b[31mERROR\x1b[0m\tlogging/zap.go:41\torder":      "ERR",
		"DEBUG\tno time": "DBG",
		"2020-01-15T14:10:03.000Z [WARN]  agent: m":               "WRN", // hclog
		"[ERR] memberlist: Failed to send ping":                   "ERR", // logutils
		"[1] 2020/01/15 14:10:03.000000 [ERR] m":                  "ERR", // nats-server
		"\x1b[90m2:10PM\x1b[0m \x1b[31mERR\x1b[0m payment failed": "ERR", // zerolog
		"2:10PM DBG m":                               "DBG",
		"badger 2020/01/15 14:10:03 WARNING: m":      "WRN",
		"WARN[0000] m":                               "WRN", // logrus
		"E0115 14:10:03.000000       7 main.go:3] m": "ERR", // klog
		"X0115 14:10:03 m":                           "INF",
		"an error occurred":                          "INF",
		"error":                                      "INF",
		"error: no such file":                        "INF",
		"tell me the [ERROR] here and there":         "ERR",
		"the word that is number five [ERROR]":       "INF",
		"key\terror":                                 "INF",
		"":                                           "INF",
		" \t ":                                       "INF",
		"first line\n{\"level\":\"error\"}":          "INF",
		"\x1b[31":                                    "INF",
	} {
		if got := text.Level(leveled(t, line)); got != want {
			t.Errorf("%q has level %s, want %s", line, got, want)
		}
	}
}

// leveled is the level of a step whose logger told none.
func leveled(t *testing.T, line string) int64 {
	t.Helper()
	return text.LevelOf(&steplog.Step{Kind: steplog.KindLog, Text: []byte(line)})
}

// A level that the logger told counts, whatever the line says.
func TestLevelThatWasTold(t *testing.T) {
	log := logtest.New(t, header)
	log.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "level=ERROR", Fields: func() { log.Int(steplog.TagLevel, 4) }})
	s, err := log.Reader().Step(1)
	if err != nil {
		t.Fatal(err)
	}
	if got := text.LevelOf(&s); got != 4 {
		t.Errorf("level %d, want 4", got)
	}
}

// FuzzLevel: any line has one of the four levels, and the level is that of its
// first line.
func FuzzLevel(f *testing.F) {
	for _, line := range []string{"{\"level\":\"warn\"}", "{\"a\\", "a\tWARN\tb", "[]",
		"[ERR", "\x1b[1m[ERR]\x1b", "W0115 1:", "level=", "{\"\":{\"level\":\"error\"}}"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if got, want := leveled(t, line+"\n[ERROR] x"), leveled(t, line+"\n"); got != want {
			t.Errorf("%q: level %d with a second line, %d without", line, got, want)
		}
	})
}
