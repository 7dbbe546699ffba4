package text_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

var header = steplog.Header{
	Seed: 37, StartNs: 1579097403_000000000, Package: "example.com/bank/store", Module: "example.com/bank",
}

var source = text.Source{Module: "example.com/bank", ModuleDir: "/home/u/bank", Package: "example.com/bank/store"}

// userStack is what a line of log.Printf looks like from inside.
func userStack(file string, line int) []steplog.Frame {
	return []steplog.Frame{
		{Func: "log.(*Logger).output", File: "log/log.go", Line: 244},
		{Func: "github.com/x/y.Do", File: "github.com/x/y@v1.2.3/y.go", Line: 7},
		{Func: "example.com/bank/store.put", File: file, Line: line},
		{Func: "runtime.goexit", File: "runtime/asm_amd64.s", Line: 1},
	}
}

func TestPrinter(t *testing.T) {
	log := logtest.New(t, header)
	stack := userStack("example.com/bank/store/store_test.go", 20)
	num := func(tag steplog.Tag, v uint64) func() { return func() { log.Uint(tag, v) } }
	add := func(e logtest.Event) { log.Add(e) }
	add(logtest.Event{Kind: steplog.KindLog, Machine: 2, Goroutine: 21, AtMs: 1000, Message: 20, Stack: stack,
		Text: "2020/01/15 14:10:04 got a request from 11.0.0.1:10000\n", Fields: func() { log.Int(steplog.TagLevel, 0) }})
	add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 4, AtMs: 1001, Stack: userStack("example.com/bank/main.go", 3),
		Text: "two\r\n\x1b[31mlines\a", Fields: func() { log.Int(steplog.TagLevel, 8) }})
	add(logtest.Event{Kind: steplog.KindGo, Machine: 1, Goroutine: 4, AtMs: 1002, Fields: num(steplog.TagGoroutine, 1234)})
	add(logtest.Event{Kind: steplog.KindSyscall, Machine: 2, Goroutine: 1234, AtMs: 1003, Text: `openat "/x" O_RDONLY`,
		Fields: func() { log.Uint(steplog.TagErrno, 2); log.Int(steplog.TagResult, 0) }})
	add(logtest.Event{Kind: steplog.KindSend, Machine: 2, AtMs: 1004, Text: "again", Fields: func() {
		log.String(steplog.TagLocal, "10.0.0.1:80")
		log.String(steplog.TagPeer, "11.0.0.1:10000")
		log.Uint(steplog.TagTo, 1)
		log.Uint(steplog.TagCount, 89)
	}})
	add(logtest.Event{Kind: steplog.KindClock, AtMs: 2000})
	add(logtest.Event{Kind: steplog.KindUnsupported, Machine: 1, Text: "clone", Fields: num(steplog.TagErrno, 38)})
	add(logtest.Event{Kind: steplog.KindSignal, Machine: 1, Fields: num(steplog.TagSignal, 15)})
	add(logtest.Event{Kind: steplog.KindPanic, Machine: 2, Text: "boom", Fields: func() { log.Int(steplog.TagExitCode, 2) }})
	add(logtest.Event{Kind: steplog.KindFault, Machine: 2, Text: "delay a - b 1s"})
	want := `
    1 server/21    14:10:04.000 INF store_test.go:20 > got a request from 11.0.0.1:10000
    2 main/4       14:10:04.001 ERR main.go:3 > two
    2 main/4       14:10:04.001 ERR main.go:3 > \x1b[31mlines\x07
    3 main/4       14:10:04.002 go > starts goroutine 1234
    4 server/1234  14:10:04.003 syscall > openat "/x" O_RDONLY = ENOENT
    5 server       14:10:04.004 send > 10.0.0.1:80 -> 11.0.0.1:10000 (main) 89 bytes again
    6 -            14:10:05.000 clock > time moves on
    7 main         14:10:03.000 unsupported > clone is not simulated; returned ENOSYS
    8 main         14:10:03.000 signal > SIGTERM
    9 server       14:10:03.000 panic > boom (exit code 2)
   10 server       14:10:03.000 fault > delay a - b 1s
`
	r := log.Reader()
	p := text.NewPrinter(r, source)
	for s := range r.Forward(steplog.Filter{}) {
		p.Fit(s)
	}
	var got []byte
	for s := range r.Forward(steplog.Filter{}) {
		got = p.Append(got, s)
	}
	if strings.TrimPrefix(want, "\n") != string(got) {
		t.Errorf("got\n%s\nwant%s", got, want)
	}
}

func TestPrinterStacksAndColor(t *testing.T) {
	log := logtest.New(t, header)
	log.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Goroutine: 4, Text: "x", Stack: userStack("example.com/bank/a\x1b.go", 3)[2:],
		Fields: func() { log.Int(steplog.TagLevel, 4) }})
	r := log.Reader()
	p := text.NewPrinter(r, source)
	p.Color, p.Stacks = true, true
	s, err := r.Step(1)
	if err != nil {
		t.Fatal(err)
	}
	want := "    \x1b[2m1\x1b[0m main/4  14:10:03.000 \x1b[33mWRN\x1b[0m a\\x1b.go:3 > x\n" +
		"          example.com/bank/store.put a\\x1b.go:3\n          runtime.goexit runtime/asm_amd64.s:1\n"
	if got := string(p.Append(nil, &s)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext é 日":      "plain\ttext é 日",
		"a\nb\x00\x7f":         `a\x0ab\x00\x7f`,
		"\u009b31m":            `\u009b31m`,
		"\x9b31m":              `\x9b31m`,
		"a\u202eb\u2066\u2028": `a\u202eb\u2066\u2028`,
		"\xff\xe2\x82":         `\xff\xe2\x82`,
		"\ufffd":               "\ufffd",
	} {
		if got := text.Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[0m\u0085")
	f.Fuzz(func(t *testing.T, s string) {
		for i, r := range text.Escape(s) {
			if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
				t.Errorf("Escape(%q) has %U at %d", s, r, i)
			}
		}
	})
}

func TestPlace(t *testing.T) {
	sim := steplog.Frame{Func: "github.com/restep/restep/sim.NewMachine", File: "github.com/restep/restep@v0.0.0/sim/machine.go"}
	dep := steplog.Frame{Func: "example.com/bank/v2.X", File: "example.com/bank/v2@v2.0.1/x.go", Line: 1}
	own := steplog.Frame{Func: "example.com/bank_test.TestX", File: "example.com/bank/x_test.go", Line: 2}
	std := steplog.Frame{Func: "net/http.Get", File: "net/http/client.go"}
	mainFunc := steplog.Frame{Func: "main.main", File: "_testmain.go"}
	for _, test := range []struct {
		name   string
		frames []steplog.Frame
		want   string
	}{
		{"own before dependency", []steplog.Frame{std, dep, sim, own, mainFunc}, own.File},
		{"dependency", []steplog.Frame{std, sim, dep, mainFunc}, dep.File},
		{"nobody", []steplog.Frame{std, sim, mainFunc}, ""},
		{"absolute", []steplog.Frame{{File: "/etc/passwd"}}, "passwd"},
		{"up", []steplog.Frame{{File: "example.com/bank/../../../etc/passwd"}}, "passwd"},
		{"empty", nil, ""},
	} {
		if f, ok := source.Place(test.frames); f.File != test.want || ok != (test.want != "") {
			t.Errorf("%s: %+v %v", test.name, f, ok)
		}
	}
	self := text.Source{Module: "github.com/restep/restep", Package: "github.com/restep/restep/sim"}
	test := steplog.Frame{Func: "github.com/restep/restep/sim.TestX", File: "github.com/restep/restep/sim/x_test.go"}
	lib := steplog.Frame{Func: "github.com/restep/restep/sim.NewMachine", File: "github.com/restep/restep/sim/machine.go"}
	if f, _ := self.Place([]steplog.Frame{lib, test}); f != test {
		t.Errorf("restep's own test: %+v", f)
	}
}

func TestNames(t *testing.T) {
	for file, want := range map[string][2]string{
		"example.com/bank/store/a.go":       {"a.go", "/home/u/bank/store/a.go"},
		"example.com/bank/b.go":             {"b.go", "/home/u/bank/b.go"},
		"example.com/bank/c/../../../etc/x": {"c/../../../etc/x", "example.com/bank/c/../../../etc/x"},
		"example.com/bank/v2@v2.0.1/x.go":   {"example.com/bank/v2@v2.0.1/x.go", "example.com/bank/v2@v2.0.1/x.go"},
		"net/http/server.go":                {"net/http/server.go", "net/http/server.go"},
	} {
		if got := [2]string{source.Name(file), source.Path(file)}; got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestExport(t *testing.T) {
	log := logtest.New(t, header)
	log.Add(logtest.Event{Kind: steplog.KindSyscall, Machine: 2, Goroutine: 9, AtMs: 1, Text: "read 1",
		Stack: userStack("example.com/bank/store/a.go", 5), Fields: func() {
			log.Int(steplog.TagFD, 7)
			log.Uint(steplog.TagErrno, 11)
		}})
	r := log.Reader()
	s, err := r.Step(1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(text.Export(r, source, &s, false))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"step":1,"tick":1,"time":"2020-01-15T14:10:03.001Z","machine":"server","goroutine":9,"kind":"syscall",` +
		`"text":"read 1 fd 7 = EAGAIN","path":"/home/u/bank/store/a.go","line":5,"fields":{"errno":11,"fd":7}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if n := len(text.Export(r, source, &s, true).Stack); n != 4 {
		t.Errorf("%d frames, want 4", n)
	}
}

func TestNumbers(t *testing.T) {
	if got := text.ErrnoName(999) + text.SignalName(0) + text.SignalName(9); got != "errno 999signal 0SIGKILL" {
		t.Error(got)
	}
	var levels []string
	for _, n := range []int64{-4, -1, 0, 3, 4, 7, 8, 12} {
		levels = append(levels, text.Level(n))
	}
	if got := strings.Join(levels, " "); got != "DBG DBG INF INF WRN WRN ERR ERR" {
		t.Error(got)
	}
}

// TestPlaceOf: a log line that names one of the user's frames is of that one.
func TestPlaceOf(t *testing.T) {
	frame := func(file string, line int) steplog.Frame {
		return steplog.Frame{Func: "example.com/bank/store.f", File: "example.com/bank/store/" + file, Line: line}
	}
	frames := []steplog.Frame{
		{Func: "go.uber.org/zap.(*SugaredLogger).log", File: "go.uber.org/zap@v1.28.0/sugar.go", Line: 355},
		frame("log.go", 12), frame("put.go", 84), frame("put.go", 8), frame("store_test.go", 7),
	}
	wrapper, put, test := frames[1], frames[2], frames[4]
	for name, c := range map[string]struct {
		text string
		want steplog.Frame
	}{
		"none":          {"stored", wrapper},
		"itself":        {"log.go:12: stored", wrapper},
		"log":           {"2020/01/15 14:10:03 put.go:84: stored", put},
		"klog":          {"I0115 14:10:03.000 1 put.go:84] stored", put},
		"zap, JSON":     {`{"level":"info","caller":"store/put.go:84","msg":"stored"}`, put},
		"zap, console":  {"14:10:03\tINFO\tstore/put.go:84\tstored", put},
		"zerolog":       {`{"level":"info","caller":"example.com/bank/store/put.go:84"}`, put},
		"color":         {"\x1b[90m2:10PM\x1b[0m \x1b[32mINF\x1b[0m \x1b[1mput.go:84\x1b[0m\x1b[36m >\x1b[0m stored", put},
		"slog":          {`{"source":{"function":"f","file":"/m/put.go","line":84},"msg":"stored"}`, put},
		"t.Helper":      {"    store_test.go:7: stored", test},
		"second":        {"put.go:840 put.go:84", put},
		"longer number": {"put.go:840: stored", wrapper},
		"longer name":   {"output.go:84 out_put.go:84 öput.go:84", wrapper},
		"no number":     {"put.go: stored", wrapper},
		"no color":      {"\x1b[1;84Xput.go: am put.go", wrapper},
		"other":         {"sugar.go:355: stored", wrapper},
		"a stack":       {"stored\nf\n\t/m/put.go:84\nf\n\t/m/store_test.go:7", put},
		"cut":           {`/m/put.go","line":`, wrapper},
	} {
		step := &steplog.Step{Kind: steplog.KindLog, Text: []byte(c.text)}
		if got, ok := source.PlaceOf(step, frames); !ok || got != c.want {
			t.Errorf("%s: %q is of %v, want %v", name, c.text, got, c.want)
		}
		step.Kind = steplog.KindSyscall
		if got, ok := source.PlaceOf(step, frames); !ok || got != wrapper {
			t.Errorf("%s: a step that is no log line is of %v", name, got)
		}
	}
	if f, ok := source.PlaceOf(&steplog.Step{Kind: steplog.KindLog, Text: []byte("sugar.go:355")}, nil); ok {
		t.Errorf("a step without a stack is of %v", f)
	}
}
