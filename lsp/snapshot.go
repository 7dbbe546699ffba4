package lsp

import (
	"maps"
	"path/filepath"
	"sync"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
)

// snapshot is all that an answer depends on.
type snapshot struct {
	docs     map[string]*document // open ones, by path
	folders  map[string]bool      // of the workspace, by path
	modules  map[string]*hits.State
	config   config
	features features
	encoding source.Encoding
}

// features are what the client can do.
type features struct {
	markdown       bool // in hovers
	lensRefresh    bool
	hintRefresh    bool
	pullsConfig    bool
	progress       bool
	output         bool // takes restep/output
	clientCommands map[string]bool
}

func newSnapshot() *snapshot {
	return &snapshot{docs: map[string]*document{}, folders: map[string]bool{}, modules: map[string]*hits.State{}, config: defaultConfig()}
}

// clone returns a snapshot that may be changed until it is put in place.
func (s *snapshot) clone() *snapshot {
	c := *s
	c.docs, c.folders, c.modules = maps.Clone(s.docs), maps.Clone(s.folders), maps.Clone(s.modules)
	return &c
}

// state returns the runs of a document's module, nil when there are none.
func (s *snapshot) state(d *document) *hits.State {
	if !d.inModule {
		return nil
	}
	return s.modules[d.module.Dir]
}

// document returns an open Go file, nil when it is not open or not usable.
func (s *snapshot) document(u uri.URI) *document {
	name, ok := filePath(u)
	if !ok {
		return nil
	}
	return s.docs[name]
}

// filePath returns the path of a file: URI.
func filePath(u uri.URI) (string, bool) {
	name := u.FsPath()
	if u.Scheme() != "file" || !filepath.IsAbs(name) {
		return "", false
	}
	return filepath.Clean(name), true
}

// document is one version of an open file.
type document struct {
	uri      uri.URI
	path     string
	version  int32
	text     *source.Text
	inModule bool
	module   source.Module
	recorded string // name in a step log
	parsed   func() *source.File
	lines    func() []string

	mu    sync.Mutex
	state *hits.State // that view is of
	view  *view
	moved map[*hits.Base]*source.Lines
}

// newDocument returns a version of a file that is in a module or not.
func newDocument(u uri.URI, path string, version int32, content string) *document {
	d := &document{uri: u, path: path}
	if d.module, d.inModule = source.FindModule(filepath.Dir(path)); d.inModule {
		d.recorded = d.module.Recorded(path)
		d.inModule = d.recorded != ""
	}
	return d.with(version, source.NewText(content))
}

// with returns the document with another text.
func (d *document) with(version int32, text *source.Text) *document {
	return &document{
		uri: d.uri, path: d.path, version: version, text: text, inModule: d.inModule, module: d.module, recorded: d.recorded,
		parsed: sync.OnceValue(func() *source.File { return source.Parse(d.path, text.Content()) }),
		lines:  sync.OnceValue(text.Lines),
		moved:  map[*hits.Base]*source.Lines{},
	}
}

// pkg is the import path of the document's package.
func (d *document) pkg() string { return d.module.Package(filepath.Dir(d.path)) }

// span converts byte offsets to what the client understands.
func (d *document) span(start, end int, e source.Encoding) protocol.Range {
	return protocol.Range{Start: d.position(start, e), End: d.position(end, e)}
}

func (d *document) position(off int, e source.Encoding) protocol.Position {
	p := d.text.Position(off, e)
	return protocol.Position{Line: uint32(p.Line), Character: uint32(p.Column)}
}

// lineSpan is a line, from 1 as Go counts, without white space around it.
func (d *document) lineSpan(line int, e source.Encoding) protocol.Range {
	start, end, _ := d.text.GoLine(line)
	content := d.text.Content()
	for start < end && (content[start] == ' ' || content[start] == '\t') {
		start++
	}
	return d.span(start, end, e)
}
