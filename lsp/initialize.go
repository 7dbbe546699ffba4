package lsp

import (
	"context"
	"encoding/json"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/restep/restep/lsp/source"
)

// encodings are the units of columns that the server knows.
var encodings = map[protocol.PositionEncodingKind]source.Encoding{
	protocol.PositionEncodingKindUTF8:  source.UTF8,
	protocol.PositionEncodingKindUTF16: source.UTF16,
	protocol.PositionEncodingKindUTF32: source.UTF32,
}

// Initialize answers the first request.
func (s *server) Initialize(_ context.Context, params *protocol.InitializeParams) (*protocol.InitializeResult, error) {
	kind := protocol.PositionEncodingKindUTF16
	if g := params.Capabilities.General; g != nil {
		for _, k := range g.PositionEncodings { // the client prefers earlier ones
			if _, known := encodings[k]; known {
				kind = k
				break
			}
		}
	}
	var options struct {
		Output         bool     `json:"output"`
		ClientCommands []string `json:"clientCommands"`
		LinkPrefix     string   `json:"linkPrefix"`
	}
	if len(params.InitializationOptions) > 0 {
		_ = json.Unmarshal(params.InitializationOptions, &options) // options are optional
	}
	can := clientFeatures(&params.Capabilities)
	can.output = options.Output
	if can.linkPrefix = linkFronts[0]; options.LinkPrefix != "" {
		can.linkPrefix = options.LinkPrefix
	}
	s.change(false, func(next *snapshot) {
		next.encoding = encodings[kind]
		next.features = can
		next.config = next.config.with(params.InitializationOptions)
		folders, _ := params.WorkspaceFolders.Get()
		for _, f := range folders {
			next.addFolder(f.URI)
		}
		if len(folders) == 0 && params.RootURI != nil {
			next.addFolder(*params.RootURI)
		}
	})
	s.mu.Lock()
	s.phase = running
	s.mu.Unlock()
	if params.ProcessID != nil && *params.ProcessID > 0 {
		go s.outlive(int(*params.ProcessID)) // not in the background: Serve must not wait for it
	}
	s.watch()
	s.scan()
	return &protocol.InitializeResult{
		ServerInfo:   protocol.ServerInfo{Name: "restep", Version: protocol.NewOptional(s.opt.Version)},
		Capabilities: capabilities(kind, options.ClientCommands),
	}, nil
}

// capabilities is what the server can do.
func capabilities(kind protocol.PositionEncodingKind, clientCommands []string) protocol.ServerCapabilities {
	yes, incremental := true, protocol.TextDocumentSyncKindIncremental
	var names []string
	for name := range commands {
		if !slices.Contains(clientCommands, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return protocol.ServerCapabilities{
		PositionEncoding:     kind,
		TextDocumentSync:     &protocol.TextDocumentSyncOptions{OpenClose: &yes, Change: &incremental},
		HoverProvider:        protocol.Boolean(true),
		InlayHintProvider:    protocol.Boolean(true),
		CodeLensProvider:     &protocol.CodeLensOptions{},
		CodeActionProvider:   &protocol.CodeActionOptions{CodeActionKinds: []protocol.CodeActionKind{quickFix, restepKind}},
		DocumentLinkProvider: &protocol.DocumentLinkOptions{},
		ExecuteCommandProvider: protocol.ExecuteCommandOptions{
			Commands: names, WorkDoneProgressOptions: protocol.WorkDoneProgressOptions{WorkDoneProgress: &yes},
		},
		Workspace: &protocol.WorkspaceOptions{WorkspaceFolders: &protocol.WorkspaceFoldersServerCapabilities{
			Supported: &yes, ChangeNotifications: protocol.Boolean(true),
		}},
	}
}

// clientFeatures reads what matters of the client's capabilities.
func clientFeatures(c *protocol.ClientCapabilities) features {
	is := func(b *bool) bool { return b != nil && *b }
	var f features
	if t := c.TextDocument; t != nil && t.Hover != nil {
		f.markdown = slices.Contains(t.Hover.ContentFormat, protocol.MarkupKindMarkdown)
	}
	if t := c.TextDocument; t != nil && t.CodeAction != nil {
		f.actionLiterals = len(t.CodeAction.CodeActionLiteralSupport.CodeActionKind.ValueSet) > 0
	}
	if w := c.Workspace; w != nil {
		f.lensRefresh = w.CodeLens != nil && is(w.CodeLens.RefreshSupport)
		f.hintRefresh = w.InlayHint != nil && is(w.InlayHint.RefreshSupport)
		f.pullsConfig = is(w.Configuration)
	}
	f.progress = c.Window != nil && is(c.Window.WorkDoneProgress)
	return f
}

// Initialized lets the server ask the client things.
func (s *server) Initialized(context.Context, *protocol.InitializedParams) error {
	s.background(s.pullConfig)
	return nil
}
