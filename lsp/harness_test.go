package lsp

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/restep/restep/replay/logtest"
	"github.com/restep/restep/replay/runs"
	"github.com/restep/restep/sim/steplog"
)

// limit is how long anything in a test may take before it is called broken.
const limit = 30 * time.Second

// client is a client in a test. It remembers what the server told it.
type client struct {
	protocol.UnimplementedClient
	protocol.Server // calls the server
	conn            jsonrpc2.Conn
	pipe            io.ReadWriteCloser
	ctx             context.Context
	ended           chan error // what Serve returned

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced when something below changes
	diagnostics map[uri.URI][]protocol.Diagnostic
	messages    []string
	logged      []string
	outputs     []string
	progress    []string
	refreshed   int // of lenses
	config      string
}

// told notes what the server said.
func (c *client) told(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// until waits for something that the server says.
func (c *client) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for {
		c.mu.Lock()
		done, changed := ok(), c.changed
		c.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (c *client) PublishDiagnostics(_ context.Context, p *protocol.PublishDiagnosticsParams) error {
	c.told(func() { c.diagnostics[p.URI] = p.Diagnostics })
	return nil
}

func (c *client) LogMessage(_ context.Context, p *protocol.LogMessageParams) error {
	c.told(func() { c.logged = append(c.logged, p.Message) })
	return nil
}

func (c *client) ShowMessage(_ context.Context, p *protocol.ShowMessageParams) error {
	c.told(func() { c.messages = append(c.messages, p.Message) })
	return nil
}

func (c *client) CodeLensRefresh(context.Context) error {
	c.told(func() { c.refreshed++ })
	return nil
}

func (c *client) InlayHintRefresh(context.Context) error { return nil }

func (c *client) WorkDoneProgressCreate(context.Context, *protocol.WorkDoneProgressCreateParams) error {
	return nil
}

func (c *client) Progress(_ context.Context, p *protocol.ProgressParams) error {
	token := string(p.Token.(protocol.String))
	c.told(func() { c.progress = append(c.progress, token+" "+string(p.Value)) })
	return nil
}

func (c *client) Configuration(context.Context, *protocol.ConfigurationParams) ([]protocol.LSPAny, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return []protocol.LSPAny{protocol.LSPAny(c.config)}, nil
}

// handler takes restep/output, which protocol does not know.
func (c *client) handler() jsonrpc2.Handler {
	standard := protocol.Handlers(protocol.ClientHandler(c, jsonrpc2.MethodNotFoundHandler))
	return func(ctx context.Context, req *jsonrpc2.Request) (any, error) {
		if req.Method() != "restep/output" {
			return standard(ctx, req)
		}
		var p outputParams
		if err := json.Unmarshal(req.Params(), &p); err != nil {
			return nil, err
		}
		c.told(func() { c.outputs = append(c.outputs, p.Text) })
		return nil, nil
	}
}

// connect starts a server and a client; initialize is not sent yet.
func connect(t testing.TB, opt Options) *client {
	t.Helper()
	long := limit
	if _, measured := t.(*testing.B); measured {
		long *= 20
	}
	ctx, cancel := context.WithTimeout(context.Background(), long)
	here, there := net.Pipe()
	c := &client{
		ctx: ctx, ended: make(chan error, 1), changed: make(chan struct{}),
		diagnostics: map[uri.URI][]protocol.Diagnostic{}, config: "null",
	}
	go func() { c.ended <- Serve(ctx, there, opt) }()
	c.conn = jsonrpc2.NewConn(newStream(here, func(error) {}), jsonrpc2.WithCodec(codec{}))
	c.conn.Go(ctx, c.handler())
	c.Server = protocol.ServerDispatcher(c.conn)
	t.Cleanup(func() {
		cancel()
		_ = here.Close()
		<-c.conn.Done()
	})
	return c
}

// start connects and initializes with a folder.
func start(t testing.TB, folder string, edit func(*protocol.InitializeParams)) *client {
	t.Helper()
	c := connect(t, Options{Version: "test", Restep: []string{os.Args[0]}})
	yes := true
	root := uri.File(folder)
	params := &protocol.InitializeParams{RootURI: &root}
	params.Capabilities.Workspace = &protocol.WorkspaceClientCapabilities{
		CodeLens:  &protocol.CodeLensWorkspaceClientCapabilities{RefreshSupport: &yes},
		InlayHint: &protocol.InlayHintWorkspaceClientCapabilities{RefreshSupport: &yes},
	}
	params.Capabilities.TextDocument = &protocol.TextDocumentClientCapabilities{
		Hover: &protocol.HoverClientCapabilities{ContentFormat: []protocol.MarkupKind{protocol.MarkupKindMarkdown}},
	}
	if edit != nil {
		edit(params)
	}
	if _, err := c.Initialize(c.ctx, params); err != nil {
		t.Fatal(err)
	}
	if err := c.Initialized(c.ctx, &protocol.InitializedParams{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// open opens a file with a content.
func (c *client) open(t testing.TB, name, content string) protocol.TextDocumentIdentifier {
	t.Helper()
	id := protocol.TextDocumentIdentifier{URI: uri.File(name)}
	err := c.DidOpen(c.ctx, &protocol.DidOpenTextDocumentParams{
		TextDocument: protocol.TextDocumentItem{URI: id.URI, LanguageID: "go", Version: 1, Text: content},
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// edit replaces all of a file.
func (c *client) edit(t testing.TB, id protocol.TextDocumentIdentifier, content string) {
	t.Helper()
	p := &protocol.DidChangeTextDocumentParams{ContentChanges: []protocol.TextDocumentContentChangeEvent{
		&protocol.TextDocumentContentChangeWholeDocument{Text: content},
	}}
	p.TextDocument.URI, p.TextDocument.Version = id.URI, 2
	if err := c.DidChange(c.ctx, p); err != nil {
		t.Fatal(err)
	}
}

// hints returns the labels of hints by line, from 0.
func (c *client) hints(t testing.TB, id protocol.TextDocumentIdentifier) map[uint32][]string {
	t.Helper()
	list, err := c.InlayHint(c.ctx, &protocol.InlayHintParams{
		TextDocument: id, Range: protocol.Range{End: protocol.Position{Line: 1 << 30}},
	})
	if err != nil {
		t.Fatal(err)
	}
	byLine := map[uint32][]string{}
	for _, h := range list {
		label := h.Label.(protocol.InlayHintLabelPartSlice)[0].Value
		byLine[h.Position.Line] = append(byLine[h.Position.Line], label)
	}
	return byLine
}

// lenses returns the lenses by line, from 0.
func (c *client) lenses(t testing.TB, id protocol.TextDocumentIdentifier) map[uint32][]protocol.Command {
	t.Helper()
	list, err := c.CodeLens(c.ctx, &protocol.CodeLensParams{TextDocument: id})
	if err != nil {
		t.Fatal(err)
	}
	byLine := map[uint32][]protocol.Command{}
	for _, l := range list {
		byLine[l.Range.Start.Line] = append(byLine[l.Range.Start.Line], l.Command)
	}
	return byLine
}

// hover returns the text of a hover, "" for none.
func (c *client) hover(t testing.TB, id protocol.TextDocumentIdentifier, at protocol.Position) string {
	t.Helper()
	h, err := c.Hover(c.ctx, &protocol.HoverParams{
		TextDocumentPositionParams: protocol.TextDocumentPositionParams{TextDocument: id, Position: at},
	})
	if err != nil {
		t.Fatal(err)
	}
	if h == nil {
		return ""
	}
	return h.Contents.(*protocol.MarkupContent).Value
}

// execute runs a command.
func (c *client) execute(name string, args arguments) (string, error) {
	out, err := c.ExecuteCommand(c.ctx, &protocol.ExecuteCommandParams{Command: name, Arguments: args.list()})
	return string(out), err
}

// write makes a file that was last changed an hour ago.
func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
}

// record puts a run with its log into a module's store. fill may change the
// run, which gets the name of its log.
func record(t testing.TB, dir string, r *runs.Result, fill func(*logtest.Log)) {
	t.Helper()
	store, err := runs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	start := time.Date(2020, 1, 15, 14, 10, 3, 0, time.UTC)
	log := logtest.New(t, steplog.Header{Seed: r.Seed, StartNs: start.UnixNano(), Build: r.Build, Package: r.Package, Module: r.Module, Test: r.Test})
	fill(log)
	content := log.Bytes()
	r.Steps = log.Steps()
	path, err := store.NewLog(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	if *r, err = store.Add(*r, path, ""); err != nil {
		t.Fatal(err)
	}
}
