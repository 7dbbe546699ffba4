package lsp

import (
	"encoding/json"
	"flag"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

var update = flag.Bool("update", false, "rewrite the expectations in testdata/*.txt")

// TestMarkers runs testdata/*.txt. The first paragraph of each says what it is
// about. Its files are:
//
//	NAME              a file on disk, last changed before all runs
//	changed NAME      the same, but changed after all runs
//	editor NAME       what the editor has of NAME, which may not be saved
//	settings.json     initializationOptions
//	run TEST SEED     a run; the first line is RESULT [PACKAGE] [build=B], then
//	                  come its steps: KIND MACHINE/GOROUTINE @PLACE,... MESSAGE,
//	                  and last, when it failed, "failure @PLACE MESSAGE"
//	@NAME             what a hover shows
//
// Comments in Go files mark places and say what is expected at their line; what
// is not said is not there:
//
//	//@at(NAME)  //@hint("...", ...)  //@lens("...", ...)  //@diag("...", ...)
//	//@hover(NAME)
//
// With -update the expectations become what there is. Read the difference.
func TestMarkers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runMarkers(t, file) })
	}
}

// story is one file of testdata.
type story struct {
	t       *testing.T
	dir     string
	archive *txtar.Archive
	places  map[string]steplog.Frame
	client  *client
	ids     map[string]protocol.TextDocumentIdentifier // by name of the txtar file
}

func runMarkers(t *testing.T, name string) {
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, dir: t.TempDir(), archive: txtar.Parse(content), places: map[string]steplog.Frame{},
		ids: map[string]protocol.TextDocumentIdentifier{}}
	var options json.RawMessage
	for _, f := range s.archive.Files {
		fields := strings.Fields(f.Name)
		switch {
		case fields[0] == "run" || fields[0] == "editor" || f.Name[0] == '@':
		case f.Name == "settings.json":
			options = f.Data
		default:
			path := filepath.Join(s.dir, fields[len(fields)-1])
			write(t, path, plainSource(f.Data))
			if fields[0] == "changed" {
				later := time.Now().Add(time.Hour)
				if err := os.Chtimes(path, later, later); err != nil {
					t.Fatal(err)
				}
			}
			s.mark(fields[len(fields)-1], string(f.Data))
		}
	}
	for _, f := range s.archive.Files {
		if strings.HasPrefix(f.Name, "run ") {
			s.record(f)
		}
	}
	s.client = start(t, s.dir, func(p *protocol.InitializeParams) { p.InitializationOptions = protocol.LSPAny(options) })
	s.check()
	if *update {
		if text := txtar.Format(s.archive); string(text) != string(content) {
			t.Logf("rewrote %s", name)
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var marker = regexp.MustCompile(`@(at|hint|lens|diag|hover)\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)`)

var expectation = regexp.MustCompile(` *(?://)?@(?:hint|lens|diag|hover)\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)`)

// plainSource is a file without what is expected of it, which is not what the
// server should compare.
func plainSource(content []byte) string { return expectation.ReplaceAllString(string(content), "") }

// mark notes the places of a Go file on disk. The function is the one whose
// declaration is the last before.
func (s *story) mark(name, content string) {
	if !strings.HasSuffix(name, ".go") {
		return
	}
	fn, pkg := "", path.Join("example.com/m", path.Dir(name))
	if strings.Contains(content, "\npackage "+path.Base(pkg)+"_test\n") || strings.HasPrefix(content, "package "+path.Base(pkg)+"_test\n") {
		pkg += "_test" // only the symbols' prefix: files are recorded below the folder
	}
	for i, line := range strings.Split(content, "\n") {
		if rest, ok := strings.CutPrefix(line, "func "); ok {
			if fn, _, _ = strings.Cut(rest, "("); fn == "" { // a method
				receiver, rest, _ := strings.Cut(rest[1:], ") ")
				method, _, _ := strings.Cut(rest, "(")
				receiver, arguments, generic := strings.Cut(receiver, "[")
				typ := receiver[strings.LastIndex(receiver, " ")+1:]
				if generic && arguments != "" {
					typ += "[...]"
				}
				if strings.HasPrefix(typ, "*") {
					typ = "(" + typ + ")"
				}
				fn = typ + "." + method
			}
		}
		for _, m := range marker.FindAllStringSubmatch(line, -1) {
			if m[1] == "at" {
				s.places[m[2]] = steplog.Frame{Func: pkg + "." + fn, File: "example.com/m/" + name, Line: i + 1}
			}
		}
	}
}

// others are places outside of the module.
var others = map[string]steplog.Frame{
	"http": {Func: "net/http.(*Server).Serve", File: "net/http/server.go", Line: 3464},
	// As it would be recorded for a line directive that names line 6 of m_test.go.
	"generated": {Func: "example.com/m.generated", File: "example.com/m/m_test.go", Line: 6},
	"slog":      {Func: "log/slog.(*Logger).log", File: "log/slog/logger.go", Line: 257},
	"log":       {Func: "log.(*Logger).output", File: "log/log.go", Line: 244},
	"sort":      {Func: "sort.insertionSort", File: "sort/zsortinterface.go", Line: 14},
	"wg":        {Func: "sync.(*WaitGroup).Go", File: "sync/waitgroup.go", Line: 237},
}

// stack makes the call stack of a step: what the standard library adds, and
// the places, innermost first.
func (s *story) stack(kind steplog.Kind, places string) []steplog.Frame {
	frames := []steplog.Frame{{Func: "log.Printf", File: "log/log.go", Line: 408}}
	if kind == steplog.KindGo {
		frames = []steplog.Frame{{Func: "runtime.newproc", File: "runtime/proc.go", Line: 5298}}
	}
	for p := range strings.SplitSeq(places, ",") {
		if f, ok := others[p]; ok {
			frames = append(frames, f)
			continue
		}
		f, ok := s.places[strings.TrimPrefix(p, "@")]
		if !ok {
			s.t.Fatalf("there is no place %s", p)
		}
		frames = append(frames, f)
	}
	return append(frames, steplog.Frame{Func: "testing.tRunner", File: "testing/testing.go", Line: 2036})
}

// record makes a run.
func (s *story) record(f txtar.File) {
	t := s.t
	name := strings.Fields(f.Name)
	seed, err := strconv.ParseUint(name[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(f.Data)), "\n")
	r := runs.Result{Build: "b1", Package: "example.com/m", Module: "example.com/m", Test: name[1], Seed: seed}
	for i, w := range strings.Fields(lines[0]) {
		if build, ok := strings.CutPrefix(w, "build="); ok {
			r.Build = build
		} else if i == 0 {
			r.Result = w
		} else {
			r.Package = w
		}
	}
	record(t, s.dir, &r, func(l *logtest.Log) {
		machines := map[string]steplog.MachineID{"main": 1, "server": 2}
		for i, line := range lines[1:] {
			w := strings.SplitN(line, " ", 4)
			if w[0] == "failure" {
				w = strings.SplitN(line, " ", 3)
				place := s.places[w[1][1:]]
				r.Failure = &runs.Failure{Message: w[2], Step: l.Steps(), File: place.File, Line: place.Line}
				continue
			}
			kind, ok := steplog.ParseKind(w[0])
			machine, goroutine, ok2 := strings.Cut(w[1], "/")
			if machines[machine] == 0 {
				id := steplog.MachineID(len(machines) + 1)
				machines[machine] = id
				l.Machine(steplog.Machine{ID: id, Label: strings.ReplaceAll(machine, "_", " ")})
			}
			n, err := strconv.ParseUint(goroutine, 10, 32)
			if !ok || !ok2 || err != nil {
				t.Fatalf("bad step %q", line)
			}
			e := logtest.Event{Kind: kind, Machine: machines[machine], Goroutine: uint32(n), AtMs: int64(i) * 250, Stack: s.stack(kind, w[2])}
			if len(w) > 3 {
				e.Text, err = strconv.Unquote(`"` + w[3] + `"`)
				if err != nil {
					t.Fatalf("bad message %q", w[3])
				}
			}
			if kind == steplog.KindGo {
				started, _ := strconv.ParseUint(e.Text, 10, 64)
				e.Text, e.Fields = "", func() { l.Uint(steplog.TagGoroutine, started) }
			}
			l.Add(e)
		}
	})
}

// check compares all Go files, or what the editor has of them, with what they
// expect.
func (s *story) check() {
	texts := map[string]int{} // index of the file that the editor has
	for i, f := range s.archive.Files {
		fields := strings.Fields(f.Name)
		if name := fields[len(fields)-1]; strings.HasSuffix(name, ".go") && fields[0] != "run" {
			texts[name] = i
		}
	}
	for _, i := range texts {
		f := s.archive.Files[i]
		fields := strings.Fields(f.Name)
		s.ids[f.Name] = s.client.open(s.t, filepath.Join(s.dir, fields[len(fields)-1]), plainSource(f.Data))
	}
	for _, i := range texts { // the first request waits for the runs, and only then can there be diagnostics
		s.client.hints(s.t, s.ids[s.archive.Files[i].Name])
	}
	s.settle()
	for _, i := range texts {
		s.compare(&s.archive.Files[i])
	}
}

// settle waits until the diagnostics of now are published: that comes before
// the client is asked to refresh. The first refresh may be an older one.
func (s *story) settle() {
	c := s.client
	for range 2 {
		c.mu.Lock()
		before := c.refreshed
		c.mu.Unlock()
		if err := c.DidChangeConfiguration(c.ctx, &protocol.DidChangeConfigurationParams{Settings: protocol.LSPAny("{}")}); err != nil {
			s.t.Fatal(err)
		}
		c.until(s.t, "a refresh", func() bool { return c.refreshed > before })
	}
}

// compare looks at each line of a file.
func (s *story) compare(f *txtar.File) {
	id := s.ids[f.Name]
	hints, lenses := s.client.hints(s.t, id), s.client.lenses(s.t, id)
	diagnostics := map[uint32][]string{}
	s.client.mu.Lock()
	for _, d := range s.client.diagnostics[uri.URI(id.URI)] {
		diagnostics[d.Range.Start.Line] = append(diagnostics[d.Range.Start.Line], string(d.Message.(protocol.String)))
	}
	s.client.mu.Unlock()
	lines := strings.Split(string(f.Data), "\n")
	for i, line := range lines {
		n := uint32(i)
		var titles []string
		for _, c := range lenses[n] {
			titles = append(titles, c.Title)
		}
		got := map[string][]string{"hint": hints[n], "lens": titles, "diag": diagnostics[n]}
		want := map[string][]string{}
		hover := ""
		for _, m := range marker.FindAllStringSubmatch(line, -1) {
			switch m[1] {
			case "at":
			case "hover":
				hover = m[2]
			default:
				want[m[1]] = markerArgs(m[2])
			}
		}
		for _, kind := range []string{"hint", "lens", "diag"} {
			slices.Sort(got["hint"])
			if slices.Equal(got[kind], want[kind]) {
				continue
			}
			if !*update {
				s.t.Errorf("%s:%d: %s is %q, want %q", f.Name, i+1, kind, got[kind], want[kind])
				continue
			}
			lines[i] = rewrite(lines[i], kind, got[kind])
		}
		if hover != "" {
			s.compareHover(f, i, hover)
		}
	}
	f.Data = []byte(strings.Join(lines, "\n"))
}

func (s *story) compareHover(f *txtar.File, line int, name string) {
	got := s.client.hover(s.t, s.ids[f.Name], protocol.Position{Line: uint32(line), Character: 3})
	for i := range s.archive.Files {
		if g := &s.archive.Files[i]; g.Name == "@"+name {
			if string(g.Data) != got && *update {
				g.Data = []byte(got)
			} else if string(g.Data) != got {
				s.t.Errorf("%s:%d: hover is\n%s\nwant\n%s", f.Name, line+1, got, g.Data)
			}
			return
		}
	}
	if !*update {
		s.t.Errorf("%s:%d: there is no file @%s; run with -update", f.Name, line+1, name)
	}
	s.archive.Files = append(s.archive.Files, txtar.File{Name: "@" + name, Data: []byte(got)})
}

// markerArgs are the strings in the parentheses of a marker.
func markerArgs(list string) (all []string) {
	for _, quoted := range regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).FindAllString(list, -1) {
		s, err := strconv.Unquote(quoted)
		if err != nil {
			return []string{"bad string " + quoted}
		}
		all = append(all, s)
	}
	return all
}

// rewrite puts what there is into a line's marker.
func rewrite(line, kind string, got []string) string {
	old := regexp.MustCompile(` ?(?:// ?)?@` + kind + `\((?:[^()"]|"(?:[^"\\]|\\.)*")*\)`)
	line = strings.TrimRight(old.ReplaceAllString(line, ""), " ")
	if len(got) == 0 {
		return line
	}
	quoted := make([]string, len(got))
	for i := range got {
		quoted[i] = strconv.Quote(got[i])
	}
	return line + " //@" + kind + "(" + strings.Join(quoted, ", ") + ")"
}
