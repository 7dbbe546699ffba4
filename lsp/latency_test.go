package lsp

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

const (
	bigLines = 2_000
	bigSteps = 100_000
)

// big makes a module with one long file and one long log: every second line of
// the file logs.
func big(t testing.TB, steps int) (dir, file, content string) {
	t.Helper()
	dir, file, content = bigModule(t)
	addBig(t, dir, fill(t, steps), 1)
	return dir, file, content
}

func bigModule(t testing.TB) (dir, file, content string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/m\n")
	var b strings.Builder
	b.WriteString("package m\n\nimport \"log\"\n\nfunc TestBig(t *testing.T) {\n")
	for b2 := 6; b2 < bigLines; b2++ {
		if b2%2 == 0 {
			fmt.Fprintf(&b, "\tlog.Print(\"line %d\")\n", b2)
		} else {
			fmt.Fprintf(&b, "\tx := %d\n", b2)
		}
	}
	b.WriteString("}\n")
	file, content = filepath.Join(dir, "m_test.go"), b.String()
	write(t, file, content)
	return dir, file, content
}

// bigHeader is that of all long logs.
var bigHeader = steplog.Header{Seed: 1, Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestBig"}

// addBig puts a run with a long log into the store.
func addBig(t testing.TB, dir string, log []byte, seed uint64) {
	t.Helper()
	store, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	path, err := store.NewLog(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log, 0o644); err != nil {
		t.Fatal(err)
	}
	h := &bigHeader
	r := runs.Result{Time: time.Now(), Build: h.Build, Package: h.Package, Module: h.Module, Test: h.Test, Seed: seed, Result: runs.Pass}
	if _, err = store.Add(r, path, ""); err != nil {
		t.Fatal(err)
	}
}

// fill makes a log with many steps.
func fill(t testing.TB, steps int) []byte {
	t.Helper()
	head, err := steplog.EncodeHeader(&bigHeader)
	if err != nil {
		t.Fatal(err)
	}
	log := append(head, make([]byte, 16<<20+200*steps)...)
	const base = 0x400000
	w := new(steplog.Writer)
	err = w.Init(&steplog.WriterConfig{
		Log: log, Seed: 1, TextBase: base, Table: make([]byte, steplog.TableSize(1<<14)),
		GrowTable: func(need uint64) []byte { return make([]byte, need) },
		Symbolize: func(w *steplog.Writer, pc uintptr) {
			if line := int(pc - base); line < bigLines {
				w.Frame("example.com/m.TestBig", "example.com/m/m_test.go", line)
			} else {
				w.Frame("log.Print", "log/log.go", 400)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Machine(steplog.Machine{ID: 1, Label: "main"})
	for n := range steps {
		line := 6 + 2*(n%((bigLines-6)/2))
		pcs := []uintptr{base + bigLines, base + uintptr(line)}
		w.Begin(steplog.Head{Kind: steplog.KindLog, Machine: 1, Goroutine: uint32(n % 100), TimeNs: int64(n) * 1000, Tick: uint64(n)})
		w.End(steplog.Tail{Text: fmt.Sprintf("step %d of a long log", n), PCs: pcs, StackHash: steplog.HashPCs(pcs, base)})
	}
	w.Close()
	if w.Steps() != uint64(steps) || w.Lost() != 0 {
		t.Fatalf("%d steps written, %d lost", w.Steps(), w.Lost())
	}
	return log[:w.Bytes()]
}

// startRaw connects a client that only counts what it gets, so that its own
// work is not measured, and opens the long file.
func startRaw(t testing.TB, dir, file, content string) *raw {
	r := connectRaw(t)
	r.send(initialize)
	r.receive()
	r.send(message("textDocument/didOpen", 0, map[string]any{
		"textDocument": map[string]any{"uri": uri.File(file), "languageId": "go", "version": 1, "text": content}}))
	return r
}

// ready waits until the server has read the log: until then a request waits a
// while and is answered with nothing.
func (r *raw) ready(file string) {
	r.t.Helper()
	for {
		r.send(message("textDocument/hover", 99, map[string]any{
			"textDocument": map[string]any{"uri": uri.File(file)}, "position": protocol.Position{Line: 1005}}))
		if a := r.receive(); a.Error != nil {
			r.t.Fatalf("%+v", a)
		} else if string(a.Result) != "null" {
			return
		}
	}
}

// message is a request, or a notification if its id is 0.
func message(method string, id int, params any) string {
	m := map[string]any{"jsonrpc": "2.0", "method": method, "params": params}
	if id != 0 {
		m["id"] = id
	}
	b, _ := json.Marshal(m)
	return string(b)
}

// edit puts lines at the end of the long file.
func (r *raw) edit(file, content string, lines int) {
	r.send(message("textDocument/didChange", 0, map[string]any{
		"textDocument":   map[string]any{"uri": uri.File(file), "version": 2},
		"contentChanges": []any{map[string]any{"text": content + strings.Repeat("\n", lines)}}}))
}

// ask sends each kind of request once and returns how long each took, until
// its answer is there as JSON.
func ask(t testing.TB, r *raw, file string) (took [3]time.Duration) {
	document := map[string]any{"uri": uri.File(file)}
	whole := protocol.Range{End: protocol.Position{Line: bigLines}}
	middle := protocol.Position{Line: 1005, Character: 2}
	for i, q := range []struct {
		method string
		params any
		want   string
		count  int
	}{
		{"textDocument/inlayHint", map[string]any{"textDocument": document, "range": whole}, " ×", (bigLines - 6) / 2},
		{"textDocument/codeLens", map[string]any{"textDocument": document}, `"◀"`, (bigLines - 6) / 2},
		{"textDocument/hover", map[string]any{"textDocument": document, "position": middle}, " of a long log\\n", 2 * hits.Shown},
	} {
		request := message(q.method, i+1, q.params)
		start := time.Now()
		r.send(request)
		answer := r.frame()
		took[i] = time.Since(start)
		if n := strings.Count(string(answer), q.want); n != q.count {
			t.Fatalf("%s: %d times %s, want %d", q.method, n, q.want, q.count)
		}
	}
	return took
}

func p95(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)*95/100]
}

// TestBigFile: after each edit of a file of 2,000 lines with a log of 100,000
// steps every hint, lens and hover of the whole file is there. How long that
// takes BenchmarkRequests measures.
func TestBigFile(t *testing.T) {
	dir, file, content := big(t, bigSteps)
	r := startRaw(t, dir, file, content)
	r.ready(file)
	for i := range 10 {
		r.edit(file, content, i)
		ask(t, r, file)
	}
}

// BenchmarkRequests measures hints, lenses and hover after an edit, as an
// editor asks for them, and how long a long log takes to be read.
func BenchmarkRequests(b *testing.B) {
	for _, steps := range []int{bigSteps, 10 * bigSteps} {
		b.Run(fmt.Sprint("steps=", steps), func(b *testing.B) { benchmarkRequests(b, steps) })
	}
}

func benchmarkRequests(b *testing.B, steps int) {
	dir, file, content := big(b, steps)
	began := time.Now()
	r := startRaw(b, dir, file, content)
	r.ready(file)
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "first-ms")
	var all [3][]time.Duration
	n, cpu := 0, cpuTime()
	for b.Loop() {
		n++
		r.edit(file, content, n%50)
		for kind, d := range ask(b, r, file) {
			all[kind] = append(all[kind], d)
		}
	}
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/1000/float64(n), "cpu-ms/op") // of an edit and all three
	for i, what := range []string{"hints", "lenses", "hover"} {
		b.ReportMetric(float64(p95(all[i]).Microseconds())/1000, what+"-p95-ms") // sorts
		b.ReportMetric(float64(all[i][len(all[i])/2].Microseconds())/1000, what+"-p50-ms")
	}
}

// BenchmarkResults measures how long after the end of a run, when the index has
// its line, the client has its hints: the server sees it, reads the log, asks
// the client to refresh, and the client asks for the hints.
func BenchmarkResults(b *testing.B) {
	for _, steps := range []int{1000, bigSteps} {
		b.Run(fmt.Sprint("steps=", steps), func(b *testing.B) {
			dir, file, content := bigModule(b)
			log := fill(b, steps)
			c := start(b, dir, nil)
			id := c.open(b, file, content)
			var all []time.Duration
			seed := uint64(0)
			for b.Loop() {
				seed++
				addBig(b, dir, log, seed)
				began := time.Now()
				for shown := false; !shown; {
					c.mu.Lock()
					before := c.refreshed
					c.mu.Unlock()
					for _, l := range c.lenses(b, id)[6-1] {
						shown = shown || strings.Contains(string(l.Arguments[0]), fmt.Sprintf(`"seed":%d,`, seed))
					}
					if shown {
						c.hints(b, id)
						break
					}
					c.until(b, "a refresh", func() bool { return c.refreshed > before })
				}
				all = append(all, time.Since(began))
			}
			b.ReportMetric(float64(p95(all).Microseconds())/1000, "shown-p95-ms")
		})
	}
}
