package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

const (
	bigLines = 2_000
	bigSteps = 100_000
)

// big makes a module with one long file and one long log: every second line of
// the file logs.
func big(t testing.TB) (dir, file, content string) {
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
	store, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	h := steplog.Header{Seed: 1, Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestBig"}
	head, err := steplog.EncodeHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	path, err := store.NewLog(head)
	if err != nil {
		t.Fatal(err)
	}
	log := append(head, make([]byte, 64<<20)...)
	if err := os.WriteFile(path, fill(t, log), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = store.Add(runs.Result{Time: time.Now(), Build: "b", Package: "example.com/m", Module: "example.com/m", Test: "TestBig", Seed: 1, Result: runs.Pass}, path, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir, file, content
}

// fill writes the steps of the long log and returns what is used of it.
func fill(t testing.TB, log []byte) []byte {
	const base = 0x400000
	w := new(steplog.Writer)
	err := w.Init(&steplog.WriterConfig{
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
	for n := range bigSteps {
		line := 6 + 2*(n%((bigLines-6)/2))
		pcs := []uintptr{base + bigLines, base + uintptr(line)}
		w.Begin(steplog.Head{Kind: steplog.KindLog, Machine: 1, Goroutine: uint32(n % 100), TimeNs: int64(n) * 1000, Tick: uint64(n)})
		w.End(steplog.Tail{Text: fmt.Sprintf("step %d of a long log", n), PCs: pcs, StackHash: steplog.HashPCs(pcs, base)})
	}
	w.Close()
	if w.Steps() != bigSteps || w.Lost() != 0 {
		t.Fatalf("%d steps written, %d lost", w.Steps(), w.Lost())
	}
	return log[:w.Bytes()]
}

// ask sends each kind of request once and returns how long each took.
func ask(t testing.TB, c *client, id protocol.TextDocumentIdentifier) (hints, lenses, hover time.Duration) {
	start := time.Now()
	if h := c.hints(t, id); len(h) != (bigLines-6)/2 {
		t.Fatalf("%d lines with hints", len(h))
	}
	hints, start = time.Since(start), time.Now()
	if l := c.lenses(t, id); len(l) < (bigLines-6)/2 {
		t.Fatalf("%d lines with lenses", len(l))
	}
	lenses, start = time.Since(start), time.Now()
	if h := c.hover(t, id, protocol.Position{Line: 1005, Character: 2}); !strings.Contains(h, "... 6") && !strings.Contains(h, "steps of TestBig") {
		t.Fatalf("hover %s", h)
	}
	return hints, lenses, time.Since(start)
}

func p95(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)*95/100]
}

// TestLatency: after each edit of a file of 2,000 lines with a log of 100,000
// steps, hints, lenses and hover of the whole file come within 50 ms.
func TestLatency(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	dir, file, content := big(t)
	c := start(t, dir, nil)
	id := c.open(t, file, content)
	ask(t, c, id) // waits for the log to be read
	var all [3][]time.Duration
	for i := range 60 {
		c.edit(t, id, strings.Replace(content, "package m\n", "package m\n"+strings.Repeat("\n", 1+i), 1))
		hints, err := c.InlayHint(c.ctx, &protocol.InlayHintParams{TextDocument: id})
		if err != nil || len(hints) != 0 {
			t.Fatal(len(hints), err)
		}
		c.edit(t, id, content+strings.Repeat("\n", i))
		a, b, d := ask(t, c, id)
		all[0], all[1], all[2] = append(all[0], a), append(all[1], b), append(all[2], d)
	}
	for i, what := range []string{"hints", "lenses", "hover"} {
		if d := p95(all[i]); d > 50*time.Millisecond {
			t.Errorf("p95 of %s is %v, more than 50ms", what, d)
		} else {
			t.Logf("p95 of %s is %v", what, d)
		}
	}
}

// BenchmarkRequests measures hints, lenses and hover after an edit, as an
// editor asks for them, and how long a long log takes to be read.
func BenchmarkRequests(b *testing.B) {
	dir, file, content := big(b)
	began := time.Now()
	c := start(b, dir, nil)
	id := c.open(b, file, content)
	ask(b, c, id)
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "first-ms")
	var all [3][]time.Duration
	n := 0
	for b.Loop() {
		n++
		c.edit(b, id, content+strings.Repeat("\n", n%50))
		x, y, z := ask(b, c, id)
		all[0], all[1], all[2] = append(all[0], x), append(all[1], y), append(all[2], z)
	}
	for i, what := range []string{"hints", "lenses", "hover"} {
		b.ReportMetric(float64(p95(all[i]).Microseconds())/1000, what+"-p95-ms")
	}
}
