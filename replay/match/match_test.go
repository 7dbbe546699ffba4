package match_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/match"
	"github.com/restep/restep/sim/steplog"
)

// run is a run of two machines.
func run(t testing.TB) *steplog.Reader {
	const start = 1579097403 * 1e9 // 14:10:03
	l := logtest.New(t, steplog.Header{Seed: 7, StartNs: start})
	for _, e := range []logtest.Event{
		{Kind: steplog.KindBoot, Machine: 1, Text: "main"},
		{Kind: steplog.KindBoot, Machine: 2, Text: "server", AtMs: 500},
		{Kind: steplog.KindLog, Machine: 2, Text: "a line\n", AtMs: 1000},
		{Kind: steplog.KindSyscall, Machine: 2, Text: "fsync", AtMs: 1000},
		{Kind: steplog.KindSyscall, Machine: 1, Text: `openat "/x"`, AtMs: 1500},
		{Kind: steplog.KindDrop, Machine: 1, AtMs: 2000},
		{Kind: steplog.KindCrash, Machine: 2, Text: "server", AtMs: 2500},
		{Kind: steplog.KindRestart, Machine: 2, Text: "server", AtMs: 2500},
		{Kind: steplog.KindLog, Machine: 1, Text: "another\n", AtMs: 3500},
	} {
		l.Add(e)
	}
	return l.Reader()
}

func TestSteps(t *testing.T) {
	r := run(t)
	for text, want := range map[string]string{
		"step:3":                    "3",
		"step:#3, 8-100":            "3 8 9",
		"step:50":                   "",
		"time:1s":                   "3",
		"time:0s":                   "1",
		"time:2001ms":               "7",
		"time:1h":                   "",
		"time:14:10:04.5":           "5",
		"machine:server":            "2 7 8",
		"machine:server crash|boot": "2 7",
		"machine:* boot,crash":      "1 2 7",
		"machine:nobody":            "",
		"net:drop":                  "6",
		"net:drop server":           "",
		"net:*":                     "6",
		"fault":                     "",
		"fault:server":              "",
		"log:line":                  "3",
		"log:/^an?/":                "3 9",
		"syscall:fsync":             "4",
		"syscall:open":              "",
		"syscall:openat,fsync main": "5",
		"syscall:*":                 "4 5",
		"kind:crash,drop":           "6 7",
		"kind:log main":             "9",
		"mark:x":                    "",
	} {
		p, ours, err := match.Parse(text)
		if err != nil || !ours {
			t.Errorf("%s: %v, %v", text, ours, err)
			continue
		}
		if got := strings.Trim(fmt.Sprint(p.Steps(r)), "[]"); got != want {
			t.Errorf("%s: steps %s, want %s", text, got, want)
		}
	}
}

func TestNotOurs(t *testing.T) {
	for _, text := range []string{"main.main", "(*T).Run", "", "x:y", "fault.Inject", "step", "example.org/log.Print", "log.Print:3"} {
		if p, ours, err := match.Parse(text); p != nil || ours || err != nil {
			t.Errorf("%q: %v, %v, %v", text, p, ours, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"step:":                     "write step:120",
		"step:0":                    "is no step",
		"step:9-3":                  "is no step",
		"step:1,":                   "is no step",
		"time:soon":                 "time:3.5s",
		"time:-1s":                  "time:3.5s",
		"machine:":                  "machine:LABEL",
		"machine:server drop":       "it is one of boot, stop,",
		"net:crash":                 "it is one of connect,",
		"kind:":                     "write kind:",
		"kind:nonsense":             `no "nonsense"`,
		"syscall:":                  "syscall:fsync",
		"log:":                      "log:TEXT",
		"log:/(/":                   "missing closing )",
		"step:18446744073709551616": "is no step",
	} {
		if _, ours, err := match.Parse(text); !ours || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want an error with %q", text, ours, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"step:1-3,#7", "time:3.5s", "machine:* crash", "log:/a|b/", "net:drop x", "syscall:*", "kind:go", "fault"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, ours, err := match.Parse(text)
		if (p != nil) != (ours && err == nil) || err != nil && !ours {
			t.Errorf("%q: %v, %v, %v", text, p, ours, err)
		}
		if p != nil {
			r := run(t)
			last := uint64(0)
			for _, n := range p.Steps(r) {
				if n <= last || n > r.Steps() {
					t.Errorf("%q: step %d after %d of %d", text, n, last, r.Steps())
				}
				last = n
			}
		}
	})
}
