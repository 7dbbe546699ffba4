package source

import (
	"strings"
	"testing"
	"time"
)

// wrappers are functions whose lines are marked with whether they log for their
// caller.
const wrappers = `package m

func logf(format string, args ...any) {
	log.Printf("m: "+format, args...) // yes
	log.Print("started", 1)           // no
	log.Print(format)                 // yes
}

func info(msg string) { log.Print(msg) } // yes

func named(name string) {
	log.Print("hello ", name)   // no
	log.Printf("%s: %q\n", name) // yes
	log.Printf("id %s", name)   // no
	log.Print(count)            // no
}

func built(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	other := fmt.Sprint("nothing")
	log.Print(text)  // yes
	log.Print(other) // no
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	fmt.Fprintln(h.w, r.Message) // yes
	return h.next.Handle(ctx, r) // yes
}

func (w *writer) Write(p []byte) (int, error) {
	return os.Stderr.Write(p[:len(p)]) // yes
}

func serve(w http.ResponseWriter, r *http.Request) {
	log.Print(r.URL) // no
}

func closures(t *testing.T) {
	say := func(format string, args ...any) {
		t.Logf(format, args...) // yes
	}
	say("x") // no
	t.Cleanup(func() {
		t.Log("done") // no
	})
}

func check(t *testing.T, ok bool) {
	t.Helper()
	t.Log("checked") // yes
	go func() {
		t.Log("later") // no
	}()
}

func (l *logger) Info(msg string, kv ...any) {
	l.z.Info(). // yes
		Fields(kv). // yes
		Msg(msg) // yes
}
`

// TestWraps: a line logs for the caller of its function if it hands on what
// that was given. Lines are marked with what is expected.
func TestWraps(t *testing.T) {
	f := Parse("m.go", wrappers)
	for i, line := range strings.Split(wrappers, "\n") {
		if want, marked := strings.CutSuffix(line, "// yes"); marked || strings.HasSuffix(want, "// no") {
			if got := f.Wraps(i + 1); got != marked {
				t.Errorf("line %d wraps: %v: %s", i+1, got, line)
			}
		}
	}
}

// TestParseNested: calls within calls take no longer than their number.
func TestParseNested(t *testing.T) {
	const depth = 9000
	start := time.Now()
	Parse("m.go", "package m\nfunc f() {\n"+strings.Repeat("f(\"x\", ", depth)+strings.Repeat(")", depth)+"\n}")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
