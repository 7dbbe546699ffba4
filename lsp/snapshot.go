package lsp

import (
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/lsp/hits"
	"github.com/restep/restep/lsp/source"
)

// snapshot is all that an answer depends on.
type snapshot struct {
	docs     map[string]*document       // open ones, by path
	folders  map[string]string          // of the workspace: path -> path without symbolic links
	nested   map[string][]source.Module // modules below a folder
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
	output         bool   // takes restep/output
	actionLiterals bool   // code actions may be more than commands
	linkPrefix     string // of links to steps, in front of the import path
}

func newSnapshot() *snapshot {
	return &snapshot{
		docs: map[string]*document{}, folders: map[string]string{}, nested: map[string][]source.Module{},
		modules: map[string]*hits.State{}, config: defaultConfig(),
	}
}

// clone returns a snapshot that may be changed until it is put in place.
func (s *snapshot) clone() *snapshot {
	c := *s
	c.docs, c.folders, c.nested, c.modules = maps.Clone(s.docs), maps.Clone(s.folders), maps.Clone(s.nested), maps.Clone(s.modules)
	return &c
}

// states returns the runs of all modules, in a fixed order.
func (s *snapshot) states() []*hits.State {
	list := make([]*hits.State, 0, len(s.modules))
	for _, dir := range slices.Sorted(maps.Keys(s.modules)) {
		list = append(list, s.modules[dir])
	}
	return list
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
	identity
	version int32
	text    *source.Text
	ids     source.LineIDs
	parsed  func() *source.File
	lines   func() []string

	mu     sync.Mutex
	states []*hits.State // that view is of
	view   *view
	moved  map[*hits.Base]*source.Lines
}

// identity is what no edit of a document changes.
type identity struct {
	uri      uri.URI
	path     string
	inModule bool
	// module is the one that the file is in, by the path that the user took:
	// what he is shown and what runs has that path. It is that of file.
	module source.Module
	file   string // path, or without symbolic links where only that leads to a module
	// names are the paths that runs may know the file by, and homes the modules
	// of these, whose folders have no symbolic links. More than one if the file
	// itself is such a link.
	names []string
	homes []source.Module

	history *history
}

// history is what the versions of a document have in common as long as it is
// open.
type history struct {
	lastID  atomic.Uint64
	mu      sync.Mutex
	anchors map[*hits.Base]*source.Anchor
}

func (h *history) nextID() uint64 { return h.lastID.Add(1) }

// maxAnchors bounds how many files of builds a document is followed from.
const maxAnchors = 100

// follow says where the lines of a base are in a version, by comparing and by
// the edits since the first version that was compared.
func (h *history) follow(base *hits.Base, d *document) *source.Lines {
	compared := source.CompareLines(base.Lines(), d.lines())
	h.mu.Lock()
	defer h.mu.Unlock()
	anchor := h.anchors[base]
	if anchor == nil {
		if len(h.anchors) >= maxAnchors {
			clear(h.anchors)
		}
		h.anchors[base] = source.NewAnchor(compared, d.ids)
		return compared
	}
	return anchor.Lines(compared, d.ids)
}

// newDocument returns a version of a file that is in a module or not.
func newDocument(u uri.URI, path string, version int32, content string) *document {
	h := &history{anchors: map[*hits.Base]*source.Anchor{}}
	d := &document{identity: identity{uri: u, path: path, history: h}}
	d.file, d.inModule = path, d.live(path)
	if real := source.Real(path); !slices.Contains(d.names, real) && d.live(real) && !d.inModule {
		d.file, d.inModule = real, true
	}
	text := source.NewText(content)
	return d.with(version, text, source.NewLineIDs(text, h.nextID))
}

// live adds the module that a path is in.
func (d *identity) live(path string) bool {
	m, ok := source.FindModule(filepath.Dir(path))
	if !ok {
		return false
	}
	rel, err := filepath.Rel(m.Dir, path)
	if err != nil || !filepath.IsLocal(rel) {
		return false
	}
	if len(d.names) == 0 {
		d.module = m
	}
	home := m.Real()
	d.names = append(d.names, filepath.Join(home.Dir, rel))
	if !slices.Contains(d.homes, home) {
		d.homes = append(d.homes, home)
	}
	return true
}

// with returns the document with another text and the names of its lines.
func (d *document) with(version int32, text *source.Text, ids source.LineIDs) *document {
	return &document{
		identity: d.identity, version: version, text: text, ids: ids,
		parsed: sync.OnceValue(func() *source.File { return source.Parse(d.path, text.Content()) }),
		lines:  sync.OnceValue(text.Lines),
		moved:  map[*hits.Base]*source.Lines{},
	}
}

// pkg is the import path of the document's package.
func (d *document) pkg() string { return d.module.Package(filepath.Dir(d.file)) }

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
