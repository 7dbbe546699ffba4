package lsp

import (
	"context"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/replay/runs"
)

// announce tells the client what it did not ask for: diagnostics, and that
// hints and lenses are to be asked for again. It ends with the connection.
func (s *server) announce() {
	published := map[string]protocol.PublishDiagnosticsParams{} // by path
	disk := map[string]diskFile{}
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.dirty:
		}
		s.mu.Lock()
		snap, refresh, phase := s.snap, s.refresh, s.phase
		s.refresh = false
		s.mu.Unlock()
		if phase != running {
			continue
		}
		s.publish(published, diagnostics(snap, disk))
		if refresh {
			s.background(func() { s.askRefresh(snap.features) })
		}
	}
}

// refreshLimit is how long the client may take to answer that it has heard.
const refreshLimit = 10 * time.Second

// askRefresh lets the client ask for hints and lenses again.
func (s *server) askRefresh(can features) {
	ctx, cancel := context.WithTimeout(s.ctx, refreshLimit)
	defer cancel()
	if can.hintRefresh {
		_ = s.client.InlayHintRefresh(ctx) // a client that cannot will ask at the next edit
	}
	if can.lensRefresh {
		_ = s.client.CodeLensRefresh(ctx)
	}
}

// publish sends what is not what the client has.
func (s *server) publish(published, now map[string]protocol.PublishDiagnosticsParams) {
	for name, old := range published {
		if _, still := now[name]; !still && len(old.Diagnostics) > 0 {
			now[name] = protocol.PublishDiagnosticsParams{URI: old.URI, Diagnostics: []protocol.Diagnostic{}}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		params := now[name]
		if old, ok := published[name]; ok && reflect.DeepEqual(old, params) {
			continue
		}
		if s.client.PublishDiagnostics(s.ctx, &params) != nil {
			return // the connection is over
		}
		published[name] = params
		if len(params.Diagnostics) == 0 {
			delete(published, name)
		}
	}
}

// failureKey is what failing runs have in common that share a diagnostic.
type failureKey struct {
	test hits.Test
	file string
	line int
}

// failure is what failed at one place in one test.
type failure struct {
	key  failureKey
	runs []runs.Result // newest first
}

// failures returns what failed in a module's tests, newest first.
func failures(state *hits.State) []failure {
	var list []failure
	index := map[failureKey]int{}
	for _, r := range state.Failing {
		file, own := state.Roots.File(r.Failure.File)
		if r.Failure.Line <= 0 || !own {
			continue
		}
		key := failureKey{hits.Test{Package: r.Package, Name: r.Test}, file, r.Failure.Line}
		i, known := index[key]
		if !known {
			i = len(list)
			index[key] = i
			list = append(list, failure{key: key})
		}
		list[i].runs = append(list[i].runs, r)
	}
	return list
}

// diagnostics returns what failed where, by path. Files that are not open are
// read; disk keeps them until they change.
func diagnostics(snap *snapshot, disk map[string]diskFile) map[string]protocol.PublishDiagnosticsParams {
	result := map[string]protocol.PublishDiagnosticsParams{}
	open := map[string][]*document{} // by the names that runs have for them
	for _, path := range slices.Sorted(maps.Keys(snap.docs)) {
		for _, name := range snap.docs[path].names {
			open[name] = append(open[name], snap.docs[path])
		}
	}
	for _, state := range snap.states() {
		for _, f := range failures(state) {
			docs := open[f.key.file]
			if len(docs) == 0 {
				docs = readDocument(disk, snap.given(f.key.file))
			}
			for _, d := range docs {
				if line, ok := d.failingLine(state, f.key, f.runs); ok {
					params := result[d.path]
					params.URI = d.uri
					params.Diagnostics = append(params.Diagnostics, diagnostic(d, line, snap, f.runs))
					result[d.path] = params
				}
			}
		}
	}
	return result
}

// diskFile is a file that is not open, as it was when it was read.
type diskFile struct {
	doc   *document
	size  int64
	mtime time.Time
}

// maxFile is the size in bytes of a file that is read to put an error into it.
const maxFile = 8 << 20

// readDocument returns a file as it is on disk, none when it cannot be read.
func readDocument(disk map[string]diskFile, name string) []*document {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil
	}
	if f, ok := disk[name]; ok && f.size == info.Size() && f.mtime.Equal(info.ModTime()) {
		return []*document{f.doc}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	if len(disk) > 1000 {
		clear(disk)
	}
	d := newDocument(uri.File(name), name, 0, string(b))
	disk[name] = diskFile{d, info.Size(), info.ModTime()}
	return []*document{d}
}

// failingLine finds the line of a failure in the document. It is not known
// when the line was edited or the file may have been changed since.
func (d *document) failingLine(state *hits.State, key failureKey, failed []runs.Result) (int, bool) {
	for _, r := range failed {
		base := state.Base(r.Build, key.file)
		if base == nil {
			continue
		}
		d.mu.Lock()
		now, exact, ok := d.movedSince(base).Line(key.line)
		d.mu.Unlock()
		return now, ok && exact
	}
	return 0, false
}

// diagnostic describes the failing runs of one test at one line, newest first.
func diagnostic(d *document, line int, snap *snapshot, failed []runs.Result) protocol.Diagnostic {
	const listed = 5
	r := failed[0]
	seeds := make([]string, 0, listed)
	for _, f := range failed[:min(listed, len(failed))] {
		seeds = append(seeds, strconv.FormatUint(f.Seed, 10))
	}
	noun := "seed "
	if len(failed) > 1 {
		noun = "seeds "
	}
	which := noun + strings.Join(seeds, ", ")
	if n := len(failed) - listed; n > 0 {
		which += fmt.Sprintf(" and %d more", n)
	}
	message := fmt.Sprintf("%s fails with %s: %s", label(r.Test), which, plain(r.Failure.Message, maxText))
	out := protocol.Diagnostic{
		Range: d.lineSpan(line, snap.encoding), Severity: protocol.DiagnosticSeverityError,
		Source: protocol.NewOptional("restep"), Message: protocol.String(message),
	}
	if r.Failure.Step > 0 {
		out.Code = protocol.String(stepText(r.Failure.Step))
	}
	return out
}
