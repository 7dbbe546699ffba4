package runs_test

import (
	"testing"
	"time"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/replay/text"
	"github.com/restep/restep/sim/steplog"
)

const module = "example.com/bank"

var (
	user    = steplog.Frame{Func: module + ".TestX", File: module + "/x_test.go", Line: 84}
	errorf  = []steplog.Frame{{Func: "testing.(*common).Errorf", File: "testing/testing.go", Line: 1}, user}
	printer = []steplog.Frame{{Func: "log.Printf", File: "log/log.go", Line: 1}, user}
)

// story writes the steps of a run and judges it.
func story(t *testing.T, e runs.Ending, write func(l *logtest.Log)) runs.Outcome {
	t.Helper()
	l := logtest.New(t, steplog.Header{Seed: 1, StartNs: 1579097403e9, Package: module, Module: module, Test: "TestX"})
	write(l)
	return runs.Judge(l.Reader(), text.Source{Module: module, Package: module}, e)
}

func level(l *logtest.Log, n int64) func() {
	return func() { l.Int(steplog.TagLevel, n) }
}

func end(l *logtest.Log) { l.Add(logtest.Event{Kind: steplog.KindEnd, Machine: 1, AtMs: 4000}) }

// TestJudgeElsewhere: what no goroutine of the user's has done is shown where
// one waits or runs.
func TestJudgeElsewhere(t *testing.T) {
	dump := []string{
		"fatal error: all goroutines are asleep - deadlock!", "",
		"machine main, goroutine 1 [chan receive]:", "testing.(*T).Run(0x1, {0x66759e, 0x8}, 0x6dbce0)", "\ttesting/testing.go:2109 +0x57b", "",
		"machine db, goroutine 4 [select]:", module + ".serve(...)", "\t" + module + "/db.go:7", "",
		"machine main, goroutine 1099511627778 [force gc (idle)]:", module + ".never(0x1)", "\t" + module + "/never.go:1 +0x3", "",
		"machine main, goroutine 2 [IO wait]:", "net.(*netFD).accept(0x1)", "\tnet/fd_unix.go:150 +0x29",
		module + ".(*listener).wait(0x1, 0x2)", "\t" + module + "/listen.go:9 +0x9d", module + ".TestX(0x3)", "\t" + module + "/x_test.go:5 +0x9d",
		"created by testing.(*T).Run in goroutine 1", "\ttesting/testing.go:2101 +0x55d",
	}
	write := func(from, to int) func(l *logtest.Log) {
		return func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindDeadlock, Text: "all asleep"})
			for _, line := range dump[from:to] {
				l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: line, Fields: level(l, 8)})
			}
			end(l)
		}
	}
	spins := "machine server, goroutine 3 runs:\n" + module + ".spin(...)\n\t" + module + "/spin.go:3\n"
	for _, test := range []struct {
		name   string
		ending runs.Ending
		write  func(l *logtest.Log)
		want   runs.Failure
	}{
		{"in the test", runs.Ending{ExitCode: 2}, write(0, len(dump)),
			runs.Failure{Message: "all asleep", Step: 1, Machine: "main", Goroutine: 2, File: module + "/listen.go", Line: 9, Elsewhere: true}},
		{"elsewhere", runs.Ending{ExitCode: 2}, write(0, 10),
			runs.Failure{Message: "all asleep", Step: 1, Machine: "db", Goroutine: 4, File: module + "/db.go", Line: 7, Elsewhere: true}},
		{"nowhere", runs.Ending{ExitCode: 2}, write(0, 6), runs.Failure{Message: "all asleep", Step: 1}},
		{"runs", runs.Ending{TimedOut: time.Second, Problem: spins}, write(0, 0),
			runs.Failure{Message: "test timed out after 1s of real time at step 2: the program never yields or is very slow\n" + spins,
				Step: 2, Machine: "server", Goroutine: 3, File: module + "/spin.go", Line: 3, Elsewhere: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := story(t, test.ending, test.write)
			if out.Failure == nil {
				t.Fatal("it passes")
			}
			out.Failure.TimeNs = 0
			if *out.Failure != test.want {
				t.Errorf("%+v\nwant %+v", *out.Failure, test.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	failed := runs.Ending{ExitCode: 1}
	machineEnds := func(kind steplog.Kind, machine steplog.MachineID, code int64) func(l *logtest.Log) {
		return func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: kind, Machine: machine, Text: "boom", Fields: func() { l.Int(steplog.TagExitCode, code) }})
			end(l)
		}
	}
	for _, test := range []struct {
		name    string
		ending  runs.Ending
		write   func(l *logtest.Log)
		result  string
		message string
		step    uint64
	}{
		{"pass", runs.Ending{}, end, runs.Pass, "", 0},
		{"out of memory", runs.Ending{ExitCode: 2, Memory: 3 << 29}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 2, Text: "fatal error: runtime: out of memory\n"})
		}, runs.Fail, "out of memory: at step 1 the run asked for more than the 1536MiB of -memory", 1},
		{"out of memory without a bound", runs.Ending{ExitCode: 2}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "fatal error: out of memory\n"})
		}, runs.Fail, "the run ended without a last step", 1},
		{"a program that talks of memory", runs.Ending{Memory: 1 << 30}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "fatal error: out of memory\n", Fields: func() { l.Int(steplog.TagFD, 2) }})
			end(l)
		}, runs.Pass, "", 0},
		{"skip", runs.Ending{}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindTest, Machine: 1, Text: "--- SKIP: TestX (0.00s)\n"})
			end(l)
		}, runs.Skip, "", 0},
		{"skipped sub-test", runs.Ending{}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindTest, Machine: 1, Text: "    --- SKIP: TestX/sub (0.00s)\n"})
			end(l)
		}, runs.Pass, "", 0},
		{"first error of the test, not of a logger", failed, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "oops\n", Stack: printer, Fields: func() {
				l.Int(steplog.TagFD, 2)
				l.Int(steplog.TagLevel, 8)
			}})
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "sum is 90", Stack: errorf, Fields: level(l, 8)})
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "later", Stack: errorf, Fields: level(l, 8)})
			end(l)
		}, runs.Fail, "sum is 90", 2},
		{"t.Error of a test that passed all the same", runs.Ending{}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "sum is 90", Stack: errorf, Fields: level(l, 8)})
			end(l)
		}, runs.Pass, "", 0},
		{"panic of the test", runs.Ending{ExitCode: 2}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "panic: boom", Fields: level(l, 8)})
			end(l)
		}, runs.Fail, "panic: boom", 1},
		{"FailNow without a word", failed, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindTest, Machine: 1, Text: "--- FAIL: TestX (0.00s)\n"})
			end(l)
		}, runs.Fail, "marked as failed without a message", 1},
		{"example with other output", failed, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindTest, Machine: 1, Text: "--- FAIL: ExampleX (0.00s)\ngot:\n3\nwant:\n4\n"})
			end(l)
		}, runs.Fail, "got: 3 want: 4", 1},
		{"exit code alone", runs.Ending{ExitCode: 3}, end, runs.Fail, "exit code 3", 1},
		{"machine panics", runs.Ending{}, machineEnds(steplog.KindPanic, 2, 2), runs.Fail, "machine server panicked: boom", 1},
		{"machine exits", runs.Ending{}, machineEnds(steplog.KindExit, 2, 7), runs.Fail, "machine server ended with exit code 7", 1},
		{"machine ends well", runs.Ending{}, machineEnds(steplog.KindExit, 2, 0), runs.Pass, "", 0},
		{"machine may end", runs.Ending{}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindPanic, Machine: 2, Text: "boom", Fields: func() {
				l.Int(steplog.TagExitCode, 2)
				l.String(steplog.TagReason, "expected")
			}})
			end(l)
		}, runs.Pass, "", 0},
		{"deadlock", runs.Ending{ExitCode: 2}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindDeadlock, Text: "all asleep"})
			end(l)
		}, runs.Fail, "all asleep", 1},
		{"an earlier error comes before a machine's end", failed, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "sum is 90", Stack: errorf, Fields: level(l, 8)})
			machineEnds(steplog.KindPanic, 2, 2)(l)
		}, runs.Fail, "sum is 90", 1},
		{"killed after real time", runs.Ending{Signal: "SIGKILL", TimedOut: time.Minute}, func(l *logtest.Log) {
			l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 1, Text: "x"})
		}, runs.Fail, "test timed out after 1m0s of real time at step 1: the program never yields or is very slow", 1},
		{"killed", runs.Ending{Signal: "SIGSEGV"}, func(*logtest.Log) {}, runs.Fail, "the run was ended by SIGSEGV", 0},
		{"no last step", runs.Ending{}, func(*logtest.Log) {}, runs.Fail, "the run ended without a last step", 0},
		{"simulator", runs.Ending{ExitCode: 2, Problem: "assert"}, func(*logtest.Log) {}, runs.Fail, "the simulation broke down: assert", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			out := story(t, test.ending, test.write)
			if out.Result != test.result {
				t.Fatalf("result %s, want %s (%+v)", out.Result, test.result, out.Failure)
			}
			if f := out.Failure; f != nil && (f.Message != test.message || f.Step != test.step) {
				t.Errorf("%q at %d, want %q at %d", f.Message, f.Step, test.message, test.step)
			}
		})
	}
}

func TestJudgeWhere(t *testing.T) {
	out := story(t, runs.Ending{ExitCode: 1}, func(l *logtest.Log) {
		l.Add(logtest.Event{Kind: steplog.KindLog, Machine: 2, Goroutine: 17, AtMs: 3512, Text: "bad", Stack: errorf, Fields: level(l, 8)})
		for range 3 {
			l.Add(logtest.Event{Kind: steplog.KindUnsupported, Machine: 2, Text: "clone", Stack: printer})
		}
		l.Add(logtest.Event{Kind: steplog.KindUnsupported, Machine: 2, Text: "bpf"})
		end(l)
	})
	f := out.Failure
	if f == nil || f.Machine != "server" || f.Goroutine != 17 || f.File != user.File || f.Line != 84 || f.TimeNs != 1579097406512e6 {
		t.Errorf("%+v", f)
	}
	if out.Steps != 6 || out.Simulated != 4*time.Second || out.Checksum == 0 || out.Damage != nil {
		t.Errorf("%+v", out)
	}
	if u := out.Unsupported; len(u) != 2 || u[0] != (runs.Unsupported{Name: "clone", File: user.File, Line: 84, Step: 2, Count: 3}) || u[1].Name != "bpf" {
		t.Errorf("%+v", u)
	}
}
